// SPDX-License-Identifier: Apache-2.0
// exp, expm1, sigmoid and tanh in float32 arithmetic: the activations that run in the epilogue of a
// contraction, so operations are counted here.
#pragma once
#include "ops/math_detail.h"

namespace ingot::ops::math {
namespace detail {

/// x = n ln2 + r with |r| <= ln2 / 2, by adding a number so large that its last bit is worth 1.
/// `biased` then ends in the bits of n + bias: shifted to the exponent's place they are 2^(n + bias
/// - 127), without a conversion that could trap on NaN.
template <Arith A>
struct ExpReduction {
  typename A::F r;
  typename A::I biased;
};
template <Arith A>
ExpReduction<A> reduce_exp(A& f, typename A::F x, int bias) {
  const auto magic = f.lit(0x1.8p23f + static_cast<float>(bias));
  const auto t = f.fma(x, f.lit(0x1.715476p+0f), magic);
  const auto n = f.sub(t, magic);
  // ln2 in two parts; n times the first is exact, in strict mode too.
  auto r = f.fma(n, f.lit(-0x1.62e4p-1f), x);
  r = f.fma(n, f.lit(-0x1.7f7d1cp-20f), r);
  return {r, f.bits(t)};
}

/// (e^r - 1) / r for |r| <= ln2 / 2.
template <Arith A>
typename A::F exp_slope(A& f, typename A::F r) {
  return polynomial(f, r, 0x1.6ae8a6p-10f, 0x1.1240dep-7f, 0x1.555842p-5f, 0x1.555488p-3f,
                    0x1.fffffcp-2f, 1.0f);
}

}  // namespace detail

/// e^x.
template <Arith A>
typename A::F exp(A& f, typename A::F x) {
  // Beyond these the result is 0 or infinity; NaN passes both.
  const auto low = f.lit(-104.0f);
  const auto high = f.lit(89.0f);
  x = f.select(f.lt(x, low), low, x);
  x = f.select(f.gt(x, high), high, x);
  const auto [r, biased] = detail::reduce_exp(f, x, 254);
  const auto y = f.fma(detail::exp_slope(f, r), r, f.lit(1.0f));
  // 2^n in two factors, each normal, so that subnormal results are rounded once and 2^128 needs no
  // care.
  const auto half = f.ilshr(biased, 1);
  const auto first = f.from_bits(f.ishl(half, 23));
  const auto second = f.from_bits(f.ishl(f.isub(biased, half), 23));
  return f.mul(f.mul(y, first), second);
}

/// e^x - 1, accurate near 0; keeps -0.
template <Arith A>
typename A::F expm1(A& f, typename A::F x) {
  const auto low = f.lit(-17.5f);
  const auto high = f.lit(89.0f);
  auto c = f.select(f.lt(x, low), low, x);
  c = f.select(f.gt(c, high), high, c);
  const auto [r, biased] = detail::reduce_exp(f, c, 126);
  const auto tail = detail::polynomial(f, r, 0x1.9c8d9p-13f, 0x1.6d4be2p-10f, 0x1.1113a2p-7f,
                                       0x1.5554eap-5f, 0x1.555554p-3f, 0x1p-1f);
  const auto e = f.fma(tail, f.mul(r, r), r);  // e^r - 1
  // 2^n e + (2^n - 1), halved because 2^128 does not exist.
  const auto scale = f.from_bits(f.ishl(biased, 23));
  const auto y = f.fma(e, scale, f.sub(scale, f.lit(0.5f)));
  const auto tiny = f.lt(f.abs(x), f.lit(0x1p-26f));
  return f.select(tiny, x, f.add(y, y));
}

/// 1 / (1 + e^-x).
template <Arith A>
typename A::F sigmoid(A& f, typename A::F x) {
  const auto low = f.lit(-104.0f);
  const auto high = f.lit(64.0f);  // where the result has long been 1
  auto z = f.select(f.lt(x, low), low, x);
  z = f.select(f.gt(z, high), high, z);
  const auto [r, biased] = detail::reduce_exp(f, f.neg(z), 127);
  // Far below 0 both sides of the fraction are scaled by 2^-64, because e^104 does not exist.
  const auto far = f.lt(z, f.lit(-64.0f));
  const auto numerator = f.select(far, f.lit(0x1p-64f), f.lit(1.0f));
  const auto scale = f.from_bits(f.ishl(f.isub(biased, f.select(far, f.ilit(64), f.ilit(0))), 23));
  // 1 + 2^n + 2^n (e^r - 1): e^-x itself is never rounded, nor is what 1 + 2^n loses from n = 24
  // on.
  const auto sum = f.add(numerator, scale);
  const auto lost = f.sub(numerator, f.sub(sum, scale));
  const auto rest = f.fma(f.mul(detail::exp_slope(f, r), r), scale, lost);
  return f.div(numerator, f.add(sum, rest));
}

/// Hyperbolic tangent: 1 - 2 / (1 + e^(2|x|)), and a polynomial where that would cancel.
template <Arith A>
typename A::F tanh(A& f, typename A::F x) {
  const auto high = f.lit(9.5f);  // where the result has long been 1
  auto a = f.abs(x);
  a = f.select(f.gt(a, high), high, a);

  const auto [r, biased] = detail::reduce_exp(f, f.add(a, a), 127);
  const auto one = f.lit(1.0f);
  const auto scale = f.from_bits(f.ishl(biased, 23));
  // 1 + 2^n + 2^n (e^r - 1): the exponential itself is never rounded.
  const auto sum = f.fma(f.mul(detail::exp_slope(f, r), r), scale, f.add(one, scale));
  const auto large = f.sub(one, f.div(f.lit(2.0f), sum));

  const auto u = f.mul(a, a);
  const auto tail = detail::polynomial(f, u, -0x1.750ce4p-8f, 0x1.51f8cep-6f, -0x1.b835a4p-5f,
                                       0x1.1106f6p-3f, -0x1.555532p-2f);
  const auto small = f.fma(f.mul(tail, u), a, a);
  return f.copysign(f.select(f.lt(a, f.lit(0.625f)), small, large), x);
}

}  // namespace ingot::ops::math
