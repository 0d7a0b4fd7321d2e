// SPDX-License-Identifier: Apache-2.0
// LlvmArith: the policy of ops/arith.h that emits LLVM instructions. A formula read through it
// becomes machine code with exactly the roundings that the interpreter computes.
#pragma once

#include <llvm/IR/Intrinsics.h>

#include <cstdint>
#include <span>

#include "ops/arith.h"
#include "target/emitter.h"

namespace ingot::target {

/// Values of as many lanes as given. The wrappers tell the kinds apart for overloads; `F` also
/// carries other element types where a policy of ops/pointwise.h works on them.
class LlvmArith {
 public:
  struct F {
    llvm::Value* v = nullptr;
  };
  struct I {
    llvm::Value* v = nullptr;
  };
  struct D {
    llvm::Value* v = nullptr;
  };
  struct M {
    llvm::Value* v = nullptr;
  };

  LlvmArith(Emitter& emitter, unsigned lanes)
      : e_(emitter),
        b_(emitter.build),
        lanes_(lanes),
        strict_(emitter.plan.arithmetic == Arithmetic::strict) {}

  F lit(float value) const {
    return {splat(llvm::ConstantFP::get(b_.getContext(), llvm::APFloat(value)))};
  }
  I ilit(std::int32_t value) const {
    return {splat(b_.getInt32(static_cast<std::uint32_t>(value)))};
  }
  D dlit(double value) const {
    return {splat(llvm::ConstantFP::get(b_.getContext(), llvm::APFloat(value)))};
  }

  F add(F a, F b) const { return {b_.CreateFAdd(a.v, b.v)}; }
  F sub(F a, F b) const { return {b_.CreateFSub(a.v, b.v)}; }
  F mul(F a, F b) const { return {b_.CreateFMul(a.v, b.v)}; }
  F div(F a, F b) const { return {b_.CreateFDiv(a.v, b.v)}; }
  F fma(F a, F b, F c) const { return {multiply_add(a.v, b.v, c.v)}; }
  F sqrt(F a) const { return {unary(llvm::Intrinsic::sqrt, a.v)}; }
  F neg(F a) const { return {b_.CreateFNeg(a.v)}; }
  F abs(F a) const { return {unary(llvm::Intrinsic::fabs, a.v)}; }
  F copysign(F magnitude, F sign) const {
    return {b_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude.v, sign.v)};
  }
  F floor(F a) const { return {unary(llvm::Intrinsic::floor, a.v)}; }
  F ceil(F a) const { return {unary(llvm::Intrinsic::ceil, a.v)}; }
  F trunc(F a) const { return {unary(llvm::Intrinsic::trunc, a.v)}; }
  F rint(F a) const { return {unary(llvm::Intrinsic::rint, a.v)}; }

  M lt(F a, F b) const { return {b_.CreateFCmpOLT(a.v, b.v)}; }
  M le(F a, F b) const { return {b_.CreateFCmpOLE(a.v, b.v)}; }
  M gt(F a, F b) const { return {b_.CreateFCmpOGT(a.v, b.v)}; }
  M ge(F a, F b) const { return {b_.CreateFCmpOGE(a.v, b.v)}; }
  M eq(F a, F b) const { return {b_.CreateFCmpOEQ(a.v, b.v)}; }
  M ne(F a, F b) const { return {b_.CreateFCmpUNE(a.v, b.v)}; }
  M mask_and(M a, M b) const { return {b_.CreateAnd(a.v, b.v)}; }
  M mask_or(M a, M b) const { return {b_.CreateOr(a.v, b.v)}; }
  M mask_not(M a) const { return {b_.CreateNot(a.v)}; }
  F select(M m, F a, F b) const { return {b_.CreateSelect(m.v, a.v, b.v)}; }
  I select(M m, I a, I b) const { return {b_.CreateSelect(m.v, a.v, b.v)}; }
  D select(M m, D a, D b) const { return {b_.CreateSelect(m.v, a.v, b.v)}; }

  I bits(F a) const { return {b_.CreateBitCast(a.v, type(b_.getInt32Ty()))}; }
  F from_bits(I a) const { return {b_.CreateBitCast(a.v, type(b_.getFloatTy()))}; }
  I to_int(F a) const { return {b_.CreateFPToSI(a.v, type(b_.getInt32Ty()))}; }
  F to_float(I a) const { return {b_.CreateSIToFP(a.v, type(b_.getFloatTy()))}; }
  I iadd(I a, I b) const { return {b_.CreateAdd(a.v, b.v)}; }
  I isub(I a, I b) const { return {b_.CreateSub(a.v, b.v)}; }
  I imul(I a, I b) const { return {b_.CreateMul(a.v, b.v)}; }
  I iand(I a, I b) const { return {b_.CreateAnd(a.v, b.v)}; }
  I ior(I a, I b) const { return {b_.CreateOr(a.v, b.v)}; }
  I ixor(I a, I b) const { return {b_.CreateXor(a.v, b.v)}; }
  I ishl(I a, int distance) const { return {b_.CreateShl(a.v, ilit(distance).v)}; }
  I ilshr(I a, int distance) const { return {b_.CreateLShr(a.v, ilit(distance).v)}; }
  I iashr(I a, int distance) const { return {b_.CreateAShr(a.v, ilit(distance).v)}; }
  M ilt(I a, I b) const { return {b_.CreateICmpSLT(a.v, b.v)}; }
  M ieq(I a, I b) const { return {b_.CreateICmpEQ(a.v, b.v)}; }

