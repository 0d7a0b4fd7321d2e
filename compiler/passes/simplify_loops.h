// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// What goes in and out of a loop is what it needs, and what is needed of it.
///
///     scan(h, x, {weights})         ->  scan(h, x)         with the weights in its body, where
///     they
///                                                          can be packed
///     a, b = scan(..)               ->  a = scan(..)       where nobody reads the stacked b
///     scan(h, x, y)                 ->  scan(h, x)         where the body does not read y
///     a', h' = scan(a, h)           ->  h' = scan(h, a)    where the body hands a on as it is
///
/// Skips     what is carried and read by nobody: the body may need it.
/// Numerics  exact.
Expected<Graph> simplify_loops(const Graph& graph, Report& report);

inline constexpr PassInfo simplify_loops_pass{
    .name = "simplify-loops",
    .summary = "move constants into loops; drop what loops neither read nor are asked for",
    .numerics = Numerics::exact,
    .run = simplify_loops,
};

}  // namespace ingot::passes
