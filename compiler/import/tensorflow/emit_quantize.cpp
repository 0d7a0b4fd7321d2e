// SPDX-License-Identifier: Apache-2.0
// Fake quantisation: rounding to the numbers that integers of a few bits can stand for, in float32.
// All of TensorFlow's roundings are kept, those of the parameters (computed here) and those of the
// values: the result is compared with, and trained by, steps of one integer.
#include <cmath>

#include "import/tensorflow/emit.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;
using Floats = std::vector<float>;

/// A range that begins and ends at multiples of the step, so that 0 is one of its numbers.
struct Range {
  float min = 0, max = 0, scale = 0, inverse = 0, zero = 0;
};

Range nudge(float min, float max, float quant_min, float quant_max) {
  Range range;
  if (min == 0 && max == 0) return range;  // everything becomes 0
  range.scale = (max - min) / (quant_max - quant_min);
  range.inverse = (quant_max - quant_min) / (max - min);
  const float from_min = quant_min - min / range.scale;
  const float zero_point = from_min < quant_min   ? quant_min
                           : from_min > quant_max ? quant_max
                                                  : std::round(from_min);
  range.min = (quant_min - zero_point) * range.scale;
  range.max = (quant_max - zero_point) * range.scale;
  range.zero = std::floor(-range.min * range.inverse + 0.5F);
  return range;
}

/// `divide`: by the step, where other versions of the op multiply by its inverse.
ValueId fake_quantize(NodeContext& n, const Floats& mins, const Floats& maxs, bool vector,
                      bool divide) {
  constexpr std::int64_t default_bits = 8;
  constexpr std::int64_t most_bits = 16;
  const std::int64_t bits = n.integer("num_bits", default_bits);
  if (bits < 2 || bits > most_bits) return n.invalid("{} bits", bits);
  if (mins.size() != maxs.size()) return n.invalid("min and max differ in size");
  const auto quant_min = n.flag("narrow_range") ? 1.0F : 0.0F;
  const auto quant_max = static_cast<float>((std::int64_t{1} << bits) - 1);
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < mins.size(); ++i) {
    const bool empty = mins[i] == 0 && maxs[i] == 0;
    if (!empty && !(mins[i] <= 0 && maxs[i] >= 0 && mins[i] < maxs[i])) {
      return n.invalid("a range from {} to {}, which must hold 0", mins[i], maxs[i]);
    }
    ranges.push_back(nudge(mins[i], maxs[i], quant_min, quant_max));
  }
  auto parameter = [&](float Range::* member) {
    if (!vector) return n.number(static_cast<double>(ranges[0].*member), n.in(0));
    Tensor tensor(DType::f32, {static_cast<std::int64_t>(ranges.size())});
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      tensor.set(static_cast<std::int64_t>(i), ranges[i].*member);
    }
    return n.constant(std::move(tensor));
  };
  const ValueId low = parameter(&Range::min);
  const ValueId scale = parameter(&Range::scale);
  const ValueId clamped = n.op("max", {low, n.op("min", {parameter(&Range::max), n.in(0)})});
  const ValueId shifted = n.sub(clamped, low);
  if (!vector && ranges[0].scale == 0) return n.broadcast(n.number(0, n.in(0)), n.shape(n.in(0)));
  const ValueId steps = divide ? n.div(shifted, scale) : n.mul(shifted, parameter(&Range::inverse));
  const ValueId from_zero = n.sub(steps, parameter(&Range::zero));
  return n.mul(n.op("floor", {n.add(from_zero, n.number(0.5, n.in(0)))}), scale);
}

Values fake_quant_args(NodeContext& n) {
  constexpr double default_bound = 6;
  const auto min = static_cast<float>(n.real("min", -default_bound));
  const auto max = static_cast<float>(n.real("max", default_bound));
  return {fake_quantize(n, {min}, {max}, false, false)};
}

Values fake_quant_vars(NodeContext& n) {
  const bool vector = n.core() == "vector";
  Floats bounds[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto tensor = ops::known_constant(n.graph(), n.in(i + 1));
    if (!tensor) {
      return {n.unsupported(Refused::constant_operand, "its {} (input {}) depends on data",
                            i == 0 ? "min" : "max", i + 1)};
    }
    if (tensor->dtype() != DType::f32 || n.rank(n.in(i + 1)) != (vector ? 1U : 0U)) {
      return {n.invalid("its range is {}", str(n.type(n.in(i + 1))))};
    }
    for (std::int64_t k = 0; k < tensor->elements(); ++k) {
      bounds[i].push_back(static_cast<float>(tensor->as_double(k)));
    }
  }
  return {fake_quantize(n, bounds[0], bounds[1], vector, !vector)};
}

constexpr OpRow rows[] = {
    {"FakeQuantWithMinMaxArgs", 1, 1, fake_quant_args},
    {"FakeQuantWithMinMaxVars", 3, 3, fake_quant_vars},
    {"FakeQuantWithMinMaxVarsPerChannel", 3, 3, fake_quant_vars, "vector"},
};

}  // namespace

std::span<const OpRow> quantize_rows() { return rows; }

}  // namespace ingot::tensorflow
