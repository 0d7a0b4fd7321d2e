// SPDX-License-Identifier: Apache-2.0
#include "repeats.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "order.h"
#include "text.h"

namespace ingot::bench {
namespace {

template <class T, class Same>
T& find_or_add(std::vector<T>& all, const T& wanted, Same same) {
  const auto found = std::find_if(all.begin(), all.end(), same);
  return found != all.end() ? *found : all.emplace_back(wanted);
}

/// Of the same model, size, engine and mode in several reports.
using Repeated = std::vector<const Figures*>;

void take_median(std::optional<Figures>& into, Repeated repeated) {
  if (repeated.empty()) return;
  const auto middle = repeated.begin() + static_cast<std::ptrdiff_t>((repeated.size() - 1) / 2);
  std::nth_element(repeated.begin(), middle, repeated.end(),
                   [](const Figures* a, const Figures* b) { return a->median < b->median; });
  into = **middle;
}

void merge_run(Run& run, const std::vector<const Run*>& all) {
  for (const Run* other : all) {
    if (!run.profile) run.profile = other->profile;
    for (const Result& result : other->results)
      find_or_add(run.results, result, [&](const Result& r) { return r.engine == result.engine; });
  }
  for (Result& result : run.results) {
    Repeated hot, cold;
    for (const Run* other : all) {
      for (const Result& repeat : other->results) {
        if (repeat.engine != result.engine) continue;
        // One that failed once and not always is shown as measured, with its last doubt.
        if (repeat.error.empty() && !result.error.empty()) result = repeat;
        if (repeat.hot) hot.push_back(&*repeat.hot);
        if (repeat.cold) cold.push_back(&*repeat.cold);
        if (!repeat.doubt.empty()) result.doubt = repeat.doubt;
      }
    }
    take_median(result.hot, hot);
    take_median(result.cold, cold);
  }
}

}  // namespace

Expected<Report> merge(const std::vector<Report>& reports) {
  INGOT_CHECK(!reports.empty(), "no reports to merge");
  Report merged = reports.front();
  if (reports.size() == 1) return merged;
  for (const Report& report : reports) {
    if (report.machine.cpu != merged.machine.cpu)
      return fail(ErrorCode::invalid_argument,
                  "the reports are of different CPUs, whose figures cannot be compared: {} and {}",
                  merged.machine.cpu, report.machine.cpu);
    if (report.threads != merged.threads)
      return fail(ErrorCode::invalid_argument,
                  "the reports are of {} and of {} threads; give those of one number of threads",
                  merged.threads, report.threads);
    merged.date = std::max(merged.date, report.date);  // ISO 8601: the latest
    for (const EngineReport& engine : report.engines)
      find_or_add(merged.engines, engine,
                  [&](const EngineReport& e) { return e.name == engine.name; });
    for (const ModelReport& model : report.models) {
      ModelReport& into = find_or_add(merged.models, model,
                                      [&](const ModelReport& m) { return m.name == model.name; });
      if (model.error.empty()) into.error.clear();
      for (const Run& run : model.runs)
        find_or_add(into.runs, run, [&](const Run& r) { return r.sizes == run.sizes; });
    }
  }
  for (ModelReport& model : merged.models) {
    for (Run& run : model.runs) {
      std::vector<const Run*> same;
      for (const Report& report : reports)
        for (const ModelReport& m : report.models)
          for (const Run& r : m.runs)
            if (m.name == model.name && r.sizes == run.sizes) same.push_back(&r);
      merge_run(run, same);
    }
  }
  return merged;
}

std::vector<Spread> spreads(const std::vector<Report>& reports) {
  std::map<std::tuple<std::string, SymbolValues, Mode>, Spread> found;
  for (const Report& report : reports) {
    for (const Mode mode : {Mode::hot, Mode::cold}) {
      for (const Contest& contest : contests(report, mode)) {
        Spread& spread = found[{contest.model->name, contest.run->sizes, mode}];
        spread.model = contest.model->name;
        spread.sizes = contest.run->sizes;
        spread.mode = mode;
        spread.ratios.push_back(contest.ratio);
      }
    }
  }
  std::vector<Spread> all;
  for (auto& [key, spread] : found) {
    if (spread.ratios.size() < 2) continue;
    std::vector<double> sorted = spread.ratios;
    std::sort(sorted.begin(), sorted.end());
    spread.median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
    spread.width = (sorted.back() - sorted.front()) / spread.median;
    all.push_back(std::move(spread));
  }
  sort_stably(all, [](const Spread& a, const Spread& b) { return a.width > b.width; });
  return all;
}

std::string spread_text(const std::vector<Spread>& spreads) {
  std::string text;
  for (const Mode mode : {Mode::hot, Mode::cold}) {
    std::vector<const Spread*> of_mode;  // the widest first
    std::size_t times = 0;
    for (const Spread& spread : spreads) {
      if (spread.mode != mode) continue;
      of_mode.push_back(&spread);
      times = std::max(times, spread.ratios.size());
    }
    if (of_mode.empty()) continue;
    const auto percent = [&](double fraction) {
      return 100 * of_mode[static_cast<std::size_t>(fraction * double(of_mode.size() - 1))]->width;
    };
    text += fmt::format(
        "{}: of {} ratios to the best peer, measured {} times, the median spreads by {:.1f} % from "
        "smallest to largest, nine of ten by at most {:.1f} %, and {} at {} by {:.1f} %\n",
        name(mode), of_mode.size(), times, percent(0.5), percent(0.1), of_mode[0]->model,
        sizes_text(of_mode[0]->sizes), percent(0));
  }
  return text;
}

}  // namespace ingot::bench
