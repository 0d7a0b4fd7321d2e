// SPDX-License-Identifier: Apache-2.0
// The nodes of a GraphDef by name, their edges resolved, and which of them a set of outputs needs
// once branches on constants (Keras's learning phase) are decided.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/expected.h"

namespace ingot::tensorflow {

class GraphDef;
class NodeDef;

/// One output of one node, as "node" and "node:k" name it.
struct Wire {
  std::uint32_t node = UINT32_MAX;
  std::uint32_t output = 0;
  friend auto operator<=>(const Wire&, const Wire&) = default;
};

/// Refers to the GraphDef it was read from, which must outlive it and not change.
class Topology {
 public:
  /// Errors: two nodes of one name, names that are not UTF-8, an input that is no name at all.
  /// Names that no node has are errors only where they are followed.
  static Expected<Topology> read(const GraphDef& graph);

  std::size_t size() const { return nodes_.size(); }
  const NodeDef& node(std::uint32_t index) const { return *nodes_[index].def; }
  std::string_view op(std::uint32_t index) const;
  /// Data inputs in order; a wire to a missing node has node UINT32_MAX.
  const std::vector<Wire>& inputs(std::uint32_t index) const { return nodes_[index].inputs; }
  /// Nodes that only have to come first.
  const std::vector<std::uint32_t>& controls(std::uint32_t index) const {
    return nodes_[index].controls;
  }
  /// "name" or "name:k"; none if there is no such node.
  std::optional<Wire> find(std::string_view text) const;
  /// "name" for output 0, "name:k" for others.
  std::string describe(Wire wire) const;
  /// An input that no node gives: says which.
  Error missing_input(std::uint32_t index) const;

 private:
  struct Entry {
    const NodeDef* def = nullptr;
    std::vector<Wire> inputs;
    std::vector<std::uint32_t> controls;
  };
  std::vector<Entry> nodes_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
};

/// A wire whose value comes from outside; of a boolean that is fixed, its value.
using Given = std::map<Wire, std::optional<bool>>;

/// What is left of a graph for some outputs.
struct Selection {
  /// Needed nodes, producers first.
  std::vector<std::uint32_t> order;
  /// Of a Switch (by node): which of its outputs runs. Of a Merge: which of its inputs it takes.
  std::map<std::uint32_t, std::uint32_t> choice;
  /// All that outputs lead back to, with what only has to come first; producers first.
  std::vector<std::uint32_t> reached;
  /// Nodes that run although no output needs what they give: others have to come after them.
  std::vector<std::uint32_t> besides;

  std::optional<std::uint32_t> chosen(std::uint32_t node) const {
    const auto it = choice.find(node);
    return it == choice.end() ? std::nullopt : std::optional(it->second);
  }
};

/// Follows the outputs back to given wires and sources. A Switch on a constant is decided, what
/// only the other branch needs is left out, a Merge of which one input can run becomes that input.
/// The back edges of TF1 loops are followed but not ordered; any other cycle is an error.
Expected<Selection> select_nodes(const Topology& topology, const std::vector<Wire>& outputs,
                                 const Given& given);

bool is_placeholder(std::string_view op);
bool is_switch(std::string_view op);
bool is_merge(std::string_view op);

}  // namespace ingot::tensorflow
