// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "report.h"

namespace ingot::bench {
namespace {

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// `N=16 n_pf=50`
std::string sizes_text(const SymbolValues& sizes) {
  std::string text;
  for (const auto& [name, value] : sizes)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

}  // namespace

std::string to_csv(const Report& report) {
  std::string text =
      "model,sizes,events,engine,mode,median_us,low_us,high_us,mean_us,deviation_us,least_us,"
      "uncertainty_us,median_us_per_event,samples,calls,steady,load_ms,first_ms,agreement,"
      "difference,note,doubt,error\n";
  for (const ModelReport& model : report.models) {
    if (!model.error.empty())
      text += fmt::format("{},{:,>21}{}\n", cell(model.name), "", cell(model.error));
    for (const Run& run : model.runs) {
      for (const Result& result : run.results) {
        const std::string first =
            fmt::format("{},{},{},{}", cell(model.name), cell(sizes_text(run.sizes)), run.events,
                        cell(result.engine));
        const std::string last = fmt::format(
            "{},{},{},{},{},{},{}", result.load_ms, result.first_ms, cell(result.agreement),
            result.difference, cell(result.note), cell(result.doubt), cell(result.error));
        const auto add = [&](const char* mode, const Figures& f) {
          const double events = static_cast<double>(std::max<std::int64_t>(run.events, 1));
          text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", first, mode, f.median,
                              f.low, f.high, f.mean, f.deviation, f.least, f.uncertainty,
                              f.median / events, f.samples, f.calls, f.steady ? 1 : 0, last);
        };
        if (result.hot) add("hot", *result.hot);
        if (result.cold) add("cold", *result.cold);
        if (!result.hot && !result.cold) text += fmt::format("{}{:,>13}{}\n", first, "", last);
      }
    }
  }
  return text;
}

}  // namespace ingot::bench
