// SPDX-License-Identifier: Apache-2.0
// For tests: small SavedModels, written to a folder, imported and interpreted. The text of protobuf
// would be shorter, but the reader's schemas are made without it.
#pragma once

#include <filesystem>

#include "import/saved_model/checkpoint_builder.h"
#include "import/saved_model/saved_model.h"
#include "import/saved_model/saved_model.pb.h"
#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {

/// A function, node by node.
class FunctionBuilder {
 public:
  FunctionBuilder(FunctionDef& def, const std::string& name, const std::vector<std::string>& inputs,
                  const std::map<std::string, std::string>& results)
      : def(def) {
    def.mutable_signature()->set_name(name);
    for (const std::string& input : inputs)
      def.mutable_signature()->add_input_arg()->set_name(input);
    for (const auto& [output, from] : results) {
      def.mutable_signature()->add_output_arg()->set_name(output);
      (*def.mutable_ret())[output] = from;
    }
  }
  NodeDef& node(const std::string& op, const std::string& name,
                const std::vector<std::string>& inputs = {}) {
    NodeDef& added = *def.add_node_def();
    added.set_op(op);
    added.set_name(name);
    for (const std::string& input : inputs) added.add_input(input);
    return added;
  }
  NodeDef& number(const std::string& name, float value) {
    NodeDef& added = node("Const", name);
    TensorProto& tensor = *(*added.mutable_attr())["value"].mutable_tensor();
    tensor.set_dtype(tf_float);
    tensor.mutable_tensor_shape();
    tensor.add_float_val(value);
    return added;
  }
  NodeDef& integer(const std::string& name, int value) {
    NodeDef& added = node("Const", name);
    TensorProto& tensor = *(*added.mutable_attr())["value"].mutable_tensor();
    tensor.set_dtype(tf_int32);
    tensor.mutable_tensor_shape();
    tensor.add_int_val(value);
    return added;
  }
  FunctionDef& def;
};

inline NodeDef& calls(NodeDef& node, const std::string& function, const std::string& as = "f") {
  (*node.mutable_attr())[as].mutable_func()->set_name(function);
  return node;
}

/// A model whose graph is the builder's; `x` f32[N, 2] is there already, and the signature's input.
class ModelBuilder : public GraphBuilder {
 public:
  ModelBuilder() {
    graph().mutable_meta_info_def()->add_tags("serve");
    placeholder("serving_default_x", tf_float, {-1, 2});
    port(true, "x", "serving_default_x:0");
    for (const auto& [op, inputs, outputs] : {std::tuple("AddV2", "x y", "z"),
                                              {"Mul", "x y", "z"},
                                              {"Identity", "input", "output"},
                                              {"Const", "", "output"},
                                              {"ReadVariableOp", "resource", "value"},
                                              {"Less", "x y", "z"},
                                              {"Cast", "x", "y"}})
      define(op, inputs, outputs);
  }

  MetaGraph& graph() {
    return model.meta_graphs_size() == 0 ? *model.add_meta_graphs() : *model.mutable_meta_graphs(0);
  }
  void port(bool input, const std::string& name, const std::string& value,
            const std::string& signature = "serving_default") {
    SignatureDef& definition = (*graph().mutable_signature_def())[signature];
    auto& side = input ? *definition.mutable_inputs() : *definition.mutable_outputs();
    side[name].set_name(value);
  }
  OpDef& define(const std::string& op, const std::string& inputs, const std::string& outputs) {
    OpDef& added = *graph().mutable_meta_info_def()->mutable_stripped_op_list()->add_op();
    added.set_name(op);
    auto add = [](const std::string& names, auto* arguments) {
      for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find(' ', at), names.size());
        arguments->Add()->set_name(names.substr(at, end - at));
        at = end + 1;
      }
    };
    add(inputs, added.mutable_input_arg());
    add(outputs, added.mutable_output_arg());
    return added;
  }
  FunctionBuilder function(const std::string& name, const std::vector<std::string>& inputs,
                           const std::map<std::string, std::string>& results) {
    return {*def.mutable_library()->add_function(), name, inputs, results};
  }
  /// A variable of TensorFlow 2: an object that `function`, called by a node of the graph, is bound
  /// to.
  void variable(const std::string& name, const std::string& key, const Sizes& shape,
                const std::vector<float>& values, const std::string& function) {
    NodeDef& handle = node("VarHandleOp", name);
    (*handle.mutable_attr())["dtype"].set_type(tf_float);
    set_shape(*(*handle.mutable_attr())["shape"].mutable_shape(), shape);
    (*graph().mutable_object_graph_def()->mutable_concrete_functions())[function].add_bound_inputs(
        objects.nodes_size());
    auto& attribute = *objects.add_nodes()->add_attributes();
    attribute.set_name("VARIABLE_VALUE");
    attribute.set_checkpoint_key(key);
    checkpoint.floats(key, shape, values);
  }

  std::string write() {
    *graph().mutable_graph_def() = def;
    if (objects.nodes_size() > 0) {
      checkpoint.entries.erase("_CHECKPOINTABLE_OBJECT_GRAPH");
      checkpoint.strings("_CHECKPOINTABLE_OBJECT_GRAPH", {objects.SerializeAsString()});
    }
    checkpoint.write();
    const std::string folder = checkpoint.prefix().substr(0, checkpoint.prefix().rfind("/"));
    EXPECT_TRUE(
        write_file(folder + "/saved_model.pb", std::string_view(model.SerializeAsString())));
    namespace fs = std::filesystem;
    fs::create_directory(folder + "/variables");
    for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
      if (file.is_regular_file() && file.path().filename().string().starts_with("variables."))
        fs::rename(file, folder + "/variables/" + file.path().filename().string());
    }
    return folder;
  }
  Expected<Graph> import(const ImportOptions& options = {}) {
    return import_file(write(), options);
  }
  std::string message(const ImportOptions& options = {}) {
    const auto graph = import(options);
    return graph ? "none" : graph.error().message;
  }
  /// What the outputs are for x = [[1, 2]].
  std::vector<double> run(const ImportOptions& options = {}) {
    const Expected<Graph> graph = import(options);
    if (!graph) {
      ADD_FAILURE() << graph.error().message;
      return {};
    }
    const std::vector<Tensor> inputs{float_tensor({1, 2}, {1, 2})};
    const auto outputs = interpret(*graph, inputs, *bind_symbols(*graph, inputs));
    if (!outputs) {
      ADD_FAILURE() << outputs.error().message;
      return {};
    }
    std::vector<double> all;
    for (const Tensor& output : *outputs) {
      for (const double value : numbers(output)) all.push_back(value);
    }
    return all;
  }

  SavedModel model;
  TrackableObjectGraph objects;
  CheckpointBuilder checkpoint;
};

}  // namespace ingot::tensorflow
