// SPDX-License-Identifier: Apache-2.0
// NativeScalars: the policy of ops/pointwise.h on plain C++ scalars, and how elements of each type
// are held in memory. The interpreter computes with it.
#pragma once

#include <cmath>
#include <type_traits>

#include "ir/tensor.h"
#include "ops/math.h"
#include "ops/native_arith.h"

namespace ingot::ops {

/// T: float (also for f16 and bf16), double, the integers, bool.
template <class T>
struct NativeScalars {
  using V = T;
  using M = bool;
  static constexpr bool is_float = std::is_floating_point_v<T>;
  using Bits =
      std::make_unsigned_t<std::conditional_t<is_float || std::is_same_v<T, bool>, int, T>>;

  NativeArith arithmetic;

  template <class Function>
  V function(Function g, V a) {
    return g(arithmetic, a);
  }
  /// Of an unsigned type -1 is the greatest number.
  V number(double value) const {
    if constexpr (is_float)
      return static_cast<V>(value);
    else
      return static_cast<V>(static_cast<std::int64_t>(value));
  }

  V add(V a, V b) const {
    if constexpr (is_float)
      return a + b;
    else
      return static_cast<V>(static_cast<Bits>(a) + static_cast<Bits>(b));
  }
  V sub(V a, V b) const {
    if constexpr (is_float)
      return a - b;
    else
      return static_cast<V>(static_cast<Bits>(a) - static_cast<Bits>(b));
  }
  V mul(V a, V b) const {
    if constexpr (is_float) return a * b;
    // Through 64 bits: 16-bit operands would be promoted to int and could overflow it.
    else
      return static_cast<V>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
  V div(V a, V b) const {
    if constexpr (is_float) {
      return a / b;
    } else {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<V>) {
        if (b == -1) return neg(a);
      }
      return static_cast<V>(a / b);
    }
  }
  V remainder(V a, V b) const {
    if constexpr (is_float) {
      return std::fmod(a, b);
    } else {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<V>) {
        if (b == -1) return 0;
      }
      return static_cast<V>(a % b);
    }
  }
  V neg(V a) const {
    if constexpr (is_float)
      return -a;
    else
      return static_cast<V>(Bits{0} - static_cast<Bits>(a));
  }
  V abs(V a) const {
    if constexpr (is_float)
      return std::fabs(a);
    else if constexpr (std::is_signed_v<V>)
      return a < 0 ? neg(a) : a;
    else
      return a;
  }
  V pow(V a, V b) {
    if constexpr (is_float) {
      return math::pow(arithmetic, a, b);
    } else {
      V base = a;
      bool invert = false;
      if constexpr (std::is_signed_v<V>) {
        invert = b < 0;
        if (invert) b = neg(b);
      }
      V result = 1;
      for (Bits rest = static_cast<Bits>(b); rest != 0; rest = static_cast<Bits>(rest >> 1)) {
        if (rest & 1) result = mul(result, base);
        base = mul(base, base);
      }
      return invert ? div(1, result) : result;
    }
  }
  V ceil(V a) const { return std::ceil(a); }
  V floor(V a) const { return std::floor(a); }
  V trunc(V a) const { return std::trunc(a); }
  V rint(V a) const { return std::rint(a); }
  V sqrt(V a) const { return std::sqrt(a); }

  V bit_not(V a) const { return static_cast<V>(~a); }
  V bit_and(V a, V b) const { return static_cast<V>(a & b); }
  V bit_or(V a, V b) const { return static_cast<V>(a | b); }
  V bit_xor(V a, V b) const { return static_cast<V>(a ^ b); }
  V shift_left(V a, V b) const {
    return static_cast<Bits>(b) < 8 * sizeof(V)
               ? static_cast<V>(static_cast<std::uint64_t>(a) << static_cast<Bits>(b))
               : V{0};
  }
  V shift_right(V a, V b) const {
    if (static_cast<Bits>(b) < 8 * sizeof(V)) return static_cast<V>(a >> static_cast<Bits>(b));
    return a < 0 ? static_cast<V>(-1) : V{0};
  }

