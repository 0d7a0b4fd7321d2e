// SPDX-License-Identifier: Apache-2.0
// Resizing one axis: places and weights are computed here, in float64, from known sizes, so that
// what is left are gathers by constants and sums of few products.
#include <algorithm>
#include <cmath>
#include <optional>

#include "import/compose.h"

namespace ingot {
namespace {

using Coordinates = Resize::Coordinates;
constexpr std::int64_t most_positions = std::int64_t{1} << 16;

/// Where position `o` of a result of `out` elements falls on `size` elements.
double place_of(const Resize& how, double o, double size, double out, double scale) {
  const double whole = scale * size;
  switch (how.coordinates) {
    case Coordinates::pytorch_half_pixel:
      return whole == 1 ? -0.5 : (o + 0.5) / scale - 0.5;
    case Coordinates::half_pixel_symmetric:
      return size / 2 * (1 - out / whole) + (o + 0.5) / scale - 0.5;
    case Coordinates::align_corners:
      return whole == 1 ? 0 : o * (size - 1) / (whole - 1);
    case Coordinates::asymmetric:
      return o / scale;
    case Coordinates::tf_half_pixel_for_nn:
      return (o + 0.5) / scale;
    case Coordinates::tf_crop_and_resize: {
      const double begin = how.roi_begin, span = how.roi_end - how.roi_begin;
      const double inside =
          whole == 1 ? span * (size - 1) / 2 : o * span * (size - 1) / (whole - 1);
      return inside + begin * (size - 1);
    }
    case Coordinates::half_pixel:
      break;
  }
  return (o + 0.5) / scale - 0.5;
}

double rounded(Resize::Rounding rounding, double place) {
  switch (rounding) {
    case Resize::Rounding::floor:
      return std::floor(place);
    case Resize::Rounding::ceil:
      return std::ceil(place);
    case Resize::Rounding::round_prefer_ceil:
      return std::floor(place + 0.5);
    case Resize::Rounding::round_prefer_floor:
      break;
  }
  return std::ceil(place - 0.5);
}

double weight_at(const Resize& how, double distance) {
  const double x = std::abs(distance), a = how.cubic_a;
  if (how.mode == Resize::Mode::linear) return std::max(1 - x, 0.0);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

/// Tap t of position o reads place places[t][o] with weight weights[t][o].
struct Taps {
  std::vector<std::vector<std::int64_t>> places;
  std::vector<std::vector<double>> weights;
  std::vector<bool> outside;  // of tf_crop_and_resize
};

Taps find_taps(const Resize& how, std::int64_t size, std::int64_t out, double scale) {
  const double reach = how.mode == Resize::Mode::linear ? 1 : 2;
  const double shrunk = how.antialias ? std::min(scale, 1.0) : 1;
  const auto first = static_cast<std::int64_t>(std::floor(-reach / shrunk)) + 1;
  const auto count = static_cast<std::size_t>(2 - 2 * first);
  Taps taps;
  taps.places.resize(count);
  taps.weights.resize(count);
  for (std::int64_t o = 0; o < out; ++o) {
    const double place = place_of(how, static_cast<double>(o), static_cast<double>(size),
                                  static_cast<double>(out), scale);
    taps.outside.push_back(how.coordinates == Coordinates::tf_crop_and_resize &&
                           (place < 0 || place > static_cast<double>(size - 1)));
    const double base = std::floor(place);
    double sum = 0;
    for (std::size_t t = 0; t < count; ++t) {
      const double offset = static_cast<double>(first + static_cast<std::int64_t>(t));
      const double at = base + offset;
      const bool inside = at >= 0 && at <= static_cast<double>(size - 1);
      double weight = weight_at(how, (offset - (place - base)) * shrunk);
      if (how.exclude_outside && !inside) weight = 0;
      sum += weight;
      taps.weights[t].push_back(weight);
      taps.places[t].push_back(
          static_cast<std::int64_t>(std::clamp(at, 0.0, static_cast<double>(size - 1))));
    }
    if ((how.antialias || how.exclude_outside) && sum != 0)
      for (std::size_t t = 0; t < count; ++t) taps.weights[t].back() /= sum;
  }
  return taps;
}

/// Nearest: whether position o reads o / factor, for any size.
bool repeats(const Resize& how, double scale) {
  const bool local = how.coordinates == Coordinates::half_pixel ||
                     how.coordinates == Coordinates::asymmetric ||
                     how.coordinates == Coordinates::tf_half_pixel_for_nn;
  if (!local || scale < 1 || scale > 1024 || scale != std::floor(scale)) return false;
  for (double o = 0; o < 2 * scale; ++o) {
    if (rounded(how.rounding, place_of(how, o, 1, scale, scale)) != std::floor(o / scale))
      return false;
  }
  return true;
}

}  // namespace

ValueId Composer::resize(ValueId x, std::size_t axis, const Dim& out, double scale,
                         const Resize& how) {
  if (failed()) return {};
  if (!(scale > 0) || !std::isfinite(scale)) return invalid("a scale of {}", scale);
  const Dim length = shape(x)[axis];
  const bool nearest = how.mode == Resize::Mode::nearest;
  if (out == length && scale == 1 && how.coordinates != Coordinates::tf_crop_and_resize) return x;
  if (nearest && repeats(how, scale) && out == length * Dim(static_cast<std::int64_t>(scale))) {
    Shape split = shape(x), joined = shape(x);
    split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
    Shape repeated = split;
    repeated[axis + 1] = static_cast<std::int64_t>(scale);
    joined[axis] = out;
    return reshape(broadcast(reshape(x, split), repeated), joined);
  }
  const auto size = length.value(), positions = out.value();
  if (!size || !positions)
    return unsupported(Refused::known_size, "resizing a symbolic size, {} to {}", length.str(),
                       out.str());
  if (*positions < 0 || *positions > most_positions || (*size < 1 && *positions > 0))
    return invalid("resizing {} elements to {}", *size, *positions);
  auto vector_along = [&](DType dtype, const auto& values) {
    Tensor tensor(DType::f64, {*positions});
    for (std::int64_t i = 0; i < *positions; ++i)
      tensor.set(i, static_cast<double>(values[static_cast<std::size_t>(i)]));
    return align(cast(constant(std::move(tensor)), dtype), axis, rank(x));
  };
  auto pick = [&](const std::vector<std::int64_t>& places) {
    return gather(x, constant(Tensor::from_int64(places)), axis, false);
  };
  ValueId y;
  std::vector<bool> outside;
  if (nearest) {
    std::vector<std::int64_t> places;
    const auto last = static_cast<double>(*size - 1);
    for (std::int64_t o = 0; o < *positions; ++o) {
      const double place =
          place_of(how, static_cast<double>(o), last + 1, static_cast<double>(*positions), scale);
      outside.push_back(how.coordinates == Coordinates::tf_crop_and_resize &&
                        (place < 0 || place > last));
      places.push_back(
          static_cast<std::int64_t>(std::clamp(rounded(how.rounding, place), 0.0, last)));
    }
    y = pick(places);
  } else {
    // More taps than this: a network that shrinks a picture a hundredfold.
    if (how.antialias && scale < 1e-2)
      return unsupported(Refused::attribute, "antialiasing at a scale of {}", scale);
    Taps taps = find_taps(how, *size, *positions, scale);
    outside = std::move(taps.outside);
    for (std::size_t t = 0; t < taps.places.size(); ++t) {
      const std::vector<double>& weights = taps.weights[t];
      if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; })) continue;
      const ValueId weight = vector_along(dtype(x), weights);
      const ValueId part = mul(pick(taps.places[t]), weight);
      y = y.valid() ? add(y, part) : part;
    }
  }
  if (std::find(outside.begin(), outside.end(), true) == outside.end()) return y;
  const ValueId beyond = cast(vector_along(DType::f32, outside), DType::boolean);
  return op("where", {beyond, number(how.extrapolation, x), y});
}

}  // namespace ingot
