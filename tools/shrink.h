// SPDX-License-Identifier: Apache-2.0
// Makes a graph smaller while it still shows something: what `ingot reduce` does.
#pragma once

#include <functional>
#include <string_view>

#include "ir/graph.h"

namespace ingot::tools {

struct ShrinkOptions {
  /// Whether a smaller graph still shows what is looked for. It is sound, as verify() means it.
  std::function<bool(const Graph&)> interesting;
  /// Called after each step that went well, with what was done.
  std::function<void(const Graph&, std::string_view)> progress;
};

/// Takes nodes away, cutting what they computed off as inputs; replaces values by operands and
/// constants; drops operands, pins symbols, lowers sizes, and last of all forgets names. Repeated
/// until nothing goes any more. `graph` itself is interesting.
Graph shrink(Graph graph, const ShrinkOptions& options);

}  // namespace ingot::tools
