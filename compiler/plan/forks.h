// SPDX-License-Identifier: Apache-2.0
// Branches of a model that do not depend on one another: calls of one row are split over threads
// by them.
#pragma once

#include "plan/plan.h"

namespace ingot::plan {

/// Finds forks among the kernels that stand in no inner block, orders their kernels part by part,
/// the most work first, and places the arena again. A fork that would make that larger is left out,
/// and one of which not two parts have `part_work` operations at one row.
void make_forks(Plan& plan, std::int64_t part_work);

/// By buffer: whether only one part of one fork uses it. Tasks then have one each.
std::vector<bool> buffers_of_parts(const Plan& plan);

/// The fork that a kernel stands in, or null.
const Fork* fork_of(const Plan& plan, std::uint32_t kernel);

/// The most parts that a fork has; 1 without forks.
std::uint32_t most_parts(const Plan& plan);

}  // namespace ingot::plan
