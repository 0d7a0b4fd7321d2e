// SPDX-License-Identifier: Apache-2.0
// pow, as 2^(y log2 |x|) in float64 with the special cases of C99 Annex F around it.
#pragma once
#include <limits>

#include "ops/math_detail.h"

namespace ingot::ops::math {

/// x to the power y. 1 if x is 1 or y is 0, even if the other is NaN; NaN if x is negative and
/// finite and y is finite and not an integer.
template <Arith A>
typename A::F pow(A& f, typename A::F x, typename A::F y) {
  const auto zero = f.lit(0.0f);
  const auto one = f.lit(1.0f);
  const auto inf = f.lit(detail::infinity);
  const auto a = f.abs(x);

  // log2 |x|, with values for 0 and infinity that win against every y but 0 and never overflow.
  const auto [exponent, log_mantissa] = detail::dlog_parts(f, f.widen(a));
  const auto log2_e = f.dlit(0x1.71547652b82fep+0);
  auto log2_x = f.dfma(log_mantissa, log2_e, exponent);
  const auto x_zero = f.eq(a, zero);
  const auto x_finite = f.lt(a, inf);
  log2_x = f.select(x_finite, log2_x, f.dlit(0x1p800));
  log2_x = f.select(x_zero, f.dlit(-0x1p800), log2_x);

  // An infinite y is as good as an enormous one; NaN is put in at the end.
  const auto largest = f.lit(std::numeric_limits<float>::max());
  auto finite_y = f.select(f.lt(y, largest), y, largest);
  finite_y = f.select(f.gt(finite_y, f.neg(largest)), finite_y, f.neg(largest));
  const auto power = f.dmul(f.widen(finite_y), log2_x);

  // Where an argument is 0 or infinite the result is exact: it must not come from an overflow.
  const auto exact = f.mask_or(f.mask_or(x_zero, f.mask_not(x_finite)), f.eq(f.abs(y), inf));
  const auto above = f.dlt(f.dlit(0.0), power);
  const auto below = f.dlt(power, f.dlit(0.0));
  auto clamped = f.select(f.dlt(power, f.dlit(-200.0)), f.dlit(-200.0), power);
  clamped = f.select(f.dlt(f.dlit(200.0), clamped), f.dlit(200.0), clamped);
  clamped = f.select(exact, f.dlit(0.0), clamped);
  const auto computed = f.narrow(detail::dexp2(f, clamped));
  const auto limit = f.select(above, inf, f.select(below, zero, one));
  const auto magnitude = f.select(exact, limit, computed);

  // An odd y carries the sign of x over. Infinity and all that is above 2^24 counts as even.
  const auto whole = f.trunc(y);
  const auto half = f.mul(whole, f.lit(0.5f));
  const auto y_integer = f.eq(whole, y);
  const auto odd = f.mask_and(y_integer, f.ne(f.trunc(half), half));
  const auto sign = f.iand(f.bits(x), f.select(odd, f.ilit(detail::sign_bit), f.ilit(0)));
  auto result = f.from_bits(f.ior(f.bits(magnitude), sign));

  const auto negative = f.mask_and(f.lt(x, zero), x_finite);
  const auto nan = f.from_bits(f.ilit(detail::nan_bits));
  const auto x_nan = f.ne(x, x);
  const auto y_nan = f.ne(y, y);
  const auto invalid =
      f.mask_or(f.mask_and(negative, f.mask_not(y_integer)), f.mask_or(x_nan, y_nan));
  result = f.select(invalid, nan, result);
  return f.select(f.mask_or(f.eq(x, one), f.eq(y, zero)), one, result);
}

}  // namespace ingot::ops::math
