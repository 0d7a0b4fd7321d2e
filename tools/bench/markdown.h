// SPDX-License-Identifier: Apache-2.0
// docs/performance.md: what a report comes to, in tables.
#pragma once

#include <string>
#include <vector>

#include "repeats.h"
#include "report.h"

namespace ingot::bench {

/// `spreads`: of the ratios, where the comparison was made several times.
std::string to_markdown(const Report& report, const std::vector<Spread>& spreads);

}  // namespace ingot::bench
