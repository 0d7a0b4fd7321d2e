// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Computes products of one operand with several constant matrices as one product, whose columns
/// are those of all: the operand is read once, and narrow ones share the width of a register.
///
///     matmul(x, v, b), matmul(x, w, c)           ->  y = matmul(x, [v w], [b c]), and slices of y
///     tanh(matmul(x, v) * s), tanh(matmul(x, w) * t)
///                                                ->  slices of tanh(matmul(x, [v w]) * [s t])
///
/// Convolutions with the same window alike. What follows each of them, and is pointwise with
/// constants per column, goes along.
///
/// Needs     all else to be done: a slice stands between product and scale where it fired.
/// Skips     products with different chains; those that are not followed by the same pointwise ops;
///           those of which a part would then have to be copied or read once more: because a
///           pointwise op, which would have been computed in the product's kernel, an output, or
///           a concatenation, into which it would have been written, reads one but not the others
///           at its side, or a reshape that mixes rows and columns.
/// Numerics  exact: a column's sum knows nothing of its neighbours. A bias that only some have is 0
///           for the others, which is where their sums start anyway.
Expected<Graph> join_products(const Graph& graph, Report& report);

inline constexpr PassInfo join_products_pass{
    .name = "join-products",
    .summary = "compute products that share an operand, and what follows all of them, as one",
    .numerics = Numerics::exact,
    .run = join_products,
    .late = true,
};

}  // namespace ingot::passes
