// SPDX-License-Identifier: Apache-2.0
// The scalar operations that are more than one instruction: those of integers that C leaves
// undefined, and the exact remainder of floats, for which there is no instruction at all.
#include "target/llvm_scalars.h"

#include "ops/math.h"

namespace ingot::target {

using llvm::Value;

LlvmScalars::V LlvmScalars::number(double value) const {
  if (dtype_ == DType::f32) return lit(static_cast<float>(value));
  if (dtype_ == DType::f64) return {dlit(value).v};
  return {integer(static_cast<std::int64_t>(value))};
}

Value* LlvmScalars::integer(std::int64_t value) const {
  return llvm::ConstantInt::get(value_type(), static_cast<std::uint64_t>(value), true);
}

LlvmScalars::V LlvmScalars::abs(V a) const {
  if (real()) return LlvmArith::abs(a);
  if (!is_signed(dtype_)) return a;
  return {b_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, a.v, b_.getFalse())};
}

LlvmScalars::V LlvmScalars::div(V a, V b) const {
  if (real()) return LlvmArith::div(a, b);
  // The divisors that trap are replaced before the division, and its result after it.
  Value* zero = b_.CreateICmpEQ(b.v, integer(0));
  if (!is_signed(dtype_)) {
    Value* quotient = b_.CreateUDiv(a.v, b_.CreateSelect(zero, integer(1), b.v));
    return {b_.CreateSelect(zero, integer(0), quotient)};
  }
  Value* minus_one = b_.CreateICmpEQ(b.v, integer(-1));
  Value* quotient =
      b_.CreateSDiv(a.v, b_.CreateSelect(b_.CreateOr(zero, minus_one), integer(1), b.v));
  quotient = b_.CreateSelect(minus_one, b_.CreateNeg(a.v), quotient);
  return {b_.CreateSelect(zero, integer(0), quotient)};
}

LlvmScalars::V LlvmScalars::remainder(V a, V b) const {
  if (real()) return fmod(a, b);
  // x % 1 is what x % 0 and x % -1 must be.
  Value* trapping = b_.CreateICmpEQ(b.v, integer(0));
  if (is_signed(dtype_)) {
    trapping = b_.CreateOr(trapping, b_.CreateICmpEQ(b.v, integer(-1)));
  }
  Value* divisor = b_.CreateSelect(trapping, integer(1), b.v);
  return {is_signed(dtype_) ? b_.CreateSRem(a.v, divisor) : b_.CreateURem(a.v, divisor)};
}

LlvmScalars::V LlvmScalars::pow(V a, V b) {
  LlvmArith& arith = *this;
  if (dtype_ == DType::f32) return ops::math::pow(arith, a, b);
  if (dtype_ == DType::f64) return {ops::math::pow(arith, D{a.v}, D{b.v}).v};
  Value* exponent = b.v;
  Value* invert = nullptr;
  if (is_signed(dtype_)) {
    invert = b_.CreateICmpSLT(b.v, integer(0));
    exponent = b_.CreateSelect(invert, b_.CreateNeg(b.v), b.v);
  }
  const auto bits = static_cast<std::int64_t>(bytes_of(dtype_) * 8);
  const Emitter::Values last = e_.loop(
      e_.number(0), e_.number(bits), 1, {integer(1), a.v, exponent},
      [&](Value*, const Emitter::Values& carried) {
        Value* odd = b_.CreateTrunc(carried[2], type(b_.getInt1Ty()));
        Value* product = b_.CreateMul(carried[0], carried[1]);
        return Emitter::Values{b_.CreateSelect(odd, product, carried[0]),
                               b_.CreateMul(carried[1], carried[1]),
                               b_.CreateLShr(carried[2], integer(1))};
      },
      "pow");
  if (invert == nullptr) return {last[0]};
  return {b_.CreateSelect(invert, div({integer(1)}, {last[0]}).v, last[0])};
}

// Without AVX2 LLVM shifts vectors left by way of powers of two as floats, and 2^31 raises an
// exception where no float was meant to be.
Value* LlvmScalars::shift_up(Value* a, Value* distance) const {
  if (lanes_ == 1 || e_.isa.level > 2) return b_.CreateShl(a, distance);
  Value* result = llvm::PoisonValue::get(a->getType());
  for (std::uint64_t lane = 0; lane < lanes_; ++lane) {
    Value* shifted =
        b_.CreateShl(b_.CreateExtractElement(a, lane), b_.CreateExtractElement(distance, lane));
    result = b_.CreateInsertElement(result, shifted, lane);
  }
  return result;
}

LlvmScalars::V LlvmScalars::shift_left(V a, V b) const {
  const auto bits = static_cast<std::int64_t>(bytes_of(dtype_) * 8);
  Value* within = b_.CreateICmpULT(b.v, integer(bits));
  Value* distance = b_.CreateSelect(within, b.v, integer(0));
  return {b_.CreateSelect(within, shift_up(a.v, distance), integer(0))};
}

