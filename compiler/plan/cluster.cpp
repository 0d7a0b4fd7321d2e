// SPDX-License-Identifier: Apache-2.0
#include "plan/cluster.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ir/op.h"
#include "ops/loop.h"
#include "ops/window.h"

namespace ingot::plan {
namespace {

/// Steps that one kernel may hold: beyond, its values no longer fit into registers.
constexpr std::size_t max_nodes = 48;

class Clusterer {
 public:
  Clusterer(const Graph& graph, const std::string& apart, const Surroundings& surroundings)
      : graph_(graph), apart_(apart), surroundings_(surroundings), uses_(compute_uses(graph)) {
    const std::size_t count = graph.value_count();
    result_.group_of.assign(count, -1);
    result_.access.resize(count);
    result_.stored.assign(count, false);
    result_.part_of.resize(count);
    concat_ready_.assign(count, -1);
    is_output_.assign(count, false);
    for (const Output& output : graph.outputs()) is_output_[output.value.index] = true;
  }

  Expected<Clusters> run() {
    for (std::uint32_t i = 0; i < graph_.value_count(); ++i) {
      const ValueId id{i};
      const Value& value = graph_.value(id);
      if (value.kind == Value::Kind::input) {
        access(id) = surroundings_.inputs.empty() ? memory_access(graph_, id)
                                                  : surroundings_.inputs[value.position];
      }
      if (value.kind == Value::Kind::constant) access(id) = constant_access(graph_, id);
    }
    for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
      const NodeId id{i};
      const Node& node = graph_.node(id);
      switch (node.op->kind) {
        case OpKind::pointwise:
          add_pointwise(id);
          break;
        case OpKind::move:
          add_move(id);
          break;
        case OpKind::reduce:
          add_reduce(id);
          break;
        case OpKind::contract:
          INGOT_TRY(add_contract(id));
          break;
        case OpKind::source:
          add_source(id);
          break;
        case OpKind::window:
          add_window(id);
          break;
        case OpKind::index:
          add_index(id);
          break;
        case OpKind::loop:
          add_loop(id);
          break;
      }
    }
    add_outputs();
    drop_absorbed();
    return std::move(result_);
  }

 private:
  /// What a kernel computes is stored in the caller's memory; anything else is copied there.
  void add_outputs() {
    std::vector<bool> placed(graph_.value_count());
    for (std::uint32_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId value = graph_.outputs()[i].value;
      const Node* producer = graph_.producer(value);
      const bool joined = producer != nullptr && producer->op->name == "concat";
      const bool fits = surroundings_.is_strided.empty() || !surroundings_.is_strided[i] ||
                        (!joined && group_of(value) >= 0 && !is_moved(value));
      if (fits && !placed[value.index] && (group_of(value) >= 0 || joined)) {
        placed[value.index] = true;
        result_.stored[value.index] = true;
        continue;
      }
      read(value);
      result_.groups.push_back({Group::Kind::map, graph_.type(value).shape, {}, {}, value, {}, i});
    }
  }

  Access& access(ValueId id) { return result_.access[id.index]; }
  int group_of(ValueId id) const { return result_.group_of[id.index]; }
  ValueId output(NodeId id) const { return graph_.node(id).outputs[0]; }

  /// The operand is read from memory: what computes it must store it.
  void read(ValueId id) {
    if (group_of(id) >= 0) result_.stored[id.index] = true;
  }

  /// The last group that must have run before the value can be read; -1 if none.
  int available_after(ValueId id) {
    if (group_of(id) >= 0) return group_of(id);
    const Access& from = access(id);
    const int sized = std::max(known_after({from.offset}), known_after(from.strides));
    if (from.kind != Access::Kind::memory) return sized;
    const Value& root = graph_.value(from.root);
    if (root.kind != Value::Kind::node) return sized;
    const int made =
        group_of(from.root) >= 0 ? group_of(from.root) : concat_ready_[from.root.index];
    return std::max(made, sized);
  }

  /// The last group that must have run before sizes are known; -1 if none.
  int known_after(const std::vector<Dim>& sizes) const {
    int last = -1;
    if (measured_.empty()) return last;
    std::set<std::string> symbols;
    for (const Dim& size : sizes) size.collect_symbols(symbols);
    for (const auto& [symbol, group] : measured_) {
      if (symbols.count(symbol) != 0) last = std::max(last, group);
    }
    return last;
  }

