// SPDX-License-Identifier: Apache-2.0
// Compositions that move elements: axes inserted and dropped, slices with Python's rules, tiles.
#include <algorithm>

#include "import/compose.h"

namespace ingot {
namespace {

/// More slices than this in place of one gather would cost more than the gather.
constexpr std::size_t max_slices = 64;
/// Of an index into an axis of symbolic size.
constexpr std::int64_t max_index = std::int64_t{1} << 31;

/// Far beyond any size, and far enough from the ends of int64 to be added to one.
std::int64_t tame(std::int64_t index) {
  constexpr std::int64_t limit = std::int64_t{1} << 60;
  return std::clamp(index, -limit, limit);
}

}  // namespace

ValueId Composer::unsqueeze(ValueId x, const std::vector<std::int64_t>& axes) {
  if (failed()) return {};
  Shape shape = this->shape(x);
  if (shape.size() + axes.size() > max_rank) return invalid("more than {} axes", max_rank);
  for (const std::int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  return reshape(x, std::move(shape));
}

ValueId Composer::squeeze(ValueId x, const std::vector<std::int64_t>& axes) {
  if (failed()) return {};
  Shape shape;
  for (std::size_t d = 0; d < rank(x); ++d) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == axes.end()) {
      shape.push_back(this->shape(x)[d]);
    }
  }
  return reshape(x, std::move(shape));
}

ValueId Composer::transpose_matrix(ValueId x) {
  if (rank(x) < 2) return failed() ? ValueId{} : invalid("its operand is not a matrix");
  std::vector<std::int64_t> perm(rank(x));
  for (std::size_t d = 0; d < perm.size(); ++d) perm[d] = static_cast<std::int64_t>(d);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return transpose(x, std::move(perm));
}

ValueId Composer::flatten(ValueId x, std::size_t axis) {
  if (failed()) return {};
  const auto middle = shape(x).begin() + static_cast<std::ptrdiff_t>(axis);
  return reshape(
      x, {product(Shape(shape(x).begin(), middle)), product(Shape(middle, shape(x).end()))});
}

ValueId Composer::align(ValueId vector, std::size_t axis, std::size_t rank) {
  if (failed() || this->rank(vector) != 1 || rank == 0) return vector;
  Shape aligned(rank - axis, 1);
  aligned[0] = shape(vector)[0];
  return reshape(vector, std::move(aligned));
}

Dim Composer::smaller(const Dim& a, const Dim& b) const {
  const Interval gap = (a - b).bounds(graph_.symbol_ranges());
  return gap.hi <= 0 ? a : gap.lo >= 0 ? b : Dim::min(a, b);
}

Dim Composer::larger(const Dim& a, const Dim& b) const {
  const Interval gap = (a - b).bounds(graph_.symbol_ranges());
  return gap.lo >= 0 ? a : gap.hi <= 0 ? b : Dim::max(a, b);
}

ValueId Composer::strided_slice(ValueId x, std::size_t axis, const std::optional<Dim>& begin,
                                const std::optional<Dim>& end, std::int64_t step) {
  if (failed()) return {};
  if (step == 0) return invalid("a step of 0");
  step = tame(step);
  const Dim length = shape(x)[axis];
  auto from_start = [&](const Dim& place) {
    if (place.value()) {
      const std::int64_t number = tame(*place.value());
      return number < 0 ? length + number : Dim(number);
    }
    const Interval range = place.bounds(graph_.symbol_ranges());
    if (range.lo < 0 && range.hi >= 0)
      unsupported(Refused::known_size, "the sign of a bound, {}, is not known", place.str());
    return range.lo >= 0 ? place : length + place;
  };
  // A start beyond the other bound makes the size 0, so that each bound is clamped on one side
  // only.
  Dim start, size;
  if (step > 0) {
    start = begin ? larger(from_start(*begin), 0) : Dim(0);
    const Dim stop = end ? smaller(from_start(*end), length) : length;
    size = larger(Dim::ceil_div(stop - start, step), 0);
  } else {
    start = begin ? smaller(from_start(*begin), length - 1) : length - 1;
    const Dim stop = end ? larger(from_start(*end), -1) : Dim(-1);
    size = larger(Dim::ceil_div(start - stop, -step), 0);
  }
  if (size.is(0)) start = 0;
  return slice(x, axis, start, size, step);
}

ValueId Composer::select(ValueId x, std::size_t axis, std::int64_t index) {
  return take(x, axis, {index}, {});
}

ValueId Composer::tile(ValueId x, const Shape& repeats) {
  if (failed()) return {};
  if (repeats.size() != rank(x)) return invalid("{} repeats for {} axes", repeats.size(), rank(x));
  Shape split, repeated, joined;
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    const Dim& length = shape(x)[d];
    if (!repeats[d].is(1)) {
      split.emplace_back(1);
      repeated.push_back(repeats[d]);
    }
    split.push_back(length);
    repeated.push_back(length);
    joined.push_back(repeats[d] * length);
  }
  return reshape(broadcast(reshape(x, split), repeated), joined);
}

ValueId Composer::take(ValueId x, std::size_t axis, const std::vector<std::int64_t>& indices,
                       const std::vector<std::int64_t>& indices_shape) {
  if (failed()) return {};
  const Dim length = shape(x)[axis];
  std::vector<std::int64_t> places = indices;
  if (const auto number = length.value()) {
    for (std::int64_t& place : places) {
      if (place < -*number || place >= *number) {
        return invalid("index {} is outside of axis {} of size {}", place, axis, *number);
      }
      if (place < 0) place += *number;
    }
  }
  for (const std::int64_t place : places) {
    if (place > max_index || place < -max_index) return invalid("index {} is out of range", place);
  }
  std::vector<ValueId> parts;
  for (std::size_t first = 0; first < places.size();) {
    std::size_t next = first + 1;
    std::int64_t step = 1;
    auto same_side = [&](std::size_t i) { return (places[i] < 0) == (places[first] < 0); };
    if (next < places.size() && places[next] != places[first] && same_side(next)) {
      step = places[next] - places[first];
      while (next < places.size() && places[next] - places[next - 1] == step && same_side(next))
        ++next;
    }
    const Dim start = places[first] < 0 ? length + places[first] : Dim(places[first]);
    if (parts.size() == max_slices) {
      return unsupported(Refused::attribute,
                         "gathering {} entries that are not in order is not supported yet",
                         places.size());
    }
    parts.push_back(slice(x, axis, start, static_cast<std::int64_t>(next - first), step));
    first = next;
  }
  if (places.empty()) parts.push_back(slice(x, axis, 0, 0));
  ValueId joined = concat(parts, axis);
  if (failed()) return {};
  Shape result(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), indices_shape.begin(), indices_shape.end());
  result.insert(result.end(), shape(x).begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                shape(x).end());
  return reshape(joined, std::move(result));
}

}  // namespace ingot
