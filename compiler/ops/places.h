// SPDX-License-Identifier: Apache-2.0
// What is known of integers that choose places: coordinates, sizes, and what was found by order.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace ingot::ops {

/// The element at a point is offset + sum of strides * coordinates, which no type has wrapped.
struct Affine {
  Dim offset;
  std::vector<Dim> strides;  // one per axis
};
std::optional<Affine> affine_of(const Graph& graph, ValueId value);

/// All elements are within, both included, whatever a call brings.
struct Bounds {
  Dim least, greatest;
};
std::optional<Bounds> bounds_of(const Graph& graph, ValueId value);

/// Whether all elements are places of an axis of this size.
bool are_places(const Graph& graph, ValueId value, const Dim& size);

}  // namespace ingot::ops
