// SPDX-License-Identifier: Apache-2.0
// log, log1p and the inverse hyperbolic functions in float64: logarithms of sums, of which nothing
// is lost ([2] of math64_detail.h).
#pragma once
#include "ops/math64_detail.h"

namespace ingot::ops::math {

/// Natural logarithm. -infinity at 0, NaN below.
template <Arith A>
typename A::D log(A& f, typename A::D x) {
  const auto zero = f.dlit(0.0);
  const auto subnormal = f.dlt(x, f.dlit(0x1p-1022));
  const auto u = f.dmul(x, f.select(subnormal, f.dlit(0x1p54), f.dlit(1.0)));
  const auto more = f.select(subnormal, f.ilit(-54), f.ilit(0));
  const auto y = detail::dlog_corrected(f, u, zero, more);
  const auto positive = f.select(f.dlt(x, f.dlit(detail::dinfinity)), y, x);
  const auto not_positive =
      f.select(f.deq(x, zero), f.dlit(-detail::dinfinity), f.dlit(detail::dnan));
  return f.select(f.dlt(zero, x), positive, not_positive);
}

/// ln(1 + x), accurate near 0; keeps -0. -infinity at -1, NaN below.
template <Arith A>
typename A::D log1p(A& f, typename A::D x) {
  const auto minus_one = f.dlit(-1.0);
  const auto finite = f.dlt(x, f.dlit(detail::dinfinity));
  const auto above = f.dlt(minus_one, x);
  const auto y = detail::dlog1p(f, f.select(f.mask_and(above, finite), x, f.dlit(1.0)));
  const auto tiny = f.dlt(f.dabs(x), f.dlit(0x1p-54));
  const auto inside = f.select(f.mask_or(tiny, f.mask_not(finite)), x, y);
  const auto outside =
      f.select(f.deq(x, minus_one), f.dlit(-detail::dinfinity), f.dlit(detail::dnan));
  return f.select(above, inside, outside);
}

namespace detail {

/// From here on sqrt(x^2 + 1) and sqrt(x^2 - 1) are x, and asinh and acosh ln(2x). Below its
/// inverse asinh and atanh are their argument.
inline constexpr double inverse_is_log = 0x1p28;

/// ln(1 + t), or where `far` ln(2 a).
template <Arith A>
typename A::D dinverse(A& f, typename A::D t, typename A::M far, typename A::D a) {
  const auto [sum, lost] = exact_sum(f, f.dlit(1.0), t);
  const auto correction = f.select(far, f.dlit(0.0), f.ddiv(lost, sum));
  return dlog_corrected(f, f.select(far, a, sum), correction, f.select(far, f.ilit(1), f.ilit(0)));
}

}  // namespace detail

/// Inverse hyperbolic sine: ln(1 + a + a^2 / (1 + sqrt(a^2 + 1))).
template <Arith A>
typename A::D asinh(A& f, typename A::D x) {
  const auto one = f.dlit(1.0);
  const auto a = f.dabs(x);
  const auto far = f.dlt(f.dlit(detail::inverse_is_log), a);
  const auto near = f.select(far, one, a);
  const auto square = f.dmul(near, near);
  const auto root = f.dsqrt(f.dadd(square, one));
  const auto t = f.dadd(near, f.ddiv(square, f.dadd(one, root)));
  const auto y = detail::dinverse(f, t, far, a);
  const auto computed = f.mask_and(f.dle(f.dlit(1.0 / detail::inverse_is_log), a),
                                   f.dlt(a, f.dlit(detail::dinfinity)));
  return f.select(computed, f.dcopysign(y, x), x);
}

/// Inverse hyperbolic cosine, not negative: ln(1 + t + sqrt(t (t + 2))) with t = x - 1; NaN
/// below 1.
template <Arith A>
typename A::D acosh(A& f, typename A::D x) {
  const auto one = f.dlit(1.0);
  const auto inside = f.dle(one, x);
  const auto far = f.dlt(f.dlit(detail::inverse_is_log), x);
  const auto t = f.dsub(f.select(f.mask_and(inside, f.mask_not(far)), x, one), one);
  const auto root = f.dsqrt(f.dmul(t, f.dadd(t, f.dlit(2.0))));
  const auto y = detail::dinverse(f, f.dadd(t, root), far, x);
  const auto finite = f.select(f.dlt(x, f.dlit(detail::dinfinity)), y, x);
  return f.select(inside, finite, f.dlit(detail::dnan));
}

/// Inverse hyperbolic tangent: ln(1 + 2a / (1 - a)) / 2. Infinite at 1 and -1, NaN beyond.
template <Arith A>
typename A::D atanh(A& f, typename A::D x) {
  const auto one = f.dlit(1.0);
  const auto a = f.dabs(x);
  const auto inside = f.dlt(a, one);
  const auto near = f.select(inside, a, f.dlit(0.0));
  const auto ratio = f.ddiv(f.dadd(near, near), f.dsub(one, near));
  const auto y = f.dmul(f.dlit(0.5), detail::dlog1p(f, ratio));
  const auto outside = f.select(f.deq(a, one), f.dlit(detail::dinfinity), f.dlit(detail::dnan));
  const auto result = f.dcopysign(f.select(inside, y, outside), x);
  return f.select(f.dlt(a, f.dlit(1.0 / detail::inverse_is_log)), x, result);
}

}  // namespace ingot::ops::math
