// SPDX-License-Identifier: Apache-2.0
// Ops that count: how often numbers occur, and how many of a sorted list are below a value.
#include <algorithm>
#include <limits>

#include "import/compose_measured.h"
#include "import/compose_scatter.h"
#include "import/tensorflow/emit.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// Of a list, the last axis of `sorted`, how many entries are below each of `values` (or at it).
ValueId count_below(NodeContext& n, ValueId sorted, ValueId values, bool or_equal, DType dtype) {
  const ValueId list = n.unsqueeze(sorted, {static_cast<std::int64_t>(n.rank(sorted)) - 1});
  const auto last = static_cast<std::int64_t>(n.rank(values));
  const ValueId each = n.unsqueeze(values, {last});
  // What is not a number is above all.
  const ValueId above = n.op(or_equal ? "gt" : "ge", {list, each});
  const ValueId below = n.sub(n.scalar(dtype, 1), n.cast(above, dtype));
  return n.reduce("reduce_sum", below, {last}, false);
}

Values bucketize(NodeContext& n) {
  if (n.failed()) return {};
  const std::vector<float> boundaries = n.reals("boundaries");
  const DType dtype = n.dtype(n.in(0));
  const DType wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  if (boundaries.empty()) return {n.broadcast(n.scalar(DType::i32, 0), n.shape(n.in(0)))};
  Tensor list(DType::f32, {static_cast<std::int64_t>(boundaries.size())});
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    if (i > 0 && !(boundaries[i - 1] <= boundaries[i]))
      return {n.invalid("its boundaries are not sorted")};
    list.set(static_cast<std::int64_t>(i), boundaries[i]);
  }
  const ValueId sorted = n.cast(n.constant(std::move(list)), wide);
  return {count_below(n, sorted, n.cast(n.in(0), wide), true, DType::i32)};
}

/// Of each row; the row says whether what is equal counts.
Values search_sorted(NodeContext& n) {
  const DType dtype = n.dtype_of("out_type", DType::i32);
  if (n.failed()) return {};
  if (n.rank(n.in(0)) != 2 || n.rank(n.in(1)) != 2) return {n.invalid("its operands are not rows")};
  return {count_below(n, n.in(0), n.in(1), n.core() == "le", dtype)};
}

/// What is known of an integer, of which some is the least or the greatest of a constant and data.
Interval range_of(NodeContext& n, ValueId value, int depth = 0) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  if (const auto known = ops::known_dims(n.graph(), value); known && known->size() == 1)
    return (*known)[0].bounds(n.graph().symbol_ranges());
  const Node* node = n.graph().producer(value);
  constexpr int deepest = 16;
  if (node == nullptr || depth == deepest) return {least, most};
  const std::string_view op = node->op->name;
  if (op == "reshape") return range_of(n, node->inputs[0], depth + 1);
  if (op != "max" && op != "min") return {least, most};
  const Interval a = range_of(n, node->inputs[0], depth + 1),
                 b = range_of(n, node->inputs[1], depth + 1);
  if (op == "max") return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
  return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
}

/// How many bins there are. Where data say so, at most 1,024 or what the model bounds it by.
Dim bins_of(NodeContext& n, ValueId size) {
  if (const auto known = ops::known_dims(n.graph(), size); known && known->size() == 1)
    return (*known)[0];
  constexpr std::int64_t most = 1024, greatest = (std::int64_t{1} << 31) - 1;
  const Interval range = range_of(n, size);
  if (range.lo == range.hi && range.lo >= 0) return range.lo;
  const ValueId count = n.op("max", {size, n.number(0, size)});
  return measured_size(n, count, range.hi > greatest ? most : std::max<std::int64_t>(range.hi, 0));
}

/// How often each number from 0 on occurs, in all of a vector or in each row: numbers beyond are
/// left out. With weights, their sum; binary, whether it occurs at all.
Values bincount(NodeContext& n) {
  if (n.failed()) return {};
  const std::size_t rank = n.rank(n.in(0));
  if (rank != 1 && rank != 2) return {n.invalid("it counts {}", str(n.type(n.in(0))))};
  const Dim bins = bins_of(n, n.in(1));
  const DType dtype = n.dtype(n.in(2));
  const bool binary = n.flag("binary_output");
  const bool weighted = !n.type(n.in(2)).elements().is(0) && !binary;
  if (n.failed()) return {};
  const ValueId numbers = n.cast(n.in(0), DType::i64), zero = n.scalar(dtype, 0);
  const ValueId weights = weighted ? n.in(2) : n.broadcast(n.scalar(dtype, 1), n.shape(n.in(0)));
  if (weighted && n.shape(weights) != n.shape(n.in(0)))
    return {n.invalid("its weights are {}", str(n.type(weights)))};
  ValueId counts;
  if (rank == 1) {
    // What is beyond goes to one bin more, which is left out; negative numbers are errors.
    const ValueId end = n.size({bins}, DType::i64);
    const ValueId place = n.op("min", {numbers, end});
    const ValueId from = n.broadcast(zero, {bins + 1});
    counts = n.slice(scatter(n, from, place, weights, "sum"), 0, 0, bins);
  } else {
    const ValueId bin = n.op(
        "iota", {}, {{"shape", Shape{bins}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
    const ValueId meets = n.op("eq", {n.unsqueeze(numbers, {2}), bin});
    counts =
        n.reduce("reduce_sum", n.op("where", {meets, n.unsqueeze(weights, {2}), zero}), {1}, false);
  }
  if (binary) counts = n.op("min", {counts, n.scalar(dtype, 1)});
  return {counts};
}

constexpr OpRow rows[] = {
    {"Bucketize", 1, 1, bucketize},
    {"DenseBincount", 3, 3, bincount},
    {"LowerBound", 2, 2, search_sorted, "lt"},
    {"UpperBound", 2, 2, search_sorted, "le"},
};

}  // namespace

std::span<const OpRow> count_rows() { return rows; }

}  // namespace ingot::tensorflow
