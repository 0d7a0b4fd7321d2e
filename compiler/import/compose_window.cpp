// SPDX-License-Identifier: Apache-2.0
// Compositions over windows: convolution, its transpose, pooling, local response normalisation.
#include <algorithm>
#include <numeric>

#include "import/compose.h"

namespace ingot {
namespace {

using Integers = std::vector<std::int64_t>;
/// Beyond these, a file is damaged, and arithmetic on numbers of it would leave 64 bits.
constexpr std::int64_t farthest = std::int64_t{1} << 40;
/// Counts of more positions are computed by the model itself.
constexpr std::int64_t most_counted = std::int64_t{1} << 16;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return -(-a / b) + (a % b > 0 ? 1 : 0); }

/// Where the taps of a transposed convolution meet positions s * q + phase of its result: every
/// `step`-th tap from `first` on, as a convolution with stride 1.
struct Phase {
  std::int64_t first = 0, step = 1, count = 0;
  ops::WindowAxis axis;
};

/// `rows` is how many positions each phase has beyond the input's size.
Phase find_phase(const ops::WindowAxis& axis, std::int64_t phase, std::int64_t rows) {
  const std::int64_t shifted = phase + axis.pad_begin;
  std::int64_t carried = shifted / axis.stride, wanted = shifted % axis.stride;
  if (wanted < 0) wanted += axis.stride, --carried;
  Phase result;
  result.step = axis.stride / std::gcd(axis.stride, axis.dilation);
  while (result.first < axis.taps && result.first < result.step &&
         result.first * axis.dilation % axis.stride != wanted)
    ++result.first;
  if (result.first >= std::min(axis.taps, result.step)) return result;
  result.count = (axis.taps - result.first + result.step - 1) / result.step;
  const std::int64_t dilation = result.step * axis.dilation / axis.stride;
  // Tap `first` reads the input this many positions before position q; later taps read further
  // ahead of it, so that the taps are reversed.
  const std::int64_t behind = (result.first * axis.dilation - wanted) / axis.stride - carried;
  const std::int64_t span = (result.count - 1) * dilation;
  const std::int64_t begin = behind + span;
  result.axis = {result.count, 1, dilation, begin, rows - begin + span};
  return result;
}

}  // namespace

Pads Composer::same_pads(const Dim& size, const ops::WindowAxis& axis, bool upper) {
  if (axis.stride < 1) {
    invalid("a stride of {}", axis.stride);
    return {};
  }
  const Dim positions = Dim::ceil_div(size, axis.stride);
  const Dim needed = (positions - 1) * Dim(axis.stride) + Dim(axis.reach()) - size;
  const auto total = needed.value();
  if (!total) {
    const Interval bounds = needed.bounds(graph_.symbol_ranges());
    if (bounds.hi <= 0) return {0, 0};
    unsupported(Refused::known_size,
                "its padding ('same') depends on the size {} modulo the stride {}", size.str(),
                axis.stride);
    return {};
  }
  const std::int64_t pads = std::max<std::int64_t>(*total, 0);
  return upper ? Pads{pads / 2, pads - pads / 2} : Pads{pads - pads / 2, pads / 2};
}

ValueId Composer::pad_same(ValueId x, std::size_t place, ops::WindowAxis& axis, ValueId fill) {
  if (failed()) return {};
  const Dim size = shape(x)[place];
  // The last window begins at the last multiple of the stride that is within.
  const Dim beyond = size.value()
                         ? Dim()
                         : Dim(axis.reach() - 1) - Dim::mod(size + (axis.stride - 1), axis.stride);
  const Interval bounds = beyond.bounds(graph_.symbol_ranges());
  if (beyond.value() || bounds.hi <= 0) {
    std::tie(axis.pad_begin, axis.pad_end) = same_pads(size, axis, true);
    return x;
  }
  const Dim total = bounds.lo < 0 ? Dim::max(beyond, 0) : beyond;
  const Dim begin = Dim::floor_div(total, 2);
  return pad(x, place, begin, total - begin, PadMode::constant, fill);
}

