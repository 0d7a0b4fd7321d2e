// SPDX-License-Identifier: Apache-2.0
// Walks the nodes of an ONNX graph, its branches and functions, and builds core ops by the table.
#pragma once

#include "import/onnx/scope.h"
#include "import/onnx/tensor_proto.h"

namespace ingot::onnx {

/// Ops that the walk itself reads, which have no rows; the opset from which on it does.
std::optional<int> first_opset_of_control_flow(std::string_view op);
inline constexpr int max_depth = 32;         // of functions and branches in one another
inline constexpr std::int64_t max_nodes = 1 << 20;  // after inlining: functions can multiply

/// As people know an op: those of other domains with theirs.
std::string op_key(const NodeProto& node);
std::string own_name_of(const NodeProto& node);
/// Why no row reads a node, by the table alone; none if one does.
std::optional<Refusal> refused_by_table(const NodeProto& node, std::int64_t opset);

class Walker {
 public:
  Walker(Graph& graph, const ModelProto& model, ExternalFolder folder, Survey& survey);

  /// The live nodes, in their order. What is unsupported goes into the survey and is walked past;
  /// other failures end the walk.
  Expected<void> walk(Scope& scope, const NodeList& nodes, const Liveness& live);
  /// The value of a name that must exist; initializers become constants here.
  Expected<Slot> find(Scope& scope, const std::string& name);
  /// Counts nodes that can't be walked, and refuses those that the table refuses: bodies of loops,
  /// branches of an If that is not decided, or all when a walk has ended early. `live`: null for
  /// all nodes.
  void skim(const Opsets& opsets, const NodeList& nodes, const Liveness* live,
            const std::string& prefix, int depth);

 private:
  struct Call {  // a node with what it reads
    const NodeProto& proto;
    std::string name;      // with the scope's prefix
    std::string own_name;  // without
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
  /// Loop, Scan, and If whose condition depends on data (control_flow.cpp).
  Expected<std::vector<Slot>> control_flow(Scope& scope, const Call& call);
  friend class ControlFlow;
  /// Walks a graph within a node; `bind` has put its inputs into the scope.
  Expected<std::vector<Slot>> walk_body(Scope& inner, const GraphProto& body);
  /// The scope of a graph within a node.
  static Scope inner_scope(const Scope& scope, const Call& call, const GraphProto& body);
  std::vector<Slot> refuse(const Scope& scope, const Call& call, Refusal refusal);
  std::vector<Slot> block(const Call& call);
  void skim_branches(const Scope& scope, const Call& call);
  const FunctionProto* find_function(const NodeProto& node) const;
  OnnxNode view(const Scope& scope, const Call& call);

  /// For a graph of its own, with what is known of the model.
  Walker(Graph& graph, const Walker& around);

  Graph& graph_;
  ExternalFolder folder_;
  std::unordered_map<std::string, const FunctionProto*> functions_;
  std::vector<const FunctionProto*> calling_;  // outermost first
  Survey& survey_;
  std::int64_t walked_ = 0;
};

}  // namespace ingot::onnx
