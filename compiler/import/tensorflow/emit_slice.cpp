// SPDX-License-Identifier: Apache-2.0
// Ops that take parts of a tensor, those that join parts, and those that find or change them
// (emit_scatter.h).
#include <algorithm>

#include "import/tensorflow/emit_scatter.h"
#include "import/tensorflow/emit_strided.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// Parts of the given sizes, one after the other.
Values split_into(NodeContext& n, ValueId x, std::size_t axis, const Shape& sizes) {
  Values parts;
  Dim start = 0;
  for (const Dim& size : sizes) {
    parts.push_back(n.slice(x, axis, start, size));
    start += size;
  }
  return parts;
}

/// More parts than this are not a model.
constexpr std::int64_t most_parts = 65536;

Values split(NodeContext& n) {
  const ValueId x = n.in(1);
  const std::int64_t count = n.integer("num_split");
  const std::size_t axis = n.known_axis(0, n.rank(x));
  if (n.failed()) return {};
  if (count < 1 || count > most_parts) return {n.invalid("num_split of {}", count)};
  const Dim length = n.shape(x)[axis];
  const std::optional<Dim> size = Dim::exact_div(length, count);
  if (!size) {
    return {n.invalid("axis {} of size {} is not split evenly into {}", axis, length.str(), count)};
  }
  return split_into(n, x, axis, Shape(static_cast<std::size_t>(count), *size));
}

Values split_sizes(NodeContext& n) {
  const ValueId x = n.in(0);
  Shape sizes = n.known(1, "size_splits");
  const std::size_t axis = n.known_axis(2, n.rank(x));
  if (n.failed()) return {};
  Dim rest = n.shape(x)[axis];
  Dim* unknown = nullptr;
  for (Dim& size : sizes) {
    if (!size.is(-1)) {
      rest = rest - size;
    } else if (unknown != nullptr) {
      return {n.invalid("two unknown sizes")};
    } else {
      unknown = &size;
    }
  }
  if (unknown != nullptr) *unknown = rest;
  if ((unknown == nullptr && rest.value() && !rest.is(0)) || (rest.value() && *rest.value() < 0)) {
    return {n.invalid("sizes {} do not add up to axis {} of size {}", str(sizes), axis,
                      n.shape(x)[axis].str())};
  }
  return split_into(n, x, axis, sizes);
}

Values unpack(NodeContext& n) {
  const ValueId x = n.in(0);
  const std::int64_t count = n.integer("num");
  if (n.rank(x) == 0) return {n.invalid("a scalar can't be unpacked")};
  const std::size_t axis = n.axis(n.integer("axis"), n.rank(x));
  if (n.failed()) return {};
  const std::optional<std::int64_t> length = n.shape(x)[axis].value();
  if (count < 0 || count > most_parts || (length && *length != count)) {
    return {n.invalid("{} parts of axis {} of size {}", count, axis, n.shape(x)[axis].str())};
  }
  Values parts;
  for (std::int64_t i = 0; i < count; ++i) parts.push_back(n.select(x, axis, i));
  return parts;
}

Values pack(NodeContext& n) {
  const std::size_t axis = n.axis(n.integer("axis"), n.rank(n.in(0)) + 1);
  Values parts;
  for (const ValueId x : n.operands()) {
    if (n.rank(x) != n.rank(n.in(0))) return {n.invalid("its operands differ in rank")};
    parts.push_back(n.unsqueeze(x, {static_cast<std::int64_t>(axis)}));
  }
  return {n.concat(parts, axis)};
}

Values concat_parts(NodeContext& n, std::span<const ValueId> parts, std::size_t axis_operand) {
  const std::size_t axis = n.known_axis(axis_operand, n.rank(parts[0]));
  return {n.concat({parts.begin(), parts.end()}, axis)};
}

Values concat(NodeContext& n) { return concat_parts(n, n.operands().subspan(1), 0); }
Values concat_v2(NodeContext& n) {
  return concat_parts(n, n.operands().first(n.count() - 1), n.count() - 1);
}

