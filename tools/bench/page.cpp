// SPDX-License-Identifier: Apache-2.0
// A report as a page: one file without scripts that asks nothing of a network. It is XML too. What
// a plot shows also stands in a table, unrounded in attributes data-..., for programs.
#include <algorithm>
#include <cmath>
#include <set>

#include "page.h"
#include "plot.h"
#include "report.h"
#include "summary.h"
#include "text.h"

namespace ingot::embedded {
extern const std::string_view page_css;
}

namespace ingot::bench {
namespace {

/// Colours and shapes there are; the first two are kept for ours.
constexpr std::size_t style_count = 8;

class Page {
 public:
  explicit Page(const Report& report) : report_(report), engines_(engine_names(report)) {
    std::size_t ours = 0, others = 2;
    for (const std::string& engine : engines_) {
      const bool own = is_ingot(engine) && ours < 2;
      styles_[engine] = own ? ours++ : others;
      if (!own) others = others + 1 < style_count ? others + 1 : 2;
    }
  }

  std::string str() {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        escape(title()), embedded::page_css);
    html += head();
    if (report_.models.size() > 1) html += summary_section(report_);
    for (std::size_t m = 0; m < report_.models.size(); ++m) html += model(m);
    if (report_.models.size() > 1) html += furthest_section(report_);
    html += setup();
    return html + "</body>\n</html>\n";
  }

 private:
  std::string title() const {
    const std::size_t count = engines_.size();
    const std::string what = report_.models.size() == 1
                                 ? report_.models[0].name
                                 : fmt::format("{} models", report_.models.size());
    return fmt::format("{}, {} engine{}", what, count, count == 1 ? "" : "s");
  }

  std::string head() const {
    return fmt::format(
        "<header>\n<h1>{}</h1>\n<p class=\"dim\">Ingot {} on {}, {} thread{}, {}. "
        "<a href=\"#setup\">How it was measured</a></p>\n</header>\n",
        escape(title()), escape(report_.ingot_version), escape(report_.machine.cpu),
        report_.threads, report_.threads == 1 ? "" : "s", escape(date_text(report_.date)));
  }

  // A model.

  std::string model(std::size_t m) {
    const ModelReport& model = report_.models[m];
    std::string facts;
    if (model.multiply_adds > 0)
      facts +=
          with_prefix(static_cast<double>(model.multiply_adds), "") + " multiply-adds per event, ";
    if (model.weights_bytes > 0)
      facts += with_prefix(static_cast<double>(model.weights_bytes), "B") + " of weights, ";
    std::string html = fmt::format(
        "<section class=\"model\" id=\"m{}\">\n<h2>{}</h2>\n<p class=\"dim\">{}{}</p>\n", m,
        escape(model.name), facts, escape(model.file));
    if (!model.error.empty()) html += fmt::format("<p class=\"bad\">{}</p>\n", escape(model.error));
    html += batch_plots(model, engines_, styles_);
    for (const Run& run : model.runs) html += this->run(model, run);
    return html + "</section>\n";
  }

  std::string mode_cells(const Run& run, const Result& result, Mode mode) const {
    const Figures* found = figures(result, mode);
    if (found == nullptr) return "<td>-</td><td></td><td></td>";
    const double least = figures(*fastest(run, mode), mode)->median;
    double longest = 0;  // hot and cold bars have scales of their own
    for (const Result& other : run.results)
      if (const Figures* of_other = figures(other, mode); of_other != nullptr)
        longest = std::max(longest, of_other->median);
    return fmt::format(
        "<td class=\"bar\" data-mode=\"{}\" data-us=\"{}\" data-low=\"{}\" "
        "data-high=\"{}\"><div><span>{}{}</span>"
        "<b><i class=\"c{} {}\" "
        "style=\"width:{:.2f}%\"></i></b></div></td><td><small>{}–{}</small></td>"
        "<td{}>{:.2f}×</td>",
        name(mode), found->median, found->low, found->high, short_number(found->median),
        found->steady ? "" : " ~", styles_.at(result.engine), name(mode),
        100 * found->median / longest, short_number(found->low), short_number(found->high),
        found->median == least ? " class=\"first\"" : "", found->median / least);
  }

