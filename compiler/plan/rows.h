// SPDX-License-Identifier: Apache-2.0
// Which values of a graph are made of rows: row i of the result is computed from row i of the
// operands and from nothing else of them. Such rows can be computed in any portions.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ingot::plan {

struct Rows {
  struct Place {
    enum class Kind : std::uint8_t {
      same,   // does not depend on rows
      rows,   // row i is elements [i * factor, (i + 1) * factor) along `axis`
      mixed,  // an element depends on several rows, or rows do not lie in one axis
    };
    Kind kind = Kind::same;
    std::size_t axis = 0;
    Dim factor = 1;
  };
  std::vector<Place> places;  // by value; of live values only
  /// Live nodes whose result is mixed though no operand is: where rows meet.
  std::vector<NodeId> mixers;
  /// Something is computed from the number of a row, or from how many there are.
  bool counted = false;

  const Place& operator[](ValueId value) const { return places[value.index]; }
  /// The result of a row depends on nothing but that row: calls can be split and joined.
  bool independent() const { return mixers.empty() && !counted; }
};

/// Follows the axis of size `extent` from the graph's inputs. A symbol: each input has it in one
/// axis, times a factor, or not at all. A number: in the one axis that has this size.
Rows find_rows(const Graph& graph, const Dim& extent);

}  // namespace ingot::plan
