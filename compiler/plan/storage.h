// SPDX-License-Identifier: Apache-2.0
// Where values lie: in the caller's memory, in a part of a concatenation, in the weights section,
// or in the arena, whose offsets are given later (plan/arena.h).
#pragma once

#include <map>
#include <vector>

#include "plan/cluster.h"
#include "plan/plan.h"

namespace ingot::plan {

struct Location {
  BufferId buffer = 0;
  Dim offset;                // in elements
  std::vector<Dim> strides;  // one per axis of the value
};

/// Where inputs and outputs of a graph lie.
struct Ports {
  std::vector<Location> inputs, outputs;
};

class Storage {
 public:
  /// Makes the buffers of all other stored values in `plan`.
  static Expected<Storage> make(const Graph& graph, const Clusters& clusters, Ports ports,
                                Plan& plan);

  const Location& location(ValueId value) const;
  /// Of a constant; puts it into the weights section when it is first asked for, as one element
  /// where all are alike.
  const Location& constant(const Graph& graph, ValueId value, Plan& plan);
  /// A buffer of one zero in the weights section.
  BufferId zero(DType dtype, Plan& plan);
  const Location& output(std::size_t number) const { return outputs_[number]; }

 private:
  std::vector<Location> locations_;  // by value
  std::vector<bool> known_;
  std::vector<Location> outputs_;
  std::map<DType, BufferId> zeros_;
};

std::vector<Dim> dense_strides(const Shape& shape);
/// All of a buffer.
Location dense_location(BufferId buffer, const Shape& shape);

}  // namespace ingot::plan
