// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Common subexpressions: of nodes with the same op, operands and attributes, the first stays.
///
/// Ensures   no two nodes compute the same by the same op.
/// Numerics  exact.
Expected<Graph> merge_equal(const Graph& graph, Report& report);

inline constexpr PassInfo merge_equal_pass{
    .name = "merge-equal",
    .summary = "compute equal expressions once",
    .numerics = Numerics::exact,
    .run = merge_equal,
};

}  // namespace ingot::passes
