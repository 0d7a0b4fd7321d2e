// SPDX-License-Identifier: Apache-2.0
// Ops about places: gathering by coordinates, places of extrema, reversed sequences, and sums of
// all entries up to each.
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

constexpr OpRow rows[] = {
    {"ArgMax", 2, 2, place_of_extremum, "reduce_max"},
    {"ArgMin", 2, 2, place_of_extremum, "reduce_min"},
    {"Cumprod", 2, 2, cumulative, "window_prod"},
    {"Cumsum", 2, 2, cumulative, "window_sum"},
    {"GatherNd", 2, 2, gather_nd},
    {"ResourceGatherNd", 2, 2, gather_nd},
    {"ReverseSequence", 2, 2, reverse_sequence},
};

}  // namespace

std::span<const OpRow> index_rows() { return rows; }

}  // namespace ingot::tensorflow
