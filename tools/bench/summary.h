// SPDX-License-Identifier: Apache-2.0
// What a report comes to: who is how much faster than whom, and where time is lost. Every form of a
// report takes these from here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report.h"

namespace ingot::bench {

enum class Mode { hot, cold };
inline const char* name(Mode mode) { return mode == Mode::hot ? "hot" : "cold"; }

/// Null where there are none, or none that can be compared (not above zero).
const Figures* figures(const Result& result, Mode mode);

/// A variant of ours: "ingot v4".
bool is_ingot(const std::string& engine);

/// The names of all engines, ours first.
std::vector<std::string> engine_names(const Report& report);

/// Of those whose outputs don't differ; null if nothing was measured.
const Result* fastest(const Run& run, Mode mode);

/// Our fastest variant against the fastest of all others on one model at one size. Engines whose
/// outputs differ from the first one's take no part.
struct Contest {
  const ModelReport* model = nullptr;
  const Run* run = nullptr;
  const Result* ingot = nullptr;
  const Result* peer = nullptr;
  double ratio = 0;  // the peer's time by ours: above 1 we are faster
};

/// Of all runs in which both were measured, in the report's order.
std::vector<Contest> contests(const Report& report, Mode mode);

/// The numbers of events of all runs, ascending.
std::vector<std::int64_t> event_counts(const Report& report);

/// A model with less is mostly the cost of calling it, so means are taken apart.
constexpr std::uint64_t few_multiply_adds = 20'000;
inline bool is_small(const ModelReport& model) { return model.multiply_adds < few_multiply_adds; }

/// The geometric mean of the ratios of large or of small models at so many events.
struct Mean {
  double ratio = 0;
  int models = 0, won = 0;  // `won`: ratio above 1
};
Mean mean_ratio(const std::vector<Contest>& contests, std::int64_t events, bool small);

/// A kernel and how many times its limit it takes.
struct Distance {
  const ModelReport* model = nullptr;
  const Run* run = nullptr;
  const KernelFigures* kernel = nullptr;
  double factor = 0, share = 0;  // `share` of the call's time
};

/// The kernels furthest from their limit, furthest first, at the size where that is worst. Only
/// those with at least 5 % of their call and 1 us: below, the probe weighs as much as they do.
std::vector<Distance> furthest_kernels(const Report& report, std::size_t count);

}  // namespace ingot::bench
