// SPDX-License-Identifier: Apache-2.0
// Blocks along an axis within a row, for models one row of which is long: e.g. 4,500 candidates
// that pass through dense layers before they are summed. The dense layers then run in blocks of
// candidates, and the sum goes on from block to block.
#pragma once

#include "plan/plan.h"

namespace ingot::plan {

/// An axis of `graph`, whose size is a number, in blocks; none where there is no axis that all
/// values keep until it is reduced in order. The graph has one row: its batch is 1. The arena is
/// not placed yet.
struct InnerBlocks {
  Plan plan;
  Block block;
};
Expected<std::optional<InnerBlocks>> block_inner_axis(const Graph& graph);

/// Kernels and buffers of a graph, nothing placed. Reductions of sizes that mention `apart` (may be
/// empty) are not joined with what follows them.
Expected<Plan> lower_graph(const Graph& graph, const std::string& apart);

}  // namespace ingot::plan
