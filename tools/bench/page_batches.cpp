// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "page.h"
#include "plot.h"
#include "summary.h"
#include "text.h"

namespace ingot::bench {
namespace {

struct Point {
  double events = 0, median = 0, low = 0, high = 0;  // times per event
};
struct Series {
  std::string engine;
  std::size_t style = 0;
  std::vector<Point> points;
};

std::vector<Series> series_of(const ModelReport& model, Mode mode,
                              const std::vector<std::string>& engines, const Styles& styles) {
  std::vector<Series> all;
  for (const std::string& engine : engines) {
    Series series{engine, styles.at(engine), {}};
    for (const Run& run : model.runs) {
      const double events = static_cast<double>(run.events);
      for (const Result& result : run.results) {
        const Figures* found = figures(result, mode);
        if (result.engine != engine || found == nullptr || run.events < 1) continue;
        series.points.push_back(
            {events, found->median / events, found->low / events, found->high / events});
      }
    }
    std::sort(series.points.begin(), series.points.end(),
              [](const Point& a, const Point& b) { return a.events < b.events; });
    if (!series.points.empty()) all.push_back(std::move(series));
  }
  return all;
}

/// `all_y` is what the axis must hold.
std::string chart_of(const std::vector<Series>& all, const std::vector<double>& all_y, bool dashed,
                     const std::string& title) {
  std::set<double> measured;
  for (const Series& series : all)
    for (const Point& point : series.points) measured.insert(point.events);
  const std::vector<double> all_x(measured.begin(), measured.end());
  plot::Chart chart("lines", 250, title, all_x, all_y, "events a call", "µs per event");
  chart.mark_x(all_x);
  const auto path = [&](auto point, auto end, double Point::* time) {
    std::string path;
    for (; point != end; ++point)
      path += fmt::format("{:.1f},{:.1f} ", chart.x.at(point->events), chart.y.at((*point).*time));
    return path;
  };
  const std::vector<Series> drawn(all.rbegin(), all.rend());  // ours are first, and drawn last
  for (const auto& [engine, style, points] : drawn)
    chart.add(fmt::format("<polygon class=\"c{} band\" points=\"{}{}\"/>\n", style,
                          path(points.begin(), points.end(), &Point::high),
                          path(points.rbegin(), points.rend(), &Point::low)));
  for (const auto& [engine, style, points] : drawn)
    chart.add(fmt::format("<polyline class=\"c{} curve{}\" points=\"{}\"/>\n", style,
                          dashed ? " dashed" : "",
                          path(points.begin(), points.end(), &Point::median)));
  for (const auto& [engine, style, points] : drawn)
    for (const Point& point : points)
      chart.mark(style, chart.x.at(point.events), chart.y.at(point.median),
                 fmt::format("{}, {} events a call: {} µs per event", engine,
                             plot::tick_text(point.events), plot::tick_text(point.median)));
  return chart.str();
}

}  // namespace

std::string batch_plots(const ModelReport& model, const std::vector<std::string>& engines,
                        const Styles& styles) {
  std::set<std::int64_t> counts;
  for (const Run& run : model.runs) counts.insert(run.events);
  if (counts.size() < 2) return "";
  const std::vector<Series> hot = series_of(model, Mode::hot, engines, styles),
                            cold = series_of(model, Mode::cold, engines, styles);
  std::vector<double> all_y;
  for (const auto* both : {&hot, &cold})
    for (const Series& series : *both)
      for (const Point& point : series.points)
        all_y.insert(all_y.end(), {point.median, point.low, point.high});
  std::string html = "<div class=\"plots\">\n", legend;
  for (const Mode mode : {Mode::hot, Mode::cold}) {
    const std::vector<Series>& all = mode == Mode::hot ? hot : cold;
    if (all.empty()) continue;
    html += fmt::format(
        "<figure><figcaption>{}</figcaption>\n{}</figure>\n", mode == Mode::hot ? "Hot" : "Cold",
        chart_of(
            all, all_y, mode == Mode::cold,
            fmt::format("{}, {}: time per event against events a call", model.name, name(mode))));
  }
  for (const Series& series : hot.empty() ? cold : hot)
    legend += fmt::format("<li>{}{}</li>", plot::legend_mark(series.style), escape(series.engine));
  return html + "</div>\n<ul class=\"legend\">" + legend + "</ul>\n";
}

}  // namespace ingot::bench
