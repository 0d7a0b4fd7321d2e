// SPDX-License-Identifier: Apache-2.0
// Ops that change where elements lie in space: padding, mirroring, resizing, blocks.
#include <algorithm>
#include <cmath>

#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;
using Integers = std::vector<std::int64_t>;

Values pad(NodeContext& n) {
  const Shape pads = n.known(1, "paddings");
  const std::string_view name = n.text("mode", "CONSTANT");
  const PadMode mode = name == "REFLECT"     ? PadMode::reflect
                       : name == "SYMMETRIC" ? PadMode::symmetric
                                             : PadMode::constant;
  if (mode == PadMode::constant && name != "CONSTANT")
    return {n.unsupported(Refused::attribute, "mode '{}'", name)};
  ValueId x = n.in(0);
  if (n.failed()) return {};
  if (pads.size() != 2 * n.rank(x)) {
    return {n.invalid("{} paddings for {} axes", pads.size(), n.rank(x))};
  }
  for (std::size_t d = 0; d < n.rank(x) && !n.failed(); ++d) {
    for (const Dim& side : {pads[2 * d], pads[2 * d + 1]}) {
      if (side.value() && *side.value() < 0) n.invalid("a padding of {}", side.str());
    }
    x = n.pad(x, d, pads[2 * d], pads[2 * d + 1], mode, n.count() == 3 ? n.in(2) : ValueId{});
  }
  return {x};
}

ValueId reversed(NodeContext& n, ValueId x, std::size_t axis) {
  if (n.failed()) return {};
  const Dim length = n.shape(x)[axis];
  return n.slice(x, axis, length - 1, length, -1);
}

/// Version 1 has a flag for each axis, version 2 a list of axes.
Values reverse(NodeContext& n) {
  ValueId x = n.in(0);
  const Integers list = n.known_integers(1, "axes");
  if (n.core() == "flags" && list.size() != n.rank(x)) {
    return {n.invalid("{} flags for {} axes", list.size(), n.rank(x))};
  }
  if (n.core() != "flags") {
    for (const std::int64_t axis : n.axes(list, n.rank(x))) {
      x = reversed(n, x, static_cast<std::size_t>(axis));
    }
    return {x};
  }
  for (std::size_t d = 0; d < list.size(); ++d) {
    if (list[d] != 0) x = reversed(n, x, d);
  }
  return {x};
}

Values roll(NodeContext& n) {
  ValueId x = n.in(0);
  const Integers shifts = n.known_integers(1, "shift");
  const Integers axes = n.known_integers(2, "axis");
  if (shifts.size() != axes.size()) {
    return {n.invalid("{} shifts along {} axes", shifts.size(), axes.size())};
  }
  for (std::size_t i = 0; i < axes.size() && !n.failed(); ++i) {
    const std::size_t axis = n.axis(axes[i], n.rank(x));
    if (n.failed()) break;
    const std::optional<std::int64_t> length = n.shape(x)[axis].value();
    if (!length) return {n.unsupported(Refused::known_size, "axis {} of symbolic size", axis)};
    if (*length == 0) continue;
    const std::int64_t shift = (shifts[i] % *length + *length) % *length;
    if (shift == 0) continue;
    const ValueId tail = n.slice(x, axis, *length - shift, shift);
    x = n.concat({tail, n.slice(x, axis, 0, *length - shift)}, axis);
  }
  return {x};
}

/// Which element each position reads, in the arithmetic of TensorFlow's kernel (float32).
Integers nearest_places(std::int64_t size, std::int64_t out, bool align, bool half) {
  const float scale = align && out > 1 ? static_cast<float>(size - 1) / static_cast<float>(out - 1)
                                       : static_cast<float>(size) / static_cast<float>(out);
  Integers places;
  for (std::int64_t o = 0; o < out; ++o) {
    const float at = (static_cast<float>(o) + (half ? 0.5F : 0.0F)) * scale;
    const auto place = static_cast<std::int64_t>(align ? std::round(at) : std::floor(at));
    places.push_back(std::clamp<std::int64_t>(place, 0, size - 1));
  }
  return places;
}

