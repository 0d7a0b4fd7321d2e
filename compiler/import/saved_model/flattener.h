// SPDX-License-Identifier: Apache-2.0
// What flattens; the header of its two files.
#pragma once

#include <deque>
#include <span>
#include <unordered_set>

#include "import/saved_model/flatten.h"

namespace ingot::tensorflow {

/// Names of values and nodes, as inputs of nodes have them.
using Wires = std::vector<std::string>;

class Flattener {
 public:
  Flattener(GraphDef& graph, const MetaGraph::Info::OpList& ops)
      : main_(graph), functions_(graph, ops) {}

  Expected<Flat> run(const std::vector<std::string>& roots);

 private:
  /// A function where it is called.
  struct Scope {
    const Function* function = nullptr;  // null: the graph itself
    const Scope* caller = nullptr;
    std::string prefix;  // of the names of its nodes
    std::string path;    // names of functions
    std::vector<Wires> arguments;
    Attributes attributes;
    /// A node without operands runs after this one, which decides whether it runs at all; empty: it
    /// always does.
    std::string pivot;
  };

  /// A node that calls, as far as it is known before what it calls is.
  struct Call {
    const Scope& scope;
    const NodeDef& node;
    Attributes attributes;  // without placeholders
    Wires inputs, controls;
    std::string name;    // of the node
    std::string prefix;  // of what becomes of it
  };

  Expected<void> expand(const Scope& scope);
  Expected<void> emit(const Scope& scope, NodeDef& node);
  Expected<void> copy(const Scope& scope, NodeDef& node);

  Expected<Call> read_call(const Scope& scope, const NodeDef& node);
  Expected<void> call(const Call& call, const NameAttrList& callee);
  /// In flatten_control.cpp.
  Expected<void> branch(const Call& call, const std::vector<NameAttrList>& callees);
  Expected<void> loop(const Call& call, const NameAttrList& condition, const NameAttrList& body);

  /// What a function gives where it is called, and nodes that have to run besides.
  struct Results {
    Wires values, controls;
  };
  Expected<Results> enter(const Call& call, const NameAttrList& callee, const std::string& prefix,
                          const Wires& arguments, const std::string& pivot);
  /// An output of a function that is one of its arguments: the argument's number.
  std::vector<std::optional<std::size_t>> handed_through(const Function& function) const;

  Expected<Wires> resolve(const Scope& scope, const std::string& text) const;
  Expected<Attributes> substituted(const Scope& scope, const NodeDef& node);
  Expected<void> substitute(const Scope& scope, const NodeDef& node, AttrValue& value) const;
  const NodeDef* node_of(const Scope& scope, std::string_view text) const;
  std::string unique_prefix(const Scope& scope, const std::string& name) const;

  NodeDef& add(const std::string& op, const std::string& name, const Wires& inputs,
               const Wires& controls = {});
  /// What stands for a node that called: all that it gives.
  void add_result(const Call& call, const Wires& values, const Wires& controls);
  Expected<void> spend(std::size_t bytes);
  Error broken(const Scope& scope, const NodeDef& node, std::string_view what) const;

  GraphDef& main_;
  Functions functions_;
  std::unordered_map<std::string_view, NodeDef*> main_nodes_;
  std::deque<Scope> scopes_;
  std::size_t next_ = 0;
  Flat flat_;
  std::size_t copied_ = 0;  // bytes
  /// Constants of functions whose contents are in the flat graph by now.
  std::unordered_map<const NodeDef*, const NodeDef*> moved_;
};

}  // namespace ingot::tensorflow
