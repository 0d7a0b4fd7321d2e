// SPDX-License-Identifier: Apache-2.0
// Offsets in one arena for blocks of symbolic size.
#pragma once

#include <vector>

#include "ir/dim.h"

namespace ingot::plan {

/// Bytes that are needed from kernel `first` to kernel `last`, both included.
struct Region {
  Dim bytes;
  int first = 0;
  int last = 0;
  Dim offset;  // result
};

/// Sets the offsets and gives the size of the arena. Blocks that live at the same time never
/// overlap, whatever the symbols' values: the order of packing is fixed (largest first, at every
/// symbol's upper end or 4,096, whichever is less), and each offset is an expression that lies
/// above all neighbours placed before. Monotone in every symbol.
Dim pack_arena(std::vector<Region>& blocks, const SymbolRanges& ranges);

/// A size rounded up so that sums of sizes stay aligned: constants to 64 bytes; the coefficients of
/// symbols to 64, or to 16 where they are below 512.
Dim align_bytes(const Dim& bytes);

/// The larger of two, as plain as their ranges allow.
Dim larger(const Dim& a, const Dim& b, const SymbolRanges& ranges);

}  // namespace ingot::plan
