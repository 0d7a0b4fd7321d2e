// SPDX-License-Identifier: Apache-2.0
// The error function in float32 arithmetic, without division (Gelu runs in epilogues).
#pragma once
#include "ops/math_exp.h"

namespace ingot::ops::math {

/// Error function: a polynomial near 0, 1 - e^q(|x|) with q = ln(1 - erf) elsewhere.
template <Arith A>
typename A::F erf(A& f, typename A::F x) {
  const auto high = f.lit(4.0f);  // where the result has long been 1
  auto a = f.abs(x);
  a = f.select(f.gt(a, high), high, a);

  const auto small_tail =
      detail::polynomial(f, f.mul(a, a), -0x1.38f79ep-11f, 0x1.46fa2cp-8f, -0x1.b6817cp-6f,
                         0x1.ce19e4p-4f, -0x1.8126e4p-2f, 0x1.06eba6p-3f);
  const auto small = f.fma(small_tail, a, a);

  const auto large_tail =
      detail::polynomial(f, a, -0x1.81dbbp-17f, 0x1.554ceep-12f, -0x1.dedb4cp-9f, 0x1.85b252p-6f,
                         -0x1.b3419ep-4f, -0x1.45306cp-1f, -0x1.077af6p-3f);
  const auto [r, biased] = detail::reduce_exp(f, f.fma(large_tail, a, f.neg(a)), 127);
  const auto e = f.fma(detail::exp_slope(f, r), r, f.lit(1.0f));
  const auto large = f.sub(f.lit(1.0f), f.mul(e, f.from_bits(f.ishl(biased, 23))));

  return f.copysign(f.select(f.lt(a, f.lit(0.9275f)), small, large), x);
}

}  // namespace ingot::ops::math
