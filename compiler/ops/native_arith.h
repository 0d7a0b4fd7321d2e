// SPDX-License-Identifier: Apache-2.0
// NativeArith: the policy of ops/arith.h on plain C++ scalars. The interpreter computes with it,
// and what it computes is the meaning of every formula.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "ops/arith.h"

#ifdef __FAST_MATH__
#error "Ingot's arithmetic is defined rounding by rounding: build it without -ffast-math"
#endif

namespace ingot::ops {

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);
#ifdef __FLT_EVAL_METHOD__
static_assert(__FLT_EVAL_METHOD__ == 0, "float must be computed as float, not in x87 registers");
#endif

/// One lane. Stateless but for `strict`; copies are free; any number of threads.
///
/// Whoever includes this must be built with -ffp-contract=off: GCC's default may join the multiply
/// and the add of strict mode, or of a formula, into one rounding. math_test.cpp fails if that
/// happens. Assumes round to nearest, without flushing subnormals.
struct NativeArith {
  using F = float;
  using I = std::int32_t;
  using D = double;
  using M = bool;

  bool strict = false;  ///< fma is a multiply, then an add (see ops/arith.h)

  F lit(float value) const { return value; }
  I ilit(std::int32_t value) const { return value; }
  D dlit(double value) const { return value; }

  F add(F a, F b) const { return a + b; }
  F sub(F a, F b) const { return a - b; }
  F mul(F a, F b) const { return a * b; }
  F div(F a, F b) const { return a / b; }
  F fma(F a, F b, F c) const {
    if (strict) {
      const F product = a * b;
      return product + c;
    }
    return std::fma(a, b, c);
  }
  F sqrt(F a) const { return std::sqrt(a); }
  F neg(F a) const { return -a; }
  F abs(F a) const { return std::fabs(a); }
  F copysign(F magnitude, F sign) const { return std::copysign(magnitude, sign); }
  F floor(F a) const { return std::floor(a); }
  F ceil(F a) const { return std::ceil(a); }
  F trunc(F a) const { return std::trunc(a); }
  F rint(F a) const { return std::rint(a); }

  M lt(F a, F b) const { return a < b; }
  M le(F a, F b) const { return a <= b; }
  M gt(F a, F b) const { return a > b; }
  M ge(F a, F b) const { return a >= b; }
  M eq(F a, F b) const { return a == b; }
  M ne(F a, F b) const { return a != b; }
  M mask_and(M a, M b) const { return a & b; }
  M mask_or(M a, M b) const { return a | b; }
  M mask_not(M a) const { return !a; }
  F select(M m, F a, F b) const { return m ? a : b; }
  I select(M m, I a, I b) const { return m ? a : b; }
  D select(M m, D a, D b) const { return m ? a : b; }

  I bits(F a) const { return std::bit_cast<I>(a); }
  F from_bits(I a) const { return std::bit_cast<F>(a); }
  I to_int(F a) const { return static_cast<I>(a); }
  F to_float(I a) const { return static_cast<F>(a); }
  // Through unsigned, where wrapping is defined.
  I iadd(I a, I b) const { return wrap(word(a) + word(b)); }
  I isub(I a, I b) const { return wrap(word(a) - word(b)); }
  I imul(I a, I b) const { return wrap(word(a) * word(b)); }
  I iand(I a, I b) const { return a & b; }
  I ior(I a, I b) const { return a | b; }
  I ixor(I a, I b) const { return a ^ b; }
  I ishl(I a, int distance) const { return wrap(word(a) << distance); }
  I ilshr(I a, int distance) const { return wrap(word(a) >> distance); }
  I iashr(I a, int distance) const { return a >> distance; }
  M ilt(I a, I b) const { return a < b; }
  M ieq(I a, I b) const { return a == b; }

  D widen(F a) const { return a; }
  F narrow(D a) const { return static_cast<F>(a); }
  D dadd(D a, D b) const { return a + b; }
  D dsub(D a, D b) const { return a - b; }
  D dmul(D a, D b) const { return a * b; }
  D ddiv(D a, D b) const { return a / b; }
  D dfma(D a, D b, D c) const {
    if (strict) {
      const D product = a * b;
      return product + c;
    }
    return std::fma(a, b, c);
  }
  D dsqrt(D a) const { return std::sqrt(a); }
  D dneg(D a) const { return -a; }
  D dabs(D a) const { return std::fabs(a); }
  D dcopysign(D magnitude, D sign) const { return std::copysign(magnitude, sign); }
  D drint(D a) const { return std::rint(a); }
  I dto_int(D a) const { return static_cast<I>(a); }
  D dfrom_int(I a) const { return a; }
  D dscale(D a, I k) const {
    return a * std::bit_cast<D>((static_cast<std::int64_t>(k) + exponent_bias) << mantissa_bits);
  }
  I dexponent(D a) const {
    return static_cast<I>(std::bit_cast<std::int64_t>(a) >> mantissa_bits) - exponent_bias;
  }
  D dmantissa(D a) const {
    constexpr std::int64_t mask = (std::int64_t{1} << mantissa_bits) - 1;
    constexpr std::int64_t one = std::int64_t{exponent_bias} << mantissa_bits;
    return std::bit_cast<D>((std::bit_cast<std::int64_t>(a) & mask) | one);
  }
  M dlt(D a, D b) const { return a < b; }
  M dle(D a, D b) const { return a <= b; }
  M deq(D a, D b) const { return a == b; }
  D lookup(std::span<const double> table, I index) const {
    return table[static_cast<std::size_t>(index)];
  }

 private:
  static constexpr int mantissa_bits = 52;
  static constexpr int exponent_bias = 1023;
  static std::uint32_t word(I a) { return static_cast<std::uint32_t>(a); }
  static I wrap(std::uint32_t a) { return static_cast<I>(a); }
};

static_assert(Arith<NativeArith>);

}  // namespace ingot::ops
