// SPDX-License-Identifier: Apache-2.0
// What small integer tensors contain, as expressions over symbols: how shapes that a model computes
// (Shape, Gather, Mul, Concat, Reshape) become types.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ingot::ops {

/// The elements, in row-major order, of an integer or bool tensor of at most 1,024 elements that
/// depends on constants and sizes only; none where it depends on data. Shapes divide by sizes that
/// are zero for no call that means anything: (64*N) / N is 64. `exact`: none, too, where a divisor
/// may be zero, since an integer divided by zero is 0.
std::optional<std::vector<Dim>> known_dims(const Graph& graph, ValueId value, bool exact = false);

/// The tensor, where it depends on constants only; none where it depends on inputs or sizes, or
/// has more than 2^24 elements.
std::optional<Tensor> known_constant(const Graph& graph, ValueId value);

}  // namespace ingot::ops
