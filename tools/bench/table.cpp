// SPDX-License-Identifier: Apache-2.0
// A report for a terminal.
#include <algorithm>
#include <map>

#include "report.h"
#include "summary.h"
#include "text.h"

namespace ingot::bench {
namespace {

/// Columns as wide as their widest cell; the first to the left, the others to the right.
class Columns {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string str() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line = "  ";
      for (std::size_t i = 0; i < row.size(); ++i)
        line += i == 0 ? fmt::format("{:<{}}", row[i], widths[i])
                       : fmt::format("  {:>{}}", row[i], widths[i]);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string band(const Figures& figures) {
  return fmt::format("{} - {}", short_number(figures.low), short_number(figures.high));
}

/// Cells of a mode: median, band, times the fastest.
void add_mode(const Run& run, const Result& result, Mode mode, std::vector<std::string>& row) {
  const Figures* found = figures(result, mode);
  if (found == nullptr) {
    row.insert(row.end(), {"-", "", ""});
    return;
  }
  const double least = figures(*fastest(run, mode), mode)->median;
  // A figure that is still moving is marked.
  row.push_back(short_number(found->median) + (found->steady ? "" : "~"));
  row.push_back(band(*found));
  row.push_back(fmt::format("{:.2f}x", found->median / least));
}

std::string run_table(const ModelReport& model, const Run& run) {
  std::string text =
      fmt::format("{}  {}, {} inputs", model.name, sizes_text(run.sizes), run.inputs);
  if (model.multiply_adds > 0)
    text += fmt::format("; {}multiply-adds per event",
                        with_prefix(static_cast<double>(model.multiply_adds), "") + " ");
  if (model.weights_bytes > 0)
    text +=
        fmt::format("; {} of weights", with_prefix(static_cast<double>(model.weights_bytes), "B"));
  text += "\n";
  bool any_hot = false, any_cold = false, unsteady = false;
  for (const Result& result : run.results) {
    for (const Mode mode : {Mode::hot, Mode::cold}) {
      const Figures* found = figures(result, mode);
      (mode == Mode::hot ? any_hot : any_cold) |= found != nullptr;
      unsteady |= found != nullptr && !found->steady;
    }
  }
  Columns table;
  std::vector<std::string> header = {"engine", "load ms", "first ms"};
  if (any_hot) header.insert(header.end(), {"hot us", "16-84 %", ""});
  if (any_cold) header.insert(header.end(), {"cold us", "16-84 %", ""});
  header.insert(header.end(), {"us/event", "outputs"});
  table.add(header);
  std::string below;
  std::map<std::string, std::string> notes;  // the engines that a note is of
  for (const Result& result : run.results) {
    if (!result.error.empty()) {
      below += fmt::format("  {}: {}\n", result.engine, result.error);
      continue;
    }
    std::vector<std::string> row = {result.engine, short_number(result.load_ms),
                                    short_number(result.first_ms)};
    if (any_hot) add_mode(run, result, Mode::hot, row);
    if (any_cold) add_mode(run, result, Mode::cold, row);
    const Figures* found = figures(result, any_hot ? Mode::hot : Mode::cold);
    const double events = static_cast<double>(std::max<std::int64_t>(run.events, 1));
    row.push_back(found == nullptr ? "-" : short_number(found->median / events));
    row.push_back(result.agreement);
    table.add(row);
    if (!result.doubt.empty())
      below += fmt::format("  {}: to be doubted: {}\n", result.engine, result.doubt);
    if (!result.note.empty()) {
      std::string& engines = notes[result.note];
      engines += (engines.empty() ? "" : ", ") + result.engine;
    }
  }
  text += table.str();
  for (const auto& [note, engines] : notes) below += fmt::format("  {}: {}\n", engines, note);
  if (unsteady) below += "  ~ not steady when time was up\n";
  return text + below;
}

std::string profile_table(const Profile& profile) {
  Columns table;
  table.add(
      {"kernel", "kind", "us", "share", "limit us", "x limit", "GFLOP/s", "GB/s", "bound by"});
  for (const KernelFigures& kernel : profile.kernels) {
    const double ns = kernel.us * 1000;
    table.add({kernel.name, kernel.kind, short_number(kernel.us),
               fmt::format("{:.1f} %", 100 * kernel.us / profile.total_us),
               short_number(kernel.limit_us),
               kernel.limit_us > 0 ? fmt::format("{:.1f}", kernel.us / kernel.limit_us) : "-",
               ns > 0 ? short_number(static_cast<double>(kernel.operations) / ns) : "-",
               ns > 0 ? short_number(static_cast<double>(kernel.bytes) / ns) : "-",
               kernel.bound_by_bytes ? "bytes" : "operations"});
  }
  return fmt::format("  profile of {}: {} us, {} us without the probe; weights from {}\n",
                     profile.engine, short_number(profile.total_us), short_number(profile.plain_us),
                     profile.level) +
         table.str();
}

/// Our best variant against the best of the others, over all models.
std::string summary(const Report& report) {
  Columns table;
  table.add({"best peer's time by ours", "events", "models", "geometric mean", "we are faster"});
  int lines = 0;
  for (const Mode mode : {Mode::hot, Mode::cold}) {
    const std::vector<Contest> all = contests(report, mode);
    for (const bool small : {false, true}) {
      for (const std::int64_t events : event_counts(report)) {
        const Mean mean = mean_ratio(all, events, small);
        if (mean.models == 0) continue;
        ++lines;
        table.add(
            {fmt::format("{}, {} multiply-adds", name(mode), small ? "< 20,000" : ">= 20,000"),
             std::to_string(events), std::to_string(mean.models),
             fmt::format("{:.2f}x", mean.ratio), fmt::format("{} of {}", mean.won, mean.models)});
      }
    }
  }
  return lines == 0 || report.models.size() < 2 ? "" : table.str();
}

}  // namespace

std::string to_table(const Report& report) {
  std::string text;
  for (const ModelReport& model : report.models) {
    if (!model.error.empty()) text += fmt::format("{}: {}\n", model.name, model.error);
    for (const Run& run : model.runs) {
      text += run_table(model, run);
      if (run.profile) text += profile_table(*run.profile);
      text += "\n";
    }
  }
  return text + summary(report);
}

}  // namespace ingot::bench
