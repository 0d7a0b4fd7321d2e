// SPDX-License-Identifier: Apache-2.0
// ONNX ops about places: gathering by data, the first in order, the place of an extremum, triangles
// of matrices.
#include "import/onnx/rows_index.h"

#include "import/compose_scatter.h"

namespace ingot::onnx {
namespace {

/// Before opset 11 indices counted from the front only.
Results gather(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  return n.gather(n.x(), n.input(1), axis, n.opset() >= 11);
}

Results gather_elements(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  return n.gather_elements(n.x(), n.input(1), axis);
}

Results gather_nd(OnnxNode& n) {
  return n.gather_nd(n.x(), n.input(1), n.integer("batch_dims", 0), true);
}

Results reverse_sequence(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  const std::size_t time = n.axis(n.integer("time_axis", 0), rank);
  const std::size_t batch = n.axis(n.integer("batch_axis", 1), rank);
  return n.reverse_sequence(n.x(), n.input(1), time, batch);
}

Results arg_extremum(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  if (n.failed()) return ValueId{};
  const ValueId place =
      n.place_of_extremum(n.x(), n.op_type() == "ArgMax" ? "reduce_max" : "reduce_min", axis,
                          n.flag("select_last_index", false));
  return n.flag("keepdims", true) ? place : n.squeeze(place, {static_cast<std::int64_t>(axis)});
}

/// 1 at the first maximum, else 0. Before opset 13 the axes from `axis` on were one row.
Results hardmax(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  const std::size_t axis = n.axis(n.integer("axis", n.opset() < 13 ? 1 : -1), rank);
  if (n.failed()) return ValueId{};
  if (n.opset() < 13 && axis + 1 != rank)
    return n.unsupported(Refused::opset, "a row of several axes, as before opset 13");
  const ValueId place = n.place_of_extremum(n.x(), "reduce_max", axis, false);
  if (n.failed()) return ValueId{};
  const ValueId places = n.align(n.iota({n.shape(n.x())[axis]}, DType::i64), axis, rank);
  return n.cast(n.op("eq", {places, place}), n.dtype(n.x()));
}

/// k was an attribute first, and is an input since opset 10. What is not to be sorted is so anyway.
Results top_k(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", -1), n.rank(n.x()));
  std::optional<std::vector<Dim>> k;
  if (n.opset() >= 10) {
    k = n.known_dims(1, "k");
  } else if (n.has("k")) {
    k = std::vector<Dim>{n.integer("k", 0)};
  }
  if (n.failed()) return ValueId{};
  if (!k || k->size() != 1) return n.invalid("its k is not one number");
  const auto [values, places] = ingot::top_k(n, n.x(), axis, (*k)[0], n.flag("largest", true));
  return std::vector{values, places};
}

/// Columns from (upper) or up to (lower) the k-th diagonal; zeros elsewhere.
Results trilu(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  if (rank < 2) return n.failed() ? ValueId{} : n.invalid("its input is not a matrix");
  const Shape shape = n.shape(n.x());
  const ValueId column = n.iota({shape[rank - 1]}, DType::i64);
  const ValueId row = n.iota({shape[rank - 2], 1}, DType::i64);
  const ValueId k = n.has_input(1) ? n.reshape(n.input(1), {}) : n.scalar(DType::i64, 0);
  const ValueId kept = n.op(n.flag("upper", true) ? "ge" : "le", {column, n.add(row, k)});
  const DType dtype = n.dtype(n.x());
  return n.op("where", {kept, n.x(), n.scalar(dtype, 0)});
}

}  // namespace

void add_index_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"ArgMax", 6, newest_opset, 1, 1, arg_extremum},
                              {"ArgMin", 6, newest_opset, 1, 1, arg_extremum},
                              {"Compress", 9, newest_opset, 2, 2, compress},
                              {"Gather", 6, newest_opset, 2, 2, gather},
                              {"GatherElements", 11, newest_opset, 2, 2, gather_elements},
                              {"GatherND", 11, newest_opset, 2, 2, gather_nd},
                              {"Hardmax", 6, newest_opset, 1, 1, hardmax},
                              {"NonMaxSuppression", 10, newest_opset, 2, 5, non_max_suppression},
                              {"NonZero", 9, newest_opset, 1, 1, nonzero},
                              {"ReverseSequence", 10, newest_opset, 2, 2, reverse_sequence},
                              {"Scatter", 9, 10, 3, 3, scatter_elements},
                              {"ScatterElements", 11, newest_opset, 3, 3, scatter_elements},
                              {"ScatterND", 11, newest_opset, 3, 3, scatter_nd},
                              {"TopK", 1, 9, 1, 1, top_k},
                              {"TopK", 10, newest_opset, 2, 2, top_k},
                              {"Trilu", 14, newest_opset, 1, 2, trilu},
                              {"Unique", 11, newest_opset, 1, 1, unique},
                          });
}

}  // namespace ingot::onnx
