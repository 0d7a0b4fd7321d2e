// SPDX-License-Identifier: Apache-2.0
// One way to make a smaller graph out of another.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "ir/graph.h"

namespace ingot::tools {

/// What becomes of a graph; everything that is not named stays as it is.
struct Recipe {
  /// By node: whether it is taken away. What others need of it becomes an input, and what it alone
  /// needed an output.
  std::vector<bool> removed = {};
  /// By output: whether it is dropped.
  std::vector<bool> dropped = {};
  /// Values that are another value, which stands before them and has their type.
  std::map<ValueId, ValueId> same_as = {};
  /// Values that are constants.
  std::map<ValueId, Tensor> constants = {};
  /// Nodes that keep only so many of their operands, by number.
  std::map<std::size_t, std::size_t> operands = {};
  /// What a size is instead: for inputs, constants, which are cut, and attributes.
  std::function<std::int64_t(std::int64_t)> resize = {};
  /// A symbol, and the expression that it is instead.
  std::optional<std::pair<std::string, Dim>> substitute = {};
  /// Constraints that nodes do not ask for are forgotten, and so are the names of nodes and ports.
  bool forget_constraints = false, forget_names = false;
};

/// Nodes that nothing reaches from the outputs are left behind, and inputs and symbols that nothing
/// uses. The result is verified. An error where there is no such graph, or it would do nothing.
Expected<Graph> follow(const Graph& graph, const Recipe& recipe);

}  // namespace ingot::tools