  M lt(V a, V b) const { return a < b; }
  M le(V a, V b) const { return a <= b; }
  M gt(V a, V b) const { return a > b; }
  M ge(V a, V b) const { return a >= b; }
  M eq(V a, V b) const { return a == b; }
  M ne(V a, V b) const { return a != b; }
  M mask_and(M a, M b) const { return a && b; }
  M mask_or(M a, M b) const { return a || b; }
  M mask_xor(M a, M b) const { return a != b; }
  M mask_not(M a) const { return !a; }
  V select(M mask, V a, V b) const { return mask ? a : b; }
};

/// How elements of a type lie in memory, and the C++ type they are computed in.
template <DType dtype>
struct Element;

template <class T>
struct PlainElement {
  using Compute = T;
  static T load(const Tensor& tensor, std::int64_t i) { return tensor.at<T>(i); }
  static void store(Tensor& tensor, std::int64_t i, T value) { tensor.set<T>(i, value); }
};
template <>
struct Element<DType::f32> : PlainElement<float> {};
template <>
struct Element<DType::f64> : PlainElement<double> {};
template <>
struct Element<DType::i8> : PlainElement<std::int8_t> {};
template <>
struct Element<DType::i16> : PlainElement<std::int16_t> {};
template <>
struct Element<DType::i32> : PlainElement<std::int32_t> {};
template <>
struct Element<DType::i64> : PlainElement<std::int64_t> {};
template <>
struct Element<DType::u8> : PlainElement<std::uint8_t> {};
template <>
struct Element<DType::u16> : PlainElement<std::uint16_t> {};
template <>
struct Element<DType::u32> : PlainElement<std::uint32_t> {};
template <>
struct Element<DType::u64> : PlainElement<std::uint64_t> {};
template <>
struct Element<DType::boolean> {
  using Compute = bool;
  static bool load(const Tensor& tensor, std::int64_t i) { return tensor.at<std::uint8_t>(i) != 0; }
  static void store(Tensor& tensor, std::int64_t i, bool value) {
    tensor.set<std::uint8_t>(i, value ? 1 : 0);
  }
};
template <>
struct Element<DType::f16> {
  using Compute = float;
  static float load(const Tensor& tensor, std::int64_t i) {
    return f16_to_f32(tensor.at<std::uint16_t>(i));
  }
  static void store(Tensor& tensor, std::int64_t i, float value) {
    tensor.set<std::uint16_t>(i, f64_to_f16(value));
  }
};
template <>
struct Element<DType::bf16> {
  using Compute = float;
  static float load(const Tensor& tensor, std::int64_t i) {
    return bf16_to_f32(tensor.at<std::uint16_t>(i));
  }
  static void store(Tensor& tensor, std::int64_t i, float value) {
    tensor.set<std::uint16_t>(i, f64_to_bf16(value));
  }
};

/// Calls `visitor.template operator()<dtype>()` for a type known at run time.
template <class Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::f32:
      return visitor.template operator()<DType::f32>();
    case DType::f64:
      return visitor.template operator()<DType::f64>();
    case DType::f16:
      return visitor.template operator()<DType::f16>();
    case DType::bf16:
      return visitor.template operator()<DType::bf16>();
    case DType::i8:
      return visitor.template operator()<DType::i8>();
    case DType::i16:
      return visitor.template operator()<DType::i16>();
    case DType::i32:
      return visitor.template operator()<DType::i32>();
    case DType::i64:
      return visitor.template operator()<DType::i64>();
    case DType::u8:
      return visitor.template operator()<DType::u8>();
    case DType::u16:
      return visitor.template operator()<DType::u16>();
    case DType::u32:
      return visitor.template operator()<DType::u32>();
    case DType::u64:
      return visitor.template operator()<DType::u64>();
    case DType::boolean:
      return visitor.template operator()<DType::boolean>();
  }
  internal_error(__FILE__, __LINE__, "unknown element type");
}

}  // namespace ingot::ops
