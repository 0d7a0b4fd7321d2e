// SPDX-License-Identifier: Apache-2.0
// Ingot's own float32 functions, in one form for every ISA and for the interpreter. They exist
// because no library gives the same bits everywhere.
//
// Each is a template over an arithmetic policy (ops/arith.h), has no branches, and obeys:
//
//   error      at most 2 ULP over all 2^32 inputs, with fma and in strict mode; subnormal inputs
//   and
//              results included. docs/numerics.md lists what the sweep found: about 1 ULP for the
//              functions of math_exp.h, math_log.h and math_erf.h, about 0.5 for the others
//   specials   as C99 Annex F: infinities, signed zeros, domain errors give NaN; NaN in, NaN out
//   traps      only what the result means, but that an infinite or enormous argument of exp, expm1,
//              sinh and cosh signals overflow also when it is infinity itself
//
//   math_exp.h          exp expm1 sigmoid tanh    float32 only: made for epilogues
//   math_log.h          log log1p                 float32 only
//   math_erf.h          erf                       float32 only
//   math_power.h        pow                       through float64
//   math_trigonometric.h sin cos tan asin acos atan   through float64
//   math_hyperbolic.h   sinh cosh asinh acosh atanh   through float64
//
// Coefficients come from tests/math/fit_coefficients.py, the errors from tests/math/ulp_sweep.cpp.
#pragma once
#include "ops/math_erf.h"
#include "ops/math_exp.h"
#include "ops/math_hyperbolic.h"
#include "ops/math_log.h"
#include "ops/math_power.h"
#include "ops/math_trigonometric.h"
