// SPDX-License-Identifier: Apache-2.0
// What the sweeps demand of a compiled graph: the interpreter's bits for every number of rows and
// on every CPU level, and for each row the bits that it has alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "tensors.h"

namespace ingot::sweep {

struct RowsOptions {
  std::vector<int> levels;  // x86-64 levels to compile for and to run
  std::vector<std::int64_t> sizes{0, 1, 2,
                                  3, 7, 64};  // of N, the symbol that leads the inputs; ascending
  std::map<std::string, std::int64_t, std::less<>> others;  // the other symbols' values
  std::vector<SymbolValues> variants;  // compiled for, and taken by calls that fit them
  std::vector<Graph> beside;           // models before this one in one object with it
  plan::PlanOptions plan;              // small blocks and small forks have their bits too
  bool rows = true;                    // rows of N are independent of each other
  std::uint64_t seed = 1;              // of the inputs
  /// If not empty, the inputs are these, their rows over and over, instead of random numbers: for
  /// models that only take some, e.g. as indices.
  std::vector<Tensor> inputs;
};

/// Levels that this machine runs: 4 and 3, and 2 where the graph is strict.
std::vector<int> levels_of(const Graph& graph);

/// Compiles `imported` through every stage to a shared object, loads it and calls it through the C
/// ABI, on 1, 2 and 3 threads; up to 7 rows the plan is interpreted as well, and must give the same
/// bits. All sizes are calls on the first rows of the same inputs, among which some rows hold huge,
/// tiny and special numbers. A graph without N is called with one size. Memory around outputs and
/// workspace must stay untouched. Returns what was wrong, at most a few lines; empty if nothing.
std::vector<std::string> check_rows(const Graph& imported, const RowsOptions& options);

/// Runs the passes one by one over inputs of moderate numbers, or those given. One that is exact
/// must keep every bit; with `smooth`, one that reassociates must stay within 1e-6 of the values'
/// size.
std::vector<std::string> check_passes(const Graph& imported, bool smooth, std::uint64_t seed,
                                      const std::vector<Tensor>& inputs = {});

}  // namespace ingot::sweep
