// SPDX-License-Identifier: Apache-2.0
// Several reports as one: what was measured in parts, and what was measured again.
#pragma once

#include <vector>

#include "report.h"
#include "summary.h"

namespace ingot::bench {

/// All models, sizes and engines of the reports. Of what several have, the figures whose median is
/// the median of them. An error if they are of different machines or numbers of threads.
Expected<Report> merge(const std::vector<Report>& reports);

/// How far a contest's ratio moved from one report to the next.
struct Spread {
  std::string model;
  SymbolValues sizes;
  Mode mode = Mode::hot;
  std::vector<double> ratios;  // of each report that has it, in their order
  double median = 0;
  double width = 0;  // (largest - smallest) / median
};

/// Of the contests that two or more reports have; the widest first.
std::vector<Spread> spreads(const std::vector<Report>& reports);

/// One line per mode: how many were repeated, and the median, 90th percentile and largest width.
std::string spread_text(const std::vector<Spread>& spreads);

}  // namespace ingot::bench
