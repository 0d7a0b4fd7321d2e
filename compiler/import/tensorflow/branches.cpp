// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/branches.h"

#include <algorithm>

namespace ingot::tensorflow {
namespace {

/// Deeper than this nobody nests; each level costs memory for each node below it.
constexpr std::uint32_t deepest = 64;

}  // namespace

bool is_open_switch(const Topology& topology, const Selection& selection, std::uint32_t node) {
  return is_switch(topology.op(node)) && !selection.chosen(node) &&
         topology.inputs(node).size() == 2 && !is_loop_switch(topology, node);
}

Wire predicate_of(const Topology& topology, std::uint32_t node) {
  Wire wire = topology.inputs(node)[1];
  for (std::size_t steps = 0; steps < topology.size(); ++steps) {
    if (topology.op(wire.node) != "Identity" || topology.inputs(wire.node).empty()) break;
    wire = topology.inputs(wire.node)[0];
  }
  return wire;
}

Branches::Branches(const Topology& topology, const Selection& selection, const Loops& loops)
    : choices_(1), nodes_(topology.size()) {
  std::map<int, Node> loop_enters;
  std::uint32_t position = 0;
  for (const std::uint32_t index : selection.reached) {
    Node& node = nodes_[index];
    node.position = position++;
    const std::vector<Wire>& inputs = topology.inputs(index);
    const std::string_view op = topology.op(index);
    const auto choice = selection.chosen(index);
    const bool merges = is_merge(op) && !is_loop_merge(topology, index);
    if (merges && !choice) {
      add_merge(topology, selection, index, loops.of(index));
      continue;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::uint32_t from = inputs[i].node;
      // A turn hands on what is of the loop's own place.
      if (from == UINT32_MAX || is_next(topology.op(from))) continue;
      if (merges && choice && *choice != i) continue;
      join(node, nodes_[from], place_of(topology, selection, inputs[i]));
    }
    if (!merges) {
      for (const std::uint32_t control : topology.controls(index))
        join(node, nodes_[control], nodes_[control].place);
    }
    // What leaves a loop comes after all that enters it.
    if (is_enter(op)) join(loop_enters[loops.of(index)], node, node.place);
    if (is_exit(op) && loops.of(index) >= 0) {
      const Node& enters = loop_enters[loops.of(index)];
      join(node, enters, enters.place);
    }
  }
}

Branches::Place Branches::enter(Place place, Wire predicate, bool taken) {
  if (choices_[place].depth == deepest) return place;
  const auto [it, is_new] =
      known_.emplace(std::tuple(place, predicate, taken), static_cast<Place>(choices_.size()));
  if (is_new) choices_.push_back({place, choices_[place].depth + 1, predicate, taken});
  return it->second;
}

void Branches::join(Node& node, const Node& from, Place place) const {
  const bool deeper = choices_[place].depth > choices_[node.place].depth;
  if (deeper ? !is_within(place, node.place) : !is_within(node.place, place)) node.is_mixed = true;
  if (deeper) node.place = place;
  add_times(node, from);
}

void Branches::add_times(Node& node, const Node& from) {
  node.is_mixed = node.is_mixed || from.is_mixed;
  if (from.merges.size() > node.merges.size()) node.merges.resize(from.merges.size());
  for (std::size_t i = 0; i < from.merges.size(); ++i)
    node.merges[i] = std::max(node.merges[i], from.merges[i]);
}

Branches::Place Branches::place_of(const Topology& topology, const Selection& selection,
                                   Wire wire) {
  const Place place = nodes_[wire.node].place;
  if (!is_open_switch(topology, selection, wire.node)) return place;
  return enter(place, predicate_of(topology, wire.node), wire.output != 0);
}

/// The two inputs are of the two branches of one choice. What is of neither, a constant, is of the
/// other branch than its fellow.
void Branches::add_merge(const Topology& topology, const Selection& selection, std::uint32_t merge,
                         int loop) {
  Node& node = nodes_[merge];
  const std::vector<Wire>& inputs = topology.inputs(merge);
  std::vector<Place> places;
  for (const Wire wire : inputs) {
    Node from;
    join(from, nodes_[wire.node], place_of(topology, selection, wire));
    places.push_back(from.place);
    add_times(node, from);
  }
  if (places.empty()) return;
  const Place deeper = *std::max_element(places.begin(), places.end(), [&](Place a, Place b) {
    return choices_[a].depth < choices_[b].depth;
  });
  node.place = choices_[deeper].parent;
  if (places.size() != 2 || deeper == 0 || node.is_mixed) return;
  const Choice& choice = choices_[deeper];
  std::array<std::uint32_t, 2> sides{};
  const std::uint32_t own = places[0] == deeper ? 0 : 1;
  sides[choice.taken ? 1 : 0] = own;
  sides[choice.taken ? 0 : 1] = 1 - own;
  const Choice& other = choices_[places[1 - own]];
  const bool is_other = other.depth == choice.depth && other.parent == choice.parent &&
                        other.predicate == choice.predicate && other.taken != choice.taken;
  if (!is_other && !is_within(choice.parent, places[1 - own])) return;
  const std::uint32_t depth = choices_[node.place].depth;
  node.merges.resize(std::max<std::size_t>(node.merges.size(), depth + 1));
  const std::uint32_t time = node.merges[depth]++;
  // What branches within have merged is of no concern from here on.
  node.merges.resize(depth + 1);
  const auto [it, is_new] = by_time_.emplace(std::tuple(loop, node.place, choice.predicate, time),
                                             static_cast<int>(joins_.size()));
  if (is_new) joins_.push_back({choice.predicate, node.place, {}, {}});
  joins_[static_cast<std::size_t>(it->second)].merges.push_back(merge);
  joins_[static_cast<std::size_t>(it->second)].inputs.push_back(sides);
  join_of_[merge] = it->second;
}

bool Branches::is_within(Place inner, Place outer) const {
  while (choices_[inner].depth > choices_[outer].depth) inner = choices_[inner].parent;
  return inner == outer;
}

std::optional<Branches::Place> Branches::side(Place place, Wire predicate, bool taken) const {
  const auto known = known_.find({place, predicate, taken});
  return known == known_.end() ? std::nullopt : std::optional(known->second);
}

int Branches::join_of(std::uint32_t merge) const {
  const auto it = join_of_.find(merge);
  return it == join_of_.end() ? -1 : it->second;
}

void Branches::sort(std::vector<std::uint32_t>& nodes, Place place) const {
  const std::size_t depth = choices_[place].depth;
  auto time = [&](std::uint32_t node) {
    const std::vector<std::uint32_t>& merges = nodes_[node].merges;
    return depth < merges.size() ? merges[depth] : 0U;
  };
  std::sort(nodes.begin(), nodes.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(time(a), nodes_[a].position) < std::pair(time(b), nodes_[b].position);
  });
}

}  // namespace ingot::tensorflow
