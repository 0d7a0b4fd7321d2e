// SPDX-License-Identifier: Apache-2.0
// For tests: small ONNX models made of protobuf objects, imported and run.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "import/import.h"
#include "import/onnx/onnx.pb.h"
#include "ops/interpret.h"

namespace ingot::onnx {

/// A size, a name, or "" for unknown.
using TestDim = std::variant<std::int64_t, std::string>;
using Names = std::vector<std::string>;

inline void set_attribute(AttributeProto& a, std::int64_t value) {
  a.set_type(AttributeProto::INT);
  a.set_i(value);
}
inline void set_attribute(AttributeProto& a, int value) { set_attribute(a, std::int64_t{value}); }
inline void set_attribute(AttributeProto& a, float value) {
  a.set_type(AttributeProto::FLOAT);
  a.set_f(value);
}
inline void set_attribute(AttributeProto& a, const char* value) {
  a.set_type(AttributeProto::STRING);
  a.set_s(value);
}
inline void set_attribute(AttributeProto& a, const std::vector<std::int64_t>& values) {
  a.set_type(AttributeProto::INTS);
  for (const std::int64_t value : values) a.add_ints(value);
}

/// A node with chained attributes: `node("Elu", {"x"}, {"y"}).with("alpha", 2.0f)`.
class TestNode {
 public:
  explicit TestNode(NodeProto* proto) : proto_(proto) {}
  template <class T>
  TestNode& with(const std::string& name, T value) {
    AttributeProto* attribute = proto_->add_attribute();
    attribute->set_name(name);
    set_attribute(*attribute, value);
    return *this;
  }
  TestNode& reference(const std::string& name, const std::string& of) {
    AttributeProto* attribute = proto_->add_attribute();
    attribute->set_name(name);
    attribute->set_ref_attr_name(of);
    return *this;
  }
  NodeProto* operator->() { return proto_; }

 private:
  NodeProto* proto_;
};

template <class Owner>
TestNode add_node(Owner& owner, const std::string& op, const Names& inputs, const Names& outputs) {
  NodeProto* node = owner.add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  return TestNode(node);
}

struct TestModel {
  ModelProto proto;

  explicit TestModel(int opset = 17) {
    proto.set_ir_version(8);
    proto.add_opset_import()->set_version(opset);
    graph().set_name("test");
  }
  GraphProto& graph() { return *proto.mutable_graph(); }

  TestModel& input(const std::string& name, const std::vector<TestDim>& dims, int type = 1) {
    ValueInfoProto* info = graph().add_input();
    info->set_name(name);
    TypeProto::Tensor* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    TensorShapeProto* shape = tensor->mutable_shape();
    for (const TestDim& dim : dims) {
      TensorShapeProto::Dimension* entry = shape->add_dim();
      if (const auto* number = std::get_if<std::int64_t>(&dim)) entry->set_dim_value(*number);
      if (const auto* text = std::get_if<std::string>(&dim); text != nullptr && !text->empty()) {
        entry->set_dim_param(*text);
      }
    }
    return *this;
  }
  TestModel& floats(const std::string& name, const std::vector<std::int64_t>& dims,
                    const std::vector<float>& values) {
    TensorProto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(1);
    for (const std::int64_t dim : dims) tensor->add_dims(dim);
    for (const float value : values) tensor->add_float_data(value);
    return *this;
  }
  TestModel& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    TensorProto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(7);
    tensor->add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor->add_int64_data(value);
    return *this;
  }
  TestNode node(const std::string& op, const Names& inputs, const Names& outputs) {
    return add_node(graph(), op, inputs, outputs);
  }
  TestModel& output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }

  std::string bytes() const { return proto.SerializeAsString(); }
  Expected<Graph> import(const ImportOptions& options = {}) const {
    const std::string text = bytes();
    return import_model(std::as_bytes(std::span(text.data(), text.size())), options);
  }
};

inline Tensor float_tensor(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor(DType::f32, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

inline std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) result.push_back(tensor.as_double(i));
  return result;
}

inline std::string message_of(const Expected<Graph>& graph) {
  return graph ? "no error" : graph.error().message;
}

/// The outputs' numbers; a failure of the test when import or run fail.
inline std::vector<std::vector<double>> run(const Expected<Graph>& graph,
                                            const std::vector<Tensor>& inputs) {
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  const Expected<SymbolValues> symbols = bind_symbols(*graph, inputs);
  if (!symbols) {
    ADD_FAILURE() << symbols.error().message;
    return {};
  }
  const Expected<std::vector<Tensor>> outputs = interpret(*graph, inputs, *symbols);
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  std::vector<std::vector<double>> results;
  for (const Tensor& output : *outputs) results.push_back(numbers(output));
  return results;
}

}  // namespace ingot::onnx
