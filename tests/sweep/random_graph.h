// SPDX-License-Identifier: Apache-2.0
// Random dense graphs, for the sweep that holds compiled code to the interpreter.
#pragma once

#include <cstdint>
#include <functional>

#include "ir/graph.h"

namespace ingot::sweep {

struct RandomGraph {
  Graph graph;
  /// Every value has the batch N as its leading axis and no op mixes rows of it, so that row i of
  /// the outputs depends on row i of the inputs alone.
  bool rows = true;
};

/// The graph of a seed, always the same. Symbols: N in [0, 1000], and sometimes k in [0, 6].
/// About a third of the graphs are strict, and a quarter mix rows.
///
/// Some layers of dense networks as importers write them, with pointwise ops of all kinds, moves,
/// reductions and casts between them. Errors of the graph are bugs of the generator or of an op's
/// type rule, and are thrown as InternalError.
RandomGraph random_graph(std::uint64_t seed);

/// The same kind of graph over f64, made of smooth functions of moderate values only, so that
/// passes that reassociate change its results by roundings and nothing else.
RandomGraph smooth_graph(std::uint64_t seed);

/// How large a random graph may become.
struct GraphSize {
  int steps = 17;
  std::int64_t width = 70;  // of inputs and layers
};

/// A graph of either kind whose every decision takes a number, of 16 bits at least, from `decide`;
/// the numbers in its constants follow from the seed.
RandomGraph random_graph(const std::function<std::uint64_t()>& decide, std::uint64_t seed,
                         bool smooth, GraphSize most = {});

}  // namespace ingot::sweep