ValueId Composer::conv(ValueId x, ValueId w, ValueId bias, const WindowAxes& axes,
                       std::int64_t groups) {
  std::vector<ValueId> operands{x, w};
  if (bias.valid()) operands.push_back(bias);
  return op("conv", std::move(operands), ops::conv_attributes(axes, groups));
}

ValueId Composer::conv_transpose(ValueId x, ValueId w, ValueId bias, const WindowAxes& axes,
                                 std::int64_t groups, const Shape& out) {
  if (failed()) return {};
  const std::size_t count = axes.size();
  if (rank(x) != count + 2 || rank(w) != count + 2 || out.size() != count)
    return invalid("its window has {} axes, its operand {}", count, rank(x));
  const Dim results = shape(w).back();
  constexpr std::int64_t most_phases = 4096;
  std::int64_t phases = 1;
  Integers rows;
  for (std::size_t d = 0; d < count; ++d) {
    const ops::WindowAxis& axis = axes[d];
    if (axis.stride < 1 || axis.dilation < 1 || axis.stride > most_phases / phases)
      return unsupported(Refused::attribute, "a transposed convolution with stride {}",
                         axis.stride);
    phases *= axis.stride;
    if (out[d].value().value_or(0) < 0)
      return invalid("a transposed convolution to size {}", out[d].str());
    // ceil(out / stride), relative to the input's size.
    const auto beyond = (out[d] - shape(x)[d + 1] * Dim(axis.stride)).value();
    if (std::abs(axis.pad_begin) > farthest || std::abs(beyond.value_or(0)) > farthest ||
        axis.taps > farthest / axis.dilation)
      return invalid("a transposed convolution from size {} to {}", shape(x)[d + 1].str(),
                     out[d].str());
    if (!beyond)
      return unsupported(Refused::known_size, "a transposed convolution from size {} to {}",
                         shape(x)[d + 1].str(), out[d].str());
    rows.push_back(ceil_div(*beyond, axis.stride));
  }

  // The result as [batch, q0, phase0, q1, phase1, .., results]; phases of the last axis first.
  Shape split{shape(x)[0]};
  for (std::size_t d = 0; d < count; ++d) {
    split.push_back(shape(x)[d + 1] + rows[d]);
    split.emplace_back(1);
  }
  split.push_back(results);
  auto compose = [&](auto&& self, std::vector<Phase> chosen) -> ValueId {
    const std::size_t d = chosen.size();
    if (d < count) {
      std::vector<ValueId> parts;
      for (std::int64_t phase = 0; phase < axes[d].stride && !failed(); ++phase) {
        chosen.push_back(find_phase(axes[d], phase, rows[d]));
        parts.push_back(self(self, chosen));
        chosen.pop_back();
      }
      return failed() ? ValueId{} : concat(parts, 2 * d + 2);
    }
    WindowAxes windows;
    ValueId taps = w;
    for (std::size_t a = 0; a < count; ++a) {
      const Phase& phase = chosen[a];
      if (phase.count == 0) return broadcast(bias.valid() ? bias : number(0, x), split);
      taps = slice(taps, a, phase.first + (phase.count - 1) * phase.step, phase.count, -phase.step);
      windows.push_back(phase.axis);
    }
    return reshape(conv(x, taps, bias, windows, groups), split);
  };
  ValueId y = compose(compose, {});
  if (failed()) return {};
  Shape joined{shape(x)[0]};
  for (std::size_t d = 0; d < count; ++d)
    joined.push_back((shape(x)[d + 1] + rows[d]) * Dim(axes[d].stride));
  joined.push_back(results);
  y = reshape(y, joined);
  for (std::size_t d = 0; d < count; ++d) y = slice(y, d + 1, 0, out[d]);
  return y;
}

ValueId Composer::window_sum(ValueId x, const WindowAxes& axes) {
  return op("window_sum", {x}, ops::window_attributes(axes));
}

