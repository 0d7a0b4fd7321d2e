// SPDX-License-Identifier: Apache-2.0
// Vertical fusion: which nodes run in one kernel. A pointwise node joins the kernel that makes its
// latest operand when both run over the same points, so its operand is still in registers; what is
// needed elsewhere too is also stored. No value is computed twice, and no byte more is moved.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/access.h"

namespace ingot::plan {

/// Nodes that become one kernel, in order. The `root` of a contract, an ordered reduction, a top_k
/// or a scatter is the product, the reduction, the top_k or the scatter.
struct Group {
  enum class Kind : std::uint8_t {
    map,
    row,
    ordered,
    top_k,
    scatter,
    compact,
    measure,
    contract,
    loop
  };
  Kind kind = Kind::map;
  Shape space;  // the points it runs over, as a shape; of a product its result's
  std::vector<NodeId> nodes;
  NodeId root;
  /// A copy and nothing else (no nodes): `copied` goes into its part of a concatenation, to where a
  /// scatter begins from it, or to the output of that number.
  ValueId copied;
  NodeId into;
  std::uint32_t number = 0;  // which operand, or which output
  /// Of a move that is written out in the order of its result: what it is a view of.
  std::optional<Access> view = {};
};

struct Clusters {
  std::vector<Group> groups;    // in the order in which they run
  std::vector<int> group_of;    // by value: the group that computes it, or -1
  std::vector<Access> access;   // by value
  std::vector<bool> stored;     // by value: needs storage
  std::vector<NodeId> concats;  // in order
  std::vector<NodeId> part_of;  // by value: the concatenation that it is stored into
};

/// What a graph finds around it that is not a model of its own, but what a loop repeats.
struct Surroundings {
  std::vector<Access> inputs;    // how each is read; of the graph itself, `root` is the input
  std::vector<bool> is_strided;  // by output: where it is wanted, its elements do not lie densely
};

/// Nothing is joined with the result of a reduction of sizes that mention the symbol `apart`.
Expected<Clusters> cluster(const Graph& graph, const std::string& apart = "",
                           const Surroundings& surroundings = {});

/// The shape of a value at the points of a row kernel's rows: [rows.., 1] or [rows..].
bool is_row_shape(const Shape& shape, const Shape& space);

}  // namespace ingot::plan
