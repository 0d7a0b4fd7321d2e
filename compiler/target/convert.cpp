// SPDX-License-Identifier: Apache-2.0
// From one element type to another, in machine code that calls nothing: conversions that would be
// library calls on some CPU (binary16, bfloat16) are written with integers.
#include <llvm/IR/Intrinsics.h>

#include "target/emitter.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// Integer and float types of the lanes that a value has.
struct Shapes {
  llvm::IRBuilder<>& build;
  unsigned lanes;

  llvm::Type* of(llvm::Type* scalar) const {
    return lanes == 1 ? scalar : llvm::FixedVectorType::get(scalar, lanes);
  }
  llvm::Type* f32() const { return of(build.getFloatTy()); }
  llvm::Type* f64() const { return of(build.getDoubleTy()); }
  llvm::Type* i16() const { return of(build.getInt16Ty()); }
  llvm::Type* i32() const { return of(build.getInt32Ty()); }
  llvm::Type* half() const { return of(build.getHalfTy()); }
  Value* word(std::uint32_t value) const { return llvm::ConstantInt::get(i32(), value); }
};

unsigned lanes_of(const Value* value) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector == nullptr ? 1 : vector->getNumElements();
}

Value* f16_to_f32(llvm::IRBuilder<>& b, const Shapes& t, Value* bits) {
  // The float with the same fields is 2^112 times too small, subnormals included.
  Value* wide = b.CreateZExt(bits, t.i32());
  Value* magnitude = b.CreateShl(b.CreateAnd(wide, t.word(0x7fff)), t.word(13));
  Value* scaled =
      b.CreateFMul(b.CreateBitCast(magnitude, t.f32()), llvm::ConstantFP::get(t.f32(), 0x1p112));
  Value* special = b.CreateICmpUGE(magnitude, t.word(0x7c00 << 13));
  Value* result = b.CreateSelect(special, b.CreateOr(magnitude, t.word(0x7f800000)),
                                 b.CreateBitCast(scaled, t.i32()));
  Value* sign = b.CreateShl(b.CreateAnd(wide, t.word(0x8000)), t.word(16));
  return b.CreateBitCast(b.CreateOr(result, sign), t.f32());
}

Value* f32_to_f16(llvm::IRBuilder<>& b, const Shapes& t, Value* value) {
  Value* bits = b.CreateBitCast(value, t.i32());
  Value* magnitude = b.CreateAnd(bits, t.word(0x7fffffff));
  // Normal results: rebias the exponent and round to even in the integer; a carry is right too.
  Value* even = b.CreateAnd(b.CreateLShr(magnitude, t.word(13)), t.word(1));
  Value* normal = b.CreateAdd(magnitude, b.CreateAdd(even, t.word(0xfff - (112U << 23))));
  normal = b.CreateLShr(normal, t.word(13));
  // Subnormal results: the float sum with 0.5 rounds at their last place.
  Value* small = b.CreateICmpULT(magnitude, t.word(0x38800000));
  Value* tame = b.CreateSelect(small, magnitude, t.word(0));
  Value* sum = b.CreateFAdd(b.CreateBitCast(tame, t.f32()), llvm::ConstantFP::get(t.f32(), 0.5));
  Value* subnormal = b.CreateSub(b.CreateBitCast(sum, t.i32()), t.word(0x3f000000));
  Value* nan = b.CreateICmpUGT(magnitude, t.word(0x7f800000));
  Value* result = b.CreateSelect(small, subnormal, normal);
  Value* special = b.CreateSelect(nan, t.word(0x7e00), t.word(0x7c00));
  result = b.CreateSelect(b.CreateICmpUGE(magnitude, t.word(0x47800000)), special, result);
  Value* sign = b.CreateAnd(b.CreateLShr(bits, t.word(16)), t.word(0x8000));
  return b.CreateTrunc(b.CreateOr(result, sign), t.i16());
}

Value* f32_to_bf16(llvm::IRBuilder<>& b, const Shapes& t, Value* value) {
  Value* bits = b.CreateBitCast(value, t.i32());
  Value* even = b.CreateAnd(b.CreateLShr(bits, t.word(16)), t.word(1));
  Value* rounded = b.CreateAdd(bits, b.CreateAdd(even, t.word(0x7fff)));
  Value* nan = b.CreateFCmpUNO(value, value);
  rounded = b.CreateSelect(nan, b.CreateOr(bits, t.word(0x400000)), rounded);
  return b.CreateTrunc(b.CreateLShr(rounded, t.word(16)), t.i16());
}

/// Rounds to odd: what is rounded again to far fewer bits is then as if rounded once.
Value* f64_to_f32_odd(llvm::IRBuilder<>& b, const Shapes& t, Value* value) {
  Value* nearest = b.CreateFPTrunc(value, t.f32());
  Value* back = b.CreateFPExt(nearest, t.f64());
  Value* bits = b.CreateBitCast(nearest, t.i32());
  Value* inexact = b.CreateFCmpONE(back, value);
  Value* is_even = b.CreateICmpEQ(b.CreateAnd(bits, t.word(1)), t.word(0));
  // As integers, because NaN would signal in the comparison as floats.
  auto magnitude = [&](Value* wide) {
    llvm::Type* type = t.of(b.getInt64Ty());
    return b.CreateAnd(b.CreateBitCast(wide, type), llvm::ConstantInt::get(type, INT64_MAX));
  };
  Value* below = b.CreateICmpULT(magnitude(back), magnitude(value));
  Value* step = b.CreateSelect(below, t.word(1), t.word(~0U));
  step = b.CreateSelect(b.CreateAnd(inexact, is_even), step, t.word(0));
  return b.CreateBitCast(b.CreateAdd(bits, step), t.f32());
}

