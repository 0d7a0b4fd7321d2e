// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "order.h"
#include "page.h"
#include "plot.h"
#include "summary.h"
#include "text.h"

namespace ingot::bench {

using plot::escape;

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

std::string roofline(const Machine& machine, const Profile& profile) {
  std::vector<plot::Kernel> points;
  for (const KernelFigures& kernel : profile.kernels) {
    const double operations = static_cast<double>(kernel.operations);
    if (kernel.operations == 0 || kernel.bytes == 0 || !(kernel.us > 0)) continue;
    points.push_back({kernel.name, operations / static_cast<double>(kernel.bytes),
                      operations / (kernel.us * 1000),
                      profile.total_us > 0 ? kernel.us / profile.total_us : 0});
  }
  std::vector<plot::Ceiling> ceilings;
  for (const Machine::Level& level : machine.levels)
    if (level.read_gb_s > 0) ceilings.push_back({level.name, level.read_gb_s});
  const double peak = peak_of(machine, profile.engine);
  if (points.empty() || !(peak > 0)) return "";
  return fmt::format(
      "<figure><figcaption>Roofline: a kernel's area is its share of the call</figcaption>\n"
      "{}</figure>\n",
      plot::roofline(points, ceilings, peak, "Kernels against the limits of the machine"));
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
      short_number(profile.plain_us), escape(profile.level), roofline(machine, profile), rows);
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