  /// The node's last result is a size from here on.
  void measure(NodeId id, int group) {
    const Node& node = graph_.node(id);
    const std::string symbol = *measured_by(node);
    measured_[symbol] = group;
    result_.group_of[node.outputs.back().index] = -1;
    access(node.outputs.back()) = {Access::Kind::dim, {}, Dim::symbol(symbol), {}, true};
  }

  int new_group(Group::Kind kind, Shape space, NodeId root) {
    result_.groups.push_back({kind, std::move(space), {root}, root, {}, {}, 0});
    const int number = static_cast<int>(result_.groups.size()) - 1;
    for (const ValueId value : graph_.node(root).outputs) result_.group_of[value.index] = number;
    return number;
  }

  /// The group that a node may join: that of its latest operand, if all others come before.
  int candidate(const Node& node) {
    int latest = -1;
    for (const ValueId input : node.inputs) latest = std::max(latest, available_after(input));
    if (latest < 0) return -1;
    const Group& group = result_.groups[static_cast<std::size_t>(latest)];
    if (group.copied.valid() || group.nodes.size() >= max_nodes) return -1;
    for (const ValueId input : node.inputs) {
      // Through memory a kernel can't read what it is just making.
      if (available_after(input) == latest && group_of(input) != latest) return -1;
    }
    return latest;
  }

