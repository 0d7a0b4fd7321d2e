// SPDX-License-Identifier: Apache-2.0
#include "markdown.h"

#include <algorithm>
#include <map>

#include "text.h"

namespace ingot::bench {
namespace {

/// What would end a cell or begin a tag.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '`') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + text + " |";
  return line + "\n";
}

/// A header, the first `left` columns of which are texts.
std::string header(const std::vector<std::string>& cells, std::size_t left) {
  std::string line = row(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) line += i < left ? "---|" : "---:|";
  return line + "\n";
}

class Markdown {
 public:
  Markdown(const Report& report, const std::vector<Spread>& spreads)
      : report_(report), spreads_(spreads), engines_(engine_names(report)) {
    for (const Mode mode : {Mode::hot, Mode::cold}) contests_.push_back(contests(report, mode));
  }

  std::string str() const {
    std::string text = head() + means();
    for (const std::int64_t events : event_counts(report_))
      for (const Mode mode : {Mode::hot, Mode::cold}) text += times(events, mode);
    return text + kernels() + refusals() + doubts() + repeatability();
  }

 private:
  std::string head() const {
    std::string text = fmt::format(
        "# Performance\n\n"
        "Written by `./dev performance`; do not edit. [measuring.md](measuring.md) says how it is "
        "measured.\n\n"
        "{}; {} thread{}. Ingot {}, {}.\n\n",
        machine_text(report_.machine), report_.threads, report_.threads == 1 ? "" : "s",
        report_.ingot_version, date_text(report_.date));
    text += header({"Engine", "Version", "Settings"}, 3);
    for (const std::string& name : engines_)
      for (const EngineReport& engine : report_.engines)
        if (engine.name == name)
          text += row({cell(name), cell(engine.version), cell(engine.settings)});
    return text;
  }

  std::string means() const {
    std::string text =
        "\n## In short\n\n"
        "How many times longer the fastest other engine takes than Ingot's fastest variant: the "
        "geometric mean over models, and on how many of them Ingot is faster.\n\n";
    std::vector<std::string> names = {"Multiply-adds per event", "Calls"};
    for (const std::int64_t events : event_counts(report_))
      names.push_back(fmt::format("N={}", events));
    text += header(names, 2);
    for (const bool small : {false, true}) {
      for (const Mode mode : {Mode::hot, Mode::cold}) {
        std::vector<std::string> cells = {small ? "< 20,000" : "≥ 20,000", name(mode)};
        int models = 0;
        for (const std::int64_t events : event_counts(report_)) {
          const Mean mean = mean_ratio(of(mode), events, small);
          models += mean.models;
          cells.push_back(mean.models == 0 ? "-"
                                           : fmt::format("**{:.2f}** ({} of {})", mean.ratio,
                                                         mean.won, mean.models));
        }
        if (models > 0) text += row(cells);
      }
    }
    return text;
  }

  /// A line per model: each engine's median, and the contest's ratio.
  std::string times(std::int64_t events, Mode mode) const {
    std::string rows;
    for (const ModelReport& model : report_.models)
      for (const Run& run : model.runs)
        if (run.events == events && fastest(run, mode) != nullptr) rows += times(model, run, mode);
    if (rows.empty()) return "";
    std::vector<std::string> names = {"Model", "Multiply-adds"};
    for (const std::string& engine : engines_) names.push_back(cell(engine));
    names.emplace_back("Ratio");
    return fmt::format("\n## N={}, {}\n\nMicroseconds per call, medians; the fastest is bold.\n\n",
                       events, name(mode)) +
           header(names, 1) + rows;
  }

  std::string times(const ModelReport& model, const Run& run, Mode mode) const {
    const double best = figures(*fastest(run, mode), mode)->median;
    std::string label = cell(model.name);
    SymbolValues others = run.sizes;  // besides the events
    auto lead = others.find("N");
    if (lead == others.end())
      lead = std::find_if(others.begin(), others.end(),
                          [&](const auto& size) { return size.second == run.events; });
    if (lead != others.end() && lead->second == run.events) others.erase(lead);
    if (!others.empty()) label += " (" + cell(sizes_text(others)) + ")";
    std::vector<std::string> cells = {
        label,
        model.multiply_adds == 0 ? "-" : with_prefix(static_cast<double>(model.multiply_adds), "")};
    for (const std::string& engine : engines_) {
      std::string text = "-";
      for (const Result& result : run.results) {
        const Figures* found = figures(result, mode);
        if (result.engine != engine || found == nullptr) continue;
        text = short_number(found->median);
        if (found->median == best) text = "**" + text + "**";
        if (!found->steady) text += " ~";
        if (!result.doubt.empty()) text += " ?";
        if (result.agreement == "differs") text += " ≠";
      }
      cells.push_back(text);
    }
    const auto contest = std::find_if(of(mode).begin(), of(mode).end(),
                                      [&](const Contest& c) { return c.run == &run; });
    cells.push_back(contest == of(mode).end() ? "-" : fmt::format("{:.2f}", contest->ratio));
    return row(cells);
  }

