// SPDX-License-Identifier: Apache-2.0
// What the functions of ops/math.h share: Horner's scheme, and exponential and logarithm in
// float64, through which the less hot functions are right without cleverness.
#pragma once
#include <cstdint>
#include <limits>

#include "ops/arith.h"

namespace ingot::ops::math::detail {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr std::int32_t nan_bits = 0x7fc00000;
inline constexpr std::int32_t sign_bit = std::numeric_limits<std::int32_t>::min();

/// Horner's scheme; coefficients from the highest power to the lowest.
template <Arith A, class... Rest>
typename A::F polynomial(A& f, typename A::F x, float first, Rest... rest) {
  typename A::F sum = f.lit(first);
  ((sum = f.fma(sum, x, f.lit(rest))), ...);
  return sum;
}

template <Arith A, class... Rest>
typename A::D dpolynomial(A& f, typename A::D x, double first, Rest... rest) {
  typename A::D sum = f.dlit(first);
  ((sum = f.dfma(sum, x, f.dlit(rest))), ...);
  return sum;
}

/// 2^p for p in -1000 to 1000, relative error 2^-37.
template <Arith A>
typename A::D dexp2(A& f, typename A::D p) {
  const auto n = f.drint(p);
  const auto r = f.dmul(f.dsub(p, n), f.dlit(0x1.62e42fefa39efp-1));
  const auto e = dpolynomial(f, r, 0x1.9e86e98dd9325p-16, 0x1.a1877aa64d88cp-13,
                             0x1.6c18d954e8803p-10, 0x1.1110a116ab59ep-7, 0x1.55555418e22a6p-5,
                             0x1.5555557e87d8bp-3, 0x1.0000000060208p-1, 1.0, 1.0);
  return f.dscale(e, f.dto_int(n));
}

/// ln(m) and k of d = 2^k * m, m in [sqrt(1/2), sqrt(2)], for positive normal d. Relative error
/// 2^-44. Harmless for any other d.
template <Arith A>
struct DLog {
  typename A::D exponent;
  typename A::D log_mantissa;
};
template <Arith A>
DLog<A> dlog_parts(A& f, typename A::D d) {
  auto k = f.dexponent(d);
  auto m = f.dmantissa(d);
  const auto upper = f.dlt(f.dlit(0x1.6a09e667f3bcdp+0), m);
  m = f.select(upper, f.dmul(m, f.dlit(0.5)), m);
  k = f.select(upper, f.iadd(k, f.ilit(1)), k);
  const auto one = f.dlit(1.0);
  const auto s = f.ddiv(f.dsub(m, one), f.dadd(m, one));  // ln m = 2 atanh(s)
  const auto u = f.dmul(s, s);
  const auto series =
      dpolynomial(f, u, 0x1.91244c2fd0babp-3, 0x1.c62a20754fb0dp-3, 0x1.2494149f0791dp-2,
                  0x1.999996a366172p-2, 0x1.55555556203a3p-1, 2.0);
  return {f.dfrom_int(k), f.dmul(s, series)};
}

/// ln(d), as dlog_parts.
template <Arith A>
typename A::D dlog(A& f, typename A::D d) {
  const auto [exponent, log_mantissa] = dlog_parts(f, d);
  return f.dfma(exponent, f.dlit(0x1.62e42fefa39efp-1), log_mantissa);
}

/// sqrt(1 - a^2), exact to float64 near a = 1; NaN for a > 1.
template <Arith A>
typename A::D cosine_of_sine(A& f, typename A::D a) {
  const auto one = f.dlit(1.0);
  return f.dsqrt(f.dmul(f.dsub(one, a), f.dadd(one, a)));
}

}  // namespace ingot::ops::math::detail
