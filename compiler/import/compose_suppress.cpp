// SPDX-License-Identifier: Apache-2.0
// Non-maximum suppression: of boxes in the order of their scores each is kept that meets none of
// those kept before by more than a share of their union.
#include <algorithm>

#include "import/compose_loop.h"
#include "import/compose_scatter.h"

namespace ingot {
namespace {

/// Boxes as two corners, the lesser one first; all of one shape.
struct Corners {
  std::vector<ValueId> low, high;  // y, x

  ValueId area(Composer& c) const { return c.mul(c.sub(high[0], low[0]), c.sub(high[1], low[1])); }
};

/// Of boxes [batches, boxes, 4].
Corners corners(Composer& c, const Boxes& given) {
  Corners result;
  for (const std::int64_t axis : {0, 1}) {
    // Centers and sizes have x first, corners y.
    const std::int64_t place = given.centers ? 1 - axis : axis;
    const ValueId a = c.select(given.boxes, 2, place), b = c.select(given.boxes, 2, place + 2);
    const ValueId half = c.mul(b, c.number(0.5, b));
    const ValueId first = given.centers ? c.sub(a, half) : a;
    const ValueId second = given.centers ? c.add(a, half) : b;
    result.low.push_back(c.op("min", {first, second}));
    result.high.push_back(c.op("max", {first, second}));
  }
  return result;
}

/// True where the intersection is more than `share` of the union. `one` is of a shape that
/// broadcasts to that of the others. Boxes without an area meet nothing.
ValueId meet(Composer& c, const Corners& one, const Corners& all, ValueId share) {
  const ValueId zero = c.number(0, share);
  ValueId common;
  for (const std::size_t axis : {0U, 1U}) {
    const ValueId extent = c.op("max", {c.sub(c.op("min", {one.high[axis], all.high[axis]}),
                                              c.op("max", {one.low[axis], all.low[axis]})),
                                        zero});
    common = common.valid() ? c.mul(common, extent) : extent;
  }
  const ValueId first = one.area(c), second = all.area(c);
  const ValueId whole = c.sub(c.add(first, second), common);
  const ValueId exist = c.op("and", {c.op("gt", {first, zero}), c.op("gt", {second, zero})});
  return c.op("and", {exist, c.op("gt", {c.div(common, whole), share})});
}

}  // namespace

Kept suppress_non_maxima(Composer& c, const Boxes& given) {
  if (c.failed()) return {};
  if (c.rank(given.boxes) != 3 || c.rank(given.scores) != 3 || !c.shape(given.boxes)[2].is(4)) {
    c.invalid("boxes are {} and scores {}", str(c.type(given.boxes)), str(c.type(given.scores)));
    return {};
  }
  const Shape shape = c.shape(given.scores);  // batches, classes, boxes
  const Shape classes{shape[0], shape[1]};
  const Selected order = top_k(c, given.scores, 2, shape[2], true);
  Corners sorted = corners(c, given);
  for (std::vector<ValueId>* side : {&sorted.low, &sorted.high}) {
    for (ValueId& coordinate : *side) {
      const ValueId all = c.broadcast(c.unsqueeze(coordinate, {1}), shape);
      coordinate = c.gather_elements(all, order.places, 2);
    }
  }
  const ValueId no = c.cast(c.scalar(DType::i64, 0), DType::boolean);
  const ValueId wanted = given.least_score.valid() ? c.op("gt", {order.values, given.least_score})
                                                   : c.broadcast(c.op("not", {no}), shape);

  LoopBuilder loop(c, c.node_name(), shape[2]);
  const ValueId gone = loop.carry(c.broadcast(no, shape), "gone");
  const ValueId count = loop.carry(c.broadcast(c.scalar(DType::i64, 0), classes), "count");
  const ValueId is_wanted = loop.slice(wanted, 2, false, "wanted");
  Composer& b = loop.body();
  Corners own, all;
  for (const bool low : {true, false}) {
    for (const ValueId coordinate : low ? sorted.low : sorted.high) {
      const ValueId mine = loop.slice(coordinate, 2, false, "corner");
      (low ? own.low : own.high).push_back(b.unsqueeze(mine, {2}));
    }
  }
  for (const bool low : {true, false}) {
    for (const ValueId coordinate : low ? sorted.low : sorted.high)
      (low ? all.low : all.high).push_back(loop.same(coordinate));
  }
  const ValueId is_gone = b.gather(gone, loop.number(), 2, false);
  const ValueId room = b.op("lt", {count, loop.same(given.most)});
  const ValueId kept = b.op("and", {b.op("and", {is_wanted, b.op("not", {is_gone})}), room});
  const ValueId met = meet(b, own, all, loop.same(given.share));
  loop.next(b.op("or", {gone, b.op("and", {b.unsqueeze(kept, {2}), met})}));
  loop.next(b.add(count, b.cast(kept, DType::i64)));
  loop.stack(kept, 2, false);
  const ValueId chosen = loop.finish()[2];

  const ValueId places = places_of_true(c, chosen);
  auto size = [&](const Dim& dim) { return c.size({dim}, DType::i64); };
  Kept result;
  result.batch = c.div(places, size(shape[1] * shape[2]));
  result.of_class = c.op("mod_trunc", {c.div(places, size(shape[2])), size(shape[1])});
  result.box = c.gather(c.reshape(order.places, {product(shape)}), places, 0, false);
  return result;
}

}  // namespace ingot
