// SPDX-License-Identifier: Apache-2.0
#include "import/compose_measured.h"

#include <algorithm>

#include "import/compose_loop.h"
#include "import/compose_scatter.h"
#include "import/inputs.h"
#include "ir/op.h"
#include "ops/shape_arithmetic.h"

namespace ingot {
namespace {

std::string fresh_name(Composer& c) {
  // Of a path its last part, which is what people call it.
  const std::string& path = c.node_name();
  const std::string last = path.substr(path.rfind('/') + 1);
  const std::string wanted = is_symbol_name(last) ? last : "measured";
  std::string name = wanted;
  for (int i = 2; c.graph().find_symbol(name) != nullptr; ++i)
    name = fmt::format("{}_{}", wanted, i);
  return name;
}

ValueId flat(Composer& c, ValueId x) { return c.reshape(x, {product(c.shape(x))}); }

/// Whether an element differs from the one before it; the first one does.
ValueId starts(Composer& c, ValueId sorted, const Dim& size) {
  const ValueId index = c.iota({size}, DType::i64);
  const ValueId one = c.scalar(DType::i64, 1), zero = c.scalar(DType::i64, 0);
  const ValueId before = c.gather(sorted, c.op("max", {c.sub(index, one), zero}), 0, false);
  return c.op("or", {c.op("eq", {index, zero}), c.op("ne", {sorted, before})});
}

/// A value is another one and a size.
struct Moved {
  ValueId from;
  Dim by;
};
Moved moved(Composer& c, ValueId value) {
  Moved result{value, 0};
  for (const Node* node = c.graph().producer(value); node != nullptr;
       node = c.graph().producer(result.from)) {
    const std::string_view op = node->op->name;
    if (op == "reshape" || (op == "cast" && is_integer(c.dtype(node->inputs[0])))) {
      result.from = node->inputs[0];
      continue;
    }
    if (op != "add") break;
    bool found = false;
    for (const std::size_t side : {0U, 1U}) {
      const auto number = ops::known_dims(c.graph(), node->inputs[side]);
      if (found || !number || number->size() != 1) continue;
      result.by += (*number)[0];
      result.from = node->inputs[1 - side];
      found = true;
    }
    if (!found) break;
  }
  return result;
}

}  // namespace

Dim fresh_measured(Composer& c, const Dim& most) {
  Graph& graph = c.graph();
  Dim bound = at_most(most, graph.symbols());
  const std::string name = fresh_name(c);
  if (const Interval* asked = asked_of_measured(graph, name)) {
    if (asked->lo > 0) {
      c.fail_with(fail(ErrorCode::invalid_argument,
                       "--dim {}: data give this size; write {}=0:{} to bound it", name, name,
                       asked->hi));
    }
    bound = Dim::min(bound, asked->hi);
  }
  const Interval range = bound.bounds(graph.symbol_ranges());
  graph.declare_symbol(name, {0, std::max<std::int64_t>(range.hi, 0)}, bound);
  return Dim::symbol(name);
}

Dim asked_most(Composer& c, const Dim& otherwise) {
  const Interval* asked = asked_of_measured(c.graph(), fresh_name(c));
  return asked == nullptr ? otherwise : Dim(asked->hi);
}

Dim measured_size(Composer& c, ValueId count, const Dim& most) {
  if (c.failed()) return 0;
  if (!c.type(count).elements().is(1)) {
    c.invalid("a size is {}", str(c.type(count)));
    return 0;
  }
  const Dim size = fresh_measured(c, most);
  c.op("measure", {c.reshape(c.cast(count, DType::i64), {})}, {{"size", Shape{size}}});
  return size;
}

ValueId places_of_true(Composer& c, ValueId mask) {
  if (c.failed()) return {};
  const Dim size = product(c.shape(mask));
  const std::vector<ValueId> found = c.several("places_of_true", {flat(c, mask)}, {}, 2);
  const Dim count = measured_size(c, found[1], size);
  return c.slice(found[0], 0, 0, count);
}

ValueId nonzero(Composer& c, ValueId mask) {
  if (c.failed()) return {};
  const Shape shape = c.shape(mask);
  const ValueId places = places_of_true(c, mask);
  std::vector<ValueId> rows;
  ValueId rest = places;
  for (std::size_t d = shape.size(); d-- > 0;) {
    // The first coordinate is what is left.
    const ValueId size = c.size({shape[d]}, DType::i64);
    rows.push_back(c.unsqueeze(d == 0 ? rest : c.op("mod_trunc", {rest, size}), {0}));
    rest = c.div(rest, size);
  }
  if (c.failed()) return {};
  if (rows.empty()) return c.reshape(c.slice(places, 0, 0, 0), {0, 0});
  std::reverse(rows.begin(), rows.end());
  return rows.size() == 1 ? rows[0] : c.concat(rows, 0);
}

ValueId compress(Composer& c, ValueId x, ValueId condition, std::size_t axis) {
  if (c.failed()) return {};
  const ValueId places = places_of_true(c, condition);
  return c.gather(x, places, axis, false);
}

namespace {

/// How many were true up to each element, itself included, less one.
ValueId count_before(Composer& c, ValueId truths, const Dim& size) {
  if (c.failed()) return {};
  LoopBuilder loop(c, c.node_name(), size);
  const ValueId count = loop.carry(c.scalar(DType::i64, -1), "count");
  const ValueId truth = loop.slice(truths, 0, false, "truth");
  const ValueId next = loop.body().add(count, loop.body().cast(truth, DType::i64));
  loop.next(next);
  loop.stack(next, 0, false);
  return loop.finish()[1];
}

}  // namespace

Unique unique(Composer& c, ValueId x, bool sorted) {
  if (c.failed()) return {};
  const Dim size = product(c.shape(x));
  const Selected order = top_k(c, flat(c, x), 0, size, false);
  const ValueId first = starts(c, order.values, size);
  const ValueId places = places_of_true(c, first);
  if (c.failed()) return {};
  const Dim count = c.shape(places)[0];
  Unique result;
  result.values = c.gather(order.values, places, 0, false);
  // Equal elements were sorted by place: the first of them has the least.
  result.first = c.gather(order.places, places, 0, false);
  const ValueId next = c.add(c.iota({count}, DType::i64), c.scalar(DType::i64, 1));
  const ValueId all = c.size({count}, DType::i64);
  const ValueId within = c.op("min", {next, c.sub(all, c.scalar(DType::i64, 1))});
  const ValueId end = c.op("where", {c.op("lt", {next, all}), c.gather(places, within, 0, false),
                                     c.size({size}, DType::i64)});
  result.counts = c.sub(end, places);
  // Which of the unique ones each of the sorted elements is: as many began before it, and with it.
  const ValueId number = count_before(c, first, size);
  const ValueId none = c.broadcast(c.scalar(DType::i64, 0), {size});
  result.inverse = scatter(c, none, order.places, number, "none");
  if (sorted) return result;
  // In the order of their first places.
  const Selected seen = top_k(c, result.first, 0, count, false);
  result.values = c.gather(result.values, seen.places, 0, false);
  result.counts = c.gather(result.counts, seen.places, 0, false);
  result.first = seen.values;
  const ValueId rank = scatter(c, c.broadcast(c.scalar(DType::i64, 0), {count}), seen.places,
                               c.iota({count}, DType::i64), "none");
  result.inverse = c.gather(rank, result.inverse, 0, false);
  return result;
}

ValueId slice_by_data(Composer& c, ValueId x, std::size_t axis, ValueId begin, ValueId end,
                      std::int64_t step) {
  if (c.failed()) return {};
  if (step == 0) return c.invalid("a slice by steps of 0");
  const Dim size = c.shape(x)[axis];
  if (begin.valid() && end.valid() && step == 1) {
    const Moved from = moved(c, begin), to = moved(c, end);
    const std::optional<std::int64_t> count = (to.by - from.by).value();
    if (from.from == to.from && count && *count >= 0)
      return c.gather(x, c.add(c.iota({*count}, DType::i64), begin), axis, false);
  }
  const ValueId n = c.size({size}, DType::i64), zero = c.scalar(DType::i64, 0);
  const ValueId last = c.sub(n, c.scalar(DType::i64, 1)), none = c.scalar(DType::i64, -1);
  // Python's slice.indices().
  const ValueId least = step > 0 ? zero : none, most = step > 0 ? n : last;
  auto place = [&](ValueId given, ValueId otherwise) {
    if (!given.valid()) return otherwise;
    const ValueId from_end = c.add(given, n);
    const ValueId counted = c.op("where", {c.op("lt", {given, zero}), from_end, given});
    return c.op("min", {c.op("max", {counted, least}), most});
  };
  const ValueId from = place(begin, step > 0 ? zero : last);
  const ValueId to = place(end, step > 0 ? n : none);
  const ValueId way = step > 0 ? c.sub(to, from) : c.sub(from, to);
  const std::int64_t stride = step > 0 ? step : -step;
  const ValueId steps =
      c.div(c.add(c.op("max", {way, zero}), c.scalar(DType::i64, static_cast<double>(stride - 1))),
            c.scalar(DType::i64, static_cast<double>(stride)));
  const Dim count = measured_size(c, steps, Dim::ceil_div(size, stride));
  const ValueId places = c.add(
      from, c.mul(c.iota({count}, DType::i64), c.scalar(DType::i64, static_cast<double>(step))));
  return c.gather(x, places, axis, false);
}

}  // namespace ingot
