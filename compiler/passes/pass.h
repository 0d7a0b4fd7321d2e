// SPDX-License-Identifier: Apache-2.0
// A pass: graph in, graph out, with a stated effect on roundings that tests hold it to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ingot::passes {

/// exact: every result keeps its bits. reassociates: the same formula over real numbers, summed or
/// scaled in another order. approximates: another formula.
enum class Numerics : std::uint8_t { exact, reassociates, approximates };
std::string_view name(Numerics numerics);

/// What a pass has to say of one run.
struct Report {
  int times = 0;  // how often it fired
};

struct PassInfo {
  std::string_view name;
  std::string_view summary;
  Numerics numerics;
  Expected<Graph> (*run)(const Graph&, Report&);
};

/// One line of the log of optimize().
struct Applied {
  std::string_view pass;
  Numerics numerics;
  int times = 0;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  double milliseconds = 0;
};

/// All passes, by name.
std::span<const PassInfo> all_passes();
const PassInfo* find_pass(std::string_view name);

/// Front door: all passes, in the order of pipeline.cpp.
Expected<Graph> optimize(const Graph& graph, std::vector<Applied>* log = nullptr);

}  // namespace ingot::passes