ValueId Composer::cumulative(std::string_view window, ValueId x, std::size_t axis, bool exclusive,
                             bool reverse) {
  constexpr std::int64_t most = std::int64_t{1} << 23;  // what a window may have, twice
  if (failed()) return {};
  const Dim size = shape(x)[axis];
  const Interval bounds = size.bounds(graph_.symbol_ranges());
  if (bounds.hi > most)
    return unsupported(size.value() ? Refused::op : Refused::known_size,
                       "up to {} entries along axis {}; at most {} are supported", bounds.hi, axis,
                       most);
  const std::int64_t taps = std::max<std::int64_t>(bounds.hi, 1);
  WindowAxes axes(rank(x));
  axes[axis] = {taps, 1, 1, exclusive ? taps : taps - 1, exclusive ? -1 : 0};
  auto turned = [&](ValueId value) {
    return reverse ? strided_slice(value, axis, std::nullopt, std::nullopt, -1) : value;
  };
  return turned(op(window, {turned(x)}, ops::window_attributes(axes)));
}

ValueId Composer::max_pool(ValueId x, const WindowAxes& axes) {
  return op("window_max", {x}, ops::window_attributes(axes));
}

/// The number of taps within `size`, for each position: a scalar where all agree, else a vector.
ValueId Composer::window_count(const Dim& size, const ops::WindowAxis& axis, DType dtype) {
  if (axis.inside() || failed()) return scalar(dtype, static_cast<double>(axis.taps));
  const auto length = size.value();
  const std::int64_t positions = ops::window_positions(size, axis).value().value_or(0);
  if (!length || positions > most_counted) {
    const ValueId ones = broadcast(scalar(dtype, 1), {size});
    return window_sum(ones, {axis});
  }
  Tensor counts(DType::f64, {positions});
  for (std::int64_t o = 0; o < positions; ++o) {
    const auto [first, last] = axis.live(o, *length);
    counts.set(o, static_cast<double>(std::max<std::int64_t>(last - first, 0)));
  }
  if (counts.repeats() || positions == 1) return scalar(dtype, counts.at<double>(0));
  return cast(constant(std::move(counts)), dtype);
}

ValueId Composer::average_pool(ValueId x, const WindowAxes& axes,
                               const std::vector<Pads>& counted) {
  if (failed()) return {};
  const DType dtype = this->dtype(x);
  if (dtype == DType::f16 || dtype == DType::bf16)
    return cast(average_pool(cast(x, DType::f32), axes, counted), dtype);
  const ValueId sum = window_sum(x, axes);
  if (failed()) return {};
  double taps = 1;
  ValueId varying;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    ops::WindowAxis axis = axes[d];
    Dim size = shape(x)[d];
    if (!counted.empty()) {
      size += Dim(counted[d].first + counted[d].second);
      axis.pad_begin -= counted[d].first;
      axis.pad_end -= counted[d].second;
    }
    const ValueId count = window_count(size, axis, dtype);
    if (failed()) return {};
    if (graph_.is_constant(count) && rank(count) == 0) {
      taps *= graph_.constant(count).as_double(0);
      continue;
    }
    const ValueId aligned = align(count, d, axes.size());
    varying = varying.valid() ? mul(varying, aligned) : aligned;
  }
  const ValueId fixed = number(taps, x);
  return div(sum, !varying.valid() ? fixed : taps == 1 ? varying : mul(varying, fixed));
}

ValueId Composer::local_response_norm(ValueId x, std::size_t axis, std::int64_t before,
                                      std::int64_t after, double bias, double alpha, double beta) {
  if (failed()) return {};
  WindowAxes axes(rank(x));
  axes[axis] = {before + 1 + after, 1, 1, before, after};
  const ValueId sum = window_sum(square(x), axes);
  const ValueId base = op("add", {mul(number(alpha, x), sum), number(bias, x)});
  return op("div", {x, op("pow", {base, number(beta, x)})});
}

}  // namespace ingot
