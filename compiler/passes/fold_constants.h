// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Computes what depends on constants only, and sizes that are computed.
///
///     add(1, 2)                        ->  3
///     cast(slice(dims {N, 64}))        ->  dims {N}, or a number
///
/// Ensures   no node has constant operands only, if its result has at most 2^24 elements.
/// Skips     broadcasts of one value that would write it out; they stay a node.
/// Numerics  exact: the interpreter computes, with the graph's own arithmetic.
Expected<Graph> fold_constants(const Graph& graph, Report& report);

inline constexpr PassInfo fold_constants_pass{
    .name = "fold-constants",
    .summary = "compute what depends on constants and sizes only",
    .numerics = Numerics::exact,
    .run = fold_constants,
};

}  // namespace ingot::passes
