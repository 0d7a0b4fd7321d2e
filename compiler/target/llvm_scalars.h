// SPDX-License-Identifier: Apache-2.0
// LlvmScalars: the policy of ops/pointwise.h that emits LLVM instructions, for one element type and
// a number of lanes. f16 and bf16 are computed as f32: who uses it widens and narrows.
#pragma once

#include "target/llvm_arith.h"

namespace ingot::target {

class LlvmScalars : public LlvmArith {
 public:
  using V = LlvmArith::F;
  using LlvmArith::select;

  /// `dtype` is that which is computed in: never f16 or bf16.
  LlvmScalars(Emitter& emitter, DType dtype, unsigned lanes)
      : LlvmArith(emitter, lanes), dtype_(dtype) {}

  template <class Function>
  V function(Function g, V a) {
    LlvmArith& arith = *this;
    return dtype_ == DType::f64 ? V{g(arith, D{a.v}).v} : g(arith, a);
  }
  V number(double value) const;

  V add(V a, V b) const { return real() ? LlvmArith::add(a, b) : V{b_.CreateAdd(a.v, b.v)}; }
  V sub(V a, V b) const { return real() ? LlvmArith::sub(a, b) : V{b_.CreateSub(a.v, b.v)}; }
  V mul(V a, V b) const { return real() ? LlvmArith::mul(a, b) : V{b_.CreateMul(a.v, b.v)}; }
  V div(V a, V b) const;
  V remainder(V a, V b) const;
  V neg(V a) const { return real() ? LlvmArith::neg(a) : V{b_.CreateNeg(a.v)}; }
  V abs(V a) const;
  V pow(V a, V b);

  V bit_not(V a) const { return {b_.CreateNot(a.v)}; }
  V bit_and(V a, V b) const { return {b_.CreateAnd(a.v, b.v)}; }
  V bit_or(V a, V b) const { return {b_.CreateOr(a.v, b.v)}; }
  V bit_xor(V a, V b) const { return {b_.CreateXor(a.v, b.v)}; }
  V shift_left(V a, V b) const;
  V shift_right(V a, V b) const;

  M lt(V a, V b) const { return compare(llvm::CmpInst::FCMP_OLT, llvm::CmpInst::ICMP_SLT, a, b); }
  M le(V a, V b) const { return compare(llvm::CmpInst::FCMP_OLE, llvm::CmpInst::ICMP_SLE, a, b); }
  M gt(V a, V b) const { return compare(llvm::CmpInst::FCMP_OGT, llvm::CmpInst::ICMP_SGT, a, b); }
  M ge(V a, V b) const { return compare(llvm::CmpInst::FCMP_OGE, llvm::CmpInst::ICMP_SGE, a, b); }
  M eq(V a, V b) const { return compare(llvm::CmpInst::FCMP_OEQ, llvm::CmpInst::ICMP_EQ, a, b); }
  M ne(V a, V b) const { return compare(llvm::CmpInst::FCMP_UNE, llvm::CmpInst::ICMP_NE, a, b); }
  M mask_xor(M a, M b) const { return {b_.CreateXor(a.v, b.v)}; }

 private:
  bool real() const { return is_float(dtype_); }
  M compare(llvm::CmpInst::Predicate real_predicate, llvm::CmpInst::Predicate predicate, V a,
            V b) const {
    if (real()) return {b_.CreateFCmp(real_predicate, a.v, b.v)};
    if (!is_signed(dtype_) && llvm::CmpInst::isSigned(predicate)) {
      predicate = llvm::CmpInst::getUnsignedPredicate(predicate);
    }
    return {b_.CreateICmp(predicate, a.v, b.v)};
  }
  llvm::Type* value_type() const { return e_.register_type(dtype_, lanes_); }
  llvm::Value* integer(std::int64_t value) const;
  V fmod(V a, V b) const;
  llvm::Value* shift_up(llvm::Value* a, llvm::Value* distance) const;

  DType dtype_;
};

}  // namespace ingot::target
