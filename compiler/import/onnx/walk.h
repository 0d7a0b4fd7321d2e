// SPDX-License-Identifier: Apache-2.0
// Walks the nodes of an ONNX graph, its branches and functions, and builds core ops by the table.
#pragma once

#include "import/onnx/scope.h"
#include "import/onnx/tensor_proto.h"

namespace ingot::onnx {

class Walker {
 public:
  Walker(Graph& graph, const ModelProto& model, ExternalFolder folder);

  /// The live nodes, in their order. What is unsupported is remembered and walked past; other
  /// failures end the walk.
  Expected<void> walk(Scope& scope, const NodeList& nodes, const Liveness& live);
  /// The value of a name that must exist; initializers become constants here.
  Expected<Slot> find(Scope& scope, const std::string& name);
  /// One line for the report of everything unsupported.
  void report(std::string line) { unsupported_.push_back(std::move(line)); }
  const std::vector<std::string>& unsupported() const { return unsupported_; }

 private:
  struct Call {  // a node with what it reads
    const NodeProto& proto;
    std::string name;
    std::vector<Slot> inputs;
    std::vector<bool> used_outputs;
    std::int64_t opset = 0;
  };

  Expected<void> walk_node(Scope& scope, const NodeProto& node, const Liveness& live);
  Expected<std::vector<Slot>> emit(Scope& scope, const Call& call);
  Expected<std::vector<Slot>> emit_row(Scope& scope, const Call& call);
  Expected<std::vector<Slot>> inline_function(Scope& scope, const Call& call,
                                              const FunctionProto& function);
  Expected<std::vector<Slot>> inline_branch(Scope& scope, const Call& call);
  std::vector<Slot> refuse(const Call& call, std::string_view reason);
  const FunctionProto* find_function(const NodeProto& node) const;
  OnnxNode view(const Scope& scope, const Call& call);

  Graph& graph_;
  ExternalFolder folder_;
  std::unordered_map<std::string, const FunctionProto*> functions_;
  std::vector<std::string> unsupported_;
  std::int64_t walked_ = 0;
};

}  // namespace ingot::onnx