  std::string kernels() const {
    const std::vector<Distance> found = furthest_kernels(report_, 10);
    if (found.empty()) return "";
    std::string text =
        "\n## Kernels furthest from their limit\n\n"
        "Of all profiled kernels with at least 5 % of their call and 1 us, each at the size where "
        "it "
        "is worst. The limit is the kernel's operations at peak, or its weights from the level of "
        "memory that holds all of them and the rest from the first, whichever takes longer.\n\n";
    text += header({"Kernel", "Model", "Sizes", "Kind", "Bound by", "Times its limit", "us",
                    "Limit, us", "Share", "GFLOP/s", "Operations per byte"},
                   5);
    for (const Distance& d : found) {
      const auto operations = static_cast<double>(d.kernel->operations);
      const auto bytes = static_cast<double>(d.kernel->bytes);
      text += row({cell(d.kernel->name), cell(d.model->name), cell(sizes_text(d.run->sizes)),
                   cell(d.kernel->kind), d.kernel->bound_by_bytes ? "bytes" : "operations",
                   fmt::format("{:.1f}", d.factor), short_number(d.kernel->us),
                   short_number(d.kernel->limit_us), fmt::format("{:.0f} %", 100 * d.share),
                   short_number(operations / d.kernel->us / 1000),
                   bytes > 0 ? short_number(operations / bytes) : "-"});
    }
    return text;
  }

  /// The first line of why a model was not measured, without the path of its file.
  static std::string in_short(const ModelReport& model) {
    std::string line = model.error.substr(0, model.error.find('\n'));
    if (const std::size_t path = line.find(model.file + ": "); path != line.npos)
      line.erase(0, path + model.file.size() + 2);
    if (line.ends_with(':')) line.pop_back();
    return line;
  }

  /// Each reason once, with the models that it is given for.
  std::string refusals() const {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> reasons;
    for (const ModelReport& model : report_.models) {
      if (!model.error.empty()) reasons[{"ingot", in_short(model)}].push_back(model.name);
      for (const Run& run : model.runs) {
        for (const Result& result : run.results) {
          if (result.error.empty()) continue;
          std::vector<std::string>& models = reasons[{result.engine, result.error}];
          if (models.empty() || models.back() != model.name) models.push_back(model.name);
        }
      }
    }
    if (reasons.empty()) return "";
    std::string text =
        "\n## What could not be measured\n\n" + header({"Engine", "Models", "Reason"}, 3);
    for (const auto& [reason, models] : reasons) {
      std::string names;
      for (const std::string& model : models) names += (names.empty() ? "" : ", ") + model;
      text += row({cell(reason.first), cell(names), cell(reason.second.substr(0, 300))});
    }
    return text;
  }

  std::string doubts() const {
    std::string rows;
    for (const ModelReport& model : report_.models)
      for (const Run& run : model.runs)
        for (const Result& result : run.results)
          if (!result.doubt.empty() || result.agreement == "differs")
            rows +=
                row({cell(result.engine), cell(model.name), cell(sizes_text(run.sizes)),
                     result.doubt.empty() ? fmt::format("outputs differ by {} times the tolerance",
                                                        short_number(result.difference))
                                          : cell(result.doubt)});
    if (rows.empty()) return "";
    return "\n## Figures to be doubted\n\n`?` marks a peer that compares worse with the other "
           "peers "
           "than it did before, until that is understood; `≠` outputs that differ; `~` a figure "
           "that "
           "was not steady when time was up.\n\n" +
           header({"Engine", "Model", "Sizes", "Why"}, 4) + rows;
  }

  std::string repeatability() const {
    if (spreads_.empty()) return "";
    std::string text = "\n## Repeatability\n\n";
    const std::string said = spread_text(spreads_);
    for (std::size_t at = 0; at < said.size();) {
      const std::size_t end = said.find('\n', at);
      text += "- " + cell(said.substr(at, end - at)) + "\n";
      at = end + 1;
    }
    text += "\nThe ten that moved most:\n\n" +
            header({"Model", "Sizes", "Calls", "Ratios", "Spread"}, 4);
    for (std::size_t i = 0; i < std::min<std::size_t>(spreads_.size(), 10); ++i) {
      const Spread& spread = spreads_[i];
      std::string ratios;
      for (const double ratio : spread.ratios)
        ratios += fmt::format("{}{:.2f}", ratios.empty() ? "" : ", ", ratio);
      text += row({cell(spread.model), cell(sizes_text(spread.sizes)), name(spread.mode), ratios,
                   fmt::format("{:.1f} %", 100 * spread.width)});
    }
    return text;
  }

  const std::vector<Contest>& of(Mode mode) const { return contests_[mode == Mode::hot ? 0 : 1]; }

  const Report& report_;
  const std::vector<Spread>& spreads_;
  const std::vector<std::string> engines_;
  std::vector<std::vector<Contest>> contests_;
};

}  // namespace

std::string to_markdown(const Report& report, const std::vector<Spread>& spreads) {
  return Markdown(report, spreads).str();
}

}  // namespace ingot::bench
