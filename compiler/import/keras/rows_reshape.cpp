// SPDX-License-Identifier: Apache-2.0
// Layers that move numbers and compute nothing, and layers that do nothing in inference.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

/// `[[1, 2], [3, 4]]`, `[1, 3]` or `1`, for each axis of positions; of one axis also `[1, 2]`.
std::vector<Pads> read_sides(LayerContext& n, std::string_view key, std::size_t count) {
  constexpr std::int64_t most = std::int64_t{1} << 24;
  const Json& value = n.setting(key);
  std::vector<Pads> sides(count);
  bool fine = true;
  auto number = [&](const Json& one) {
    const bool whole = one.is_number_integer() && one >= 0 && one <= most;
    fine = fine && whole;
    return whole ? one.get<std::int64_t>() : 0;
  };
  if (value.is_array() && count == 1 && value.size() == 2 && !value[0].is_array()) {
    sides[0] = {number(value[0]), number(value[1])};
  } else if (value.is_array() && value.size() == count) {
    for (std::size_t d = 0; d < count; ++d) {
      const bool pair = value[d].is_array() && value[d].size() == 2;
      sides[d] = {number(pair ? value[d][0] : value[d]), number(pair ? value[d][1] : value[d])};
    }
  } else {
    for (Pads& side : sides) side = {number(value), number(value)};
  }
  if (!fine) n.invalid("its '{}' is {}", key, value.dump());
  return sides;
}

}  // namespace

Flows identity(LayerContext& n) { return {{n.x()}}; }

/// Drawn at random in training; nothing otherwise.
Flows only_in_training(LayerContext& n) {
  n.only_inference();
  return {{n.x()}};
}

Flows flatten(LayerContext& n) {
  ValueId x = n.x(1);
  if (n.failed()) return {};
  if (n.has_channels_first() && n.rank(x) > 2) x = n.channels_last(x);
  return {{n.rank(x) == 1 ? n.unsqueeze(x, {1}) : n.flatten(x, 1)}};
}

Flows reshape(LayerContext& n) {
  const ValueId x = n.x(1);
  const std::vector<std::int64_t> target = n.list("target_shape");
  if (n.failed()) return {};
  Dim all = 1, known = 1;
  for (std::size_t d = 1; d < n.rank(x); ++d) all *= n.shape(x)[d];
  std::optional<std::size_t> open;
  Shape shape{n.shape(x)[0]};
  for (const std::int64_t size : target) {
    if (size < 0 && open) return {{n.invalid("its 'target_shape' leaves two sizes open")}};
    if (size < 0) open = shape.size();
    if (size >= 0) known *= Dim(size);
    shape.emplace_back(size);
  }
  if (open) {
    const auto rest = known.is(0) ? std::nullopt : Dim::exact_div(all, known);
    // What a size must be a multiple of is known in the call.
    shape[*open] = rest ? *rest : Dim::floor_div(all, known);
    if (known.is(0)) return {{n.invalid("its 'target_shape' has a size of 0")}};
  }
  return {{n.reshape(x, shape)}};
}

Flows permute(LayerContext& n) {
  const ValueId x = n.x(1);
  std::vector<std::int64_t> perm = n.list("dims");
  if (n.failed()) return {};
  perm.insert(perm.begin(), 0);
  std::vector<std::int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool fits = sorted.size() == n.rank(x);
  for (std::size_t d = 0; d < sorted.size(); ++d)
    fits = fits && sorted[d] == static_cast<std::int64_t>(d);
  if (!fits) return {{n.invalid("its 'dims' do not permute {} axes", n.rank(x))}};
  return {{n.transpose(x, perm)}};
}

Flows repeat_vector(LayerContext& n) {
  const ValueId x = n.x(2);
  const std::int64_t count = n.integer("n", 1);
  if (n.failed()) return {};
  if (n.rank(x) != 2 || count < 0)
    return {{n.invalid("{} repetitions of {} axes", count, n.rank(x))}};
  return {{n.broadcast(n.unsqueeze(x, {1}), {n.shape(x)[0], count, n.shape(x)[1]})}};
}

Flows cropping(LayerContext& n) {
  const std::size_t count = positions_of(n);
  ValueId x = n.x(count + 2);
  const std::vector<Pads> sides = read_sides(n, "cropping", count);
  const std::size_t first = n.has_channels_first() ? 2 : 1;
  for (std::size_t d = 0; d < count && !n.failed(); ++d) {
    const auto [begin, end] = sides[d];
    const Dim rest = n.shape(x)[d + first] - Dim(begin) - Dim(end);
    if (rest.value().value_or(0) < 0)
      return {{n.invalid("{} positions are cropped by {} and {}", n.shape(x)[d + first].str(),
                         begin, end)}};
    x = n.pad(x, d + first, -begin, -end, PadMode::constant);
  }
  return {{x}};
}

Flows zero_padding(LayerContext& n) {
  const std::size_t count = positions_of(n);
  ValueId x = n.x(count + 2);
  const std::vector<Pads> sides = read_sides(n, "padding", count);
  const std::size_t first = n.has_channels_first() ? 2 : 1;
  for (std::size_t d = 0; d < count && !n.failed(); ++d)
    x = n.pad(x, d + first, sides[d].first, sides[d].second, PadMode::constant);
  return {{x}};
}

Flows up_sampling(LayerContext& n) {
  const std::size_t count = positions_of(n);
  ValueId x = n.x(count + 2);
  const std::vector<std::int64_t> factors = n.integers("size", count, 2);
  const std::string mode = n.text("interpolation", "nearest");
  const std::size_t first = n.has_channels_first() ? 2 : 1;
  Resize how;
  how.rounding = Resize::Rounding::floor;
  how.coordinates = Resize::Coordinates::asymmetric;
  if (mode == "bilinear" || mode == "bicubic") {
    how.mode = mode == "bilinear" ? Resize::Mode::linear : Resize::Mode::cubic;
    how.coordinates = Resize::Coordinates::half_pixel;
    how.cubic_a = -0.5;
    how.exclude_outside = mode == "bicubic";
  } else if (mode != "nearest") {
    return {{n.unsupported(Refused::attribute, "its interpolation is '{}'", mode)}};
  }
  for (std::size_t d = 0; d < count && !n.failed(); ++d) {
    if (factors[d] < 1) return {{n.invalid("its 'size' is {}", factors[d])}};
    x = n.resize(x, d + first, n.shape(x)[d + first] * Dim(factors[d]),
                 static_cast<double>(factors[d]), how);
  }
  return {{x}};
}

Flows masking(LayerContext& n) {
  const ValueId x = n.x(2);
  if (n.failed()) return {};
  const ValueId there = n.op("ne", {x, n.number(n.real("mask_value", 0), x)});
  const auto last = static_cast<std::int64_t>(n.rank(x)) - 1;
  const ValueId some = n.reduce("reduce_max", n.cast(there, DType::u8), {last}, true);
  const ValueId mask = n.cast(some, DType::boolean);
  return {{n.op("where", {mask, x, n.number(0, x)}), n.squeeze(mask, {last})}};
}

}  // namespace ingot::keras
