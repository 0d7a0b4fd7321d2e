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
    /// Counts the turns: `first` in the first one, `step` more in each.
    bool counts = false;
    std::int64_t first = 0, step = 1;
    bool counts_turns() const { return counts && first == 0 && step == 1; }
    /// A tensor array, or its flow. Where nothing below is set, it is carried as a tensor.
    bool is_flow = false;
    /// Of a flow of which each turn writes the entry with its number: what it writes.
    bool is_filled = false;
    Wire written;
    /// Of an array of one entry, which each turn writes anew: only the last remains.
    bool keeps_last = false;
    Wire length;  // of the array, where it is empty before
    bool stacks() const { return is_filled || keeps_last; }
    /// The variable that carries the same value on, if there is one.
    std::optional<std::size_t> same_as;
  };
  std::string frame;
  int parent = -1;  // the loop around it
  std::vector<Variable> variables;
  std::vector<std::uint32_t> enters;  // of what stays the same
  std::vector<std::uint32_t> within;  // its nodes and those of loops in it
  std::vector<std::uint32_t> exits;
  Wire condition;
  /// Counter `first` is below `second` as long as the loop goes on: all of these, and more where
  /// `is_counted` is not set.
  std::vector<std::pair<std::size_t, Wire>> bounds;
  bool is_counted = true;
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
  /// The innermost one; -1: none.
  int of(std::uint32_t node) const { return of_node_[node]; }
  /// The loop directly in `outer` (-1: in none) that a node belongs to; -1: none.
  int child(int outer, std::uint32_t node) const;

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
bool is_next(std::string_view op);
/// A Merge of what comes into a loop and what a turn hands on, not one of branches.
bool is_loop_merge(const Topology& topology, std::uint32_t node);
/// A Switch that leaves a loop, not one that chooses a branch.
bool is_loop_switch(const Topology& topology, std::uint32_t node);
/// Ops that loops consist of, and those of arrays.
bool is_of_loops(std::string_view op);
/// The name of an Enter's frame.
std::string_view frame_of(const NodeDef& enter);
/// A constant of one integer, behind nodes that hand it on.
std::optional<std::int64_t> constant_integer(const Topology& topology, Wire wire);
/// The node behind nodes that hand a value on.
Wire handed_on(const Topology& topology, Wire wire);

}  // namespace ingot::tensorflow
