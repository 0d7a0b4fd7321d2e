// SPDX-License-Identifier: Apache-2.0
// What must hold of every graph, however it came about: passes, plan and text form keep its
// meaning.
#pragma once

#include <cstdint>
#include <string>

#include "ir/graph.h"

namespace ingot::fuzz {

/// Verifies, prints and reads back, optimizes and plans a graph; and where interpreting it takes
/// moments, on inputs made up from `seed`: each exact pass keeps every bit, with `smooth` others
/// keep what they are about, and the plan that is read back from its text computes what the graph
/// does. Empty, or what is wrong. Passes and plans may refuse a graph.
std::string broken_promise(const Graph& imported, std::uint64_t seed, bool smooth = false);

}  // namespace ingot::fuzz
