// SPDX-License-Identifier: Apache-2.0
// What every graph must be, whoever built it; run after each pass in tests and on request.
#pragma once

#include "base/expected.h"
#include "ir/graph.h"

namespace ingot {

/// Checks that
/// - symbols have proper names, each once, ranges that are not empty, and every dimension, wherever
///   it stands, is made of declared symbols, not overflowed, and not a negative number,
/// - inputs and outputs have names, each once, and outputs are values of the graph,
/// - constants have the type that their value claims, and what can be a splat is one,
/// - nodes stand after what they read, their attributes fit the op's schema, their results have
///   the types that the op infers, and the constraints that it asks for are the graph's.
/// An error is a bug of whoever built the graph (ErrorCode::internal) and names the place.
Expected<void> verify(const Graph& graph);

}  // namespace ingot