  D widen(F a) const { return {b_.CreateFPExt(a.v, type(b_.getDoubleTy()))}; }
  F narrow(D a) const { return {b_.CreateFPTrunc(a.v, type(b_.getFloatTy()))}; }
  D dadd(D a, D b) const { return {b_.CreateFAdd(a.v, b.v)}; }
  D dsub(D a, D b) const { return {b_.CreateFSub(a.v, b.v)}; }
  D dmul(D a, D b) const { return {b_.CreateFMul(a.v, b.v)}; }
  D ddiv(D a, D b) const { return {b_.CreateFDiv(a.v, b.v)}; }
  D dfma(D a, D b, D c) const { return {multiply_add(a.v, b.v, c.v)}; }
  D dsqrt(D a) const { return {unary(llvm::Intrinsic::sqrt, a.v)}; }
  D dneg(D a) const { return {b_.CreateFNeg(a.v)}; }
  D dabs(D a) const { return {unary(llvm::Intrinsic::fabs, a.v)}; }
  D dcopysign(D magnitude, D sign) const {
    return {b_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude.v, sign.v)};
  }
  D drint(D a) const { return {unary(llvm::Intrinsic::rint, a.v)}; }
  I dto_int(D a) const { return {b_.CreateFPToSI(a.v, type(b_.getInt32Ty()))}; }
  D dfrom_int(I a) const { return {b_.CreateSIToFP(a.v, type(b_.getDoubleTy()))}; }
  D dscale(D a, I k) const {
    llvm::Value* exponent =
        b_.CreateAdd(b_.CreateSExt(k.v, long_type()), long_number(exponent_bias));
    llvm::Value* bits = b_.CreateShl(exponent, long_number(mantissa_bits));
    return {b_.CreateFMul(a.v, b_.CreateBitCast(bits, type(b_.getDoubleTy())))};
  }
  I dexponent(D a) const {
    llvm::Value* bits = b_.CreateBitCast(a.v, long_type());
    llvm::Value* exponent = b_.CreateAShr(bits, long_number(mantissa_bits));
    return isub({b_.CreateTrunc(exponent, type(b_.getInt32Ty()))}, ilit(exponent_bias));
  }
  D dmantissa(D a) const {
    llvm::Value* bits = b_.CreateBitCast(a.v, long_type());
    bits = b_.CreateAnd(bits, long_number((std::int64_t{1} << mantissa_bits) - 1));
    bits = b_.CreateOr(bits, long_number(std::int64_t{exponent_bias} << mantissa_bits));
    return {b_.CreateBitCast(bits, type(b_.getDoubleTy()))};
  }
  M dlt(D a, D b) const { return {b_.CreateFCmpOLT(a.v, b.v)}; }
  M dle(D a, D b) const { return {b_.CreateFCmpOLE(a.v, b.v)}; }
  M deq(D a, D b) const { return {b_.CreateFCmpOEQ(a.v, b.v)}; }
  D lookup(std::span<const double> table, I index) const {
    llvm::Value* lanes = b_.CreateSExt(index.v, long_type());
    llvm::Value* pointer = b_.CreateInBoundsGEP(b_.getDoubleTy(), e_.table(table), lanes);
    if (lanes_ == 1) return {b_.CreateAlignedLoad(b_.getDoubleTy(), pointer, llvm::Align(8))};
    return {b_.CreateMaskedGather(type(b_.getDoubleTy()), pointer, llvm::Align(8),
                                  llvm::Constant::getAllOnesValue(type(b_.getInt1Ty())))};
  }

 protected:
  static constexpr int mantissa_bits = 52;
  static constexpr int exponent_bias = 1023;

  llvm::Type* type(llvm::Type* scalar) const {
    return lanes_ == 1 ? scalar : llvm::FixedVectorType::get(scalar, lanes_);
  }
  llvm::Type* long_type() const { return type(b_.getInt64Ty()); }
  llvm::Constant* long_number(std::int64_t value) const {
    return llvm::ConstantInt::getSigned(long_type(), value);
  }
  llvm::Value* splat(llvm::Constant* scalar) const {
    if (lanes_ == 1) return scalar;
    return llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes_), scalar);
  }
  llvm::Value* unary(llvm::Intrinsic::ID id, llvm::Value* a) const {
    return b_.CreateUnaryIntrinsic(id, a);
  }
  llvm::Value* multiply_add(llvm::Value* a, llvm::Value* b, llvm::Value* c) const {
    if (strict_) return b_.CreateFAdd(b_.CreateFMul(a, b), c);
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
  }

  Emitter& e_;
  llvm::IRBuilder<>& b_;
  unsigned lanes_;
  bool strict_;
};

static_assert(ops::Arith<LlvmArith>);

}  // namespace ingot::target
