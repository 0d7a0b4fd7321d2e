// SPDX-License-Identifier: Apache-2.0
// Walks the nodes of an ONNX graph, its branches and functions, and builds core ops by the table.
#pragma once

#include "import/onnx/scope.h"
#include "import/onnx/tensor_proto.h"

namespace ingot::onnx {

inline constexpr int first_opset_of_if = 6;  // the one op without a row: docs say 6 of all old ones
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
  std::vector<Slot> refuse(const Scope& scope, const Call& call, Refusal refusal);
  std::vector<Slot> block(const Call& call);
  void skim_branches(const Scope& scope, const Call& call);
  /// A loop's refusal says whether its number of turns is known.
  Refusal refusal_of_loop(const Call& call);
  const FunctionProto* find_function(const NodeProto& node) const;
  OnnxNode view(const Scope& scope, const Call& call);

  Graph& graph_;
  ExternalFolder folder_;
  std::unordered_map<std::string, const FunctionProto*> functions_;
  std::vector<const FunctionProto*> calling_;  // outermost first
  Survey& survey_;
  std::int64_t walked_ = 0;
};

}  // namespace ingot::onnx
