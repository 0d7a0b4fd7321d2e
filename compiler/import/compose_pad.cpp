// SPDX-License-Identifier: Apache-2.0
// Compositions that change the size of an axis or exchange places between axes: padding, gathering,
// channels and blocks.
#include <algorithm>

#include "import/compose.h"
#include "ops/shape_arithmetic.h"

namespace ingot {
namespace {

/// Up to this many runs of known indices are slices; a slice is a view, a gather moves elements.
constexpr std::size_t few_runs = 4;

/// Runs of equal steps, as Composer::take would make of them.
std::size_t count_runs(const std::vector<std::int64_t>& places) {
  std::size_t runs = 0;
  for (std::size_t first = 0; first < places.size(); ++runs) {
    std::size_t next = first + 1;
    if (next < places.size() && places[next] != places[first]) {
      const std::int64_t step = places[next] - places[first];
      while (next < places.size() && places[next] - places[next - 1] == step) ++next;
    }
    first = next;
  }
  return runs;
}

}  // namespace

ValueId Composer::gather(ValueId data, ValueId indices, std::size_t axis, bool wrap) {
  if (failed()) return {};
  if (axis >= rank(data)) return invalid("axis {} of {}", axis, str(type(data)));
  const Dim length = shape(data)[axis];
  const auto known = ops::known_dims(graph_, indices);
  const auto numbers = known ? static_shape(*known) : std::nullopt;
  const auto lengths = static_shape(shape(indices));
  if (numbers && lengths) {
    std::vector<std::int64_t> places = *numbers;
    for (std::int64_t& place : places) {
      const bool below = place < (wrap && length.value() ? -*length.value() : 0);
      if ((below && (length.value() || !wrap)) || (length.value() && place >= *length.value()))
        return invalid("index {} is outside of axis {} of size {}", place, axis, length.str());
      if (place < 0 && length.value()) place += *length.value();
    }
    if (count_runs(places) <= few_runs) return take(data, axis, places, *lengths);
    const bool positive = std::all_of(places.begin(), places.end(), [](auto p) { return p >= 0; });
    if (positive) {
      indices = constant(Tensor::from_int64(places).reshaped(*lengths));
      wrap = false;
    }
  }
  if (dtype(indices) != DType::i32) indices = cast(indices, DType::i64);
  if (wrap) {
    const ValueId from_end = add(indices, size({length}, dtype(indices)));
    indices = op("where", {op("lt", {indices, number(0, indices)}), from_end, indices});
  }
  return op("gather", {data, indices}, {{"axis", static_cast<std::int64_t>(axis)}});
}

/// `count` new elements at one side.
ValueId Composer::pad_side(ValueId x, std::size_t axis, const Dim& count, bool end, PadMode mode,
                           ValueId value) {
  const Dim length = shape(x)[axis];
  if (mode == PadMode::constant || mode == PadMode::edge) {
    Shape shape = this->shape(x);
    shape[axis] = count;
    if (mode == PadMode::constant) return broadcast(value, shape);
    return broadcast(slice(x, axis, end ? length - 1 : Dim(0), 1), shape);
  }
  const Dim skipped = mode == PadMode::reflect ? 1 : 0;
  const Expected<void> fits =
      graph_.require({length, Constraint::Relation::greater_equal, count + skipped,
                      "a padding that repeats the operand at most once"});
  if (!fits)
    return unsupported(Refused::known_size, "padding of {} by {} elements of {}", length.str(),
                       count.str(), length.str());
  if (mode == PadMode::wrap) return slice(x, axis, end ? Dim(0) : length - count, count);
  return slice(x, axis, end ? length - 1 - skipped : count - 1 + skipped, count, -1);
}

ValueId Composer::pad(ValueId x, std::size_t axis, const Dim& begin, const Dim& end, PadMode mode,
                      ValueId value) {
  if (failed()) return {};
  if (mode == PadMode::constant && !value.valid()) value = number(0, x);
  const SymbolRanges ranges = graph_.symbol_ranges();
  std::vector<Dim> crop;
  for (const Dim& side : {begin, end}) {
    const Interval bounds = side.bounds(ranges);
    if (bounds.lo < 0 && bounds.hi > 0)
      return unsupported(Refused::known_size, "whether {} pads or crops is not known", side.str());
    crop.push_back(bounds.hi <= 0 ? -side : Dim(0));
  }
  const Dim kept = shape(x)[axis] - crop[0] - crop[1];
  if (kept.value() && *kept.value() < 0)
    return invalid("{} and {} elements cropped of {}", crop[0].str(), crop[1].str(),
                   shape(x)[axis].str());
  ValueId inner = slice(x, axis, crop[0], kept);
  // Known sizes whose padding goes around more than once: by index.
  const auto length = kept.value();
  const auto before = (begin + crop[0]).value(), after = (end + crop[1]).value();
  const bool repeats = mode != PadMode::constant && mode != PadMode::edge && length && before &&
                       after && std::max(*before, *after) + 1 > *length && *before + *after > 0;
  if (repeats) {
    if (*length == 0) return invalid("nothing to repeat along axis {}", axis);
    // One period of the repeated pattern, and where the operand begins in it.
    const std::int64_t period = mode == PadMode::wrap ? *length
                                : mode == PadMode::symmetric
                                    ? 2 * *length
                                    : std::max<std::int64_t>(2 * *length - 2, 1);
    constexpr std::int64_t most = 1 << 20;
    if (*before > most || *after > most)
      return unsupported(Refused::attribute, "padding by {}", end.str());
    std::vector<std::int64_t> places;
    for (std::int64_t i = -*before; i < *length + *after; ++i) {
      const std::int64_t place = ((i % period) + period) % period;
      const std::int64_t mirrored = (mode == PadMode::symmetric ? 2 * *length - 1 : period) - place;
      places.push_back(place < *length ? place : mirrored);
    }
    return gather(inner, constant(Tensor::from_int64(places)), axis, false);
  }
  std::vector<ValueId> parts;
  if (crop[0].is(0) && !begin.is(0))
    parts.push_back(pad_side(inner, axis, begin, false, mode, value));
  parts.push_back(inner);
  if (crop[1].is(0) && !end.is(0)) parts.push_back(pad_side(inner, axis, end, true, mode, value));
  return failed() ? ValueId{} : concat(parts, axis);
}

ValueId Composer::channels_last(ValueId x) {
  std::vector<std::int64_t> perm;
  for (std::size_t d = 0; d < rank(x); ++d)
    if (d != 1) perm.push_back(static_cast<std::int64_t>(d));
  perm.push_back(1);
  return rank(x) < 2 ? x : transpose(x, std::move(perm));
}

ValueId Composer::channels_first(ValueId x) {
  if (rank(x) < 2) return x;
  const auto last = static_cast<std::int64_t>(rank(x)) - 1;
  std::vector<std::int64_t> perm{0, last};
  for (std::int64_t d = 1; d < last; ++d) perm.push_back(d);
  return transpose(x, std::move(perm));
}

ValueId Composer::depth_to_space(ValueId x, std::int64_t block, bool channels_last,
                                 bool channel_major) {
  if (failed()) return {};
  if (rank(x) != 4 || block < 1)
    return invalid("blocks of {} of a value of {} axes", block, rank(x));
  const std::size_t channel = channels_last ? 3 : 1;
  const auto channels = Dim::exact_div(shape(x)[channel], Dim(block) * Dim(block));
  if (!channels)
    return invalid("{} channels are not blocks of {} by {}", shape(x)[channel].str(), block, block);
  // The channel axis as (block, block, channels), or (channels, block, block).
  const Shape parts =
      channel_major ? Shape{*channels, block, block} : Shape{block, block, *channels};
  const std::int64_t c = channel_major ? 0 : 2, b = channel_major ? 1 : 0;
  const Shape& s = shape(x);
  if (channels_last) {
    const Dim batch = s[0], height = s[1], width = s[2];
    const ValueId split = reshape(x, {batch, height, width, parts[0], parts[1], parts[2]});
    return reshape(transpose(split, {0, 1, 3 + b, 2, 4 + b, 3 + c}),
                   {batch, height * Dim(block), width * Dim(block), *channels});
  }
  const Dim batch = s[0], height = s[2], width = s[3];
  const ValueId split = reshape(x, {batch, parts[0], parts[1], parts[2], height, width});
  return reshape(transpose(split, {0, 1 + c, 4, 1 + b, 5, 2 + b}),
                 {batch, *channels, height * Dim(block), width * Dim(block)});
}

ValueId Composer::space_to_depth(ValueId x, std::int64_t block, bool channels_last) {
  if (failed()) return {};
  if (rank(x) != 4 || block < 1)
    return invalid("blocks of {} of a value of {} axes", block, rank(x));
  const std::size_t first = channels_last ? 1 : 2;
  const Dim batch = shape(x)[0], channels = shape(x)[channels_last ? 3 : 1];
  const auto height = Dim::exact_div(shape(x)[first], block);
  const auto width = Dim::exact_div(shape(x)[first + 1], block);
  if (!height || !width)
    return invalid("{} is not made of blocks of {} by {}", str(shape(x)), block, block);
  const Dim deep = channels * Dim(block) * Dim(block);
  if (channels_last) {
    const ValueId split = reshape(x, {batch, *height, block, *width, block, channels});
    return reshape(transpose(split, {0, 1, 3, 2, 4, 5}), {batch, *height, *width, deep});
  }
  const ValueId split = reshape(x, {batch, channels, *height, block, *width, block});
  return reshape(transpose(split, {0, 3, 5, 1, 2, 4}), {batch, deep, *height, *width});
}

}  // namespace ingot
