// SPDX-License-Identifier: Apache-2.0
// Ingot's own functions of float32 and float64, in one form for every ISA and for the interpreter.
// They exist because no library gives the same bits everywhere.
//
// Each is a template over an arithmetic policy (ops/arith.h), one for F and one for D, has no
// branches, and obeys:
//
//   error      float32: at most 2 ULP over all 2^32 inputs. float64, on 10^6 samples: at most 2 ULP
//              for exp, log, tanh, sigmoid, erf and pow, 4 for the others. With fma and in strict
//              mode; subnormal inputs and results included. docs/numerics.md has what was found
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
//   math64_*.h          all of them for float64; correct before fast
//
// Coefficients come from tests/math/fit_coefficients.py, the errors from tests/math/ulp_sweep.cpp
// and ulp64_sweep.cpp.
#pragma once
#include "ops/math64_erf.h"
#include "ops/math64_exp.h"
#include "ops/math64_log.h"
#include "ops/math64_power.h"
#include "ops/math64_trigonometric.h"
#include "ops/math_erf.h"
#include "ops/math_exp.h"
#include "ops/math_hyperbolic.h"
#include "ops/math_log.h"
#include "ops/math_power.h"
#include "ops/math_trigonometric.h"
