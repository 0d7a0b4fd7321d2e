// SPDX-License-Identifier: Apache-2.0
// The definition of a model's self-test: which inputs a seed stands for, and what is hashed of the
// outputs. The compiler computes the hash with it, and whoever calls the model checks it with it.
// Part of every generated header.
#ifndef INGOT_SELF_TEST_1
#define INGOT_SELF_TEST_1

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <ingot/abi.h>

namespace ingot {
inline namespace face_1 {

/// Bytes of one element of an ingot_dtype; 0 for one that is not known.
inline std::size_t element_bytes(std::int32_t dtype) noexcept {
  switch (dtype) {
    case ::ingot_abi_1_0::INGOT_I8:
    case ::ingot_abi_1_0::INGOT_U8:
    case ::ingot_abi_1_0::INGOT_BOOL:
      return 1;
    case ::ingot_abi_1_0::INGOT_F16:
    case ::ingot_abi_1_0::INGOT_BF16:
    case ::ingot_abi_1_0::INGOT_I16:
    case ::ingot_abi_1_0::INGOT_U16:
      return 2;
    case ::ingot_abi_1_0::INGOT_F32:
    case ::ingot_abi_1_0::INGOT_I32:
    case ::ingot_abi_1_0::INGOT_U32:
      return 4;
    case ::ingot_abi_1_0::INGOT_F64:
    case ::ingot_abi_1_0::INGOT_I64:
    case ::ingot_abi_1_0::INGOT_U64:
      return 8;
    default:
      return 0;
  }
}

/// Number `index` of the sequence that `seed` starts: Steele, Lea and Flood's splitmix64. Numbers
/// are counted from 0 over all elements of the first input, then of the second, and so on.
inline std::uint64_t self_test_number(std::uint64_t seed, std::uint64_t index) noexcept {
  std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// Writes `count` elements, dense and in order, from number `first` on. With z the number:
///   f32   ((z >> 40) - 2^23) / 2^23      in [-1, 1), exact like all of these
///   f64   ((z >> 11) - 2^52) / 2^52
///   f16   ((z >> 53) - 2^10) / 2^10
///   bf16  ((z >> 56) - 2^7) / 2^7
///   integers and booleans  z >> 63       0 or 1, valid as an index wherever two exist
/// Needs: a dtype of ingot_dtype.
inline void self_test_fill(std::int32_t dtype, std::uint64_t seed, std::uint64_t first, void* data,
                           std::size_t count) noexcept {
  const std::size_t bytes = element_bytes(dtype);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t z = self_test_number(seed, first + i);
    std::uint64_t bits = z >> 63;
    if (dtype == ::ingot_abi_1_0::INGOT_F64) {
      const auto centred = static_cast<std::int64_t>(z >> 11) - (std::int64_t{1} << 52);
      const double value = static_cast<double>(centred) * 0x1p-52;
      std::memcpy(&bits, &value, sizeof value);
    } else if (dtype == ::ingot_abi_1_0::INGOT_F32 || dtype == ::ingot_abi_1_0::INGOT_BF16) {
      const int drop = dtype == ::ingot_abi_1_0::INGOT_F32 ? 40 : 56;
      const auto centred = static_cast<std::int32_t>(z >> drop) - (std::int32_t{1} << (63 - drop));
      const float value = static_cast<float>(centred) / static_cast<float>(1 << (63 - drop));
      std::uint32_t word = 0;
      std::memcpy(&word, &value, sizeof value);
      bits = drop == 40 ? word : word >> 16;
    } else if (dtype == ::ingot_abi_1_0::INGOT_F16) {
      const auto centred = static_cast<std::int32_t>(z >> 53) - 1024;
      auto magnitude = static_cast<std::uint32_t>(centred < 0 ? -centred : centred);
      std::uint32_t exponent = magnitude == 0 ? 0 : 15;
      while (magnitude != 0 && magnitude < 1024) {
        magnitude <<= 1;
        --exponent;
      }
      bits = (centred < 0 ? 0x8000U : 0U) | (exponent << 10) | (magnitude & 0x3FFU);
    }
    // Little-endian: the low bytes of `bits` are the element.
    std::memcpy(static_cast<unsigned char*>(data) + i * bytes, &bits, bytes);
  }
}

/// FNV-1a, 64 bits, over the outputs: first each data-dependent symbol's true value as eight bytes,
/// in the order of the symbols, then the elements of each output, dense and in order, as their
/// little-endian bytes, with every NaN as the quiet one of positive sign and no payload.
class SelfTestHash {
 public:
  void add_symbol(std::int64_t value) noexcept {
    add_bytes(static_cast<std::uint64_t>(value), sizeof value);
  }

  void add(std::int32_t dtype, const void* data, std::size_t count) noexcept {
    const std::size_t bytes = element_bytes(dtype);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, static_cast<const unsigned char*>(data) + i * bytes, bytes);
      add_bytes(without_payload(dtype, bits), bytes);
    }
  }

  std::uint64_t value() const noexcept { return hash_; }

 private:
  static std::uint64_t without_payload(std::int32_t dtype, std::uint64_t bits) noexcept {
    std::uint64_t infinity = 0, quiet = 0, sign = 0;
    switch (dtype) {
      case ::ingot_abi_1_0::INGOT_F32:
        infinity = 0x7F800000U, quiet = 0x00400000U, sign = 0x80000000U;
        break;
      case ::ingot_abi_1_0::INGOT_F64:
        infinity = 0x7FF0000000000000U, quiet = 0x0008000000000000U, sign = 0x8000000000000000U;
        break;
      case ::ingot_abi_1_0::INGOT_F16:
        infinity = 0x7C00U, quiet = 0x0200U, sign = 0x8000U;
        break;
      case ::ingot_abi_1_0::INGOT_BF16:
        infinity = 0x7F80U, quiet = 0x0040U, sign = 0x8000U;
        break;
      default:
        return bits;
    }
    return (bits & ~sign) > infinity ? infinity | quiet : bits;
  }

  void add_bytes(std::uint64_t bits, std::size_t bytes) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) {
      hash_ = (hash_ ^ ((bits >> (8 * i)) & 0xFFU)) * 0x100000001B3U;
    }
  }

  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace face_1
}  // namespace ingot
#endif
