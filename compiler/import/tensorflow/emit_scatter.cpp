// SPDX-License-Identifier: Apache-2.0
// The first in order, what is written to places that are data, and sums over segments that are
// data. TensorFlow's kernels on CPUs refuse indices that are out of range, negative ones too, but
// for segments.
#include <cfloat>
#include <limits>

#include "import/compose_measured.h"
#include "import/compose_scatter.h"
#include "import/tensorflow/emit_scatter.h"

namespace ingot::tensorflow {

using Values = std::vector<ValueId>;

/// k is an operand, or of the first version an attribute. What is not to be sorted is so anyway.
Values top_k(NodeContext& n) {
  if (n.rank(n.in(0)) == 0) return {n.invalid("a scalar has no rows"), {}};
  const Shape k = n.count() == 2 ? n.known(1, "k") : Shape{n.integer("k", -1)};
  const DType places = n.dtype_of("index_type", DType::i32);
  if (n.failed()) return {{}, {}};
  if (k.size() != 1) return {n.invalid("its k is not one number"), {}};
  const Selected selected = ingot::top_k(n, n.in(0), n.rank(n.in(0)) - 1, k[0], true);
  return {selected.values, n.cast(selected.places, places)};
}

/// Into zeros of a given shape; what meets adds up.
Values scatter_nd(NodeContext& n) {
  const Shape shape = n.known(2, "shape");
  if (n.failed()) return {};
  const ValueId zeros = n.broadcast(n.number(0, n.in(1)), shape);
  return {ingot::scatter_nd(n, zeros, n.in(0), n.in(1), "sum", false)};
}

/// The row says how updates are combined with what is there.
Values tensor_scatter(NodeContext& n) {
  const bool subtracts = n.core() == "sub";
  const ValueId updates = subtracts ? n.op("neg", {n.in(2)}) : n.in(2);
  return {ingot::scatter_nd(n, n.in(0), n.in(1), updates, subtracts ? "sum" : n.core(), false)};
}

/// Entries of negative segments are dropped: they go to one segment more, which is left out.
Values unsorted_segments(NodeContext& n) {
  const Shape count = n.known(2, "number of segments");
  if (n.failed()) return {};
  const std::size_t rank = n.rank(n.in(1));
  if (count.size() != 1 || rank > n.rank(n.in(0))) return {n.invalid("its operands do not fit")};
  const DType dtype = n.dtype(n.in(0));
  const Shape& data = n.shape(n.in(0));
  Shape shape{count[0] + 1};
  shape.insert(shape.end(), data.begin() + static_cast<std::ptrdiff_t>(rank), data.end());
  const ValueId index = n.cast(n.in(1), DType::i64);
  const ValueId last = n.size({count[0]}, DType::i64);
  const ValueId dropped = n.op("lt", {index, n.number(0, index)});
  const ValueId beyond = n.op("ge", {index, last});
  ValueId place = n.op("where", {beyond, n.number(-1, index), index});
  place = n.op("where", {dropped, last, place});
  const std::string_view core = n.core();
  const double infinity = std::numeric_limits<double>::infinity();
  double start = core == "prod" ? 1 : 0;
  // What is as low as can be in TensorFlow is the type's lowest number, not -inf.
  if (core == "max")
    start = dtype == DType::f32 ? -FLT_MAX : dtype == DType::f64 ? -DBL_MAX : -infinity;
  if (core == "min")
    start = dtype == DType::f32 ? FLT_MAX : dtype == DType::f64 ? DBL_MAX : infinity;
  if ((core == "max" || core == "min") && (dtype == DType::f16 || dtype == DType::bf16))
    return {n.unsupported(Refused::element_type, "extrema of segments of {}", name(dtype))};
  const ValueId from = n.broadcast(n.number(start, n.in(0)), shape);
  const ValueId all = scatter(n, from, place, n.in(0), core);
  return {n.slice(all, 0, 0, count[0])};
}

/// As many segments as the greatest number says. Nothing bounds that but what callers do: 1,024, or
/// one for each entry where there are more of those; a call that has more segments fails.
Values segments(NodeContext& n) {
  if (n.failed()) return {};
  if (n.rank(n.in(1)) != 1 || n.rank(n.in(0)) == 0)
    return {n.invalid("its operands are {} and {}", str(n.type(n.in(0))), str(n.type(n.in(1))))};
  const Dim entries = n.shape(n.in(1))[0];
  const ValueId index = n.cast(n.in(1), DType::i64);
  const ValueId none = n.number(0, index), one = n.number(1, index);
  // The greatest of nothing is the least integer.
  const ValueId count = n.op("max", {n.add(n.reduce("reduce_max", index, {0}, false), one), none});
  Shape shape = n.shape(n.in(0));
  constexpr std::int64_t most_with_gaps = 1024;
  shape[0] = measured_size(n, count, asked_most(n, Dim::max(entries, most_with_gaps)));
  const std::string_view core = n.core();
  const ValueId x = n.in(0), zero = n.number(0, x);
  const bool ordered = core == "max" || core == "min";
  const double infinity = std::numeric_limits<double>::infinity();
  const double start = core == "prod"  ? 1
                       : core == "max" ? -infinity
                       : core == "min" ? infinity
                                       : 0;
  ValueId all =
      scatter(n, n.broadcast(n.number(start, x), shape), index, x, core == "mean" ? "sum" : core);
  if (!ordered && core != "mean") return {all};
  // Of segments without entries, zeros.
  const ValueId ones = n.broadcast(one, {entries});
  ValueId sizes = scatter(n, n.broadcast(none, {shape[0]}), index, ones, "sum");
  sizes = n.align(sizes, 0, shape.size());
  if (ordered) return {n.op("where", {n.op("gt", {sizes, none}), all, zero})};
  all = n.div(all, n.cast(n.op("max", {sizes, one}), n.dtype(x)));
  return {all};
}

}  // namespace ingot::tensorflow
