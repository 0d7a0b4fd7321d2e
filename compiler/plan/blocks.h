// SPDX-License-Identifier: Apache-2.0
// Blocks of rows: so that the workspace of a call stops growing with its rows, and so that calls
// can be split over threads.
#pragma once

#include "plan/plan.h"

namespace ingot::plan {

inline constexpr std::int64_t most_block_rows = 1024;

/// Puts all kernels into blocks of rows of the first symbol whose rows are independent and lead
/// every tensor that has them, and places the arena. The rows of a block are a power of two that
/// follows from the plan alone. Without such a symbol nothing but the arena is done.
void make_blocks(Plan& plan, std::int64_t budget);

/// Makes a plan of a single row, all of whose kernels stand in no block or in `inner`, one of the
/// rows of `whole`: an outer block of one row where that has blocks. Sets the size of `inner`.
void make_nested_blocks(Plan& plan, const Plan& whole, Block inner, std::int64_t budget);

/// A name that no symbol of the plan has.
std::string fresh_symbol(const Plan& plan, const std::string& wanted);

/// Of a call of so many rows whose other sizes are usual ones: the bytes of the arena, or what any
/// packing of it needs.
std::int64_t bytes_at(const Plan& plan, std::int64_t rows);
std::int64_t least_bytes_at(const Plan& plan, std::int64_t rows);

/// Whether all kernels stand in one block: its rows can be computed in any order, in any parts.
bool in_one_block(const Plan& plan);

/// By buffer: no kernel outside of the block touches it.
std::vector<bool> local_buffers(const Plan& plan, const Block& block);

/// Elements of a caller's tensor from row to row of a block's extent.
Dim row_elements(const Buffer& buffer, const Block& block);

/// What a kernel does in all its blocks of a call. `per_block`: what it does in one, in the blocks'
/// own symbols.
Dim in_all(const Plan& plan, const Kernel& kernel, Dim per_block);
/// The same for the largest block of a call.
Dim in_a_block(const Plan& plan, Dim per_block);

}  // namespace ingot::plan
