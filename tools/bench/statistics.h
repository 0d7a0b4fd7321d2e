// SPDX-License-Identifier: Apache-2.0
// Of samples of a time: the figures that a report gives, and when there are enough of them.
#pragma once

#include <span>
#include <vector>

#include "report.h"

namespace ingot::bench {

/// `calls`: how many calls each sample is the mean of. All figures are 0 if there is no sample.
/// Percentiles are linear between order statistics. The uncertainty is half the distance of the
/// order statistics number n/2 -+ 0.98 sqrt(n), a 95 % confidence interval of the median whatever
/// the distribution (binomial, in its normal approximation), if samples do not depend on each
/// other.
Figures figures_of(std::span<const double> microseconds, std::int64_t calls);

/// Positive numbers; 0 for none.
double geometric_mean(std::span<const double> values);

}  // namespace ingot::bench
