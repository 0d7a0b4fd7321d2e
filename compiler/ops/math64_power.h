// SPDX-License-Identifier: Apache-2.0
// pow in float64, as 2^(y log2 |x|): the logarithm and its product with y are pairs of float64,
// good to 2^-65 of the logarithm, so that an exponent up to 1075 is known to 2^-55. Special cases
// as in math_power.h.
#pragma once
#include "ops/math64_detail.h"

namespace ingot::ops::math {
namespace detail {

/// log2 of a positive number; harmless for 0, infinity and NaN. With m near 1 or 1.5 (called c),
/// log2 m = log2 c + 2 / ln2 atanh((m - c) / (m + c)).
template <Arith A>
Pair<A> dlog2_pair(A& f, typename A::D x) {
  const auto subnormal = f.dlt(x, f.dlit(0x1p-1022));
  const auto normal = f.dmul(x, f.select(subnormal, f.dlit(0x1p54), f.dlit(1.0)));
  auto k = f.isub(f.dexponent(normal), f.select(subnormal, f.ilit(54), f.ilit(0)));
  auto m = f.dmantissa(normal);
  const auto upper = f.dlt(f.dlit(0x1.bb67ae8584caap+0), m);  // sqrt(3)
  const auto middle =
      f.mask_and(f.dlt(f.dlit(0x1.3988e1409212ep+0), m), f.mask_not(upper));  // sqrt(1.5)
  m = f.select(upper, f.dmul(m, f.dlit(0.5)), m);
  k = f.select(upper, f.iadd(k, f.ilit(1)), k);
  const auto c = f.select(middle, f.dlit(1.5), f.dlit(1.0));
  const auto log2_c = f.select(middle, f.dlit(0x1.2b803473f7ad1p-1), f.dlit(0.0));
  const auto log2_c_low = f.select(middle, f.dlit(-0x1.817fd3b7d7e5dp-58), f.dlit(0.0));

  // s = (m - c) / (m + c)
  const auto top = f.dsub(m, c);
  const auto bottom = exact_sum(f, m, c);
  const auto s_high = f.ddiv(top, bottom.high);
  const auto product = exact_product(f, s_high, bottom.high);
  auto rest = f.dsub(f.dsub(top, product.high), product.low);
  rest = f.dsub(rest, f.dmul(s_high, bottom.low));
  const Pair<A> s{s_high, f.ddiv(rest, bottom.high)};

  // atanh(s) = s (1 + s^2/3 + s^4 p(s^2))
  auto square = exact_product(f, s.high, s.high);
  square.low = f.dadd(square.low, f.dmul(f.dadd(s.high, s.high), s.low));
  const Pair<A> third{f.dlit(0x1.5555555555555p-2), f.dlit(0x1.5555555555555p-56)};
  const auto cubic = pair_product(f, square, third);
  const auto u = square.high;
  const auto high_terms =
      f.dmul(f.dmul(u, u),
             dpolynomial(f, u, 0x1.1a9783e06d850p-4, 0x1.3aedc2c9019eap-4, 0x1.745d6374d8fc6p-4,
                         0x1.c71c71769233bp-4, 0x1.24924924a72a9p-3, 0x1.9999999999959p-3));
  auto factor = quick_sum(f, cubic.high, high_terms);
  factor.low = f.dadd(factor.low, cubic.low);
  const auto tail = pair_product(f, s, factor);
  auto atanh = quick_sum(f, s.high, tail.high);
  atanh.low = f.dadd(atanh.low, f.dadd(s.low, tail.low));
  const Pair<A> two_over_ln2{f.dlit(0x1.71547652b82fep+1), f.dlit(0x1.777d0ffda0d24p-55)};
  const auto log2_m = pair_product(f, atanh, two_over_ln2);

  const auto whole = exact_sum(f, f.dfrom_int(k), log2_c);
  const auto sum = exact_sum(f, whole.high, log2_m.high);
  const auto low = f.dadd(f.dadd(whole.low, log2_c_low), f.dadd(sum.low, log2_m.low));
  return quick_sum(f, sum.high, low);
}

/// 2^p for |p| <= 1100; NaN gives NaN.
template <Arith A>
typename A::D dexp2_pair(A& f, const Pair<A>& p) {
  auto n = f.drint(p.high);
  n = f.select(f.deq(n, n), n, f.dlit(0.0));
  const auto r = quick_sum(f, f.dsub(p.high, n), p.low);
  const Pair<A> ln2{f.dlit(0x1.62e42fefa39efp-1), f.dlit(0x1.abc9e3b39803fp-56)};
  const auto t = pair_product(f, r, ln2);
  // e^(t.high + t.low) = 1 + t.high + (t.high^2 tail + t.low (1 + t.high))
  const auto one = f.dlit(1.0);
  const auto sum = quick_sum(f, one, t.high);
  auto rest = f.dmul(t.low, sum.high);
  rest = f.dfma(f.dmul(t.high, t.high), exp_tail(f, t.high), rest);
  const auto y = f.dadd(sum.high, f.dadd(sum.low, rest));
  return dscale_far(f, y, f.dto_int(n));
}

}  // namespace detail

/// x to the power y. 1 if x is 1 or y is 0, even if the other is NaN; NaN if x is negative and
/// finite and y is finite and not an integer.
template <Arith A>
typename A::D pow(A& f, typename A::D x, typename A::D y) {
  const auto zero = f.dlit(0.0);
  const auto one = f.dlit(1.0);
  const auto inf = f.dlit(detail::dinfinity);
  const auto a = f.dabs(x);
  const auto x_zero = f.deq(a, zero);
  const auto x_finite = f.dlt(a, inf);
  const auto log2_x = detail::dlog2_pair(f, a);

  // An infinite y is as good as one of 2^66, which any x but 1 takes to 0 or infinity.
  const auto large = f.dlit(0x1p66);
  auto exponent = f.select(f.dlt(large, y), large, y);
  exponent = f.select(f.dlt(exponent, f.dneg(large)), f.dneg(large), exponent);
  auto power = detail::exact_product(f, exponent, log2_x.high);
  power.low = f.dadd(power.low, f.dmul(exponent, log2_x.low));

  // Where an argument is 0 or infinite the result is exact: it must not come from an overflow.
  const auto exact = f.mask_or(f.mask_or(x_zero, f.mask_not(x_finite)), f.deq(f.dabs(y), inf));
  auto way = f.select(x_zero, f.dlit(-1.0), log2_x.high);
  way = f.dmul(f.select(x_finite, way, one), exponent);
  const auto limit = f.select(f.dlt(zero, way), inf, f.select(f.dlt(way, zero), zero, one));
  const auto far = f.dlt(f.dlit(1100.0), f.dabs(power.high));
  power.high = f.select(far, f.dcopysign(f.dlit(1100.0), power.high), power.high);
  power.high = f.select(exact, zero, power.high);
  power.low = f.select(f.mask_or(far, exact), zero, power.low);
  const auto computed = detail::dexp2_pair(f, power);
  const auto magnitude = f.select(exact, limit, computed);

  // An odd y carries the sign of x over. Infinity and all that is above 2^53 counts as even.
  const auto y_integer = f.deq(f.drint(y), y);
  const auto half = f.dmul(y, f.dlit(0.5));
  const auto odd = f.mask_and(y_integer, f.mask_not(f.deq(f.drint(half), half)));
  auto result = f.dcopysign(magnitude, f.select(odd, x, one));

  const auto negative = f.mask_and(f.dlt(x, zero), x_finite);
  const auto known = f.mask_and(f.deq(x, x), f.deq(y, y));
  const auto invalid = f.mask_or(f.mask_and(negative, f.mask_not(y_integer)), f.mask_not(known));
  result = f.select(invalid, f.dlit(detail::dnan), result);
  return f.select(f.mask_or(f.deq(x, one), f.deq(y, zero)), one, result);
}

}  // namespace ingot::ops::math