ValueId resize_axis(NodeContext& n, ValueId x, std::size_t axis, const Dim& out) {
  if (n.failed()) return {};
  const bool align = n.flag("align_corners");
  const bool half = n.flag("half_pixel_centers");
  const Dim length = n.shape(x)[axis];
  const auto size = length.value();
  const auto positions = out.value();
  constexpr std::int64_t most_positions = std::int64_t{1} << 20;
  if ((size && *size < 1) || (positions && (*positions < 1 || *positions > most_positions))) {
    return n.invalid("resizing {} elements to {}", length.str(), out.str());
  }
  Resize how;
  how.mode = n.core() == "nearest" ? Resize::Mode::nearest : Resize::Mode::linear;
  how.rounding = Resize::Rounding::floor;
  how.coordinates = align  ? Resize::Coordinates::align_corners
                    : half ? Resize::Coordinates::half_pixel
                           : Resize::Coordinates::asymmetric;
  const auto factor = Dim::exact_div(out, length);
  const std::int64_t whole = factor ? factor->value().value_or(0) : 0;  // 0: no whole factor
  if (how.mode == Resize::Mode::nearest && half) {
    how.coordinates = Resize::Coordinates::tf_half_pixel_for_nn;
  }
  if (how.mode == Resize::Mode::nearest && size && positions) {
    const Integers places = nearest_places(*size, *positions, align, half);
    bool repeats = whole > 0;
    for (std::size_t o = 0; repeats && o < places.size(); ++o) {
      repeats = places[o] == static_cast<std::int64_t>(o) / whole;
    }
    if (!repeats) return n.gather(x, n.constant(Tensor::from_int64(places)), axis, false);
    how.coordinates = Resize::Coordinates::asymmetric;
  }
  if (whole > 0) return n.resize(x, axis, out, static_cast<double>(whole), how);
  if (!size || !positions) {
    return n.unsupported(Refused::known_size, "resizing a symbolic size, {} to {}", length.str(),
                         out.str());
  }
  return n.resize(x, axis, out, static_cast<double>(*positions) / static_cast<double>(*size), how);
}

Values resize(NodeContext& n) {
  ValueId x = n.in(0);
  const Shape sizes = n.known(1, "size");
  if (n.failed()) return {};
  if (n.rank(x) != 4 || sizes.size() != 2) {
    return {n.invalid("{} axes resized to {}", n.rank(x), str(sizes))};
  }
  if (n.flag("align_corners") && n.flag("half_pixel_centers")) {
    return {n.invalid("align_corners and half_pixel_centers exclude each other")};
  }
  if (n.core() != "nearest") x = n.cast(x, DType::f32);  // whatever it was
  return {resize_axis(n, resize_axis(n, x, 1, sizes[0]), 2, sizes[1])};
}

Values depth_to_space(NodeContext& n) {
  const bool last = n.channel_axis(n.rank(n.in(0))) != 1;
  return {n.depth_to_space(n.in(0), n.integer("block_size"), last, false)};
}

Values space_to_depth(NodeContext& n) {
  const bool last = n.channel_axis(n.rank(n.in(0))) != 1;
  return {n.space_to_depth(n.in(0), n.integer("block_size"), last)};
}

/// The blocks of each axis after the first, and what is added to (or taken from) its ends.
struct Blocks {
  Integers sizes;
  Shape pads;
  std::int64_t count = 1;
};

Blocks read_blocks(NodeContext& n) {
  Blocks blocks;
  if (n.count() == 3) {
    blocks.sizes = n.known_integers(1, "block_shape");
    blocks.pads = n.known(2, "paddings");
  } else {
    blocks.sizes.assign(2, n.integer("block_size"));
    blocks.pads = n.known(1, "paddings");
  }
  if (n.failed()) return {};
  if (blocks.sizes.size() + 1 > n.rank(n.in(0)) || blocks.pads.size() != 2 * blocks.sizes.size()) {
    n.invalid("{} blocks and {} paddings of a value of {} axes", blocks.sizes.size(),
              blocks.pads.size(), n.rank(n.in(0)));
    return {};
  }
  constexpr std::int64_t most_blocks = std::int64_t{1} << 20;
  for (const std::int64_t size : blocks.sizes) {
    if (size < 1 || size > most_blocks / blocks.count) {
      n.invalid("a block of {}", size);
      return {};
    }
    blocks.count *= size;
  }
  return blocks;
}

/// a / b, which must have no remainder: where that can't be shown, it becomes a check of the call.
Dim whole_part(NodeContext& n, const Dim& a, std::int64_t b) {
  if (const auto exact = Dim::exact_div(a, b)) return *exact;
  const Dim part = Dim::floor_div(a, b);
  const auto possible =
      n.graph().require({a, Constraint::Relation::equal, part * Dim(b), "blocks"});
  if (!possible) n.invalid("{} is not made of blocks of {}", a.str(), b);
  return part;
}

