// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "order.h"
#include "page.h"
#include "plot.h"
#include "summary.h"
#include "text.h"

namespace ingot::bench {

namespace {

/// Of the CPU level that the engine is named after, else the highest.
double peak_of(const Machine& machine, const std::string& engine) {
  double most = 0;
  for (const auto& [level, gflops] : machine.peak_gflops) {
    if (engine.ends_with(level)) return gflops;
    most = std::max(most, gflops);
  }
  return most;
}

/// A kernel in the plot.
struct Dot {
  std::string name;
  double intensity = 0, gflops = 0, share = 0;  // intensity: operations per byte
  double radius() const { return 2 + 8 * std::sqrt(share); }
};

/// At most 30 characters: both ends of longer names. What is not ASCII is left whole.
std::string shortened(const std::string& name) {
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return c > 0; });
  if (name.size() <= 30 || !ascii) return name;
  return name.substr(0, 14) + "…" + name.substr(name.size() - 15);
}

void draw_ceilings(plot::Chart& chart, const Machine& machine, double peak) {
  const plot::LogAxis &x = chart.x, &y = chart.y;
  chart.line("ceiling", plot::Chart::left, y.at(peak), plot::Chart::right, y.at(peak));
  chart.text("roof end", plot::Chart::right, y.at(peak) - 4,
             fmt::format("peak {:.0f} GFLOP/s", peak));
  double last_x = 0, last_y = 0, before = 4;  // of the last level's name
  for (const Machine::Level& level : machine.levels) {
    if (!(level.read_gb_s > 0)) continue;
    const double from = std::max(x.low(), y.low() / level.read_gb_s);
    const double to = std::min(x.high(), peak / level.read_gb_s);
    if (to <= from) continue;
    const double x1 = x.at(from), y1 = y.at(from * level.read_gb_s);
    const double x2 = x.at(to), y2 = y.at(to * level.read_gb_s);
    chart.line("ceiling", x1, y1, x2, y2);
    // A name beside that of a ceiling that is nearly the same stands further up.
    before = std::abs(y1 - last_y) + std::abs(x1 - last_x) < 18 ? before + 74 : 4;
    last_x = x1;
    last_y = y1;
    if (std::hypot(x2 - x1, y2 - y1) > before + 60)
      chart.turned_text("roof", x1, y1, std::atan2(y2 - y1, x2 - x1) * 180 / 3.14159265358979,
                        before, 4, fmt::format("{} {:.0f} GB/s", level.name, level.read_gb_s));
  }
}

/// The first ones are named.
void draw_kernels(plot::Chart& chart, const std::vector<Dot>& kernels) {
  for (const Dot& kernel : kernels)
    chart.circle(
        "kernel", chart.x.at(kernel.intensity), chart.y.at(kernel.gflops), kernel.radius(),
        fmt::format("{}: {:.3g} GFLOP/s at {:.3g} operations per byte, {:.1f} % of the call",
                    kernel.name, kernel.gflops, kernel.intensity, 100 * kernel.share));
  std::vector<double> taken;  // where names stand already
  for (const Dot& kernel : kernels) {
    if (taken.size() == 3 || kernel.share < 0.03) break;
    // Below the point, where a roof leaves room, and below the names that stand there.
    const double at = chart.x.at(kernel.intensity);
    const double low = chart.y.at(kernel.gflops) + kernel.radius();
    double place = low + 12;
    while (std::any_of(taken.begin(), taken.end(),
                       [&](double other) { return std::abs(other - place) < 12; }))
      place += 3;
    taken.push_back(place);
    chart.line("leader", at, low, at, place - 8);
    const bool leftwards = at > (plot::Chart::left + plot::Chart::right) / 2;
    chart.text(leftwards ? "label end" : "label", at, place, shortened(kernel.name));
  }
}

/// GFLOP/s against operations per byte below the machine's ceilings. `kernels` are sorted, the
/// largest first: those are named.
std::string roofline(const Machine& machine, const Profile& profile,
                     const std::vector<const KernelFigures*>& kernels) {
  const double peak = peak_of(machine, profile.engine);
  std::vector<Dot> dots;
  std::vector<double> all_x, all_y = {peak * 1.25, peak / 20};
  for (const KernelFigures* kernel : kernels) {
    const double operations = static_cast<double>(kernel->operations);
    if (kernel->operations == 0 || kernel->bytes == 0 || !(kernel->us > 0)) continue;
    dots.push_back({kernel->name, operations / static_cast<double>(kernel->bytes),
                    operations / (kernel->us * 1000),
                    profile.total_us > 0 ? kernel->us / profile.total_us : 0});
    all_x.push_back(dots.back().intensity);
    all_y.push_back(dots.back().gflops);
  }
  if (dots.empty() || !(peak > 0)) return "";
  // The ceilings' ends, so far as they are not far from all kernels.
  const double last = *std::max_element(all_x.begin(), all_x.end());
  for (const Machine::Level& level : machine.levels)
    if (level.read_gb_s > 0) all_x.push_back(std::min(peak / level.read_gb_s, 8 * last));
  plot::Chart chart("roofline", 270, "Kernels against the limits of the machine", all_x, all_y,
                    "operations per byte", "GFLOP/s");
  chart.mark_x(chart.x.ticks());
  draw_ceilings(chart, machine, peak);
  draw_kernels(chart, dots);
  return "<figure><figcaption>Roofline: a kernel's area is its share of the call</figcaption>\n" +
         chart.str() + "</figure>\n";
}

