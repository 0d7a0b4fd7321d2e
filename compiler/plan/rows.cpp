// SPDX-License-Identifier: Apache-2.0
#include "plan/rows.h"

#include <algorithm>
#include <set>

#include "ir/op.h"
#include "ops/index.h"
#include "ops/loop.h"
#include "ops/window.h"

namespace ingot::plan {
namespace {

using Place = Rows::Place;
using Kind = Place::Kind;
using Integers = std::vector<std::int64_t>;

class Finder {
 public:
  Finder(const Graph& graph, const Dim& extent)
      : graph_(graph), extent_(extent), symbol_(extent.symbol_name()) {}

  Rows run() {
    rows_.places.resize(graph_.value_count());
    mark_live();
    for (const ValueId input : graph_.inputs()) {
      if (live_[input.index]) place(input) = seed(graph_.type(input).shape);
      if (place(input).kind == Kind::mixed) fresh_mix_ = true;
    }
    for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.node(NodeId{i});
      const bool is_live = std::any_of(node.outputs.begin(), node.outputs.end(),
                                       [&](ValueId value) { return live_[value.index]; });
      if (!is_live) continue;
      const bool mixed = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
        return place(value).kind == Kind::mixed;
      });
      const std::vector<Place> results = mixed ? all(node, mix()) : visit(node);
      const bool mixes = std::any_of(results.begin(), results.end(), [](const Place& result) {
        return result.kind == Kind::mixed;
      });
      if (!mixed && mixes) rows_.mixers.push_back(NodeId{i});
      for (std::size_t o = 0; o < results.size(); ++o) place(node.outputs[o]) = results[o];
    }
    // An input whose rows are nowhere: as if the graph itself had mixed them.
    rows_.counted = rows_.counted || fresh_mix_;
    return std::move(rows_);
  }

 private:
  static Place mix() { return {Kind::mixed, 0, 1}; }
  Place& place(ValueId value) { return rows_.places[value.index]; }
  const Shape& shape(ValueId value) const { return graph_.type(value).shape; }

  void mark_live() {
    live_.assign(graph_.value_count(), false);
    for (const Output& output : graph_.outputs()) live_[output.value.index] = true;
    for (std::size_t i = graph_.nodes().size(); i-- > 0;) {
      const Node& node = graph_.node(NodeId{static_cast<std::uint32_t>(i)});
      const bool is_live = std::any_of(node.outputs.begin(), node.outputs.end(),
                                       [&](ValueId value) { return live_[value.index]; });
      if (!is_live) continue;
      for (const ValueId input : node.inputs) live_[input.index] = true;
    }
  }

  bool mentions(const Dim& dim) const {
    if (!symbol_) return dim == extent_;
    std::set<std::string> symbols;
    dim.collect_symbols(symbols);
    return symbols.count(*symbol_) != 0;
  }
  bool mentions(const std::vector<Dim>& dims) const {
    return std::any_of(dims.begin(), dims.end(), [&](const Dim& dim) { return mentions(dim); });
  }

  /// Rows along an axis of this size, if it holds all of them.
  std::optional<Dim> factor(const Dim& size) const {
    std::optional<Dim> quotient = Dim::exact_div(size, extent_);
    if (!quotient || (symbol_ && mentions(*quotient))) return std::nullopt;
    return quotient;
  }

  /// Rows along this axis, and along no other: what is there for each two rows mixes them.
  Place at(std::size_t axis, const Shape& shape) const {
    for (std::size_t d = 0; symbol_ && d < shape.size(); ++d) {
      if (d != axis && mentions(shape[d])) return mix();
    }
    const std::optional<Dim> times = axis < shape.size() ? factor(shape[axis]) : std::nullopt;
    return times ? Place{Kind::rows, axis, *times} : mix();
  }

  /// The one axis that has the rows.
  Place seed(const Shape& shape) const {
    std::optional<std::size_t> found;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (!mentions(shape[d])) continue;
      if (found) return mix();
      found = d;
    }
    return found ? at(*found, shape) : Place{};
  }

  /// Operands that are aligned at the right, as of pointwise ops; `skip` last axes play no part.
  Place aligned(const Node& node, const Shape& result, std::size_t first, std::size_t last,
                std::size_t skip = 0) {
    Place found;
    for (std::size_t i = first; i < last; ++i) {
      const Place& from = place(node.inputs[i]);
      if (from.kind != Kind::rows) continue;
      const std::size_t rank = shape(node.inputs[i]).size();
      if (from.axis + skip >= rank) return mix();
      Place here = at(from.axis + result.size() - rank, result);
      if (here.kind != Kind::rows || here.factor != from.factor) return mix();
      if (found.kind == Kind::rows && found.axis != here.axis) return mix();
      found = here;
    }
    if (found.kind != Kind::rows) return found;
    // What is the same for all rows must not differ along their axis.
    for (std::size_t i = first; i < last; ++i) {
      const Shape& other = shape(node.inputs[i]);
      const std::size_t missing = result.size() - other.size();
      if (place(node.inputs[i]).kind == Kind::rows || found.axis < missing) continue;
      if (!other[found.axis - missing].is(1)) return mix();
    }
    return found;
  }

  static std::vector<Place> all(const Node& node, const Place& result) {
    return std::vector<Place>(node.outputs.size(), result);
  }

  std::vector<Place> visit(const Node& node) {
    return node.op->kind == OpKind::loop ? loop(node) : all(node, visit_one(node));
  }

  /// Rows stay rows through all iterations, if they do so through the body.
  std::vector<Place> loop(const Node& node) {
    const ops::Scan scan(node);
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId input) { return place(input).kind == Kind::rows; });
    if (symbol_ && mentions(scan.trips)) rows_.counted = true;
    if (!any) return all(node, {});
    if (!symbol_) return all(node, mix());
    const Rows body = find_rows(*scan.body, extent_);
    bool fits = body.independent();
    // An axis of an entry is the same or the next one of the whole.
    auto of_whole = [](Place entry, const ops::Scan::Along& along) {
      if (entry.axis >= along.axis) ++entry.axis;
      return entry;
    };
    auto equal = [](const Place& a, const Place& b) {
      return a.kind == b.kind && a.axis == b.axis && a.factor == b.factor;
    };
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Place inside = body[scan.body_input(i)];
      if (inside.kind != Kind::rows) continue;  // or not read at all
      const std::size_t slice = i - scan.carried;
      if (i >= scan.carried && slice < scan.sliced)
        inside = of_whole(inside, scan.of_operand(slice));
      fits = fits && equal(inside, place(node.inputs[i]));
    }
    std::vector<Place> results;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      Place inside = body[scan.body->outputs()[o].value];
      if (o < scan.carried) {
        fits = fits && equal(inside, place(node.inputs[o]));
      } else if (inside.kind == Kind::rows) {
        inside = of_whole(inside, scan.of_result(o - scan.carried));
      }
      results.push_back(inside);
    }
    return fits ? results : all(node, mix());
  }

  Place visit_one(const Node& node) {
    const Shape& result = shape(node.outputs[0]);
    const std::string_view op = node.op->name;
    if (node.op->kind == OpKind::pointwise) return aligned(node, result, 0, node.inputs.size());
    if (node.op->kind == OpKind::source) return source(node, result);
    if (op == "matmul") return matmul(node, result);
    if (op == "broadcast") return broadcast(node, result);
    if (op == "gather") return gather(node, result);
    if (op == "scatter") return scatter(node, result);
    if (op == "concat") {
      const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
      const Place all = aligned(node, result, 0, node.inputs.size());
      return all.kind == Kind::rows && all.axis == axis ? mix() : all;
    }
    // From here on one operand has rows, and it is the first.
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      if (place(node.inputs[i]).kind == Kind::rows) return mix();
    }
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId input) { return place(input).kind == Kind::rows; });
    if (op == "slice") return slice(node, any, result);
    if (op == "top_k" && symbol_ && mentions(node.attributes.get<Shape>("k"))) rows_.counted = true;
    if (!any) return {};
    const Place from = place(node.inputs[0]);
    if (op == "reshape") return reshape(shape(node.inputs[0]), from, result);
    if (op == "transpose") {
      const auto& perm = node.attributes.get<Integers>("perm");
      const auto to = std::find(perm.begin(), perm.end(), static_cast<std::int64_t>(from.axis));
      return at(static_cast<std::size_t>(to - perm.begin()), result);
    }
    if (node.op->kind == OpKind::reduce) return reduce(node, from, result);
    if (op == "top_k") return from.axis + 1 < result.size() ? at(from.axis, result) : mix();
    if (op == "conv") return from.axis == 0 ? at(0, result) : mix();
    if (node.op->kind == OpKind::window) {
      const bool alone =
          ops::window_axes(node.attributes)[from.axis] == ops::WindowAxis{1, 1, 1, 0, 0};
      return alone ? at(from.axis, result) : mix();
    }
    return mix();
  }

  Place source(const Node& node, const Shape& result) {
    if (node.op->name == "dims") {
      // A size of a number is no size of rows: that axis could have any name.
      if (symbol_ && mentions(node.attributes.get<std::vector<Dim>>("values")))
        rows_.counted = true;
      return {};
    }
    if (!symbol_) return {};
    const Place found = seed(result);
    const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
    if (found.kind == Kind::rows && found.axis == axis) rows_.counted = true;
    return found;
  }

  Place matmul(const Node& node, const Shape& result) {
    const std::size_t rank_b = shape(node.inputs[1]).size();
    const Place& b = place(node.inputs[1]);
    // k of b; its n is the result's last axis, which no other operand but the bias has.
    if (b.kind == Kind::rows && b.axis + 2 == rank_b) return mix();
    if (b.kind == Kind::rows && b.axis + 1 == rank_b) {
      if (place(node.inputs[0]).kind == Kind::rows) return mix();
      const bool bias = node.inputs.size() == 2 || aligned(node, result, 2, 3).kind == Kind::rows;
      return bias ? at(result.size() - 1, result) : mix();
    }
    const Place& a = place(node.inputs[0]);
    const bool of_m = a.kind == Kind::rows && a.axis + 2 == shape(node.inputs[0]).size();
    if (of_m) {
      // m of a is aligned with k of b, and is not of it.
      if (b.kind == Kind::rows) return mix();
      if (node.inputs.size() == 3 && place(node.inputs[2]).kind == Kind::rows) return mix();
      return at(result.size() - 2, result);
    }
    Place both = aligned(node, result, 0, 2, 2);
    if (node.inputs.size() == 2 || both.kind == Kind::mixed) return both;
    Place bias = aligned(node, result, 2, 3);
    if (bias.kind == Kind::same) return both;
    return both.kind == Kind::same || bias.axis == both.axis ? bias : mix();
  }

  Place broadcast(const Node& node, const Shape& result) {
    Place from = aligned(node, result, 0, 1);
    if (from.kind != Kind::same || !symbol_) return from;
    return seed(result);
  }

  Place gather(const Node& node, const Shape& result) {
    const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
    const std::size_t batch = ops::batch_axes(node.attributes);
    const Place &data = place(node.inputs[0]), &indices = place(node.inputs[1]);
    auto in_batch = [&](const Place& from) { return from.kind == Kind::rows && from.axis < batch; };
    if (in_batch(data) || in_batch(indices)) {
      const bool alike = data.kind == Kind::rows && indices.kind == Kind::rows &&
                         data.axis == indices.axis && data.factor == indices.factor;
      return alike ? at(data.axis, result) : mix();
    }
    if (data.kind == Kind::rows) {
      if (indices.kind == Kind::rows || data.axis == axis) return mix();
      const std::size_t more = shape(node.inputs[1]).size() - batch;
      return at(data.axis < axis ? data.axis : data.axis + more - 1, result);
    }
    return indices.kind == Kind::rows ? at(axis + indices.axis - batch, result) : Place{};
  }

  /// Rows of a batch stay apart; any others meet where their updates go.
  Place scatter(const Node& node, const Shape& result) {
    const std::size_t batch = ops::batch_axes(node.attributes);
    const Place& first = place(node.inputs[0]);
    auto is_rows = [&](ValueId value) { return place(value).kind == Kind::rows; };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), is_rows)) return {};
    const bool alike = first.axis < batch && std::all_of(
                                                 node.inputs.begin(), node.inputs.end(),
                                                 [&](ValueId x) {
                                                   return is_rows(x) &&
                                                          place(x).axis == first.axis &&
                                                          place(x).factor == first.factor;
                                                 });
    return alike ? at(first.axis, result) : mix();
  }

  Place slice(const Node& node, bool any, const Shape& result) {
    const Shape& start = node.attributes.get<Shape>("start");
    if (!any) {
      // Which part it is depends on how many rows there are.
      if (symbol_ && (mentions(start) || mentions(result))) rows_.counted = true;
      return {};
    }
    const Place from = place(node.inputs[0]);
    for (std::size_t d = 0; d < start.size(); ++d) {
      if (d != from.axis && symbol_ && (mentions(start[d]) || mentions(result[d]))) return mix();
    }
    const bool whole = start[from.axis].is(0) &&
                       result[from.axis] == shape(node.inputs[0])[from.axis] &&
                       node.attributes.get<Integers>("step")[from.axis] == 1;
    return whole ? from : mix();
  }

  /// Rows stay rows as long as what stands before them does not change.
  Place reshape(const Shape& old, const Place& from, const Shape& result) const {
    const Dim before =
        product(Shape(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(from.axis)));
    Dim here = 1;
    for (std::size_t d = 0; d < result.size(); ++d) {
      if (here == before && factor(result[d]) && !result[d].is(1)) return at(d, result);
      here *= result[d];
    }
    return mix();
  }

  Place reduce(const Node& node, const Place& from, const Shape& result) const {
    const auto& axes = node.attributes.get<Integers>("axes");
    std::size_t gone = 0;
    for (const std::int64_t axis : axes) {
      if (static_cast<std::size_t>(axis) == from.axis) return mix();
      if (static_cast<std::size_t>(axis) < from.axis) ++gone;
    }
    return at(from.axis - (node.attributes.get<bool>("keep_dims") ? 0 : gone), result);
  }

  const Graph& graph_;
  const Dim& extent_;
  std::optional<std::string> symbol_;
  std::vector<bool> live_;
  bool fresh_mix_ = false;
  Rows rows_;
};

}  // namespace

Rows find_rows(const Graph& graph, const Dim& extent) { return Finder(graph, extent).run(); }

}  // namespace ingot::plan
