// SPDX-License-Identifier: Apache-2.0
// A pass: graph in, graph out, with a stated effect on roundings that tests hold it to.
#pragma once

#include <functional>
#include <limits>
#include <map>
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

/// A place where a user would expect a pass to fire, and why it did not.
struct Missed {
  std::string node;
  std::string reason;
  friend bool operator==(const Missed&, const Missed&) = default;
};

/// What a pass has to say of one run, and how many rewrites it is still allowed.
struct Report {
  int times = 0;  // how often it fired
  int limit = std::numeric_limits<int>::max();
  std::int64_t dropped_bytes = 0;  // of parameters that changed nothing
  // Layers, as users call them ("Tensordot"): those put together again, and those that are fine as
  // they are and only counted.
  std::map<std::string_view, int> recovered, recognised;
  std::vector<Missed> missed;

  /// Asked when all else is decided: whether one more rewrite may happen, which is then counted.
  bool fire() {
    if (times >= limit) return false;
    ++times;
    return true;
  }
  void miss(const Graph& graph, const Node& node, std::string reason) {
    missed.push_back({graph.describe(node), std::move(reason)});
  }
};

struct PassInfo {
  std::string_view name;
  std::string_view summary;
  Numerics numerics;
  Expected<Graph> (*run)(const Graph&, Report&);
  /// Later stages rely on it: it can be neither disabled nor limited.
  bool required = false;
  /// What it leaves hides from others what they look for: it waits until none of them fires.
  bool late = false;
};

/// How large a graph is: what is counted before and after a pass.
struct Extent {
  std::size_t nodes = 0, values = 0;
  std::int64_t constant_bytes = 0;  // as stored: a splat is one element
  friend bool operator==(const Extent&, const Extent&) = default;
};
Extent measure(const Graph& graph);

/// One line of the log of optimize().
struct Applied {
  std::string_view pass;
  Numerics numerics;
  int round = 0;  // from 0; the passes are repeated while one of them fires
  Report report;
  Extent before, after;
  double milliseconds = 0;
};

struct Options {
  std::vector<std::string> disabled;               // names of passes
  int limit = std::numeric_limits<int>::max();     // only so many rewrites in all: for bisecting
  std::function<void(const Applied&)> trace = {};  // called after each pass
  /// Asked after each pass whether what it made is right; a failure ends optimize().
  std::function<Expected<void>(const Graph&, std::string_view pass)> check = {};
};

/// All passes, by name.
std::span<const PassInfo> all_passes();
const PassInfo* find_pass(std::string_view name);

/// Front door: all passes, in the order of pipeline.cpp. Errors: a disabled pass that does not
/// exist or is required.
Expected<Graph> optimize(const Graph& graph, const Options& options = {},
                         std::vector<Applied>* log = nullptr);

/// `13 Tensordot, 15 batch norms; 594 nodes to 41; 18.8 kB of neutral parameters dropped`.
std::string summary(std::span<const Applied> log);

}  // namespace ingot::passes
