// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Neighbours of each row of a batch, which exporters look up in all rows as one, are looked up in
/// their own row: then rows stay apart, and can be taken in blocks and by threads.
///
///     gather(reshape(x) to [N * n, ..], places + iota(N) * n)  ->  gather(x, places) {batch = 1}
///     where(i < 0, i + n, i)  ->  i                                where i is never below 0
///
/// Needs     constants folded.
/// Skips     indices that are not known to be within their row, such as a caller's: one beyond it
///           would have met another row, and must still do so.
/// Numerics  exact.
Expected<Graph> batch_gathers(const Graph& graph, Report& report);

inline constexpr PassInfo batch_gathers_pass{
    .name = "batch-gathers",
    .summary = "look neighbours up in their own row of a batch, not in all rows as one",
    .numerics = Numerics::exact,
    .run = batch_gathers,
};

}  // namespace ingot::passes