/// What join_dilations() leaves of it: pads by the paddings less the crops of its counterpart.
ValueId pad_for_dilation(NodeContext& n) {
  const Shape pads = n.known(2, "paddings"), crops = n.known(3, "crops");
  ValueId x = n.in(0);
  if (n.failed()) return {};
  if (pads.size() != crops.size() || pads.size() / 2 + 1 > n.rank(x))
    return n.invalid("{} paddings and {} crops", pads.size(), crops.size());
  for (std::size_t i = 0; i < pads.size() / 2; ++i) {
    const Dim begin = pads[2 * i] - crops[2 * i], end = pads[2 * i + 1] - crops[2 * i + 1];
    const SymbolRanges ranges = n.graph().symbol_ranges();
    if (begin.bounds(ranges).lo < 0 || end.bounds(ranges).lo < 0) {
      n.unsupported(Refused::known_size, "it may crop more than it pads: by {} and {}", begin.str(),
                    end.str());
      return {};
    }
    x = n.pad(x, i + 1, begin, end, PadMode::constant);
  }
  return x;
}

Values space_to_batch(NodeContext& n) {
  if (n.count() == 4) {
    if (!n.flag("_of_dilation")) return {n.invalid("4 inputs")};
    return {pad_for_dilation(n)};
  }
  const Blocks blocks = read_blocks(n);
  ValueId x = n.in(0);
  if (n.failed()) return {};
  const std::size_t count = blocks.sizes.size();
  for (std::size_t i = 0; i < count; ++i) {
    x = n.pad(x, i + 1, blocks.pads[2 * i], blocks.pads[2 * i + 1], PadMode::constant);
  }
  if (n.failed()) return {};
  const Shape shape = n.shape(x);
  Shape split{shape[0]};
  Shape joined{shape[0] * Dim(blocks.count)};
  Integers perm;
  for (std::size_t i = 0; i < count; ++i) {
    const Dim outer = whole_part(n, shape[i + 1], blocks.sizes[i]);
    split.push_back(outer);
    split.emplace_back(blocks.sizes[i]);
    joined.push_back(outer);
    perm.push_back(static_cast<std::int64_t>(2 * i + 2));
  }
  perm.push_back(0);
  for (std::size_t i = 0; i < count; ++i) perm.push_back(static_cast<std::int64_t>(2 * i + 1));
  for (std::size_t d = count + 1; d < shape.size(); ++d) {
    perm.push_back(static_cast<std::int64_t>(split.size()));
    split.push_back(shape[d]);
    joined.push_back(shape[d]);
  }
  return {n.reshape(n.transpose(n.reshape(x, split), perm), joined)};
}

Values batch_to_space(NodeContext& n) {
  const Blocks blocks = read_blocks(n);
  ValueId x = n.in(0);
  if (n.failed()) return {};
  const std::size_t count = blocks.sizes.size();
  const Shape shape = n.shape(x);
  Shape split;
  for (const std::int64_t size : blocks.sizes) split.emplace_back(size);
  const Dim batch = whole_part(n, shape[0], blocks.count);
  split.push_back(batch);
  split.insert(split.end(), shape.begin() + 1, shape.end());
  Shape joined{batch};
  Integers perm{static_cast<std::int64_t>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    perm.push_back(static_cast<std::int64_t>(count + 1 + i));
    perm.push_back(static_cast<std::int64_t>(i));
    joined.push_back(shape[i + 1] * Dim(blocks.sizes[i]));
  }
  for (std::size_t d = count + 1; d < shape.size(); ++d) {
    perm.push_back(static_cast<std::int64_t>(count + d));
    joined.push_back(shape[d]);
  }
  x = n.reshape(n.transpose(n.reshape(x, split), perm), joined);
  for (std::size_t i = 0; i < count; ++i) {
    x = n.pad(x, i + 1, -blocks.pads[2 * i], -blocks.pads[2 * i + 1], PadMode::constant);
  }
  return {x};
}

constexpr OpRow rows[] = {
    {"Pad", 2, 2, pad},
    {"PadV2", 3, 3, pad},
    {"MirrorPad", 2, 2, pad},
    {"Reverse", 2, 2, reverse, "flags"},
    {"ReverseV2", 2, 2, reverse},
    {"Roll", 3, 3, roll},
    {"ResizeNearestNeighbor", 2, 2, resize, "nearest"},
    {"ResizeBilinear", 2, 2, resize, "linear"},
    {"DepthToSpace", 1, 1, depth_to_space},
    {"SpaceToDepth", 1, 1, space_to_depth},
    {"SpaceToBatch", 2, 2, space_to_batch},
    {"SpaceToBatchND", 3, 4, space_to_batch},
    {"BatchToSpace", 2, 2, batch_to_space},
    {"BatchToSpaceND", 3, 3, batch_to_space},
};

}  // namespace

std::span<const OpRow> space_rows() { return rows; }

}  // namespace ingot::tensorflow
