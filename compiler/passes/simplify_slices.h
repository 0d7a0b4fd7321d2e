// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Takes slices from where they come from, so that what stands between need not be stored.
///
///     slice(concat(x, y))              ->  slice(x)             where it lies within x
///     slice(abs(x + y))                ->  abs(slice(x) + slice(y))
///     concat(slice(x, 0, 2), slice(x, 2, 3))
///                                      ->  slice(x, 0, 5), or x, if that is all of it
///
/// Needs     gathers of known indices to be slices.
/// Skips     a concatenation that something else reads than slices within one part: its parts are
///           written right into it, and would then be stored by themselves; pointwise ops that
///           stand in a product's kernel, that are not read by slices alone, or whose slices
///           overlap; slices that are read where they lie.
/// Numerics  exact.
Expected<Graph> simplify_slices(const Graph& graph, Report& report);

inline constexpr PassInfo simplify_slices_pass{
    .name = "simplify-slices",
    .summary = "take slices from where they come from; join slices that lie side by side",
    .numerics = Numerics::exact,
    .run = simplify_slices,
};

}  // namespace ingot::passes