  bool may_join(const Group& group, const Node& node, int number) {
    const Shape& shape = graph_.type(node.outputs[0]).shape;
    switch (group.kind) {
      case Group::Kind::map:
      case Group::Kind::contract:
        return shape == group.space;
      case Group::Kind::ordered:
        return shape == graph_.type(output(group.root)).shape && !feeds_root(group, node, number) &&
               !stands_apart(group);
      case Group::Kind::top_k:
        return shape == graph_.type(output(group.root)).shape && !feeds_root(group, node, number);
      case Group::Kind::scatter:
      case Group::Kind::compact:
      case Group::Kind::measure:
      case Group::Kind::loop:
        return false;
      case Group::Kind::row:
        if (shape == group.space) return rows_align(group, node, number);
        if (!is_row_shape(shape, group.space)) return false;
        // What belongs to rows is computed from what belongs to rows.
        return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
          const Shape& other = graph_.type(input).shape;
          if (group_of(input) == number) return other == shape && other != group.space;
          return other == shape || other.empty() || shape.size() == group.space.size();
        });
    }
    return false;
  }

  /// A statistic of the rows meets its row's elements: [rows.., 1], not [rows..], which would
  /// broadcast along other axes.
  bool rows_align(const Group& group, const Node& node, int number) {
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      const Shape& shape = graph_.type(input).shape;
      return group_of(input) != number || shape == group.space ||
             (shape.size() == group.space.size() && is_row_shape(shape, group.space));
    });
  }

  /// What is reduced has sizes of a symbol that the result has not.
  bool stands_apart(const Group& group) {
    auto mentioned = [&](const Shape& shape) {
      std::set<std::string> symbols;
      for (const Dim& dim : shape) dim.collect_symbols(symbols);
      return symbols.count(apart_) != 0;
    };
    return !apart_.empty() && mentioned(graph_.type(graph_.node(group.root).inputs[0]).shape) &&
           !mentioned(graph_.type(output(group.root)).shape);
  }

  /// An operand is what an ordered reduction reduces, not its result.
  bool feeds_root(const Group& group, const Node& node, int number) {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return group_of(input) == number && graph_.value(input).producer < group.root;
    });
  }

  void join(int number, NodeId id) {
    result_.groups[static_cast<std::size_t>(number)].nodes.push_back(id);
    for (const ValueId value : graph_.node(id).outputs) result_.group_of[value.index] = number;
    read_others(number, graph_.node(id));
  }

  void read_others(int number, const Node& node) {
    for (const ValueId input : node.inputs) {
      if (group_of(input) != number) read(input);
    }
  }

  void add_pointwise(NodeId id) {
    const Node& node = graph_.node(id);
    const int number = candidate(node);
    if (number >= 0 && may_join(result_.groups[static_cast<std::size_t>(number)], node, number)) {
      join(number, id);
      return;
    }
    const int fresh = new_group(Group::Kind::map, graph_.type(node.outputs[0]).shape, id);
    read_others(fresh, node);
  }

  /// Turns the group that makes the operand into a row kernel that reduces it on the way.
  void add_reduce(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId input = node.inputs[0];
    const Shape& space = graph_.type(input).shape;
    const int number = group_of(input);
    Group* group = number >= 0 ? &result_.groups[static_cast<std::size_t>(number)] : nullptr;
    const bool same_points = group != nullptr && group->space == space && !group->copied.valid() &&
                             group->nodes.size() < max_nodes;
    if (node.attributes.get<std::string>("order") == "lanes") {
      if (same_points && (group->kind == Group::Kind::map || group->kind == Group::Kind::row)) {
        group->kind = Group::Kind::row;
        join(number, id);
        return;
      }
      const int fresh = new_group(Group::Kind::row, space, id);
      read_others(fresh, node);
      return;
    }
    if (end_map(Group::Kind::ordered, id)) return;
    const int fresh = new_group(Group::Kind::ordered, space, id);
    read_others(fresh, node);
  }

  /// Turns the map group that makes the operand, and nothing that is read elsewhere, into one of
  /// another kind, with `root` as its root.
  bool end_map(Group::Kind kind, NodeId root) {
    const ValueId input = graph_.node(root).inputs[0];
    const int number = group_of(input);
    if (number < 0 || uses_[input.index].size() != 1 || is_output_[input.index]) return false;
    Group& group = result_.groups[static_cast<std::size_t>(number)];
    if (group.kind != Group::Kind::map || group.copied.valid() || group.nodes.size() >= max_nodes ||
        group.space != graph_.type(input).shape || !feeds_only_itself(group)) {
      return false;
    }
    group.kind = kind;
    group.root = root;
    join(number, root);
    return true;
  }

  /// First a copy of the data, and then the updates.
  void add_scatter(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId data = node.inputs[0];
    read(data);
    result_.groups.push_back({Group::Kind::map, graph_.type(data).shape, {}, {}, data, id, 0});
    const int fresh = new_group(Group::Kind::scatter, graph_.type(node.inputs[2]).shape, id);
    read_others(fresh, node);
    result_.stored[node.outputs[0].index] = true;
  }

  void add_top_k(NodeId id) {
    if (end_map(Group::Kind::top_k, id)) return;
    const Node& node = graph_.node(id);
    const int fresh = new_group(Group::Kind::top_k, graph_.type(node.inputs[0]).shape, id);
    read_others(fresh, node);
  }

  /// The results, and then the taps of the axes that have several or whose ends are padded.
  void add_window(NodeId id) {
    const Node& node = graph_.node(id);
    Shape space = graph_.type(node.outputs[0]).shape;
    for (const ops::WindowAxis& axis : ops::window_axes(node.attributes)) {
      if (axis.taps > 1 || !axis.inside()) space.emplace_back(axis.taps);
    }
    const int fresh = new_group(Group::Kind::ordered, std::move(space), id);
    read_others(fresh, node);
  }

  void add_places_of_true(NodeId id) {
    const Node& node = graph_.node(id);
    for (const ValueId result : node.outputs) result_.stored[result.index] = true;
    if (end_map(Group::Kind::compact, id)) return;
    const int fresh = new_group(Group::Kind::compact, graph_.type(node.inputs[0]).shape, id);
    read_others(fresh, node);
  }

  void add_measure(NodeId id) {
    const int fresh = new_group(Group::Kind::measure, {}, id);
    measure(id, fresh);
    read_others(fresh, graph_.node(id));
  }

  void add_index(NodeId id) {
    const std::string_view op = graph_.node(id).op->name;
    if (op == "top_k") {
      add_top_k(id);
    } else if (op == "scatter") {
      add_scatter(id);
    } else if (op == "places_of_true") {
      add_places_of_true(id);
    } else if (op == "measure") {
      add_measure(id);
    } else {
      add_gather(id);
    }
  }

  /// A gather goes on in the kernel that makes its indices, if that has the same points or makes
  /// nothing else; the data it always finds in memory.
  void add_gather(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId data = node.inputs[0], indices = node.inputs[1];
    const Shape& shape = graph_.type(node.outputs[0]).shape;
    const int number = group_of(indices);
    if (number >= 0) {
      Group& group = result_.groups[static_cast<std::size_t>(number)];
      const bool fits =
          group.kind == Group::Kind::map && !group.copied.valid() && group.nodes.size() < max_nodes;
      if (fits && group.space == shape && available_after(data) < number) {
        join(number, id);
        return;
      }
      std::vector<NodeId> nodes = fits ? private_nodes(number, id) : std::vector<NodeId>{};
      if (!nodes.empty()) {
        const int fresh = new_group(Group::Kind::map, shape, id);
        for (const NodeId absorbed : nodes) {
          const ValueId value = output(absorbed);
          const int from = std::exchange(result_.group_of[value.index], fresh);
          result_.groups[static_cast<std::size_t>(from)].nodes.clear();
          result_.stored[value.index] = false;
        }
        nodes.push_back(id);
        result_.groups.back().nodes = std::move(nodes);
        read_others(fresh, node);
        return;
      }
    }
    const int fresh = new_group(Group::Kind::map, shape, id);
    read_others(fresh, node);
  }

  /// The nodes of a map group and of those before it that compute nothing but what `reader` needs
  /// as its indices; none if the group itself is read elsewhere too.
  std::vector<NodeId> private_nodes(int number, NodeId reader) {
    std::vector<NodeId> nodes;
    auto reads_it = [&](NodeId user, const Group& group) {
      auto among = [&](const std::vector<NodeId>& list) {
        return std::find(list.begin(), list.end(), user) != list.end();
      };
      return user == reader || among(nodes) || among(group.nodes);
    };
    const Shape& space = result_.groups[static_cast<std::size_t>(number)].space;
    for (int g = number; g >= 0; --g) {
      const Group& group = result_.groups[static_cast<std::size_t>(g)];
      const bool absorbs = group.kind == Group::Kind::map && !group.copied.valid() &&
                           group.space == space && g != group_of(graph_.node(reader).inputs[0]) &&
                           nodes.size() + group.nodes.size() < max_nodes &&
                           std::all_of(
                               group.nodes.begin(), group.nodes.end(),
                               [&](NodeId id) {
                                 const std::vector<NodeId>& users = uses_[output(id).index];
                                 return !users.empty() && !is_output_[output(id).index] &&
                                        graph_.node(id).op->kind != OpKind::move &&
                                        std::all_of(users.begin(), users.end(), [&](NodeId user) {
                                          return reads_it(user, group);
                                        });
                               });
      if (absorbs) nodes.insert(nodes.begin(), group.nodes.begin(), group.nodes.end());
      if (g == number && !absorbs) break;
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  }

  /// Groups whose nodes went elsewhere.
  void drop_absorbed() {
    std::vector<int> renamed;
    std::vector<Group> kept;
    for (Group& group : result_.groups) {
      const bool gone = group.nodes.empty() && !group.copied.valid();
      renamed.push_back(gone ? -1 : static_cast<int>(kept.size()));
      if (!gone) kept.push_back(std::move(group));
    }
    result_.groups = std::move(kept);
    for (int& group : result_.group_of) {
      if (group >= 0) group = renamed[static_cast<std::size_t>(group)];
    }
  }

  /// No value of the group but its last is read outside.
  bool feeds_only_itself(const Group& group) {
    for (std::size_t i = 0; i + 1 < group.nodes.size(); ++i) {
      const ValueId value = output(group.nodes[i]);
      if (is_output_[value.index]) return false;
      for (const NodeId user : uses_[value.index]) {
        if (std::find(group.nodes.begin(), group.nodes.end(), user) == group.nodes.end())
          return false;
      }
    }
    return true;
  }

  Expected<void> add_contract(NodeId id) {
    const Node& node = graph_.node(id);
    if (reads_across(node)) lay_out(node.inputs[1]);
    const int fresh = new_group(Group::Kind::contract, graph_.type(node.outputs[0]).shape, id);
    read_others(fresh, node);
    for (const ValueId input : node.inputs) {
      const Access::Kind kind = access(input).kind;
      if (kind == Access::Kind::dim || kind == Access::Kind::affine) {
        return fail(ErrorCode::unsupported, "{}: a product of sizes or coordinates",
                    graph_.describe(node));
      }
    }
    return {};
  }

  /// The vectors of a product run along its columns. An operand whose columns do not lie side by
  /// side would be read number by number, and that for each tile of rows again.
  bool reads_across(const Node& node) {
    if (node.op->name != "matmul") return false;
    const ValueId b = node.inputs[1];
    const Access& from = access(b);
    const Node* move = graph_.producer(b);
    if (from.kind != Access::Kind::memory || move == nullptr || move->op->kind != OpKind::move)
      return false;
    constexpr std::int64_t several_rows = 8;
    const SymbolRanges ranges = graph_.symbol_ranges();
    const Shape& result = graph_.type(node.outputs[0]).shape;
    return !from.strides.back().is(1) && !from.strides.back().is(0) &&
           result[result.size() - 2].bounds(ranges).hi >= several_rows &&
           result.back().bounds(ranges).hi >= several_rows;
  }

  /// Writes what is a view so far out in its own order. Readers before keep the view.
  void lay_out(ValueId value) {
    Access view = access(value);
    const int fresh =
        new_group(Group::Kind::map, graph_.type(value).shape, graph_.value(value).producer);
    result_.groups[static_cast<std::size_t>(fresh)].view = std::move(view);
    access(value) = {};
    result_.stored[value.index] = true;
  }

  void add_source(NodeId id) {
    const Node& node = graph_.node(id);
    if (std::optional<Access> free = source_access(graph_, node)) {
      access(node.outputs[0]) = *std::move(free);
    } else {
      new_group(Group::Kind::map, graph_.type(node.outputs[0]).shape, id);
    }
  }

  void add_move(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->name == "concat") {
      add_concat(id);
      return;
    }
    const ValueId input = node.inputs[0];
    Access from = access(input);
    if (from.kind == Access::Kind::computed) {
      read(input);
      from = memory_access(graph_, input);
    }
    if (std::optional<Access> view = moved(graph_, node, std::move(from))) {
      access(node.outputs[0]) = *std::move(view);
      return;
    }
    // Written out in order first, and reshaped after.
    const int fresh = new_group(Group::Kind::map, graph_.type(input).shape, id);
    read_others(fresh, node);
    result_.stored[node.outputs[0].index] = true;
  }

  void add_concat(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId value = node.outputs[0];
    access(value) = memory_access(graph_, value);
    result_.stored[value.index] = true;
    result_.concats.push_back(id);
    int ready = -1;
    const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
    for (std::uint32_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (graph_.type(input).shape[axis].is(0)) continue;
      if (writes_into(input, id)) {
        result_.stored[input.index] = true;
        ready = std::max(ready, available_after(input));
        continue;
      }
      read(input);
      result_.groups.push_back({Group::Kind::map, graph_.type(input).shape, {}, id, input, id, i});
      ready = static_cast<int>(result_.groups.size()) - 1;
    }
    concat_ready_[value.index] = ready;
  }

  /// The group that computes the operand can store it right where the concatenation wants it.
  bool writes_into(ValueId input, NodeId concat) {
    if (is_output_[input.index] || result_.part_of[input.index].valid()) return false;
    // Where in the whole it lies must be known when it is made.
    if (available_after(input) < known_after(graph_.type(output(concat)).shape)) return false;
    if (group_of(input) < 0) {
      // A concatenation of which nothing but this one is made stands in it with all its parts.
      const Node* producer = graph_.producer(input);
      const bool nested =
          producer != nullptr && producer->op->name == "concat" && uses_[input.index].size() == 1;
      if (nested) result_.part_of[input.index] = concat;
      return nested;
    }
    if (is_moved(input, concat)) return false;
    result_.part_of[input.index] = concat;
    return true;
  }

  /// It must lie densely: a reshape that had to be written out is written in the order of its
  /// operand, and what moves it (but for `concat`) sees no strides.
  bool is_moved(ValueId value, NodeId concat = {}) {
    if (graph_.producer(value)->op->kind == OpKind::move) return true;
    return std::any_of(uses_[value.index].begin(), uses_[value.index].end(), [&](NodeId user) {
      return user != concat && graph_.node(user).op->kind == OpKind::move;
    });
  }

  /// What its body stacks has a place, read or not.
  void add_loop(NodeId id) {
    const Node& node = graph_.node(id);
    const int fresh = new_group(Group::Kind::loop, {}, id);
    read_others(fresh, node);
    const ops::Scan scan(node);
    for (std::size_t i = 0; i < scan.stacked; ++i)
      result_.stored[node.outputs[scan.carried + i].index] = true;
    if (scan.turns) measure(id, fresh);
  }

  const Graph& graph_;
  const std::string& apart_;
  const Surroundings& surroundings_;
  std::vector<std::vector<NodeId>> uses_;
  std::vector<bool> is_output_;
  std::vector<int> concat_ready_;
  std::map<std::string, int> measured_;  // by symbol: the group after which it is known
  Clusters result_;
};

}  // namespace

bool is_row_shape(const Shape& shape, const Shape& space) {
  const std::size_t rows = space.size() - 1;
  if (shape.size() < rows || shape.size() > rows + 1) return false;
  if (!std::equal(space.begin(), space.end() - 1, shape.begin())) return false;
  return shape.size() == rows || shape.back().is(1);
}

Expected<Clusters> cluster(const Graph& graph, const std::string& apart,
                           const Surroundings& surroundings) {
  return Clusterer(graph, apart, surroundings).run();
}

}  // namespace ingot::plan
