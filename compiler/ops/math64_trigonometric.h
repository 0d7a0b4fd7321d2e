// SPDX-License-Identifier: Apache-2.0
// sin, cos, tan and their inverses in float64. The argument is reduced exactly over all of
// float64's range: M. Payne and R. Hanek, Radian Reduction for Trigonometric Functions, 1983, with
// digits of 26 bits, whose products and sums are exact in float64 whatever the rounding of fma.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "ops/math64_detail.h"

namespace ingot::ops::math {
namespace detail {

inline constexpr int turn_digits = 48;

/// 2/pi = sum of digit[j + 2] * 2^(-26 j), digits in -2^25 to 2^25; two zeros come first.
inline constexpr auto turn_table = [] {
  constexpr std::uint32_t two_over_pi[] = {
      0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
      0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
      0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b,
      0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7,
      0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1,
      0x1f8d5d08, 0x56033046, 0xfc7b6bab};
  std::array<double, turn_digits> table{};
  std::int32_t carry = 0;
  for (int j = turn_digits - 3; j >= 0; --j) {
    std::int32_t digit = carry;
    for (int bit = 26 * (j - 1); bit < 26 * j; ++bit) {
      const int weight = 26 * j - 1 - bit;
      if (bit >= 0 && (two_over_pi[bit / 32] >> (31 - bit % 32) & 1) != 0) digit += 1 << weight;
    }
    carry = digit > 1 << 25 ? 1 : 0;
    table[static_cast<std::size_t>(j) + 2] = digit - carry * (1 << 26);
  }
  return table;
}();

/// |x| = quadrant * pi/2 + r, with the quadrant modulo 4, not reduced, and r in about -pi/4 to
/// pi/4.
template <Arith A>
struct Turn {
  Pair<A> r;
  typename A::I quadrant;
};

/// Infinity and NaN count as 0.
template <Arith A>
Turn<A> reduce_turn(A& f, typename A::D x) {
  auto a = f.dabs(x);
  a = f.select(f.dlt(a, f.dlit(dinfinity)), a, f.dlit(0.0));
  // |x| = X 2^(26 q) with X in [2^25, 2^51); row is q + 1. 20165 / 2^19 is 1/26.
  auto row = f.iadd(f.dexponent(a), f.ilit(1));
  row = f.select(f.ilt(row, f.ilit(0)), f.ilit(0), row);
  row = f.iashr(f.imul(row, f.ilit(20165)), 19);
  auto rest = f.dscale(a, f.imul(f.isub(f.ilit(1), row), f.ilit(26)));
  // X = x0 2^26 + x1 + x2 2^-26, each up to 2^25, and x2 a multiple of 1/2.
  const auto up = f.dlit(0x1p26), down = f.dlit(0x1p-26);
  const auto x0 = f.drint(f.dmul(rest, down));
  rest = f.dsub(rest, f.dmul(x0, up));
  const auto x1 = f.drint(rest);
  const auto x2 = f.dmul(f.dsub(rest, x1), up);

  // Column c has weight 2^(-26 c); all before column 0 are multiples of 4. Below column 6 nothing
  // reaches 2^-128, and r is never below 2^-62.
  constexpr int columns = 7;
  std::array<typename A::D, columns + 2> digits{};
  for (int i = 0; i < columns + 2; ++i)
    digits[static_cast<std::size_t>(i)] = f.lookup(turn_table, f.iadd(row, f.ilit(i)));
  std::array<typename A::D, columns> column{};
  for (std::size_t c = 0; c < columns; ++c) {
    const auto outer = f.dadd(f.dmul(x0, digits[c + 2]), f.dmul(x2, digits[c]));
    column[c] = f.dadd(f.dmul(x1, digits[c + 1]), outer);
  }
  for (std::size_t c = columns - 1; c > 0; --c) {
    const auto carry = f.drint(f.dmul(column[c], down));
    column[c] = f.dsub(column[c], f.dmul(carry, up));
    column[c - 1] = f.dadd(column[c - 1], carry);
  }
  const auto whole = f.drint(column[0]);
  auto first = f.dadd(f.dsub(column[0], whole), f.dmul(column[1], down));
  const auto carry = f.drint(first);
  first = f.dsub(first, carry);
  const auto fours = f.dmul(f.dlit(4.0), f.drint(f.dmul(whole, f.dlit(0.25))));
  auto quadrant = f.dto_int(f.dadd(f.dsub(whole, fours), carry));

  // Digits do not overlap, so that pairs of them are exact, wherever the first bit is.
  const auto second = f.dadd(first, f.dmul(column[2], f.dlit(0x1p-52)));
  const auto third =
      f.dadd(f.dmul(column[3], f.dlit(0x1p-78)), f.dmul(column[4], f.dlit(0x1p-104)));
  const auto fourth =
      f.dadd(f.dmul(column[5], f.dlit(0x1p-130)), f.dmul(column[6], f.dlit(0x1p-156)));
  auto fraction = quick_sum(f, second, third);
  fraction = quick_sum(f, fraction.high, f.dadd(fraction.low, fourth));
  const Pair<A> quarter{f.dlit(0x1.921fb54442d18p+0), f.dlit(0x1.1a62633145c07p-54)};
  auto r = pair_product(f, fraction, quarter);

  const auto inside = f.dlt(a, f.dlit(0x1.921fb54442d18p-1));  // below pi/4
  r.high = f.select(inside, a, r.high);
  r.low = f.select(inside, f.dlit(0.0), r.low);
  quadrant = f.select(inside, f.ilit(0), quadrant);
  return {r, quadrant};
}

/// Sine and cosine of a pair within pi/4, each within 0.6 ULP ([2] of math64_detail.h).
template <Arith A>
Pair<A> dsine_cosine(A& f, const Pair<A>& r) {
  const auto x = r.high, y = r.low;
  const auto half = f.dlit(0.5), one = f.dlit(1.0);
  const auto z = f.dmul(x, x);
  const auto cube = f.dmul(z, x);
  const auto sine_tail =
      dpolynomial(f, z, 0x1.5d925cf65e901p-33, -0x1.ae5e64a6b8507p-26, 0x1.71de3576bc0c6p-19,
                  -0x1.a01a019c121a8p-13, 0x1.111111110f892p-7);
  const auto sine_low = f.dsub(f.dmul(z, f.dsub(f.dmul(half, y), f.dmul(cube, sine_tail))), y);
  const auto sine = f.dsub(x, f.dsub(sine_low, f.dmul(cube, f.dlit(-0x1.5555555555549p-3))));
  const auto cosine_tail =
      dpolynomial(f, z, -0x1.8fb00117859b8p-37, 0x1.1ee9ef5218627p-29, -0x1.27e4f8104503cp-22,
                  0x1.a01a019cbcd8dp-16, -0x1.6c16c16c15210p-10, 0x1.555555555554cp-5);
  const auto half_square = f.dmul(half, z);
  const auto w = f.dsub(one, half_square);
  const auto lost = f.dsub(f.dsub(one, w), half_square);
  const auto rest = f.dsub(f.dmul(f.dmul(z, z), cosine_tail), f.dmul(x, y));
  return {sine, f.dadd(w, f.dadd(lost, rest))};
}

/// sin of `quadrant` quarter turns further on, times the sign of `sign`.
template <Arith A>
typename A::D sine_of_turn(A& f, const Pair<A>& sine_cosine, typename A::I quadrant,
                           typename A::D sign) {
  const auto even = f.ieq(f.iand(quadrant, f.ilit(1)), f.ilit(0));
  const auto value = f.select(even, sine_cosine.high, sine_cosine.low);
  const auto first = f.ieq(f.iand(quadrant, f.ilit(2)), f.ilit(0));
  const auto turned = f.select(first, value, f.dneg(value));
  return f.select(f.dlt(f.dcopysign(f.dlit(1.0), sign), f.dlit(0.0)), f.dneg(turned), turned);
}

template <Arith A>
typename A::D dif_finite(A& f, typename A::D x, typename A::D y) {
  return f.select(f.dlt(f.dabs(x), f.dlit(dinfinity)), y, f.dlit(dnan));
}

/// atan(numerator / denominator) for non-negative arguments, not both 0, not both infinite.
template <Arith A>
typename A::D datan_ratio(A& f, typename A::D numerator, typename A::D denominator) {
  // Below tan(pi/8), up to tan(3 pi/8), above: rotate by 0, 45 or 90 degrees.
  const auto zero = f.dlit(0.0);
  const auto low = f.dlt(numerator, f.dmul(denominator, f.dlit(0x1.a827999fcef32p-2)));
  const auto middle = f.dlt(numerator, f.dmul(denominator, f.dlit(0x1.3504f333f9de6p+1)));
  const auto top = f.select(low, numerator,
                            f.select(middle, f.dsub(numerator, denominator), f.dneg(denominator)));
  const auto bottom =
      f.select(low, denominator, f.select(middle, f.dadd(numerator, denominator), numerator));
  const auto start = f.select(
      low, zero, f.select(middle, f.dlit(0x1.921fb54442d18p-1), f.dlit(0x1.921fb54442d18p+0)));
  const auto start_low = f.select(
      low, zero, f.select(middle, f.dlit(0x1.1a62633145c07p-55), f.dlit(0x1.1a62633145c07p-54)));
  const auto z = f.ddiv(top, bottom);
  const auto u = f.dmul(z, z);
  const auto tail = dpolynomial(f, u, -0x1.2533b651b0c23p-6, 0x1.37be92cdb1959p-5,
                                -0x1.9cca70c143d79p-5, 0x1.df0da304a15a0p-5, -0x1.10eb9e96c035dp-4,
                                0x1.3b11172d45d2cp-4, -0x1.745cf8c5a38a3p-4, 0x1.c71c70e574fe8p-4,
                                -0x1.24924922ac584p-3, 0x1.9999999995856p-3, -0x1.555555555553dp-2);
  return f.dadd(start, f.dadd(f.dfma(f.dmul(tail, u), z, start_low), z));
}

}  // namespace detail

/// Sine of x in radians.
template <Arith A>
typename A::D sin(A& f, typename A::D x) {
  const auto turn = detail::reduce_turn(f, x);
  const auto at = detail::dsine_cosine(f, turn.r);
  return detail::dif_finite(f, x, detail::sine_of_turn(f, at, turn.quadrant, x));
}

/// Cosine of x in radians.
template <Arith A>
typename A::D cos(A& f, typename A::D x) {
  const auto turn = detail::reduce_turn(f, x);
  const auto at = detail::dsine_cosine(f, turn.r);
  const auto quadrant = f.iadd(turn.quadrant, f.ilit(1));
  return detail::dif_finite(f, x, detail::sine_of_turn(f, at, quadrant, f.dlit(1.0)));
}

/// Tangent of x in radians.
template <Arith A>
typename A::D tan(A& f, typename A::D x) {
  const auto turn = detail::reduce_turn(f, x);
  const auto [sine, cosine] = detail::dsine_cosine(f, turn.r);
  const auto even = f.ieq(f.iand(turn.quadrant, f.ilit(1)), f.ilit(0));
  // tan(r + pi/2) = -1 / tan(r)
  const auto top = f.select(even, sine, f.dneg(cosine));
  const auto bottom = f.select(even, cosine, sine);
  const auto value = f.ddiv(top, bottom);
  const auto negative = f.dlt(f.dcopysign(f.dlit(1.0), x), f.dlit(0.0));
  return detail::dif_finite(f, x, f.select(negative, f.dneg(value), value));
}

/// Inverse sine, in [-pi/2, pi/2]; NaN beyond 1.
template <Arith A>
typename A::D asin(A& f, typename A::D x) {
  const auto a = f.dabs(x);
  return f.dcopysign(detail::datan_ratio(f, a, detail::cosine_of_sine(f, a)), x);
}

/// Inverse cosine, in [0, pi]; NaN beyond 1.
template <Arith A>
typename A::D acos(A& f, typename A::D x) {
  const auto a = f.dabs(x);
  const auto y = detail::datan_ratio(f, detail::cosine_of_sine(f, a), a);
  const auto mirrored =
      f.dsub(f.dlit(0x1.921fb54442d18p+1), f.dsub(y, f.dlit(0x1.1a62633145c07p-53)));
  return f.select(f.dlt(x, f.dlit(0.0)), mirrored, y);
}

/// Inverse tangent, in [-pi/2, pi/2].
template <Arith A>
typename A::D atan(A& f, typename A::D x) {
  return f.dcopysign(detail::datan_ratio(f, f.dabs(x), f.dlit(1.0)), x);
}

}  // namespace ingot::ops::math
