// SPDX-License-Identifier: Apache-2.0
// What the float64 functions of ops/math.h share: sums and products whose rounding error is known,
// the reduction of an exponential's argument, and the logarithm of a sum of two parts.
//
// [1] T. J. Dekker, A Floating-Point Technique for Extending the Available Precision, 1971: the
// sums
//     and the product below. They are exact with any rounding of fma, so that fused and strict
//     arithmetic differ in nothing but polynomials.
// [2] K. C. Ng, The fdlibm library, 1993: the forms of log, log1p, and of sine and cosine of a
//     number in two parts. Coefficients are our own (tests/math/fit_coefficients.py).
#pragma once
#include <cstdint>
#include <limits>

#include "ops/math_detail.h"

namespace ingot::ops::math::detail {

inline constexpr double dinfinity = std::numeric_limits<double>::infinity();
inline constexpr double dnan = std::numeric_limits<double>::quiet_NaN();

/// ln2 in two parts: n times the first is exact for integers n up to 2^11.
inline constexpr double ln2_high = 0x1.62e42fefa3800p-1;
inline constexpr double ln2_low = 0x1.ef35793c76730p-45;

/// An unevaluated sum; |low| is at most half a unit in the last place of high.
template <Arith A>
struct Pair {
  typename A::D high, low;
};

/// a + b exactly; `quick` wants |a| >= |b|, or a = 0.
template <Arith A>
Pair<A> quick_sum(A& f, typename A::D a, typename A::D b) {
  const auto sum = f.dadd(a, b);
  return {sum, f.dsub(b, f.dsub(sum, a))};
}
template <Arith A>
Pair<A> exact_sum(A& f, typename A::D a, typename A::D b) {
  const auto sum = f.dadd(a, b);
  const auto from_b = f.dsub(sum, a);
  const auto error_a = f.dsub(a, f.dsub(sum, from_b));
  return {sum, f.dadd(error_a, f.dsub(b, from_b))};
}

/// a * b exactly, but where it underflows; |a| and |b| are below 2^996.
template <Arith A>
Pair<A> exact_product(A& f, typename A::D a, typename A::D b) {
  const auto split = [&](typename A::D x) {
    const auto scaled = f.dmul(x, f.dlit(0x1.0000002p+27));
    const auto high = f.dsub(scaled, f.dsub(scaled, x));
    return Pair<A>{high, f.dsub(x, high)};
  };
  const auto [a_high, a_low] = split(a);
  const auto [b_high, b_low] = split(b);
  const auto product = f.dmul(a, b);
  auto error = f.dsub(f.dmul(a_high, b_high), product);
  error = f.dadd(error, f.dmul(a_high, b_low));
  error = f.dadd(error, f.dmul(a_low, b_high));
  return {product, f.dadd(error, f.dmul(a_low, b_low))};
}

/// The product of two pairs, without the product of their low parts.
template <Arith A>
Pair<A> pair_product(A& f, const Pair<A>& a, const Pair<A>& b) {
  const auto [high, error] = exact_product(f, a.high, b.high);
  const auto cross = f.dadd(f.dmul(a.high, b.low), f.dmul(a.low, b.high));
  return quick_sum(f, high, f.dadd(error, cross));
}

/// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2, relative to e^r - 1: 2^-65.
template <Arith A>
typename A::D exp_tail(A& f, typename A::D r) {
  return dpolynomial(f, r, 0x1.1f8c35aede1f3p-29, 0x1.af4f45c64839ep-26, 0x1.27e4cc4361912p-22,
                     0x1.71de0189b09a4p-19, 0x1.a01a01ad34692p-16, 0x1.a01a01ac1d1c7p-13,
                     0x1.6c16c16c15160p-10, 0x1.111111111007ap-7, 0x1.5555555555558p-5,
                     0x1.5555555555557p-3, 0.5);
}

/// x = exponent ln2 + r, and e^r - 1.
template <Arith A>
struct DExp {
  typename A::I exponent;
  typename A::D below_one;
};

/// For |x| up to 1400. NaN gives NaN and exponent 0.
template <Arith A>
DExp<A> dexp_parts(A& f, typename A::D x) {
  auto n = f.drint(f.dmul(x, f.dlit(0x1.71547652b82fep+0)));
  n = f.select(f.deq(n, n), n, f.dlit(0.0));
  auto r = f.dfma(n, f.dlit(-ln2_high), x);
  r = f.dfma(n, f.dlit(-ln2_low), r);
  return {f.dto_int(n), f.dfma(f.dmul(r, r), exp_tail(f, r), r)};
}

/// y * 2^k, k in -2044 to 2046, rounded once if y is near 1.
template <Arith A>
typename A::D dscale_far(A& f, typename A::D y, typename A::I k) {
  const auto half = f.iashr(k, 1);
  return f.dscale(f.dscale(y, half), f.isub(k, half));
}

/// ln(u) + correction + more ln2, for positive normal u. `correction` is small beside ln(u) or u is
/// near 1. Harmless for any other u.
template <Arith A>
typename A::D dlog_corrected(A& f, typename A::D u, typename A::D correction, typename A::I more) {
  auto k = f.iadd(f.dexponent(u), more);
  auto m = f.dmantissa(u);
  const auto upper = f.dlt(f.dlit(0x1.6a09e667f3bcdp+0), m);
  m = f.select(upper, f.dmul(m, f.dlit(0.5)), m);
  k = f.select(upper, f.iadd(k, f.ilit(1)), k);
  const auto x = f.dsub(m, f.dlit(1.0));
  const auto s = f.ddiv(x, f.dadd(f.dlit(2.0), x));
  const auto z = f.dmul(s, s);
  // ln(1 + x) = 2 atanh(s) = x - (x^2/2 - s (x^2/2 + tail)): x itself is exact.
  const auto tail =
      f.dmul(z, dpolynomial(f, z, 0x1.2f14aeb26fb39p-3, 0x1.39a04c1f92765p-3, 0x1.74664c33e8ce6p-3,
                            0x1.c71c51cd6a7eap-3, 0x1.2492494234355p-2, 0x1.999999997f98ap-2,
                            0x1.5555555555593p-1));
  const auto half_square = f.dmul(f.dmul(x, x), f.dlit(0.5));
  const auto n = f.dfrom_int(k);
  auto low = f.dadd(f.dmul(n, f.dlit(ln2_low)), correction);
  low = f.dfma(s, f.dadd(half_square, tail), low);
  return f.dfma(n, f.dlit(ln2_high), f.dsub(x, f.dsub(half_square, low)));
}

/// ln(1 + x) for x in (-1, 2^1000).
template <Arith A>
typename A::D dlog1p(A& f, typename A::D x) {
  const auto [sum, lost] = exact_sum(f, f.dlit(1.0), x);
  return dlog_corrected(f, sum, f.ddiv(lost, sum), f.ilit(0));
}

}  // namespace ingot::ops::math::detail
