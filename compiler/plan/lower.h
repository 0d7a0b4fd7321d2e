// SPDX-License-Identifier: Apache-2.0
// Groups of nodes into kernels: bodies, views, stages.
#pragma once

#include "plan/cluster.h"
#include "plan/storage.h"

namespace ingot::plan {

/// Appends the kernel of one group to the plan; packs weights on the way. Nothing has an offset in
/// the arena yet.
Expected<void> lower_group(const Graph& graph, const Clusters& clusters, Storage& storage,
                           std::size_t group, Plan& plan);

/// Joins dimensions of a kernel's space that all its views walk alike, and drops those of size 1.
void collapse(Kernel& kernel);

}  // namespace ingot::plan
