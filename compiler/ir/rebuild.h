// SPDX-License-Identifier: Apache-2.0
// The one way in which passes change a graph: walk the old one in order, and build a new one.
// Nodes that nothing reaches from the outputs are left behind, unused constants too; inputs stay.
#pragma once

#include <functional>

#include "ir/graph.h"

namespace ingot {

/// Carries the state of a walk; `map` tells what an old value has become.
class Rebuilder {
 public:
  explicit Rebuilder(const Graph& old);

  const Graph& old() const { return old_; }
  Graph& graph() { return new_; }
  /// The new value of an old one; constants are copied when they are first asked for.
  ValueId map(ValueId old_value);
  std::vector<ValueId> map_all(const std::vector<ValueId>& old_values);
  /// The node as it was, on mapped operands.
  Expected<std::vector<ValueId>> copy(const Node& node);

 private:
  friend Expected<Graph> rebuild(
      const Graph&, const std::function<Expected<std::vector<ValueId>>(Rebuilder&, const Node&)>&);
  const Graph& old_;
  Graph new_;
  std::vector<ValueId> mapped_;
};

/// `rewrite` is called for each live node and returns the new values of its outputs; returning
/// `rebuilder.copy(node)` keeps it. Operands are already rewritten.
Expected<Graph> rebuild(
    const Graph& graph,
    const std::function<Expected<std::vector<ValueId>>(Rebuilder&, const Node&)>& rewrite);

/// The graph with each of the graphs within its nodes as `change` makes it, which keeps the types
/// of inputs and outputs.
Expected<Graph> change_bodies(const Graph& graph,
                              const std::function<Expected<Graph>(const Graph&)>& change);

}  // namespace ingot
