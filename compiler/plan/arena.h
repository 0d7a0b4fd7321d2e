// SPDX-License-Identifier: Apache-2.0
// Offsets in one arena for regions of symbolic size, and who needs which bytes when.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace ingot::plan {

/// Bytes that are needed from kernel `first` to kernel `last`, both included.
struct Region {
  Dim bytes;
  int first = 0;
  int last = 0;
  Dim offset;  // result
};

/// Sets the offsets and gives the size of the arena. Regions that live at the same time never
/// overlap, whatever the symbols' values. Where all sizes are multiples of one expression they are
/// packed as numbers, by several orders of which the best wins; otherwise also by such expressions
/// one after the other, or each region above all neighbours placed before: what is best for calls
/// of 1 and 64. Monotone in every symbol.
Dim pack_arena(std::vector<Region>& regions, const SymbolRanges& ranges);

/// What any packing needs: the most bytes that one kernel finds alive.
Dim least_arena(const std::vector<Region>& regions, const SymbolRanges& ranges);

/// A size rounded up so that sums of sizes stay aligned: coefficients to 64 from 4,096 on, to 16
/// from 128 on, else to 8.
Dim align_bytes(const Dim& bytes);

/// The larger of two, as plain as their ranges allow.
Dim larger(const Dim& a, const Dim& b, const SymbolRanges& ranges);

/// Gives all buffers of the arena, and what kernels keep for themselves, their offsets: lifetimes
/// are those of the kernels' actual uses, and a result takes the place of an operand that is read
/// for the last time, element by element, where the result is written. Sets workspace_bytes and
/// least_bytes.
void place_in_arena(Plan& plan);

}  // namespace ingot::plan
