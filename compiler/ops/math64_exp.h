// SPDX-License-Identifier: Apache-2.0
// exp, expm1, sigmoid, tanh, sinh and cosh in float64: the forms of math_exp.h and
// math_hyperbolic.h with longer polynomials.
#pragma once
#include "ops/math64_detail.h"

namespace ingot::ops::math {
namespace detail {

template <Arith A>
typename A::D dclamp(A& f, typename A::D x, double low, double high) {
  const auto least = f.dlit(low), greatest = f.dlit(high);
  x = f.select(f.dlt(x, least), least, x);
  return f.select(f.dlt(greatest, x), greatest, x);
}

}  // namespace detail

/// e^x.
template <Arith A>
typename A::D exp(A& f, typename A::D x) {
  const auto [k, e] = detail::dexp_parts(f, detail::dclamp(f, x, -746.0, 710.0));
  return detail::dscale_far(f, f.dadd(f.dlit(1.0), e), k);
}

/// e^x - 1, accurate near 0; keeps -0.
template <Arith A>
typename A::D expm1(A& f, typename A::D x) {
  const auto [k, e] = detail::dexp_parts(f, detail::dclamp(f, x, -40.0, 710.0));
  // 2^k e + (2^k - 1), halved because 2^1024 does not exist.
  const auto scale = f.dscale(f.dlit(1.0), f.isub(k, f.ilit(1)));
  const auto y = f.dfma(e, scale, f.dsub(scale, f.dlit(0.5)));
  const auto tiny = f.dlt(f.dabs(x), f.dlit(0x1p-54));
  return f.select(tiny, x, f.dadd(y, y));
}

/// 1 / (1 + e^-x).
template <Arith A>
typename A::D sigmoid(A& f, typename A::D x) {
  const auto z = detail::dclamp(f, x, -746.0, 40.0);
  const auto [k, e] = detail::dexp_parts(f, f.dneg(z));
  // Far below 0 both sides of the fraction are scaled, because e^746 does not exist.
  const auto far = f.dlt(z, f.dlit(-500.0));
  const auto numerator = f.select(far, f.dlit(0x1p-200), f.dlit(1.0));
  const auto scale = f.dscale(f.dlit(1.0), f.isub(k, f.select(far, f.ilit(200), f.ilit(0))));
  // 1 + 2^k + 2^k (e^r - 1), with what the first sum loses.
  const auto sum = f.dadd(numerator, scale);
  const auto lost = f.dsub(numerator, f.dsub(sum, scale));
  return f.ddiv(numerator, f.dadd(sum, f.dfma(e, scale, lost)));
}

/// Hyperbolic tangent: 1 - 2 / (1 + e^(2|x|)), and a rational function where that would cancel.
template <Arith A>
typename A::D tanh(A& f, typename A::D x) {
  auto a = f.dabs(x);
  a = f.select(f.dlt(f.dlit(22.0), a), f.dlit(22.0), a);  // where the result has long been 1
  const auto one = f.dlit(1.0);
  const auto [k, e] = detail::dexp_parts(f, f.dadd(a, a));
  const auto scale = f.dscale(one, k);
  const auto sum = f.dfma(e, scale, f.dadd(one, scale));
  const auto large = f.dsub(one, f.ddiv(f.dlit(2.0), sum));

  const auto u = f.dmul(a, a);
  const auto top = detail::dpolynomial(f, u, -0x1.edc5bd3d1f5fbp-1, -0x1.8d26d3a2607a9p+6,
                                       -0x1.93ac448076bd3p+10);
  const auto bottom = detail::dpolynomial(f, u, 1.0, 0x1.c33f5f9e937fdp+6, 0x1.176fccf119d96p+11,
                                          0x1.2ec13360590e0p+12);
  const auto small = f.dfma(f.dmul(f.ddiv(top, bottom), u), a, a);
  return f.dcopysign(f.select(f.dlt(a, f.dlit(0.625)), small, large), x);
}

namespace detail {

/// Of |x| = n ln2 + r: sinh r, cosh r - 1, and half of sinh and cosh of n ln2.
template <Arith A>
struct DHyperbolic {
  typename A::D sinh_r, cosh_r, sinh_n, cosh_n;
};
template <Arith A>
DHyperbolic<A> dhyperbolic(A& f, typename A::D x) {
  const auto high = f.dlit(710.5);  // sinh and cosh overflow just above 710.47
  auto a = f.dabs(x);
  a = f.select(f.dlt(a, high), a, high);
  const auto n = f.drint(f.dmul(a, f.dlit(0x1.71547652b82fep+0)));
  auto r = f.dfma(n, f.dlit(-ln2_high), a);
  r = f.dfma(n, f.dlit(-ln2_low), r);
  const auto u = f.dmul(r, r);
  const auto sinh_tail =
      dpolynomial(f, u, 0x1.af60216dbd176p-26, 0x1.71ddf79a8faa2p-19, 0x1.a01a01b02688cp-13,
                  0x1.111111110f621p-7, 0x1.5555555555559p-3);
  const auto cosh_tail =
      dpolynomial(f, u, 0x1.1f8c2fe5777cbp-29, 0x1.27e4cbe77ce87p-22, 0x1.a01a01ad8c31fp-16,
                  0x1.6c16c16c14fe7p-10, 0x1.5555555555558p-5);
  const auto sinh_r = f.dfma(f.dmul(sinh_tail, u), r, r);
  const auto cosh_r = f.dmul(u, f.dfma(cosh_tail, u, f.dlit(0.5)));
  const auto k = f.dto_int(n);
  const auto up = f.dscale(f.dlit(1.0), f.isub(k, f.ilit(2)));
  auto minus = f.isub(f.ilit(0), k);
  minus = f.select(f.ilt(minus, f.ilit(-1000)), f.ilit(-1000), minus);
  const auto down = f.dscale(f.dlit(0.25), minus);
  return {sinh_r, cosh_r, f.dsub(up, down), f.dadd(up, down)};
}

}  // namespace detail

/// Hyperbolic sine, by the addition theorem; halved on the way, because 2^1024 does not exist.
template <Arith A>
typename A::D sinh(A& f, typename A::D x) {
  const auto at = detail::dhyperbolic(f, x);
  const auto rest = f.dfma(at.cosh_n, at.sinh_r, f.dmul(at.sinh_n, at.cosh_r));
  const auto y = f.dadd(at.sinh_n, rest);
  // Half of a subnormal number may not exist; nor is NaN computed.
  const auto computed = f.dle(f.dlit(0x1p-28), f.dabs(x));
  return f.select(computed, f.dcopysign(f.dadd(y, y), x), x);
}

/// Hyperbolic cosine.
template <Arith A>
typename A::D cosh(A& f, typename A::D x) {
  const auto at = detail::dhyperbolic(f, x);
  const auto rest = f.dfma(at.sinh_n, at.sinh_r, f.dmul(at.cosh_n, at.cosh_r));
  const auto y = f.dadd(at.cosh_n, rest);
  return f.select(f.deq(x, x), f.dadd(y, y), x);
}

}  // namespace ingot::ops::math
