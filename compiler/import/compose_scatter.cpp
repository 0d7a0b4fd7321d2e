// SPDX-License-Identifier: Apache-2.0
#include "import/compose_scatter.h"

namespace ingot {

Selected top_k(Composer& c, ValueId x, std::size_t axis, const Dim& k, bool largest) {
  if (c.failed()) return {};
  if (!x.valid()) return {c.invalid("an operand is missing"), {}};
  // Rows are the last axis.
  std::vector<std::int64_t> perm;
  for (std::size_t d = 0; d < c.rank(x); ++d) perm.push_back(static_cast<std::int64_t>(d));
  std::swap(perm[axis], perm.back());
  const ValueId values =
      c.op("top_k", {c.transpose(x, perm)}, {{"k", Shape{k}}, {"largest", largest}});
  if (c.failed()) return {};
  const ValueId places = c.graph().producer(values)->outputs[1];
  return {c.transpose(values, perm), c.transpose(places, perm)};
}

ValueId flat_place(Composer& c, const std::vector<ValueId>& coordinates, const Shape& sizes,
                   bool wrap) {
  const ValueId zero = c.scalar(DType::i64, 0);
  ValueId place, valid;
  Dim stride = 1;
  for (std::size_t d = coordinates.size(); d-- > 0 && !c.failed();) {
    ValueId index = c.cast(coordinates[d], DType::i64);
    const ValueId length = c.size({sizes[d]}, DType::i64);
    if (wrap) index = c.op("where", {c.op("lt", {index, zero}), c.add(index, length), index});
    // Each by itself: a sum of wrong coordinates may be a right place.
    const ValueId inside = c.op("and", {c.op("ge", {index, zero}), c.op("lt", {index, length})});
    if (!stride.is(1)) index = c.mul(index, c.size({stride}, DType::i64));
    place = place.valid() ? c.add(place, index) : index;
    valid = valid.valid() ? c.op("and", {valid, inside}) : inside;
    stride *= sizes[d];
  }
  return c.op("where", {valid, place, c.scalar(DType::i64, -1)});
}

ValueId scatter(Composer& c, ValueId data, ValueId indices, ValueId updates,
                std::string_view reduction, std::size_t batch) {
  if (c.dtype(indices) != DType::i32) indices = c.cast(indices, DType::i64);
  Attributes attributes{{"reduction", std::string(reduction)}};
  if (batch > 0) attributes.set("batch", static_cast<std::int64_t>(batch));
  return c.op("scatter", {data, indices, updates}, std::move(attributes));
}

ValueId scatter_nd(Composer& c, ValueId data, ValueId indices, ValueId updates,
                   std::string_view reduction, bool wrap) {
  if (c.failed()) return {};
  if (c.rank(indices) == 0) return c.invalid("coordinates without an axis");
  const Shape shape = c.shape(data), chosen = c.shape(indices);
  const auto depth = chosen.back().value();
  if (!depth || *depth > static_cast<std::int64_t>(shape.size()))
    return c.invalid("coordinates {} of a value {}", str(c.type(indices)), str(c.type(data)));
  const auto lead = static_cast<std::size_t>(*depth);
  std::vector<ValueId> coordinates;
  for (std::size_t d = 0; d < lead; ++d)
    coordinates.push_back(c.select(indices, chosen.size() - 1, static_cast<std::int64_t>(d)));
  const auto entry = shape.begin() + static_cast<std::ptrdiff_t>(lead);
  Shape flat{product(Shape(shape.begin(), entry))};
  flat.insert(flat.end(), entry, shape.end());
  // Without coordinates there is one place, which is the whole.
  const ValueId places =
      lead > 0 ? flat_place(c, coordinates, Shape(shape.begin(), entry), wrap)
               : c.broadcast(c.scalar(DType::i64, 0), Shape(chosen.begin(), chosen.end() - 1));
  return c.reshape(scatter(c, c.reshape(data, flat), places, updates, reduction), shape);
}

}  // namespace ingot
