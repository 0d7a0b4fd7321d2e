// SPDX-License-Identifier: Apache-2.0
// log and log1p in float32 arithmetic, without division.
#pragma once
#include "ops/math_detail.h"

namespace ingot::ops::math {
namespace detail {

/// The bits of 2/3: subtracting them makes the exponent field say which power of two brings a
/// number into [2/3, 4/3).
inline constexpr std::int32_t two_thirds_bits = 0x3f2aaaab;

/// k ln2 + ln(1 + r) for r in [-1/3, 1/3] and integer k.
template <Arith A>
typename A::F log_reduced(A& f, typename A::F k, typename A::F r) {
  const auto tail =
      polynomial(f, r, -0x1.092a84p-3f, 0x1.1ea106p-3f, -0x1.f2a22cp-4f, 0x1.1ecf8ep-3f,
                 -0x1.55a192p-3f, 0x1.99d088p-3f, -0x1.fffedep-3f, 0x1.555506p-2f, -0.5f);
  // ln2 in two parts; k times the first is exact, in strict mode too. Small terms first.
  const auto low = f.fma(f.mul(r, r), tail, f.mul(k, f.lit(0x1.7f7d1cp-20f)));
  return f.fma(k, f.lit(0x1.62e4p-1f), f.add(r, low));
}

}  // namespace detail

/// Natural logarithm. -infinity at 0, NaN below.
template <Arith A>
typename A::F log(A& f, typename A::F x) {
  const auto zero = f.lit(0.0f);
  const auto one = f.lit(1.0f);
  const auto subnormal = f.lt(x, f.lit(0x1p-126f));
  const auto bits = f.bits(f.mul(x, f.select(subnormal, f.lit(0x1p23f), one)));
  const auto k = f.iashr(f.isub(bits, f.ilit(detail::two_thirds_bits)), 23);
  const auto m = f.from_bits(f.isub(bits, f.ishl(k, 23)));
  const auto exponent = f.sub(f.to_float(k), f.select(subnormal, f.lit(23.0f), zero));
  const auto y = detail::log_reduced(f, exponent, f.sub(m, one));

  const auto nan = f.from_bits(f.ilit(detail::nan_bits));
  const auto not_positive = f.select(f.eq(x, zero), f.lit(-detail::infinity), nan);
  const auto positive = f.select(f.lt(x, f.lit(detail::infinity)), y, x);
  return f.select(f.gt(x, zero), positive, not_positive);
}

/// ln(1 + x), accurate near 0; keeps -0. -infinity at -1, NaN below.
template <Arith A>
typename A::F log1p(A& f, typename A::F x) {
  const auto one = f.lit(1.0f);
  const auto finite = f.lt(x, f.lit(detail::infinity));
  const auto c = f.select(finite, x, one);
  const auto sum_bits = f.bits(f.add(one, c));
  const auto k = f.iashr(f.isub(sum_bits, f.ilit(detail::two_thirds_bits)), 23);
  // (1 + x) 2^-k - 1, rounded once: 2^-k x and 2^-k - 1 are exact where it matters. The scale is
  // 2^(2-k), because 2^-128 is not normal.
  const auto scale = f.from_bits(f.isub(f.ilit(0x40800000), f.ishl(k, 23)));
  const auto quarter = f.lit(0.25f);
  const auto r = f.fma(f.mul(c, quarter), scale, f.fma(quarter, scale, f.lit(-1.0f)));
  const auto y = detail::log_reduced(f, f.to_float(k), r);

  const auto nan = f.from_bits(f.ilit(detail::nan_bits));
  const auto minus_one = f.lit(-1.0f);
  const auto tiny = f.lt(f.abs(x), f.lit(0x1p-26f));
  const auto outside = f.select(f.eq(x, minus_one), f.lit(-detail::infinity), nan);
  const auto inside = f.select(f.mask_or(tiny, f.mask_not(finite)), x, y);
  return f.select(f.le(x, minus_one), outside, inside);
}

}  // namespace ingot::ops::math