/// Truncates and saturates, NaN to 0. LLVM's own saturating conversions convert first and repair
/// afterwards, which raises an exception that the number itself does not.
Value* saturate(Emitter& e, const Shapes& t, DType from, DType to, Value* value) {
  llvm::IRBuilder<>& b = e.build;
  const unsigned bits = static_cast<unsigned>(8 * bytes_of(to));
  const llvm::APInt least =
      is_signed(to) ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getMinValue(bits);
  const llvm::APInt greatest =
      is_signed(to) ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getMaxValue(bits);
  auto real = [&](double number) { return llvm::ConstantFP::get(value->getType(), number); };
  auto limit = [&](const llvm::APInt& number) {
    llvm::APFloat rounded(from == DType::f32 ? llvm::APFloat::IEEEsingle()
                                             : llvm::APFloat::IEEEdouble());
    rounded.convertFromAPInt(number, is_signed(to), llvm::APFloat::rmNearestTiesToEven);
    return llvm::ConstantFP::get(value->getType(), rounded);
  };
  // Comparisons other than for equality signal on NaN, so that it goes first. LLVM must not know
  // the zero that takes its place, or it moves the comparison and the conversion before the choice.
  Value* nothing =
      e.splat(b.CreateBitCast(
                  b.CreateTrunc(e.hidden(0), b.getIntNTy(value->getType()->getScalarSizeInBits())),
                  value->getType()->getScalarType()),
              t.lanes);
  value = b.CreateSelect(b.CreateFCmpUNO(value, value), nothing, value);
  Value* low = b.CreateFCmpOLE(value, limit(least));
  Value* high = b.CreateFCmpOGE(value, limit(greatest));
  value = b.CreateSelect(b.CreateOr(low, high), nothing, value);

  llvm::Type* type = e.register_type(to, t.lanes);
  Value* result;
  if (bits < 32) {
    result = b.CreateTrunc(b.CreateFPToSI(value, t.i32()), type);
  } else if (is_signed(to)) {
    result = b.CreateFPToSI(value, type);
  } else {
    // The upper half is moved to the lower one, because only signed conversions are instructions.
    Value* middle = real(bits == 32 ? 0x1p31 : 0x1p63);
    Value* upper = b.CreateFCmpOGE(value, middle);
    Value* moved = b.CreateSelect(upper, b.CreateFSub(value, middle), value);
    Value* top = b.CreateSelect(upper, llvm::ConstantInt::get(type, llvm::APInt::getSignMask(bits)),
                                llvm::Constant::getNullValue(type));
    result = b.CreateXor(b.CreateFPToSI(moved, type), top);
  }
  result = b.CreateSelect(high, llvm::ConstantInt::get(type, greatest), result);
  return b.CreateSelect(low, llvm::ConstantInt::get(type, least), result);
}

}  // namespace

DType Emitter::compute_type(DType dtype) {
  return dtype == DType::f16 || dtype == DType::bf16 ? DType::f32 : dtype;
}

Value* Emitter::to_compute(DType dtype, Value* value) {
  const Shapes t{build, lanes_of(value)};
  if (dtype == DType::f16) {
    if (!isa.has_f16c) return f16_to_f32(build, t, value);
    return build.CreateFPExt(build.CreateBitCast(value, t.half()), t.f32());
  }
  if (dtype == DType::bf16) {
    return build.CreateBitCast(build.CreateShl(build.CreateZExt(value, t.i32()), t.word(16)),
                               t.f32());
  }
  return value;
}

Value* Emitter::from_compute(DType dtype, Value* value) {
  const Shapes t{build, lanes_of(value)};
  if (dtype == DType::f16) {
    if (!isa.has_f16c) return f32_to_f16(build, t, value);
    return build.CreateBitCast(build.CreateFPTrunc(value, t.half()), t.i16());
  }
  if (dtype == DType::bf16) return f32_to_bf16(build, t, value);
  return value;
}

Value* Emitter::cast(DType from, DType to, Value* value) {
  if (from == to) return value;
  const unsigned lanes = lanes_of(value);
  const Shapes t{build, lanes};
  const bool half = to == DType::f16 || to == DType::bf16;
  value = to_compute(from, value);
  const DType source = compute_type(from);

  if (to == DType::boolean) {
    if (is_float(source)) return build.CreateFCmpUNE(value, zero(source, lanes));
    return build.CreateICmpNE(value, zero(source, lanes));
  }
  if (is_float(source)) {
    if (half)
      return from_compute(to, source == DType::f64 ? f64_to_f32_odd(build, t, value) : value);
    if (is_float(to)) {
      return build.CreateFPCast(value, register_type(to, lanes));
    }
    return saturate(*this, t, source, to, value);
  }
  if (is_float(to)) {
    // Integers reach the 16-bit types through f64; those of up to 32 bits are exact there.
    llvm::Type* type = half ? t.f64() : register_type(to, lanes);
    Value* real =
        is_signed(source) ? build.CreateSIToFP(value, type) : build.CreateUIToFP(value, type);
    return half ? from_compute(to, f64_to_f32_odd(build, t, real)) : real;
  }
  return build.CreateIntCast(value, register_type(to, lanes), is_signed(source));
}

}  // namespace ingot::target
