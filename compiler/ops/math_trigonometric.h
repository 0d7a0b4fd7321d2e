// SPDX-License-Identifier: Apache-2.0
// sin, cos, tan and their inverses, through float64. The argument is reduced exactly over all of
// float's range, with a table of 2/pi.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "ops/math_detail.h"

namespace ingot::ops::math {
namespace detail {

inline constexpr int quadrant_first_exponent = 126;  // biased; below 0.5 nothing needs reducing
inline constexpr int quadrant_parts = 3;
inline constexpr int quadrant_rows = 255 - quadrant_first_exponent;

/// Row e: 2/pi * 2^(e + 126 - 150) modulo 4, in three parts of 28, 27 and 53 bits, so that the
/// products of a float's 24-bit mantissa with the first two are exact.
inline constexpr auto quadrant_table = [] {
  constexpr std::uint32_t two_over_pi[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                           0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};
  constexpr int last_weight[quadrant_parts] = {-26, -53, -106};
  std::array<double, quadrant_rows * quadrant_parts> table{};
  std::size_t index = 0;
  for (int row = 0; row < quadrant_rows; ++row) {
    const int shift = row + quadrant_first_exponent - 150;
    int weight = 1;  // modulo 4: the bits above are left out
    double value = 2.0;
    for (int part = 0; part < quadrant_parts; ++part) {
      double sum = 0.0;
      for (; weight >= last_weight[part]; --weight, value *= 0.5) {
        const int bit = shift - weight - 1;  // place in the fraction of 2/pi, from 0
        if (bit >= 0 && (two_over_pi[bit / 32] >> (31 - bit % 32) & 1) != 0) sum += value;
      }
      table[index++] = sum;
    }
  }
  return table;
}();

/// sin and cos of r, and the quadrant (modulo 4, not reduced) of |x| = quadrant * pi/2 + r.
template <Arith A>
struct SineCosine {
  typename A::D sine;
  typename A::D cosine;
  typename A::I quadrant;
};

/// For |x|; infinity and NaN count as 0.
template <Arith A>
SineCosine<A> sine_cosine(A& f, typename A::F x) {
  auto a = f.abs(x);
  a = f.select(f.lt(a, f.lit(infinity)), a, f.lit(0.0f));
  const auto bits = f.bits(a);
  auto row = f.isub(f.ilshr(bits, 23), f.ilit(quadrant_first_exponent));
  row = f.select(f.ilt(row, f.ilit(0)), f.ilit(0), row);
  const auto index = f.imul(row, f.ilit(quadrant_parts));
  const auto part = [&](int i) { return f.lookup(quadrant_table, f.iadd(index, f.ilit(i))); };
  const auto mantissa =
      f.widen(f.from_bits(f.ior(f.iand(bits, f.ilit(0x007fffff)), f.ilit(0x4b000000))));

  // Every step but the last is exact.
  auto turns = f.dmul(mantissa, part(0));
  const auto whole = f.drint(turns);
  turns = f.dadd(f.dsub(turns, whole), f.dmul(mantissa, part(1)));
  const auto carry = f.drint(turns);
  turns = f.dfma(mantissa, part(2), f.dsub(turns, carry));
  auto r = f.dmul(turns, f.dlit(0x1.921fb54442d18p+0));
  auto quadrant = f.iadd(f.dto_int(whole), f.dto_int(carry));

  const auto inside = f.lt(a, f.lit(0x1.921fb4p-1f));  // below pi/4
  r = f.select(inside, f.widen(a), r);
  quadrant = f.select(inside, f.ilit(0), quadrant);

  const auto u = f.dmul(r, r);
  const auto sine_tail = dpolynomial(f, u, 0x1.6cd5ec1f05085p-19, -0x1.a00f93987420ap-13,
                                     0x1.11110889f61d8p-7, -0x1.5555554ca9314p-3);
  const auto sine = f.dfma(f.dmul(sine_tail, u), r, r);
  const auto cosine = dpolynomial(f, u, -0x1.2429093d5e254p-22, 0x1.a011178d11540p-16,
                                  -0x1.6c16b88bf2480p-10, 0x1.5555554f428dap-5, -0.5, 1.0);
  return {sine, cosine, quadrant};
}

/// sin of `quadrant` quarter turns further on; `sign` has the sign bit that the result is to flip.
template <Arith A>
typename A::F sine_of_quadrant(A& f, const SineCosine<A>& at, typename A::I quadrant,
                               typename A::I sign) {
  const auto even = f.ieq(f.iand(quadrant, f.ilit(1)), f.ilit(0));
  const auto value = f.bits(f.narrow(f.select(even, at.sine, at.cosine)));
  const auto flip = f.ishl(f.iand(quadrant, f.ilit(2)), 30);
  return f.from_bits(f.ixor(value, f.ixor(flip, sign)));
}

/// y where x is finite, else NaN.
template <Arith A>
typename A::F if_finite(A& f, typename A::F x, typename A::F y) {
  const auto nan = f.from_bits(f.ilit(nan_bits));
  return f.select(f.lt(f.abs(x), f.lit(infinity)), y, nan);
}

/// atan(numerator / denominator) for non-negative arguments, not both 0, not both infinite.
template <Arith A>
typename A::D atan_ratio(A& f, typename A::D numerator, typename A::D denominator) {
  // Below tan(pi/8), up to tan(3 pi/8), above: rotate by 0, 45 or 90 degrees.
  const auto low = f.dlt(numerator, f.dmul(denominator, f.dlit(0x1.a827999fcef32p-2)));
  const auto middle = f.dlt(numerator, f.dmul(denominator, f.dlit(0x1.3504f333f9de6p+1)));
  const auto top =
      f.select(low, numerator,
               f.select(middle, f.dsub(numerator, denominator), f.dsub(f.dlit(0.0), denominator)));
  const auto bottom =
      f.select(low, denominator, f.select(middle, f.dadd(numerator, denominator), numerator));
  const auto start =
      f.select(low, f.dlit(0.0),
               f.select(middle, f.dlit(0x1.921fb54442d18p-1), f.dlit(0x1.921fb54442d18p+0)));
  const auto z = f.ddiv(top, bottom);
  const auto u = f.dmul(z, z);
  const auto tail =
      dpolynomial(f, u, 0x1.84a02fbbbfc70p-5, -0x1.5b31a114d51b7p-4, 0x1.c464a2676589dp-4,
                  -0x1.247ee56d87511p-3, 0x1.99991930fa72bp-3, -0x1.555554c7200c8p-2);
  return f.dadd(start, f.dfma(f.dmul(tail, u), z, z));
}

}  // namespace detail

/// Sine of x in radians.
template <Arith A>
typename A::F sin(A& f, typename A::F x) {
  const auto at = detail::sine_cosine(f, x);
  const auto sign = f.iand(f.bits(x), f.ilit(detail::sign_bit));
  return detail::if_finite(f, x, detail::sine_of_quadrant(f, at, at.quadrant, sign));
}

/// Cosine of x in radians.
template <Arith A>
typename A::F cos(A& f, typename A::F x) {
  const auto at = detail::sine_cosine(f, x);
  const auto quadrant = f.iadd(at.quadrant, f.ilit(1));
  return detail::if_finite(f, x, detail::sine_of_quadrant(f, at, quadrant, f.ilit(0)));
}

/// Tangent of x in radians.
template <Arith A>
typename A::F tan(A& f, typename A::F x) {
  const auto at = detail::sine_cosine(f, x);
  const auto odd = f.iand(at.quadrant, f.ilit(1));
  const auto even = f.ieq(odd, f.ilit(0));
  // tan(r + pi/2) = -1 / tan(r)
  const auto top = f.select(even, at.sine, at.cosine);
  const auto bottom = f.select(even, at.cosine, at.sine);
  const auto value = f.bits(f.narrow(f.ddiv(top, bottom)));
  const auto sign = f.ixor(f.iand(f.bits(x), f.ilit(detail::sign_bit)), f.ishl(odd, 31));
  return detail::if_finite(f, x, f.from_bits(f.ixor(value, sign)));
}

/// Inverse sine, in [-pi/2, pi/2]; NaN beyond 1.
template <Arith A>
typename A::F asin(A& f, typename A::F x) {
  const auto a = f.widen(f.abs(x));
  const auto y = detail::atan_ratio(f, a, detail::cosine_of_sine(f, a));
  return f.copysign(f.narrow(y), x);
}

/// Inverse cosine, in [0, pi]; NaN beyond 1.
template <Arith A>
typename A::F acos(A& f, typename A::F x) {
  const auto a = f.widen(f.abs(x));
  const auto y = detail::atan_ratio(f, detail::cosine_of_sine(f, a), a);
  const auto mirrored = f.dsub(f.dlit(0x1.921fb54442d18p+1), y);
  return f.narrow(f.select(f.lt(x, f.lit(0.0f)), mirrored, y));
}

/// Inverse tangent, in [-pi/2, pi/2].
template <Arith A>
typename A::F atan(A& f, typename A::F x) {
  const auto y = detail::atan_ratio(f, f.widen(f.abs(x)), f.dlit(1.0));
  return f.copysign(f.narrow(y), x);
}

}  // namespace ingot::ops::math