/// Entries along `axis`, a different set for each place along the first `batch` axes. These axes
/// and the gathered one become one, so an index must be checked before it is moved into its batch:
/// one past the end would be the first of the next.
ValueId gather_in_batch(NodeContext& n, std::size_t axis, std::size_t batch) {
  const Shape data = n.shape(n.in(0));
  const Shape entries = n.shape(n.in(1));
  const auto place = [](std::size_t d) { return static_cast<std::int64_t>(d); };
  std::vector<std::int64_t> perm;
  for (std::size_t d = 0; d < batch; ++d) perm.push_back(place(d));
  perm.push_back(place(axis));
  Shape rows{1};
  for (std::size_t d = 0; d <= axis; ++d) {
    if (d < batch || d == axis) rows[0] *= data[d];
  }
  for (std::size_t d = batch; d < data.size(); ++d) {
    if (d == axis) continue;
    perm.push_back(place(d));
    rows.push_back(data[d]);
  }
  const ValueId flat = n.reshape(n.transpose(n.in(0), perm), rows);

  const Dim batches = product(Shape(data.begin(), data.begin() + place(batch)));
  Shape aligned(data.begin(), data.begin() + place(batch));
  aligned.resize(entries.size(), 1);
  const ValueId number = n.op(
      "iota", {}, {{"shape", Shape{batches}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
  const ValueId length = n.size({data[axis]}, DType::i64);
  const ValueId begin = n.reshape(n.mul(number, length), aligned);
  const ValueId index = n.cast(n.in(1), DType::i64);
  const ValueId not_below = n.op("ge", {index, n.number(0, index)});
  const ValueId inside = n.op("and", {not_below, n.op("lt", {index, length})});
  const ValueId moved = n.add(index, begin);
  const ValueId checked = n.op("where", {inside, moved, n.number(-1, index)});
  const ValueId y = n.gather(flat, checked, 0, false);

  // From [batch.., entries.., before the axis.., after it..]: what was before the axis goes back.
  std::vector<std::int64_t> back;
  for (std::size_t d = 0; d < batch; ++d) back.push_back(place(d));
  for (std::size_t d = batch; d < axis; ++d) back.push_back(place(entries.size() + d - batch));
  for (std::size_t d = batch; d < entries.size(); ++d) back.push_back(place(d));
  for (std::size_t d = axis + 1; d < data.size(); ++d) {
    back.push_back(place(entries.size() + d - 1 - batch));
  }
  return n.transpose(y, back);
}

/// TensorFlow's kernels refuse negative indices, as they do those beyond the end.
Values gather_axis(NodeContext& n, std::size_t axis) {
  const std::size_t rank = n.rank(n.in(1));
  if (n.failed()) return {};
  if (!is_integer(n.dtype(n.in(1)))) return {n.invalid("indices of {}", name(n.dtype(n.in(1))))};
  const std::int64_t stated = n.integer("batch_dims");
  const std::int64_t batch = stated < 0 ? stated + static_cast<std::int64_t>(rank) : stated;
  if (batch < 0 || batch > static_cast<std::int64_t>(std::min(rank, axis))) {
    return {n.invalid("batch_dims of {}, axis {} and indices of {} axes", stated, axis, rank)};
  }
  if (batch == 0) return {n.gather(n.in(0), n.in(1), axis, false)};
  return {gather_in_batch(n, axis, static_cast<std::size_t>(batch))};
}

Values gather(NodeContext& n) {
  if (n.rank(n.in(0)) == 0) return {n.invalid("a scalar has no entries")};
  const std::int64_t batch = n.integer("batch_dims");
  return gather_axis(n, n.axis(batch, n.rank(n.in(0))));
}

Values gather_v2(NodeContext& n) {
  const std::size_t axis = n.known_axis(2, n.rank(n.in(0)));
  return n.failed() ? Values{} : gather_axis(n, axis);
}

constexpr OpRow rows[] = {
    {"StridedSlice", 4, 4, strided_slice},
    {"Slice", 3, 3, slice},
    {"Split", 2, 2, split},
    {"SplitV", 3, 3, split_sizes},
    {"Unpack", 1, 1, unpack},
    {"Pack", 1, -1, pack},
    {"Concat", 2, -1, concat},
    {"ConcatV2", 2, -1, concat_v2},
    {"Gather", 2, 2, gather},
    {"GatherV2", 3, 3, gather_v2},
    {"ResourceGather", 2, 2, gather},
    {"TopK", 1, 1, top_k},
    {"TopKV2", 2, 2, top_k},
    {"ScatterNd", 3, 3, scatter_nd},
    {"TensorScatterUpdate", 3, 3, tensor_scatter, "none"},
    {"TensorScatterAdd", 3, 3, tensor_scatter, "sum"},
    {"TensorScatterSub", 3, 3, tensor_scatter, "sub"},
    {"TensorScatterMax", 3, 3, tensor_scatter, "max"},
    {"TensorScatterMin", 3, 3, tensor_scatter, "min"},
    {"SegmentMax", 2, 2, segments, "max"},
    {"SegmentMean", 2, 2, segments, "mean"},
    {"SegmentMin", 2, 2, segments, "min"},
    {"SegmentSum", 2, 2, segments, "sum"},
    {"SegmentProd", 2, 2, segments, "prod"},
    {"UnsortedSegmentSum", 3, 3, unsorted_segments, "sum"},
    {"UnsortedSegmentProd", 3, 3, unsorted_segments, "prod"},
    {"UnsortedSegmentMax", 3, 3, unsorted_segments, "max"},
    {"UnsortedSegmentMin", 3, 3, unsorted_segments, "min"},
};

}  // namespace

std::span<const OpRow> slice_rows() { return rows; }

}  // namespace ingot::tensorflow
