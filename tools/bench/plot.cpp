// SPDX-License-Identifier: Apache-2.0
#include "plot.h"
#include "order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ingot::bench::plot {
namespace {

constexpr double width = 360;

std::string open(double height, const std::string& kind, const std::string& title) {
  return fmt::format(
      "<svg class=\"{}\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n", kind,
      width, height, escape(title));
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1,
      y1, x2, y2);
}

std::string text(double x, double y, const char* kind, const std::string& said,
                 const std::string& more = "") {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", kind, x, y, more,
                     escape(said));
}

std::string upright_label(double x, double y, const std::string& said) {
  return text(x, y, "axis mid", said,
              fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", x, y));
}

/// At most 30 characters: both ends of longer names. What is not ASCII is left whole.
std::string shortened(const std::string& name) {
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return c > 0; });
  if (name.size() <= 30 || !ascii) return name;
  return name.substr(0, 14) + "…" + name.substr(name.size() - 15);
}

}  // namespace

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
    else
      out += ' ';
  }
  return out;
}

LogAxis::LogAxis(const std::vector<double>& values, double first_pixel, double last_pixel)
    : low_(0), high_(0), first_(first_pixel), last_(last_pixel) {
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
    if (decades > 8 && std::fmod(e, each) != 0) continue;
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

std::string marker(std::size_t style, double x, double y, double r, const std::string& title) {
  // Corners around (0, 0), for a radius of 1; a circle has none.
  constexpr const char* shapes[] = {
      "",
      "-.9,-.9 .9,-.9 .9,.9 -.9,.9",
      "0,-1.3 1.3,0 0,1.3 -1.3,0",
      "0,-1.3 1.2,.9 -1.2,.9",
      "0,1.3 1.2,-.9 -1.2,-.9",
      "-.4,-1 .4,-1 .4,-.4 1,-.4 1,.4 .4,.4 .4,1 -.4,1 -.4,.4 -1,.4 -1,-.4 -.4,-.4",
      "-1.2,-.6 1.2,-.6 1.2,.6 -1.2,.6",
      "-.6,-1.2 .6,-1.2 .6,1.2 -.6,1.2"};
  const std::string label = title.empty() ? "" : "<title>" + escape(title) + "</title>";
  const std::string corners = shapes[style % std::size(shapes)];
  if (corners.empty())
    return fmt::format(
        "<circle class=\"c{} mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\">{}</circle>\n", style,
        x, y, r, label);
  return fmt::format(
      "<polygon class=\"c{} mark\" transform=\"translate({:.1f} {:.1f}) scale({:.1f})\" "
      "points=\"{}\">{}</polygon>\n",
      style, x, y, r, corners, label);
}

std::string legend_mark(std::size_t style) {
  return fmt::format(
             "<svg class=\"key\" viewBox=\"0 0 24 12\" aria-hidden=\"true\">"
             "<line class=\"c{} curve\" x1=\"1\" y1=\"6\" x2=\"23\" y2=\"6\"/>",
             style) +
         marker(style, 12, 6, 3.4, "") + "</svg>";
}

std::string lines(const std::vector<Series>& all, const std::vector<double>& all_y,
                  const std::string& x_label, const std::string& y_label, bool dashed,
                  const std::string& title) {
  constexpr double height = 250, left = 46, right = width - 10, top = 8, bottom = height - 38;
  std::vector<double> all_x;
  for (const Series& series : all)
    for (const Series::Point& point : series.points) all_x.push_back(point.x);
  std::sort(all_x.begin(), all_x.end());
  all_x.erase(std::unique(all_x.begin(), all_x.end()), all_x.end());
  const LogAxis x(all_x, left, right), y(all_y, bottom, top);
  std::string svg = open(height, "lines", title);
  for (const double tick : y.ticks())
    svg += line(left, y.at(tick), right, y.at(tick), "grid") +
           text(left - 5, y.at(tick) + 4, "tick end", tick_text(tick));
  double last = -100;
  for (const double tick : all_x) {  // what was measured, where there is room to say so
    svg += line(x.at(tick), bottom, x.at(tick), bottom + 4, "frame");
    if (x.at(tick) - last < 24) continue;
    last = x.at(tick);
    svg += text(last, bottom + 16, "tick mid", tick_text(tick));
  }
  svg += line(left, bottom, right, bottom, "frame");
  svg += text((left + right) / 2, height - 5, "axis mid", x_label) +
         upright_label(11, (top + bottom) / 2, y_label);
  std::string bands, curves, marks;
  // Ours are first, and drawn last.
  for (std::size_t i = all.size(); i-- > 0;) {
    const Series& series = all[i];
    std::string path, upper, lower;
    for (const Series::Point& p : series.points) {
      path += fmt::format("{:.1f},{:.1f} ", x.at(p.x), y.at(p.y));
      upper += fmt::format("{:.1f},{:.1f} ", x.at(p.x), y.at(p.high));
      lower = fmt::format("{:.1f},{:.1f} ", x.at(p.x), y.at(p.low)) + lower;
      marks += marker(series.style, x.at(p.x), y.at(p.y), 3.6,
                      fmt::format("{}, {} {}: {} {}", series.name, tick_text(p.x), x_label,
                                  tick_text(p.y), y_label));
    }
    bands +=
        fmt::format("<polygon class=\"c{} band\" points=\"{}{}\"/>\n", series.style, upper, lower);
    curves += fmt::format("<polyline class=\"c{} curve{}\" points=\"{}\"/>\n", series.style,
                          dashed ? " dashed" : "", path);
  }
  return svg + bands + curves + marks + "</svg>\n";
}

std::string dots(const std::vector<Group>& groups, const std::vector<double>& all,
                 const std::string& title) {
  constexpr double step = 17, head = 26, top = 20;
  double label_width = 132, height = top;  // room for a group's own name
  for (const Group& group : groups) {
    height += head + step * static_cast<double>(group.rows.size());
    for (const Row& row : group.rows) {
      label_width = std::max(label_width, 6.1 * static_cast<double>(row.label.size()));
    }
  }
  const double left = std::min(label_width, 190.0) + 6, right = width - 8;
  const LogAxis x(all, left, right);
  std::string svg = open(height + 4, "dots", title);
  for (const double tick : x.ticks())
    svg += line(x.at(tick), top - 4, x.at(tick), height, "grid") +
           text(x.at(tick), top - 8, "tick mid", tick_text(tick) + "×");
  svg += line(x.at(1), top - 4, x.at(1), height, "one");
  double y = top;
  for (const Group& group : groups) {
    y += head;
    svg += text(0, y - 9, "group", group.label);
    const double begin = y - 4, end = y + step * static_cast<double>(group.rows.size()) - 2;
    svg += line(x.at(group.mean), begin, x.at(group.mean), end, "mean");
    for (const Row& row : group.rows) {
      const double middle = y + step / 2 - 1;
      svg += fmt::format("<a href=\"{}\">", escape(row.link)) +
             text(left - 6, middle + 3.5, "name end", row.label) + "</a>\n";
      svg += line(left, middle, right, middle, "grid");
      if (row.other > 0)
        svg += line(x.at(row.value), middle, x.at(row.other), middle, "span") +
               fmt::format(
                   "<circle class=\"ring\" cx=\"{:.2f}\" cy=\"{:.1f}\" r=\"3.6\" "
                   "data-ratio=\"{}\"><title>{}, cold: {:.2f}×</title></circle>\n",
                   x.at(row.other), middle, row.other, escape(row.label), row.other);
      svg += fmt::format(
          "<circle class=\"dot{}\" cx=\"{:.2f}\" cy=\"{:.1f}\" r=\"4.2\" "
          "data-ratio=\"{}\"><title>{}, hot: {:.2f}×</title></circle>\n",
          row.value < 1 ? " lost" : "", x.at(row.value), middle, row.value, escape(row.label),
          row.value);
      y += step;
    }
  }
  return svg + "</svg>\n";
}

std::string roofline(const std::vector<Kernel>& kernels, const std::vector<Ceiling>& ceilings,
                     double peak, const std::string& title) {
  constexpr double height = 270, left = 46, right = width - 10, top = 6, bottom = height - 38;
  std::vector<double> all_x, all_y = {peak * 1.25, peak / 20};
  for (const Kernel& kernel : kernels) {
    all_x.push_back(kernel.operations_per_byte);
    all_y.push_back(kernel.gflops);
  }
  // The ceilings' ends, so far as they are not far from all kernels.
  const double last = *std::max_element(all_x.begin(), all_x.end());
  for (const Ceiling& ceiling : ceilings) all_x.push_back(std::min(peak / ceiling.gb_s, 8 * last));
  const LogAxis x(all_x, left, right), y(all_y, bottom, top);
  std::string svg = open(height, "roofline", title);
  for (const double tick : y.ticks())
    svg += line(left, y.at(tick), right, y.at(tick), "grid") +
           text(left - 5, y.at(tick) + 4, "tick end", tick_text(tick));
  for (const double tick : x.ticks())
    svg += line(x.at(tick), bottom, x.at(tick), bottom + 4, "frame") +
           text(x.at(tick), bottom + 16, "tick mid", tick_text(tick));
  svg += line(left, bottom, right, bottom, "frame");
  svg += text((left + right) / 2, height - 5, "axis mid", "operations per byte") +
         upright_label(11, (top + bottom) / 2, "GFLOP/s");
  svg += line(left, y.at(peak), right, y.at(peak), "ceiling") +
         text(right, y.at(peak) - 4, "roof end", fmt::format("peak {:.0f} GFLOP/s", peak));
  double last_x = 0, last_y = 0, before = 4;  // of the last ceiling's name
  for (const Ceiling& ceiling : ceilings) {
    const double from = std::max(x.low(), y.low() / ceiling.gb_s);
    const double to = std::min(x.high(), peak / ceiling.gb_s);
    if (to <= from) continue;
    const double x1 = x.at(from), y1 = y.at(from * ceiling.gb_s);
    const double x2 = x.at(to), y2 = y.at(to * ceiling.gb_s);
    svg += line(x1, y1, x2, y2, "ceiling");
    const double angle = std::atan2(y2 - y1, x2 - x1) * 180 / 3.14159265358979;
    // A name beside that of a ceiling that is nearly the same stands further up.
    const std::string name = fmt::format("{} {:.0f} GB/s", ceiling.name, ceiling.gb_s);
    before = std::abs(y1 - last_y) + std::abs(x1 - last_x) < 18 ? before + 74 : 4;
    last_x = x1;
    last_y = y1;
    if (std::hypot(x2 - x1, y2 - y1) > before + 60)
      svg += text(x1 + before, y1 - 4, "roof", name,
                  fmt::format(" transform=\"rotate({:.1f} {:.1f} {:.1f})\"", angle, x1, y1));
  }
  std::vector<Kernel> sorted = kernels;
  sort_stably(sorted, [](const Kernel& a, const Kernel& b) { return a.share > b.share; });
  std::string points, names;
  std::vector<double> taken;  // where names stand already
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Kernel& kernel = sorted[i];
    const double at = x.at(kernel.operations_per_byte), up = y.at(kernel.gflops);
    const double radius = 2 + 8 * std::sqrt(kernel.share);
    points += fmt::format(
        "<circle class=\"kernel\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}: {:.3g} "
        "GFLOP/s at {:.3g} operations per byte, {:.1f} % of the call</title></circle>\n",
        at, up, radius, escape(kernel.name), kernel.gflops, kernel.operations_per_byte,
        100 * kernel.share);
    if (i >= 3 || kernel.share < 0.03) continue;
    // Below the point, where a roof leaves room, and below the names that stand there.
    double place = up + radius + 12;
    while (std::any_of(taken.begin(), taken.end(),
                       [&](double other) { return std::abs(other - place) < 12; }))
      place += 3;
    taken.push_back(place);
    names += line(at, up + radius, at, place - 8, "leader");
    names +=
        text(at, place, at > (left + right) / 2 ? "label end" : "label", shortened(kernel.name));
  }
  return svg + points + names + "</svg>\n";
}

}  // namespace ingot::bench::plot
