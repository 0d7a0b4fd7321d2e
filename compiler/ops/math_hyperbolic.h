// SPDX-License-Identifier: Apache-2.0
// sinh, cosh and the inverse hyperbolic functions, through float64. (tanh is in math_exp.h.)
#pragma once
#include "ops/math_detail.h"

namespace ingot::ops::math {
namespace detail {

/// sinh and cosh of r, and of n ln2, where |x| = n ln2 + r.
template <Arith A>
struct Hyperbolic {
  typename A::D sinh_r, cosh_r, sinh_n, cosh_n;
};

template <Arith A>
Hyperbolic<A> hyperbolic(A& f, typename A::F x) {
  const auto high = f.lit(90.0f);  // sinh and cosh overflow just above 89.4
  const auto a = f.abs(x);
  const auto c = f.widen(f.select(f.lt(a, high), a, high));
  const auto n = f.drint(f.dmul(c, f.dlit(0x1.71547652b82fep+0)));
  const auto r = f.dfma(n, f.dlit(-0x1.62e42fefa39efp-1), c);
  const auto u = f.dmul(r, r);
  const auto sinh_tail =
      dpolynomial(f, u, 0x1.a171eec9503a1p-13, 0x1.1110b0a72054dp-7, 0x1.555555740f35ep-3);
  const auto sinh_r = f.dfma(f.dmul(sinh_tail, u), r, r);
  const auto cosh_r = dpolynomial(f, u, 0x1.a14e1e9d355c9p-16, 0x1.6c165bfa977d7p-10,
                                  0x1.5555556a0e6bfp-5, 0.5, 1.0);
  const auto k = f.dto_int(n);
  const auto half = f.dlit(0.5);
  const auto up = f.dscale(half, k);
  const auto down = f.dscale(half, f.isub(f.ilit(0), k));
  return {sinh_r, cosh_r, f.dsub(up, down), f.dadd(up, down)};
}

/// Below this the inverse functions are their argument: x^3 / 3 is at most 0.03 ULP.
inline constexpr float inverse_is_argument = 0x1p-14f;

}  // namespace detail

/// Hyperbolic sine.
template <Arith A>
typename A::F sinh(A& f, typename A::F x) {
  const auto at = detail::hyperbolic(f, x);
  // At n = 0 this is sinh(r) exactly, so small results keep their relative precision.
  const auto y = f.dadd(f.dmul(at.sinh_r, at.cosh_n), f.dmul(at.cosh_r, at.sinh_n));
  const auto signed_y = f.copysign(f.narrow(y), x);
  return f.select(f.ne(x, x), x, signed_y);
}

/// Hyperbolic cosine.
template <Arith A>
typename A::F cosh(A& f, typename A::F x) {
  const auto at = detail::hyperbolic(f, x);
  const auto y = f.narrow(f.dadd(f.dmul(at.cosh_r, at.cosh_n), f.dmul(at.sinh_r, at.sinh_n)));
  return f.select(f.ne(x, x), x, y);
}

/// Inverse hyperbolic sine.
template <Arith A>
typename A::F asinh(A& f, typename A::F x) {
  const auto a = f.abs(x);
  const auto wide = f.widen(a);
  const auto root = f.dsqrt(f.dadd(f.dmul(wide, wide), f.dlit(1.0)));
  const auto y = f.copysign(f.narrow(detail::dlog(f, f.dadd(wide, root))), x);
  const auto computed =
      f.mask_and(f.ge(a, f.lit(detail::inverse_is_argument)), f.lt(a, f.lit(detail::infinity)));
  return f.select(computed, y, x);
}

/// Inverse hyperbolic cosine, not negative; NaN below 1.
template <Arith A>
typename A::F acosh(A& f, typename A::F x) {
  const auto one = f.dlit(1.0);
  const auto inside = f.ge(x, f.lit(1.0f));
  const auto wide = f.widen(f.select(inside, x, f.lit(1.0f)));
  const auto root = f.dsqrt(f.dmul(f.dsub(wide, one), f.dadd(wide, one)));
  const auto y = f.narrow(detail::dlog(f, f.dadd(wide, root)));
  const auto finite = f.select(f.lt(x, f.lit(detail::infinity)), y, x);
  return f.select(inside, finite, f.from_bits(f.ilit(detail::nan_bits)));
}

/// Inverse hyperbolic tangent. Infinite at 1 and -1, NaN beyond.
template <Arith A>
typename A::F atanh(A& f, typename A::F x) {
  const auto a = f.abs(x);
  const auto inside = f.lt(a, f.lit(1.0f));
  const auto wide = f.widen(f.select(inside, a, f.lit(0.0f)));
  const auto one = f.dlit(1.0);
  const auto ratio = f.ddiv(f.dadd(one, wide), f.dsub(one, wide));
  const auto y = f.narrow(f.dmul(f.dlit(0.5), detail::dlog(f, ratio)));
  const auto nan = f.from_bits(f.ilit(detail::nan_bits));
  const auto outside = f.select(f.eq(a, f.lit(1.0f)), f.lit(detail::infinity), nan);
  const auto result = f.copysign(f.select(inside, y, outside), x);
  return f.select(f.lt(a, f.lit(detail::inverse_is_argument)), x, result);
}

}  // namespace ingot::ops::math
