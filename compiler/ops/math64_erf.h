// SPDX-License-Identifier: Apache-2.0
// The error function in float64, in the form of math_erf.h.
#pragma once
#include "ops/math64_detail.h"

namespace ingot::ops::math {

/// Error function: a polynomial near 0, 1 - e^q(|x|) with q = ln(1 - erf) elsewhere.
template <Arith A>
typename A::D erf(A& f, typename A::D x) {
  auto a = f.dabs(x);
  a = f.select(f.dlt(f.dlit(6.0), a), f.dlit(6.0), a);  // where the result has long been 1

  const auto small_tail = detail::dpolynomial(
      f, f.dmul(a, a), -0x1.0306fc39b3509p-30, 0x1.f26702beb87eep-27, -0x1.5f977ea5bb328p-23,
      0x1.ba0699433bb2bp-20, -0x1.f4d6adcd0fedep-17, 0x1.f9a375d0a0c37p-14, -0x1.c02db75a21777p-11,
      0x1.565bcd245c528p-8, -0x1.b82ce3132d5f8p-6, 0x1.ce2f21a045323p-4, -0x1.812746b037a21p-2,
      0x1.06eba8214db69p-3);
  const auto small = f.dfma(small_tail, a, a);

  const auto large_tail = detail::dpolynomial(
      f, a, 0x1.75451e9761307p-50, -0x1.26aa3ab75d657p-42, 0x1.8ccb51e3294c0p-37,
      -0x1.12f2043d276f0p-32, 0x1.e93fa8ee03e76p-29, -0x1.34c1f31639155p-25, 0x1.23c66bc5ebc00p-22,
      -0x1.a992081d526d9p-20, 0x1.e571d287a207fp-18, -0x1.aede025ac1573p-16, 0x1.1e6d5836b6849p-14,
      -0x1.eed6980968209p-14, 0x1.1c35dd41a3f53p-15, 0x1.1952c5a5fe567p-11, -0x1.b2b1d0e74bd49p-10,
      0x1.8afd9e9a41fedp-13, 0x1.398a58028fd79p-6, -0x1.a4f775ffe7c8ap-4, -0x1.45f2f8063128ap-1,
      -0x1.06ebad28af996p-3);
  const auto [k, e] = detail::dexp_parts(f, f.dfma(large_tail, a, f.dneg(a)));
  const auto one = f.dlit(1.0);
  const auto large = f.dsub(one, f.dscale(f.dadd(one, e), k));
  return f.dcopysign(f.select(f.dlt(a, f.dlit(0.9275)), small, large), x);
}

}  // namespace ingot::ops::math
