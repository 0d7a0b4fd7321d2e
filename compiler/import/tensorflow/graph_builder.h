// SPDX-License-Identifier: Apache-2.0
// For tests: small GraphDefs, written as protobuf objects, imported and interpreted.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "import/inputs.h"
#include "import/tensorflow/graphdef.h"
#include "import/tensorflow/graphdef.pb.h"
#include "ops/interpret.h"

namespace ingot::tensorflow {

inline constexpr int tf_float = 1;
inline constexpr int tf_int32 = 3;
inline constexpr int tf_int64 = 9;
inline constexpr int tf_bool = 10;

using Sizes = std::vector<std::int64_t>;

class GraphBuilder {
 public:
  GraphBuilder() { def.mutable_versions()->set_producer(1000); }

  NodeDef& node(const std::string& op, const std::string& name,
                const std::vector<std::string>& inputs = {}) {
    NodeDef& added = *def.add_node();
    added.set_name(name);
    added.set_op(op);
    for (const std::string& input : inputs) added.add_input(input);
    return added;
  }
  void placeholder(const std::string& name, int dtype, const Sizes& shape) {
    NodeDef& added = node("Placeholder", name);
    (*added.mutable_attr())["dtype"].set_type(dtype);
    set_shape(*(*added.mutable_attr())["shape"].mutable_shape(), shape);
  }
  TensorProto& constant(const std::string& name, int dtype, const Sizes& shape) {
    NodeDef& added = node("Const", name);
    (*added.mutable_attr())["dtype"].set_type(dtype);
    TensorProto& tensor = *(*added.mutable_attr())["value"].mutable_tensor();
    tensor.set_dtype(dtype);
    set_shape(*tensor.mutable_tensor_shape(), shape);
    return tensor;
  }
  void floats(const std::string& name, const Sizes& shape, const std::vector<float>& values) {
    TensorProto& tensor = constant(name, tf_float, shape);
    for (const float value : values) tensor.add_float_val(value);
  }
  void ints(const std::string& name, const Sizes& shape, const std::vector<int>& values) {
    TensorProto& tensor = constant(name, tf_int32, shape);
    for (const int value : values) tensor.add_int_val(value);
  }
  void vector(const std::string& name, const std::vector<int>& values) {
    ints(name, {static_cast<std::int64_t>(values.size())}, values);
  }
  void boolean(const std::string& name, bool value) {
    constant(name, tf_bool, {}).add_bool_val(value);
  }

  Expected<Graph> import(const ImportOptions& options = {}) const {
    const std::string text = def.SerializeAsString();
    Survey survey;
    Expected<Graph> graph = import_graphdef(std::as_bytes(std::span(text)), options, survey);
    if (graph) INGOT_TRY(merge_symbols(*graph));
    return graph;
  }

  static void set_shape(TensorShapeProto& proto, const Sizes& shape) {
    for (const std::int64_t size : shape) proto.add_dim()->set_size(size);
  }

  GraphDef def;
};

template <class T>
Tensor make_tensor(DType dtype, Sizes shape, const std::vector<T>& values) {
  Tensor tensor(dtype, std::move(shape));
  EXPECT_EQ(tensor.elements(), static_cast<std::int64_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensor.set(static_cast<std::int64_t>(i), static_cast<T>(values[i]));
  }
  return tensor;
}

inline Tensor float_tensor(Sizes shape, const std::vector<float>& values) {
  return make_tensor<float>(DType::f32, std::move(shape), values);
}

/// 0, 1, 2, ... in row-major order.
inline Tensor counting(Sizes shape) {
  Tensor tensor(DType::f32, std::move(shape));
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, static_cast<float>(i));
  return tensor;
}

inline std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) values.push_back(tensor.as_double(i));
  return values;
}

/// Imports and interprets; failures of either become failures of the test.
inline std::vector<Tensor> run(const GraphBuilder& builder, const std::vector<Tensor>& inputs,
                               const ImportOptions& options = {}) {
  const Expected<Graph> graph = builder.import(options);
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  const Expected<SymbolValues> symbols = bind_symbols(*graph, inputs);
  if (!symbols) {
    ADD_FAILURE() << symbols.error().message;
    return {};
  }
  Expected<std::vector<Tensor>> outputs = interpret(*graph, inputs, *symbols);
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  return *std::move(outputs);
}

}  // namespace ingot::tensorflow
