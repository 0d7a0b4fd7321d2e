// SPDX-License-Identifier: Apache-2.0
// Which element of a row kernel is computed in which pass over the row.
#pragma once

#include <map>
#include <vector>

#include "plan/cluster.h"
#include "plan/plan.h"

namespace ingot::plan {

struct RowStages {
  struct Stage {
    std::vector<NodeId> stored;  // elements that are written to memory in this stage
    NodeId reduction;            // the row's reduction, if any
    ValueId kept;                // an element that later stages need again, if any
  };
  std::vector<Stage> stages;
  std::vector<NodeId> finish;  // values of whole rows that are written to memory

  /// How stage `stage` (or the finish, when it is the number of stages) gets at a value that an
  /// earlier stage has made; none: it computes the value itself.
  std::optional<Step> internal(const Graph& graph, ValueId value, std::size_t stage) const;

  std::map<ValueId, std::size_t> reduced_in;  // results of reductions
  std::map<ValueId, std::size_t> kept_in;
};

RowStages assign_stages(const Graph& graph, const Clusters& clusters, const Group& group,
                        int number);

}  // namespace ingot::plan
