// SPDX-License-Identifier: Apache-2.0
// Branches that data choose: between Switch nodes, which send a value one way or the other, and
// Merge nodes, which take what came. Found here is under which choices each node runs, and which
// Merge nodes end the same branches.
#pragma once

#include <array>
#include <tuple>
#include <vector>

#include "import/tensorflow/loops.h"

namespace ingot::tensorflow {

class Branches {
 public:
  /// A list of choices, outermost first; 0 is none, where nodes always run.
  using Place = std::uint32_t;

  /// Merge nodes that can be computed together: none hangs on another.
  struct Join {
    Wire predicate;
    Place place = 0;  // of the results
    std::vector<std::uint32_t> merges;
    /// For each of them: which input is which branch's, of false and of true.
    std::vector<std::array<std::uint32_t, 2>> inputs;
  };

  Branches(const Topology& topology, const Selection& selection, const Loops& loops);

  Place of(std::uint32_t node) const { return nodes_[node].place; }
  /// Whether `inner` is `outer`, or within it.
  bool is_within(Place inner, Place outer) const;
  /// Where a branch of this predicate runs; none if nothing does.
  std::optional<Place> side(Place place, Wire predicate, bool taken) const;
  const std::vector<Join>& joins() const { return joins_; }
  /// Of a Merge; -1: it is none of branches that are understood.
  int join_of(std::uint32_t merge) const;
  /// The nodes of a place in an order in which all that the Merge nodes of one join need comes
  /// before the first of them.
  void sort(std::vector<std::uint32_t>& nodes, Place place) const;

 private:
  struct Choice {
    Place parent = 0;
    std::uint32_t depth = 0;
    Wire predicate;
    bool taken = false;
  };
  struct Node {
    Place place = 0;
    std::uint32_t position = 0;  // in the selection's order
    /// It hangs on choices of which none is within the other; nothing that is written so is known.
    bool is_mixed = false;
    /// By depth: the longest chain of Merge nodes, ending there, that leads to this node.
    std::vector<std::uint32_t> merges;
  };
  Place enter(Place place, Wire predicate, bool taken);
  /// Adds what a node hangs on to what is known of it.
  void join(Node& node, const Node& from, Place place) const;
  static void add_times(Node& node, const Node& from);
  Place place_of(const Topology& topology, const Selection& selection, Wire wire);
  void add_merge(const Topology& topology, const Selection& selection, std::uint32_t merge,
                 int loop);

  std::vector<Choice> choices_;
  std::map<std::tuple<Place, Wire, bool>, Place> known_;
  std::vector<Node> nodes_;
  std::vector<Join> joins_;
  std::map<std::uint32_t, int> join_of_;
  std::map<std::tuple<int, Place, Wire, std::uint32_t>, int> by_time_;
};

/// A Switch whose branch only data know.
bool is_open_switch(const Topology& topology, const Selection& selection, std::uint32_t node);
/// What a Switch chooses by, behind nodes that hand it on.
Wire predicate_of(const Topology& topology, std::uint32_t node);

}  // namespace ingot::tensorflow
