// SPDX-License-Identifier: Apache-2.0
// ONNX ops about places: gathering by data, the first in order, the place of an extremum, triangles
// of matrices.
#include "import/onnx/rows_index.h"

#include "import/compose_index.h"

namespace ingot::onnx {
namespace {

ValueId iota(OnnxNode& n, Shape shape, DType dtype) {
  return n.op("iota", {},
              {{"shape", std::move(shape)}, {"axis", std::int64_t{0}}, {"dtype", dtype}});
}

/// Before opset 11 indices counted from the front only.
Results gather(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  return n.gather(n.x(), n.input(1), axis, n.opset() >= 11);
}

/// `place` if it is in [0, size) or, counted from the end, [-size, 0); else -1 - far, which no
/// sum with other places makes valid again.
struct Flat {
  ValueId place;  // i64
  ValueId valid;  // bool
};

void add_coordinate(OnnxNode& n, Flat& flat, ValueId index, const Dim& size, const Dim& stride) {
  index = n.cast(index, DType::i64);
  const ValueId zero = n.scalar(DType::i64, 0), length = n.size({size}, DType::i64);
  const ValueId from_end = n.add(index, length);
  const ValueId place = n.op("where", {n.op("lt", {index, zero}), from_end, index});
  const ValueId low = n.op("ge", {place, zero});
  const ValueId valid = n.op("and", {low, n.op("lt", {place, length})});
  const ValueId offset = stride.is(1) ? place : n.mul(place, n.size({stride}, DType::i64));
  flat.valid = flat.valid.valid() ? n.op("and", {flat.valid, valid}) : valid;
  flat.place = flat.place.valid() ? n.add(flat.place, offset) : offset;
}

/// Entries of data as one axis; a coordinate out of range is an index that gather refuses, though
/// the sum may be within the whole.
ValueId gather_flat(OnnxNode& n, ValueId data, const Flat& flat) {
  const ValueId none = n.scalar(DType::i64, -1);
  return n.gather(data, n.op("where", {flat.valid, flat.place, none}), 0, false);
}

/// result[i, j] = data[indices[i, j], j] where axis is 0.
Results gather_elements(OnnxNode& n) {
  const ValueId indices = n.input(1);
  const std::size_t rank = n.rank(n.x());
  if (rank == 0 || n.rank(indices) != rank) return n.invalid("its operands differ in rank");
  const std::size_t axis = n.axis(n.integer("axis", 0), rank);
  if (n.failed()) return ValueId{};
  const Shape data = n.shape(n.x()), shape = n.shape(indices);
  Flat flat;
  Dim stride = 1;
  for (std::size_t d = rank; d-- > 0;) {
    // Along other axes the place is the result's own.
    const ValueId own = n.align(iota(n, {shape[d]}, DType::i64), d, rank);
    add_coordinate(n, flat, d == axis ? indices : own, data[d], stride);
    stride = stride * data[d];
  }
  return gather_flat(n, n.reshape(n.x(), {stride}), flat);
}

/// The last axis of `indices` holds coordinates of leading axes, after `batch_dims` common ones.
Results gather_nd(OnnxNode& n) {
  const ValueId indices = n.input(1);
  const std::int64_t batch = n.integer("batch_dims", 0);
  const std::size_t rank = n.rank(n.x());
  const auto own = static_cast<std::int64_t>(n.rank(indices)) - 1;
  if (n.failed() || own < 0 || batch < 0 || batch > own) return n.invalid("{} batch_dims", batch);
  const auto depth = n.shape(indices).back().value();
  if (!depth || *depth < 1 || batch + *depth > static_cast<std::int64_t>(rank))
    return n.invalid("coordinates {} of a value {}", str(n.shape(indices)), str(n.shape(n.x())));
  const Shape data = n.shape(n.x());
  const auto lead = static_cast<std::size_t>(batch + *depth);
  Flat flat;
  Dim stride = 1;
  for (std::size_t d = lead; d-- > 0;) {
    const auto place = static_cast<std::int64_t>(d) - batch;
    ValueId coordinate;
    if (place >= 0) {
      coordinate = n.select(indices, static_cast<std::size_t>(own), place);
    } else {
      coordinate = n.align(iota(n, {data[d]}, DType::i64), d, static_cast<std::size_t>(own));
    }
    add_coordinate(n, flat, coordinate, data[d], stride);
    stride = stride * data[d];
  }
  Shape rows{stride};
  rows.insert(rows.end(), data.begin() + static_cast<std::ptrdiff_t>(lead), data.end());
  return gather_flat(n, n.reshape(n.x(), rows), flat);
}

/// The first place (or the last) of the extremum, a NaN before all numbers.
ValueId place_of_extremum(OnnxNode& n, std::string_view reduction, std::size_t axis, bool last) {
  const std::vector<std::int64_t> axes{static_cast<std::int64_t>(axis)};
  const ValueId x = n.x();
  ValueId found = n.op("eq", {x, n.reduce(reduction, x, axes, true)});
  if (is_float(n.dtype(x))) found = n.op("or", {found, n.op("is_nan", {x})});
  if (n.failed()) return {};
  const Dim size = n.shape(x)[axis];
  const ValueId places = n.align(iota(n, {size}, DType::i64), axis, n.rank(x));
  const ValueId none = last ? n.scalar(DType::i64, -1) : n.size({size}, DType::i64);
  return n.reduce(last ? "reduce_max" : "reduce_min", n.op("where", {found, places, none}), axes,
                  true);
}

Results arg_extremum(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  if (n.failed()) return ValueId{};
  const ValueId place = place_of_extremum(n, n.op_type() == "ArgMax" ? "reduce_max" : "reduce_min",
                                          axis, n.flag("select_last_index", false));
  return n.flag("keepdims", true) ? place : n.squeeze(place, {static_cast<std::int64_t>(axis)});
}

/// 1 at the first maximum, else 0. Before opset 13 the axes from `axis` on were one row.
Results hardmax(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  const std::size_t axis = n.axis(n.integer("axis", n.opset() < 13 ? 1 : -1), rank);
  if (n.failed()) return ValueId{};
  if (n.opset() < 13 && axis + 1 != rank)
    return n.unsupported(Refused::opset, "a row of several axes, as before opset 13");
  const ValueId place = place_of_extremum(n, "reduce_max", axis, false);
  if (n.failed()) return ValueId{};
  const ValueId places = n.align(iota(n, {n.shape(n.x())[axis]}, DType::i64), axis, rank);
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
  const ValueId column = iota(n, {shape[rank - 1]}, DType::i64);
  const ValueId row = iota(n, {shape[rank - 2], 1}, DType::i64);
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
                              {"Gather", 6, newest_opset, 2, 2, gather},
                              {"GatherElements", 11, newest_opset, 2, 2, gather_elements},
                              {"GatherND", 11, newest_opset, 2, 2, gather_nd},
                              {"Hardmax", 6, newest_opset, 1, 1, hardmax},
                              {"NonZero", 9, newest_opset, 1, 1, nonzero},
                              {"Scatter", 9, 10, 3, 3, scatter_elements},
                              {"ScatterElements", 11, newest_opset, 3, 3, scatter_elements},
                              {"ScatterND", 11, newest_opset, 3, 3, scatter_nd},
                              {"TopK", 1, 9, 1, 1, top_k},
                              {"TopK", 10, newest_opset, 2, 2, top_k},
                              {"Trilu", 14, newest_opset, 1, 2, trilu},
                          });
}

}  // namespace ingot::onnx
