// SPDX-License-Identifier: Apache-2.0
#include "summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "order.h"
#include "statistics.h"

namespace ingot::bench {

const Figures* figures(const Result& result, Mode mode) {
  const std::optional<Figures>& found = mode == Mode::hot ? result.hot : result.cold;
  return found && std::isfinite(found->median) && found->median > 0 ? &*found : nullptr;
}

bool is_ingot(const std::string& engine) { return engine.starts_with("ingot"); }

std::vector<std::string> engine_names(const Report& report) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& name) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  };
  for (const EngineReport& engine : report.engines) add(engine.name);
  for (const ModelReport& model : report.models)
    for (const Run& run : model.runs)
      for (const Result& result : run.results) add(result.engine);
  sort_stably(
      all, [](const std::string& a, const std::string& b) { return is_ingot(a) && !is_ingot(b); });
  return all;
}

namespace {

template <class Accept>
const Result* fastest_of(const Run& run, Mode mode, Accept accept) {
  const Result* best = nullptr;
  for (const Result& result : run.results) {
    const Figures* found = figures(result, mode);
    // What computes something else has no time to compare.
    if (found != nullptr && result.agreement != "differs" && accept(result) &&
        (best == nullptr || found->median < figures(*best, mode)->median))
      best = &result;
  }
  return best;
}

}  // namespace

const Result* fastest(const Run& run, Mode mode) {
  return fastest_of(run, mode, [](const Result&) { return true; });
}

std::vector<Contest> contests(const Report& report, Mode mode) {
  std::vector<Contest> all;
  for (const ModelReport& model : report.models) {
    for (const Run& run : model.runs) {
      const Result* ours =
          fastest_of(run, mode, [](const Result& result) { return is_ingot(result.engine); });
      const Result* peer =
          fastest_of(run, mode, [](const Result& result) { return !is_ingot(result.engine); });
      if (ours == nullptr || peer == nullptr) continue;
      all.push_back(
          {&model, &run, ours, peer, figures(*peer, mode)->median / figures(*ours, mode)->median});
    }
  }
  return all;
}

std::vector<std::int64_t> event_counts(const Report& report) {
  std::set<std::int64_t> counts;
  for (const ModelReport& model : report.models)
    for (const Run& run : model.runs) counts.insert(run.events);
  return {counts.begin(), counts.end()};
}

Mean mean_ratio(const std::vector<Contest>& contests, std::int64_t events, bool small) {
  Mean mean;
  std::vector<double> ratios;
  for (const Contest& contest : contests) {
    if (contest.run->events != events || is_small(*contest.model) != small) continue;
    ratios.push_back(contest.ratio);
    mean.won += contest.ratio > 1 ? 1 : 0;
  }
  mean.models = static_cast<int>(ratios.size());
  mean.ratio = geometric_mean(ratios);
  return mean;
}

std::vector<Distance> furthest_kernels(const Report& report, std::size_t count) {
  std::vector<Distance> all;
  for (const ModelReport& model : report.models) {
    std::map<std::string, Distance> worst;  // by name of the kernel
    for (const Run& run : model.runs) {
      if (!run.profile || !(run.profile->total_us > 0)) continue;
      for (const KernelFigures& kernel : run.profile->kernels) {
        const Distance found{&model, &run, &kernel, kernel.us / kernel.limit_us,
                             kernel.us / run.profile->total_us};
        const bool counts = kernel.limit_us > 0 && kernel.us >= 1 && found.share >= 0.05;
        Distance& known = worst[kernel.name];
        if (counts && found.factor > known.factor) known = found;
      }
    }
    for (const auto& [kernel, found] : worst)
      if (found.kernel != nullptr) all.push_back(found);
  }
  sort_stably(all, [](const Distance& a, const Distance& b) { return a.factor > b.factor; });
  all.resize(std::min(all.size(), count));
  return all;
}

}  // namespace ingot::bench
