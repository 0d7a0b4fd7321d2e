// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Drops what changes nothing, and joins moves that follow each other.
///
///     x * 1, x / 1, x - 0, x + 0       ->  x
///     reshape, transpose, broadcast, slice, cast, concat of one: to what x is already  ->  x
///     reshape(reshape(x)), transpose(transpose(x)), slice(slice(x))  ->  one of them
///     broadcast(x) + y                 ->  x + y, where that has the same shape; alike for every
///                                          pointwise op
///     broadcast(2) * 3                 ->  broadcast(2 * 3)
///     transpose(x) that moves axes of size 1 only   ->  reshape(x)
///     matmul(a, b, zeros)              ->  matmul(a, b); conv alike
///
/// Numerics  reassociates: -0 + 0 is 0, so x + 0 and a bias of zeros are not exact for x = -0.
Expected<Graph> drop_neutral(const Graph& graph, Report& report);

inline constexpr PassInfo drop_neutral_pass{
    .name = "drop-neutral",
    .summary = "drop operations and parameters that change nothing",
    .numerics = Numerics::reassociates,
    .run = drop_neutral,
};

}  // namespace ingot::passes