  std::string run(const ModelReport& model, const Run& run) const {
    bool any_hot = false, any_cold = false, unsteady = false;
    for (const Result& result : run.results) {
      for (const Mode mode : {Mode::hot, Mode::cold}) {
        const Figures* found = figures(result, mode);
        if (found == nullptr) continue;
        (mode == Mode::hot ? any_hot : any_cold) = true;
        unsteady |= !found->steady;
      }
    }
    std::string head = "<th>engine</th>", rows, notes;
    if (any_hot) head += "<th class=\"bar\">hot, µs</th><th>16–84 %</th><th>× best</th>";
    if (any_cold) head += "<th class=\"bar\">cold, µs</th><th>16–84 %</th><th>× best</th>";
    head +=
        "<th>µs per event</th><th>load, ms</th><th>first call, ms</th><th "
        "class=\"left\">outputs</th>";
    const auto note = [&](const Result& result, const char* kind, const std::string& text) {
      if (text.empty()) return;
      notes += fmt::format("<li{}><b>{}</b>: {}</li>\n", kind, escape(result.engine), escape(text));
    };
    for (const Result& result : run.results) {
      note(result, " class=\"bad\"", result.error);
      note(result, "", result.note);
      if (!result.doubt.empty()) note(result, " class=\"bad\"", "to be doubted: " + result.doubt);
      if (!result.error.empty()) continue;
      const Figures* shown = figures(result, any_hot ? Mode::hot : Mode::cold);
      rows += fmt::format("<tr data-engine=\"{0}\"><th>{1}{0}</th>", escape(result.engine),
                          plot::legend_mark(styles_.at(result.engine)));
      if (any_hot) rows += mode_cells(run, result, Mode::hot);
      if (any_cold) rows += mode_cells(run, result, Mode::cold);
      rows += fmt::format("<td>{}</td><td>{}</td><td>{}</td><td class=\"left{}\">{}</td></tr>\n",
                          shown == nullptr || run.events < 1
                              ? "-"
                              : short_number(shown->median / static_cast<double>(run.events)),
                          short_number(result.load_ms), short_number(result.first_ms),
                          result.agreement == "differs" ? " bad" : "", escape(result.agreement));
    }
    if (unsteady) notes += "<li>~ not steady when time was up</li>\n";
    std::string html = fmt::format("<h3>{} <span class=\"dim\">(inputs: {})</span></h3>\n",
                                   escape(sizes_text(run.sizes)), escape(run.inputs));
    if (!rows.empty())
      html += fmt::format(
          "<div class=\"scroll\"><table class=\"run\" data-model=\"{}\" data-sizes=\"{}\" "
          "data-events=\"{}\">"
          "<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
          escape(model.name), escape(sizes_text(run.sizes)), run.events, head, rows);
    if (!notes.empty()) html += "<ul class=\"notes\">\n" + notes + "</ul>\n";
    if (run.profile)
      html += profile_part(report_.machine, *run.profile, report_.models.size() == 1);
    return html;
  }

  std::string setup() const {
    std::string html =
        "<section class=\"model\" id=\"setup\">\n<h2>How it was measured</h2>\n"
        "<p>Engines take turns call by call, so that what else the machine does hurts all alike. A "
        "figure is the median over calls, the band goes from the 16th to the 84th "
        "percentile.</p>\n";
    html += fmt::format(
        "<p>{}; an indirect call of nothing takes {} ns, reading the clock {} ns.</p>\n",
        escape(machine_text(report_.machine)), short_number(report_.machine.call_ns),
        short_number(report_.machine.clock_ns));
    std::string rows;
    for (const EngineReport& engine : report_.engines)
      rows +=
          fmt::format("<tr><th>{}</th><td class=\"left\">{}</td><td class=\"wrap\">{}</td></tr>\n",
                      escape(engine.name), escape(engine.version), escape(engine.settings));
    if (!rows.empty())
      html +=
          "<div class=\"scroll\"><table><thead><tr><th>engine</th><th>version</th><th>settings</th>"
          "</tr></thead>\n<tbody>\n" +
          rows + "</tbody></table></div>\n";
    return html + "</section>\n";
  }

  const Report& report_;
  const std::vector<std::string> engines_;
  Styles styles_;
};

}  // namespace

std::string to_html(const Report& report) { return Page(report).str(); }

}  // namespace ingot::bench
