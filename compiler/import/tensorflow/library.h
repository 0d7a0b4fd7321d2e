// SPDX-License-Identifier: Apache-2.0
// The functions that a GraphDef brings along. They are not imported, but what they hold is said.
#pragma once

#include <string_view>
#include <unordered_map>

#include "import/survey.h"

namespace ingot::tensorflow {

class FunctionDef;
class GraphDef;
class NodeDef;

/// Refers to the GraphDef it was made from.
class Library {
 public:
  explicit Library(const GraphDef& graph);
  bool calls(std::string_view op) const { return functions_.contains(op); }
  /// Counts the nodes of all functions that a node calls, directly or not, by the table of ops
  /// alone, and refuses those that it refuses. A function that is called twice counts once.
  void skim(const NodeDef& call, Survey& survey) const;

 private:
  std::unordered_map<std::string_view, const FunctionDef*> functions_;
};

/// The same of one node.
void skim_node(const NodeDef& node, const std::string& path, Survey& survey);

}  // namespace ingot::tensorflow
