// SPDX-License-Identifier: Apache-2.0
// Pinned plans: the same graph planned for some values of its symbols alone, to stand beside the
// plan of all values and to read the same weights.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace ingot::plan {

/// Of a plan, pinned ones, those with the most pins first: a call turns to the first that it fits.
struct Plans {
  Plan whole;
  std::vector<Plan> pinned;
};

/// The graph of a call with these values, for make_pinned_plan(). No rewrite is made because a size
/// is known, so that it rounds as `graph` does. A symbol whose rows `whole` takes in blocks of
/// fewer than the value keeps its name, and so its blocks.
/// Errors: no such symbol, a value outside of its range, or one that breaks a constraint.
Expected<Graph> pin(const Graph& graph, const Plan& whole, const SymbolValues& pins);

/// The plan of what pin() gave. It has the symbols and constraints of `whole`, in that order, so
/// that calls of the two look alike; the range of a pinned symbol is its value.
Expected<Plan> make_pinned_plan(const Graph& pinned, const Plan& whole, const SymbolValues& pins,
                                const PlanOptions& options);

/// The symbols of one value, as positions in plan.symbols.
std::vector<std::uint32_t> pins_of(const Plan& plan);
/// "N=1,n_pf=50".
std::string pins_text(const Plan& plan);

}  // namespace ingot::plan
