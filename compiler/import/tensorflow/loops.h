// SPDX-License-Identifier: Apache-2.0
// While loops: a frame of Enter, Merge, Switch, NextIteration and Exit nodes around a body, and
// arrays that it reads and fills entry by entry: TensorFlow 1's tensor arrays (control_flow_ops.py,
// while_loop), and the tensor lists of TensorFlow 2, whose While is lowered to the same nodes.
#pragma once

#include <string>
#include <vector>

#include "import/tensorflow/topology.h"

namespace ingot::tensorflow {

struct Loop {
  /// What is carried from turn to turn.
  struct Variable {
    std::uint32_t merge = 0;
    Wire start;  // outside of the loop
    Wire next;   // computed in each turn
    /// Counts the turns: starts as given, one more in each.
    bool counts = false;
    /// The flow of a tensor array that each turn writes an entry of.
    bool is_flow = false;
    Wire written;  // that entry
    /// Of an array of one entry, which each turn writes anew: only the last remains.
    bool keeps_last = false;
    /// The variable that carries the same value on, if there is one.
    std::optional<std::size_t> same_as;
  };
  std::string frame;
  std::vector<Variable> variables;
  std::vector<std::uint32_t> enters;  // of what stays the same
  std::vector<std::uint32_t> body;    // nodes of a turn, in order
  std::vector<std::uint32_t> exits;
  /// Counter `first` is below `second` as long as the loop goes on: all of these.
  std::vector<std::pair<std::size_t, Wire>> bounds;
  /// Why it is not one that is understood; empty if it is.
  std::string refusal;

  /// The variable that a Merge, a Switch or an Exit stands for; none for other nodes.
  std::optional<std::size_t> variable_of(const Topology& topology, std::uint32_t node) const;
};

/// The loops of a selection, and to which of them each node belongs.
class Loops {
 public:
  Loops(const Topology& topology, const Selection& selection);
  const std::vector<Loop>& all() const { return loops_; }
  /// -1: none.
  int of(std::uint32_t node) const { return of_node_[node]; }

 private:
  std::vector<Loop> loops_;
  std::vector<int> of_node_;
};

/// A node that reads or writes an entry of an array, of either kind.
struct ArrayAccess {
  Wire array, index;
  Wire value;  // that is written
};
std::optional<ArrayAccess> array_read(const Topology& topology, std::uint32_t node);
std::optional<ArrayAccess> array_write(const Topology& topology, std::uint32_t node);

bool is_enter(std::string_view op);
bool is_exit(std::string_view op);
/// Ops that loops consist of, and those of arrays.
bool is_of_loops(std::string_view op);
/// The name of an Enter's frame.
std::string_view frame_of(const NodeDef& enter);
/// A constant of one integer, behind nodes that hand it on.
std::optional<std::int64_t> constant_integer(const Topology& topology, Wire wire);
/// The node behind nodes that hand a value on.
Wire handed_on(const Topology& topology, Wire wire);

}  // namespace ingot::tensorflow