LlvmScalars::V LlvmScalars::shift_right(V a, V b) const {
  const auto bits = static_cast<std::int64_t>(bytes_of(dtype_) * 8);
  Value* within = b_.CreateICmpULT(b.v, integer(bits));
  if (is_signed(dtype_)) {
    return {b_.CreateAShr(a.v, b_.CreateSelect(within, b.v, integer(bits - 1)))};
  }
  Value* distance = b_.CreateSelect(within, b.v, integer(0));
  return {b_.CreateSelect(within, b_.CreateLShr(a.v, distance), integer(0))};
}

// Long division of the mantissas bit by bit, all lanes at once, on integers alone, so that it is
// exact and raises nothing. After musl's fmod.
LlvmScalars::V LlvmScalars::fmod(V a, V b) const {
  const bool narrow = dtype_ == DType::f32;
  const std::int64_t width = narrow ? 32 : 64;
  const std::int64_t mantissa = narrow ? 23 : 52;
  llvm::Type* integers = type(b_.getIntNTy(static_cast<unsigned>(width)));
  auto word = [&](std::uint64_t value) -> Value* {
    return llvm::ConstantInt::get(integers, value, false);
  };
  const std::uint64_t sign_mask = std::uint64_t{1} << (width - 1);
  const std::uint64_t implicit = std::uint64_t{1} << mantissa;
  const std::uint64_t infinity = ((std::uint64_t{1} << (width - 1 - mantissa)) - 1) << mantissa;

  Value* raw = b_.CreateBitCast(a.v, integers);
  Value* sign = b_.CreateAnd(raw, word(sign_mask));
  Value* x = b_.CreateAnd(raw, word(sign_mask - 1));
  Value* y = b_.CreateAnd(b_.CreateBitCast(b.v, integers), word(sign_mask - 1));

  // Mantissas with their leading bit in one place, subnormals too; a zero becomes anything.
  auto leading_zeros = [&](Value* value) {
    Value* zeros = b_.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, value, b_.getFalse());
    Value* shift = b_.CreateSub(zeros, word(static_cast<std::uint64_t>(width - 1 - mantissa)));
    return b_.CreateAnd(shift, word(static_cast<std::uint64_t>(width - 1)));
  };
  auto split = [&](Value* value) {
    Value* field = b_.CreateLShr(value, word(static_cast<std::uint64_t>(mantissa)));
    Value* subnormal = b_.CreateICmpEQ(field, word(0));
    Value* shift = leading_zeros(value);
    Value* normal = b_.CreateOr(b_.CreateAnd(value, word(implicit - 1)), word(implicit));
    return std::pair{b_.CreateSelect(subnormal, shift_up(value, shift), normal),
                     b_.CreateSelect(subnormal, b_.CreateSub(word(1), shift), field)};
  };
  auto [mx, ex] = split(x);
  auto [my, ey] = split(y);

  Value* smaller = b_.CreateICmpULT(x, y);
  Value* invalid = b_.CreateOr(
      b_.CreateOr(b_.CreateICmpUGE(x, word(infinity)), b_.CreateICmpUGT(y, word(infinity))),
      b_.CreateICmpEQ(y, word(0)));
  Value* steps = b_.CreateSelect(b_.CreateOr(smaller, invalid), word(0), b_.CreateSub(ex, ey));
  auto subtract = [&](Value* value) {
    Value* difference = b_.CreateSub(value, my);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): of LLVM's own types
    return b_.CreateSelect(b_.CreateICmpSLT(difference, word(0)), value, difference);
  };
  Value* turns = lanes_ == 1 ? steps : b_.CreateIntMaxReduce(steps, true);
  turns = b_.CreateSExtOrTrunc(turns, b_.getInt64Ty());
  Value* rest = e_.loop(
      e_.number(0), turns, 1, {mx},
      [&](Value* i, const Emitter::Values& carried) {
        Value* turn = e_.splat(b_.CreateTrunc(i, integers->getScalarType()), lanes_);
        Value* next = b_.CreateShl(subtract(carried[0]), word(1));
        return Emitter::Values{b_.CreateSelect(b_.CreateICmpSLT(turn, steps), next, carried[0])};
      },
      "fmod")[0];
  rest = subtract(rest);

  Value* shift = leading_zeros(rest);
  Value* exponent = b_.CreateSub(ey, shift);
  Value* lifted = shift_up(rest, shift);
  Value* is_normal = b_.CreateICmpSGT(exponent, word(0));
  Value* normal = b_.CreateAdd(b_.CreateSub(lifted, word(implicit)),
                               b_.CreateShl(exponent, word(static_cast<std::uint64_t>(mantissa))));
  Value* lower = b_.CreateSelect(is_normal, word(0), b_.CreateSub(word(1), exponent));
  Value* subnormal =
      b_.CreateLShr(lifted, b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, lower,
                                                     word(static_cast<std::uint64_t>(width - 1))));
  Value* bits = b_.CreateSelect(is_normal, normal, subnormal);
  bits = b_.CreateSelect(b_.CreateICmpEQ(rest, word(0)), word(0), bits);
  bits = b_.CreateSelect(smaller, x, bits);
  bits = b_.CreateSelect(invalid, word(infinity | (implicit >> 1)), bits);
  return {b_.CreateBitCast(b_.CreateOr(bits, sign), value_type())};
}

}  // namespace ingot::target
