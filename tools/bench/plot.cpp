// SPDX-License-Identifier: Apache-2.0
#include "plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "text.h"

namespace ingot::bench::plot {
namespace {

std::string marker(std::size_t style, double x, double y, const std::string& title) {
  // Corners around (0, 0); a circle has none.
  constexpr const char* shapes[] = {
      "",
      "-.9,-.9 .9,-.9 .9,.9 -.9,.9",
      "0,-1.3 1.3,0 0,1.3 -1.3,0",
      "0,-1.3 1.2,.9 -1.2,.9",
      "0,1.3 1.2,-.9 -1.2,-.9",
      "-.4,-1 .4,-1 .4,-.4 1,-.4 1,.4 .4,.4 .4,1 -.4,1 -.4,.4 -1,.4 -1,-.4 -.4,-.4",
      "-1.2,-.6 1.2,-.6 1.2,.6 -1.2,.6",
      "-.6,-1.2 .6,-1.2 .6,1.2 -.6,1.2"};
  const std::string corners = shapes[style % std::size(shapes)];
  return fmt::format(
      "<g class=\"c{} mark\" transform=\"translate({:.1f} {:.1f}) scale(3.5)\">{}<title>{}</title>"
      "</g>\n",
      style, x, y, corners.empty() ? "<circle r=\"1\"/>" : "<polygon points=\"" + corners + "\"/>",
      escape(title));
}

}  // namespace

LogAxis::LogAxis(const std::vector<double>& values, double first_pixel, double last_pixel)
    : first_(first_pixel), last_(last_pixel) {
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) continue;
    low_ = low_ == 0 ? value : std::min(low_, value);
    high_ = std::max(high_, value);
  }
  if (low_ == 0) low_ = high_ = 1;
  const double margin = std::max(std::pow(high_ / low_, 0.06), 1.1);
  low_ /= margin;
  high_ *= margin;
}

double LogAxis::at(double value) const {
  const double t = std::log(std::clamp(value, low_, high_) / low_) / std::log(high_ / low_);
  return first_ + t * (last_ - first_);
}

std::vector<double> LogAxis::ticks() const {
  const double decades = std::log10(high_ / low_);
  std::vector<double> steps = {1};
  if (decades < 1.2)
    steps = {1, 1.5, 2, 3, 4, 5, 7};
  else if (decades < 2.6)
    steps = {1, 2, 5};
  const double each = std::max(1.0, std::ceil(decades / 8));
  std::vector<double> all;
  for (double e = std::floor(std::log10(low_)); e <= std::log10(high_); ++e) {
    if (std::fmod(e, each) != 0) continue;
    for (const double step : steps) {
      const double value = step * std::pow(10, e);
      if (value >= low_ && value <= high_) all.push_back(value);
    }
  }
  return all;
}

std::string tick_text(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", std::stod(fmt::format("{:.3g}", value)));
}

Image::Image(const std::string& kind, double height, const std::string& title)
    : svg_(fmt::format("<svg class=\"{}\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                       "aria-label=\"{}\">\n",
                       kind, width, height, escape(title))) {}

void Image::line(const std::string& kind, double x1, double y1, double x2, double y2) {
  svg_ +=
      fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                  kind, x1, y1, x2, y2);
}

void Image::text(const std::string& kind, double x, double y, const std::string& said) {
  svg_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind, x, y,
                      escape(said));
}

void Image::turned_text(const std::string& kind, double x, double y, double degrees, double along,
                        double above, const std::string& said) {
  svg_ += fmt::format("<g transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\">", x, y, degrees);
  text(kind, along, -above, said);
  svg_ += "</g>\n";
}

void Image::circle(const std::string& kind, double x, double y, double radius,
                   const std::string& title, const std::string& attributes) {
  svg_ += fmt::format(
      "<circle class=\"{}\" cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"{:.1f}\"{}><title>{}</title>"
      "</circle>\n",
      kind, x, y, radius, attributes, escape(title));
}

void Image::mark(std::size_t style, double x, double y, const std::string& title) {
  svg_ += marker(style, x, y, title);
}

Chart::Chart(const std::string& kind, double height, const std::string& title,
             const std::vector<double>& all_x, const std::vector<double>& all_y,
             const std::string& x_label, const std::string& y_label)
    : Image(kind, height, title),
      bottom(height - 38),
      x(all_x, left, right),
      y(all_y, bottom, top) {
  for (const double tick : y.ticks()) {
    line("grid", left, y.at(tick), right, y.at(tick));
    text("tick end", left - 5, y.at(tick) + 4, tick_text(tick));
  }
  line("frame", left, bottom, right, bottom);
  text("axis mid", (left + right) / 2, height - 5, x_label);
  turned_text("axis mid", 11, (top + bottom) / 2, -90, 0, 0, y_label);
}

void Chart::mark_x(const std::vector<double>& ticks) {
  double last = -100;
  for (const double tick : ticks) {
    line("frame", x.at(tick), bottom, x.at(tick), bottom + 4);
    if (x.at(tick) - last < 24) continue;
    last = x.at(tick);
    text("tick mid", last, bottom + 16, tick_text(tick));
  }
}

std::string legend_mark(std::size_t style) {
  return fmt::format(
      "<svg class=\"key\" viewBox=\"0 0 24 12\" aria-hidden=\"true\">"
      "<line class=\"c{} curve\" x1=\"1\" y1=\"6\" x2=\"23\" y2=\"6\"/>{}</svg>",
      style, marker(style, 12, 6, ""));
}

}  // namespace ingot::bench::plot
