// SPDX-License-Identifier: Apache-2.0
// Ops about places: gathering by coordinates, places of extrema, reversed sequences, sums of all
// entries up to each, and entries that data choose.
#include "import/compose_measured.h"
#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// Negative coordinates are out of range.
Values gather_nd(NodeContext& n) {
  return {n.gather_nd(n.in(0), n.in(1), n.integer("batch_dims"), false)};
}

Values place_of_extremum(NodeContext& n) {
  const std::size_t axis = n.known_axis(1, n.rank(n.in(0)));
  const DType dtype = n.dtype_of("output_type", DType::i64);
  const ValueId place = n.place_of_extremum(n.in(0), n.core(), axis, false);
  return {n.cast(n.squeeze(place, {static_cast<std::int64_t>(axis)}), dtype)};
}

Values reverse_sequence(NodeContext& n) {
  const std::size_t rank = n.rank(n.in(0));
  const std::size_t time = n.axis(n.integer("seq_dim"), rank);
  const std::size_t batch = n.axis(n.integer("batch_dim"), rank);
  return {n.reverse_sequence(n.in(0), n.in(1), time, batch)};
}

Values cumulative(NodeContext& n) {
  const std::size_t axis = n.known_axis(1, n.rank(n.in(0)));
  const bool exclusive = n.flag("exclusive");
  return {n.cumulative(n.core(), n.in(0), axis, exclusive, n.flag("reverse"))};
}

/// Coordinates of what is not zero, a row each.
Values where(NodeContext& n) {
  if (n.failed()) return {};
  return {n.transpose(nonzero(n, n.cast(n.in(0), DType::boolean)), {1, 0})};
}

/// In the order in which they come.
Values unique(NodeContext& n) {
  const DType dtype = n.dtype_of("out_idx", DType::i32);
  const Unique found = ingot::unique(n, n.in(0), false);
  return {found.values, n.cast(found.inverse, dtype), n.cast(found.counts, dtype)};
}

/// Rows go to the part of their number; those of other numbers are errors to TensorFlow, and are
/// left out here.
Values dynamic_partition(NodeContext& n) {
  const std::int64_t parts = n.integer("num_partitions");
  constexpr std::int64_t most_parts = 4096;
  if (n.failed()) return {};
  if (parts < 1 || parts > most_parts) return {n.invalid("num_partitions of {}", parts)};
  const Shape &data = n.shape(n.in(0)), &numbers = n.shape(n.in(1));
  if (numbers.size() > data.size()) return {n.invalid("more axes of partitions than of data")};
  Shape flat(data.begin() + static_cast<std::ptrdiff_t>(numbers.size()), data.end());
  flat.insert(flat.begin(), product(numbers));
  const ValueId rows = n.reshape(n.in(0), flat);
  Values results;
  for (std::int64_t i = 0; i < parts && !n.failed(); ++i) {
    const ValueId chosen = n.op("eq", {n.in(1), n.number(static_cast<double>(i), n.in(1))});
    results.push_back(n.gather(rows, places_of_true(n, chosen), 0, false));
  }
  return results;
}

/// Boxes [boxes, 4] and scores [boxes] of one class.
Values non_max_suppression(NodeContext& n) {
  auto scalar = [&](std::size_t i, DType dtype) {
    return n.count() > i ? n.reshape(n.cast(n.in(i), dtype), {}) : ValueId{};
  };
  if (n.failed()) return {};
  if (n.rank(n.in(0)) != 2 || n.rank(n.in(1)) != 1)
    return {n.invalid("boxes are {} and scores {}", str(n.type(n.in(0))), str(n.type(n.in(1))))};
  const ValueId share =
      n.count() > 3 ? scalar(3, DType::f32) : n.scalar(DType::f32, n.real("iou_threshold", 0.5));
  const Kept kept = suppress_non_maxima(n, {n.unsqueeze(n.in(0), {0}), n.unsqueeze(n.in(1), {0, 1}),
                                            scalar(2, DType::i64), share, scalar(4, DType::f32)});
  return {n.cast(kept.box, DType::i32)};
}

constexpr OpRow rows[] = {
    {"ArgMax", 2, 2, place_of_extremum, "reduce_max"},
    {"ArgMin", 2, 2, place_of_extremum, "reduce_min"},
    {"Cumprod", 2, 2, cumulative, "window_prod"},
    {"Cumsum", 2, 2, cumulative, "window_sum"},
    {"DynamicPartition", 2, 2, dynamic_partition},
    {"GatherNd", 2, 2, gather_nd},
    {"ResourceGatherNd", 2, 2, gather_nd},
    {"NonMaxSuppression", 3, 3, non_max_suppression},
    {"NonMaxSuppressionV2", 4, 4, non_max_suppression},
    {"NonMaxSuppressionV3", 5, 5, non_max_suppression},
    {"ReverseSequence", 2, 2, reverse_sequence},
    {"Unique", 1, 1, unique},
    {"UniqueWithCounts", 1, 1, unique},
    {"Where", 1, 1, where},
};

}  // namespace

std::span<const OpRow> index_rows() { return rows; }

}  // namespace ingot::tensorflow