std::string row(const KernelFigures& kernel, double total_us) {
  const double share = total_us > 0 ? kernel.us / total_us : 0, ns = kernel.us * 1000;
  const auto rate = [&](std::uint64_t amount) {
    return ns > 0 ? short_number(static_cast<double>(amount) / ns) : "-";
  };
  return fmt::format(
      "<tr data-kernel=\"{0}\"><th>{0}</th><td class=\"left\">{1}</td><td data-us=\"{2}\">{3}</td>"
      "<td class=\"bar\" data-share=\"{4}\"><div><span>{5:.1f} %</span>"
      "<b><i class=\"share\" style=\"width:{5:.2f}%\"></i></b></div></td>"
      "<td>{6}</td><td>{7}</td><td class=\"left\">{8}</td><td>{9}</td><td>{10}</td>"
      "<td class=\"far left\" title=\"{11}\">{11}</td></tr>\n",
      escape(kernel.name), escape(kernel.kind), kernel.us, short_number(kernel.us), share,
      100 * share, short_number(kernel.limit_us),
      kernel.limit_us > 0 ? fmt::format("{:.1f}×", kernel.us / kernel.limit_us) : "-",
      kernel.bound_by_bytes ? "bytes" : "operations", rate(kernel.operations), rate(kernel.bytes),
      escape(kernel.source));
}

}  // namespace

std::string profile_part(const Machine& machine, const Profile& profile, bool open) {
  std::vector<const KernelFigures*> sorted;
  for (const KernelFigures& kernel : profile.kernels) sorted.push_back(&kernel);
  sort_stably(sorted, [](const auto* a, const auto* b) { return a->us > b->us; });
  std::string rows;
  for (const KernelFigures* kernel : sorted) rows += row(*kernel, profile.total_us);
  return fmt::format(
      "<details{}><summary>Profile: {} kernels of {}, {} µs</summary>\n"
      "<p class=\"dim\">{} µs a call with the probe, {} µs without. A kernel's limit is its "
      "operations at peak, or its weights from {} and the rest from the first level of memory, "
      "whichever takes longer.</p>\n"
      "<div class=\"plots\">{}</div>\n"
      "<div class=\"scroll\"><table class=\"kernels\"><thead><tr><th>kernel</th>"
      "<th class=\"left\">kind</th><th>µs</th><th class=\"bar\">share</th><th>limit, µs</th>"
      "<th>of limit</th><th class=\"left\">bound by</th><th>GFLOP/s</th><th>GB/s</th>"
      "<th class=\"left\">nodes of the file</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "</details>\n",
      open ? " open=\"open\"" : "", profile.kernels.size(), escape(profile.engine),
      short_number(profile.total_us), short_number(profile.total_us),
      short_number(profile.plain_us), escape(profile.level), roofline(machine, profile, sorted),
      rows);
}

std::string furthest_section(const Report& report) {
  std::string rows;
  for (const Distance& d : furthest_kernels(report, 10))
    rows += fmt::format(
        "<tr><th>{}</th><td class=\"left\"><a href=\"{}\">{}</a></td><td class=\"left\">{}</td>"
        "<td>{:.1f}×</td><td>{:.0f} %</td><td>{}</td><td>{}</td><td class=\"left\">{}</td></tr>\n",
        escape(d.kernel->name), anchor(report, *d.model), escape(d.model->name),
        escape(sizes_text(d.run->sizes)), d.factor, 100 * d.share, short_number(d.kernel->us),
        short_number(d.kernel->limit_us), d.kernel->bound_by_bytes ? "bytes" : "operations");
  if (rows.empty()) return "";
  return "<section class=\"model\" id=\"kernels\">\n<h2>Kernels furthest from their limit</h2>\n"
         "<p>Of those with at least 5 % of a call and 1 µs, each at the size where it is "
         "worst.</p>\n"
         "<div class=\"scroll\"><table><thead><tr><th>kernel</th><th class=\"left\">model</th>"
         "<th class=\"left\">sizes</th><th>of limit</th><th>share</th><th>µs</th><th>limit, µs</th>"
         "<th class=\"left\">bound by</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n</section>\n";
}

}  // namespace ingot::bench
