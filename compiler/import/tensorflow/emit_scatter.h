// SPDX-License-Identifier: Apache-2.0
// Ops about places that are data: the first in order, scatters, and segments.
#pragma once

#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {

/// TopK and TopKV2.
std::vector<ValueId> top_k(NodeContext& n);
std::vector<ValueId> scatter_nd(NodeContext& n);
/// TensorScatterUpdate and its kin; the row's core op says how updates meet what is there.
std::vector<ValueId> tensor_scatter(NodeContext& n);
/// UnsortedSegmentSum and its kin, alike.
std::vector<ValueId> unsorted_segments(NodeContext& n);
std::vector<ValueId> segments(NodeContext& n);

}  // namespace ingot::tensorflow
