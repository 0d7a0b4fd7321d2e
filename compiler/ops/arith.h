// SPDX-License-Identifier: Apache-2.0
// Arith: the scalar operations in which every formula of Ingot is written, as a C++20 concept. One
// formula, many readings: the interpreter computes with it, the code generator emits it.
#pragma once
#include <concepts>
#include <cstdint>
#include <span>

namespace ingot::ops {

/// A policy `f`, passed by reference, through which a formula does all its arithmetic. Formulas are
/// templates over it (ops/math.h) and never use C++ operators on numbers, so that the sequence of
/// roundings is exactly the sequence of calls.
///
/// Types: a value each, or a vector of lanes; all have the same number of lanes.
///   F  float32     I  int32     D  float64     M  mask: one truth value per lane
///
/// Rules for who writes a policy
/// - Every F and D operation is IEEE 754, rounded to nearest even, with subnormals, exactly once:
///   nothing is contracted, reassociated, or replaced by an estimate instruction.
/// - `fma` and `dfma` round once, or in strict mode are a multiply followed by an add (two
///   roundings). This is the only difference between the two modes.
/// - All branches of a `select` are computed. A formula keeps the arguments of branches not taken
///   harmless, so a policy need not guard anything.
/// - Integers wrap. Shift distances are constants in 0 to 31.
/// - `to_int` and `dto_int` truncate, and `lookup` reads a table: the argument is in range by the
///   formula's construction, NaN lanes included. Tables have static storage; a policy may tell them
///   apart by address.
/// - `dscale(d, k)` is d * 2^k, done as one multiplication, for k in -1022 to 1023.
/// - `dexponent` and `dmantissa` split a positive normal d into 2^exponent * mantissa, mantissa in
///   [1, 2). Of any other d they give some value, without trapping.
/// - `copysign(magnitude, sign)`, `neg` and `abs` touch only the sign bit, of NaN too.
/// - Comparisons of anything with NaN are false, except `ne`, which is true. Minimum and maximum
/// are
///   not members: formulas say `select(lt(a, b), a, b)`, and so what happens to -0 and NaN.
///
/// Traps: a comparison `lt`, `le`, `gt`, `ge` may signal invalid on NaN. Formulas signal nothing
/// else beyond what their result means (overflow, underflow, inexact, the invalid of a NaN result).
template <class A>
concept Arith = requires(A& f, typename A::F x, typename A::I i, typename A::M m, typename A::D d,
                         int shift, std::span<const double> table) {
  { f.lit(float{}) } -> std::same_as<typename A::F>;
  { f.ilit(std::int32_t{}) } -> std::same_as<typename A::I>;
  { f.dlit(double{}) } -> std::same_as<typename A::D>;

  { f.add(x, x) } -> std::same_as<typename A::F>;
  { f.sub(x, x) } -> std::same_as<typename A::F>;
  { f.mul(x, x) } -> std::same_as<typename A::F>;
  { f.div(x, x) } -> std::same_as<typename A::F>;
  { f.fma(x, x, x) } -> std::same_as<typename A::F>;
  { f.sqrt(x) } -> std::same_as<typename A::F>;
  { f.neg(x) } -> std::same_as<typename A::F>;
  { f.abs(x) } -> std::same_as<typename A::F>;
  { f.copysign(x, x) } -> std::same_as<typename A::F>;
  { f.floor(x) } -> std::same_as<typename A::F>;
  { f.ceil(x) } -> std::same_as<typename A::F>;
  { f.trunc(x) } -> std::same_as<typename A::F>;
  { f.rint(x) } -> std::same_as<typename A::F>;  // half to even

  { f.lt(x, x) } -> std::same_as<typename A::M>;
  { f.le(x, x) } -> std::same_as<typename A::M>;
  { f.gt(x, x) } -> std::same_as<typename A::M>;
  { f.ge(x, x) } -> std::same_as<typename A::M>;
  { f.eq(x, x) } -> std::same_as<typename A::M>;
  { f.ne(x, x) } -> std::same_as<typename A::M>;
  { f.mask_and(m, m) } -> std::same_as<typename A::M>;
  { f.mask_or(m, m) } -> std::same_as<typename A::M>;
  { f.mask_not(m) } -> std::same_as<typename A::M>;
  { f.select(m, x, x) } -> std::same_as<typename A::F>;
  { f.select(m, i, i) } -> std::same_as<typename A::I>;
  { f.select(m, d, d) } -> std::same_as<typename A::D>;

  { f.bits(x) } -> std::same_as<typename A::I>;
  { f.from_bits(i) } -> std::same_as<typename A::F>;
  { f.to_int(x) } -> std::same_as<typename A::I>;
  { f.to_float(i) } -> std::same_as<typename A::F>;  // rounded to nearest even
  { f.iadd(i, i) } -> std::same_as<typename A::I>;
  { f.isub(i, i) } -> std::same_as<typename A::I>;
  { f.imul(i, i) } -> std::same_as<typename A::I>;
  { f.iand(i, i) } -> std::same_as<typename A::I>;
  { f.ior(i, i) } -> std::same_as<typename A::I>;
  { f.ixor(i, i) } -> std::same_as<typename A::I>;
  { f.ishl(i, shift) } -> std::same_as<typename A::I>;
  { f.ilshr(i, shift) } -> std::same_as<typename A::I>;  // logical
  { f.iashr(i, shift) } -> std::same_as<typename A::I>;  // arithmetic
  { f.ilt(i, i) } -> std::same_as<typename A::M>;        // signed
  { f.ieq(i, i) } -> std::same_as<typename A::M>;

  { f.widen(x) } -> std::same_as<typename A::D>;
  { f.narrow(d) } -> std::same_as<typename A::F>;  // rounded once, subnormals and overflow included
  { f.dadd(d, d) } -> std::same_as<typename A::D>;
  { f.dsub(d, d) } -> std::same_as<typename A::D>;
  { f.dmul(d, d) } -> std::same_as<typename A::D>;
  { f.ddiv(d, d) } -> std::same_as<typename A::D>;
  { f.dfma(d, d, d) } -> std::same_as<typename A::D>;
  { f.dsqrt(d) } -> std::same_as<typename A::D>;
  { f.dneg(d) } -> std::same_as<typename A::D>;
  { f.dabs(d) } -> std::same_as<typename A::D>;
  { f.dcopysign(d, d) } -> std::same_as<typename A::D>;
  { f.drint(d) } -> std::same_as<typename A::D>;  // half to even
  { f.dto_int(d) } -> std::same_as<typename A::I>;
  { f.dfrom_int(i) } -> std::same_as<typename A::D>;
  { f.dscale(d, i) } -> std::same_as<typename A::D>;
  { f.dexponent(d) } -> std::same_as<typename A::I>;
  { f.dmantissa(d) } -> std::same_as<typename A::D>;
  { f.dlt(d, d) } -> std::same_as<typename A::M>;
  { f.dle(d, d) } -> std::same_as<typename A::M>;
  { f.deq(d, d) } -> std::same_as<typename A::M>;
  { f.lookup(table, i) } -> std::same_as<typename A::D>;
};

}  // namespace ingot::ops
