// SPDX-License-Identifier: Apache-2.0
// Compositions about places: gathering by coordinates that are data, the place of an extremum,
// reversing by lengths. All gathers become one of a flattened axis, whose indices are checked.
#include "import/compose.h"

namespace ingot {
namespace {

/// A place along a flattened axis, and whether each coordinate is within its own: the sum of
/// coordinates out of range may be a place of another row.
struct Flat {
  ValueId place;  // i64
  ValueId valid;  // bool
};

/// A coordinate in [0, size) or, with `wrap`, counted from the end, [-size, 0).
void add_coordinate(Composer& c, Flat& flat, ValueId index, bool wrap, const Dim& size,
                    const Dim& stride) {
  ValueId place = c.cast(index, DType::i64);
  const ValueId zero = c.scalar(DType::i64, 0), length = c.size({size}, DType::i64);
  if (wrap) {
    const ValueId from_end = c.add(place, length);
    place = c.op("where", {c.op("lt", {place, zero}), from_end, place});
  }
  const ValueId low = c.op("ge", {place, zero});
  const ValueId valid = c.op("and", {low, c.op("lt", {place, length})});
  const ValueId offset = stride.is(1) ? place : c.mul(place, c.size({stride}, DType::i64));
  flat.valid = flat.valid.valid() ? c.op("and", {flat.valid, valid}) : valid;
  flat.place = flat.place.valid() ? c.add(flat.place, offset) : offset;
}

ValueId gather_flat(Composer& c, ValueId data, const Flat& flat) {
  const ValueId none = c.scalar(DType::i64, -1);  // gather refuses it
  return c.gather(data, c.op("where", {flat.valid, flat.place, none}), 0, false);
}

}  // namespace

ValueId Composer::iota(Shape shape, DType dtype) {
  return op("iota", {}, {{"shape", std::move(shape)}, {"axis", std::int64_t{0}}, {"dtype", dtype}});
}

ValueId Composer::gather_elements(ValueId x, ValueId indices, std::size_t axis) {
  if (failed()) return {};
  const Shape data = shape(x), places = shape(indices);
  if (data.empty() || places.size() != data.size()) return invalid("its operands differ in rank");
  Flat flat;
  Dim stride = 1;
  for (std::size_t d = data.size(); d-- > 0;) {
    // Along other axes the place is the result's own.
    const ValueId own = align(iota({places[d]}, DType::i64), d, data.size());
    add_coordinate(*this, flat, d == axis ? indices : own, true, data[d], stride);
    stride = stride * data[d];
  }
  return gather_flat(*this, reshape(x, {stride}), flat);
}

ValueId Composer::gather_nd(ValueId x, ValueId indices, std::int64_t batch, bool wrap) {
  const auto own = static_cast<std::int64_t>(rank(indices)) - 1;
  if (failed() || own < 0 || batch < 0 || batch > own) return invalid("{} batch_dims", batch);
  const Shape data = shape(x);
  const auto depth = shape(indices).back().value();
  if (!depth || *depth < 0 || batch + *depth > static_cast<std::int64_t>(data.size()))
    return invalid("coordinates {} of a value {}", str(shape(indices)), str(data));
  const auto lead = static_cast<std::size_t>(batch + *depth);
  // Coordinates of no axes at all: the whole of x (of its batch) each time.
  if (*depth == 0) {
    Shape repeated(shape(indices).begin(), shape(indices).end() - 1), aligned = repeated;
    for (std::size_t d = static_cast<std::size_t>(batch); d < aligned.size(); ++d) aligned[d] = 1;
    aligned.insert(aligned.end(), data.begin() + batch, data.end());
    repeated.insert(repeated.end(), data.begin() + batch, data.end());
    return broadcast(reshape(x, aligned), repeated);
  }
  Flat flat;
  Dim stride = 1;
  for (std::size_t d = lead; d-- > 0;) {
    const auto place = static_cast<std::int64_t>(d) - batch;
    ValueId coordinate;
    if (place >= 0) {
      coordinate = select(indices, static_cast<std::size_t>(own), place);
    } else {
      coordinate = align(iota({data[d]}, DType::i64), d, static_cast<std::size_t>(own));
    }
    add_coordinate(*this, flat, coordinate, wrap, data[d], stride);
    stride = stride * data[d];
  }
  Shape rows{stride};
  rows.insert(rows.end(), data.begin() + static_cast<std::ptrdiff_t>(lead), data.end());
  return gather_flat(*this, reshape(x, rows), flat);
}

ValueId Composer::place_of_extremum(ValueId x, std::string_view reduction, std::size_t axis,
                                    bool last) {
  const std::vector<std::int64_t> axes{static_cast<std::int64_t>(axis)};
  ValueId found = op("eq", {x, reduce(reduction, x, axes, true)});
  if (is_float(dtype(x))) found = op("or", {found, op("is_nan", {x})});
  if (failed()) return {};
  const Dim length = shape(x)[axis];
  const ValueId places = align(iota({length}, DType::i64), axis, rank(x));
  const ValueId none = last ? scalar(DType::i64, -1) : size({length}, DType::i64);
  return reduce(last ? "reduce_max" : "reduce_min", op("where", {found, places, none}), axes, true);
}

ValueId Composer::reverse_sequence(ValueId x, ValueId lengths, std::size_t time,
                                   std::size_t batch) {
  if (failed()) return {};
  if (time == batch) return invalid("its axes of time and batch are both {}", time);
  std::vector<std::int64_t> perm{static_cast<std::int64_t>(batch), static_cast<std::int64_t>(time)};
  for (std::size_t d = 0; d < rank(x); ++d)
    if (d != time && d != batch) perm.push_back(static_cast<std::int64_t>(d));
  std::vector<std::int64_t> back(perm.size());
  for (std::size_t d = 0; d < perm.size(); ++d)
    back[static_cast<std::size_t>(perm[d])] = static_cast<std::int64_t>(d);
  const ValueId turned = transpose(x, perm);
  if (failed()) return {};
  const Shape whole = shape(turned);
  if (rank(lengths) != 1) return invalid("its lengths are {}", str(type(lengths)));

  const ValueId length = reshape(cast(lengths, DType::i64), {shape(lengths)[0], 1});
  const ValueId step = iota({whole[1]}, DType::i64);
  const ValueId one = scalar(DType::i64, 1);
  const ValueId reversed = sub(sub(length, one), step);
  const ValueId place = op("where", {op("lt", {step, length}), reversed, step});
  Flat flat;
  add_coordinate(*this, flat, place, false, whole[1], 1);
  add_coordinate(*this, flat, iota({whole[0], 1}, DType::i64), false, whole[0], whole[1]);
  Shape rows{whole[0] * whole[1]};
  rows.insert(rows.end(), whole.begin() + 2, whole.end());
  return transpose(gather_flat(*this, reshape(turned, rows), flat), back);
}

}  // namespace ingot
