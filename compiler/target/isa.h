// SPDX-License-Identifier: Apache-2.0
// What code generation knows of an instruction set: names, vector sizes and what it can do. No LLVM
// type in it.
#pragma once

#include <string_view>

#include "ir/dtype.h"

namespace ingot::target {

/// One x86-64 level of the psABI.
struct Isa {
  int level = 3;
  std::string_view name;       // "v3": suffix of function names and name of the variant
  std::string_view cpu;        // LLVM's target-cpu
  unsigned vector_bytes = 32;  // of the widest register
  unsigned vector_registers = 16;
  bool has_fma = true;
  bool has_f16c = true;         // converts binary16 in hardware
  bool has_masks = true;        // masked loads and stores of 32- and 64-bit elements
  bool has_byte_masks = false;  // and of 8- and 16-bit ones

  /// Elements of a type in one vector register.
  unsigned lanes(DType dtype) const {
    return vector_bytes / static_cast<unsigned>(bytes_of(dtype));
  }
};

/// Null for a level that there is not. Levels are 2, 3, 4.
const Isa* find_isa(int level);

}  // namespace ingot::target
