// SPDX-License-Identifier: Apache-2.0
// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ingot {

/// The numbers are those of ingot_dtype in <ingot/abi.h>.
enum class DType : std::uint8_t {
  f32 = 1,
  f64 = 2,
  f16 = 3,
  bf16 = 4,
  i8 = 5,
  i16 = 6,
  i32 = 7,
  i64 = 8,
  u8 = 9,
  u16 = 10,
  u32 = 11,
  u64 = 12,
  boolean = 13,  // one byte, 0 or 1
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;       // in text forms and on the command line
  std::string_view long_name;  // numpy's name, as model.json and --input use it
  std::size_t bytes;
  bool is_float, is_integer, is_signed;
};

const DTypeInfo& info(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);  // either name

inline std::string_view name(DType dtype) { return info(dtype).name; }
inline std::size_t bytes_of(DType dtype) { return info(dtype).bytes; }
inline bool is_float(DType dtype) { return info(dtype).is_float; }
inline bool is_integer(DType dtype) { return info(dtype).is_integer; }
inline bool is_signed(DType dtype) { return info(dtype).is_signed; }

}  // namespace ingot
