// SPDX-License-Identifier: Apache-2.0
// Groups of nodes into kernels: bodies, views, stages.
#pragma once

#include "plan/cluster.h"
#include "plan/storage.h"

namespace ingot::plan {

/// Appends the kernels of all groups of a graph to a plan, and the buffers between them. Nothing
/// has an offset in the arena yet. Reductions of sizes that mention `apart` (may be empty) are not
/// joined with what follows them.
Expected<void> lower_nodes(const Graph& graph, const std::string& apart,
                           const Surroundings& surroundings, Ports ports, Plan& plan);

/// Appends the kernel of one group to the plan, or those of a loop; packs weights on the way.
Expected<void> lower_group(const Graph& graph, const Clusters& clusters, Storage& storage,
                           std::size_t group, Plan& plan);

/// The body of a loop, and what stands before and after it.
Expected<void> lower_loop(const Graph& graph, const Clusters& clusters, Storage& storage,
                          std::size_t group, Plan& plan);

/// A size that is measured.
Expected<void> lower_measure(const Graph& graph, const Clusters& clusters, Storage& storage,
                             std::size_t group, Plan& plan);

/// Where a value lies; sizes and coordinates, which lie nowhere, are written out by a kernel called
/// `name`.
Expected<Location> in_memory(const Graph& graph, const Clusters& clusters, Storage& storage,
                             std::size_t group, ValueId value, const std::string& name, Plan& plan);

/// Joins dimensions of a kernel's space that all its views walk alike, and drops those of size 1.
void collapse(Kernel& kernel);

}  // namespace ingot::plan
