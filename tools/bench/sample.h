// SPDX-License-Identifier: Apache-2.0
// Times contenders in turns, so that whatever else the machine does hurts all alike.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "contender.h"
#include "evict.h"
#include "report.h"

namespace ingot::bench {

struct Pace {
  /// Enough is where the median's uncertainty is below this part of it.
  double uncertainty = 0.01;
  /// And where it does not come to that: seconds for each contender.
  double seconds = 1;
};

/// What became of a contender. One that fails drops out, and the others go on.
struct Sampled {
  Figures figures;
  std::string error;
};

/// The same weights and inputs again and again: in each turn a contender makes some calls that
/// don't count, because others have used the caches, and then some that do. A sample is the mean of
/// as many calls as take 10 microseconds, at least one, so that the clock's own time is no part of
/// it.
std::vector<Sampled> sample_hot(const std::vector<Contender*>& contenders, const Pace& pace);

/// Each sample is one call right after `evictor` ran. Takes the clock's own time off, `clock_us`.
std::vector<Sampled> sample_cold(const std::vector<Contender*>& contenders, const Pace& pace,
                                 Evictor& evictor, double clock_us);

}  // namespace ingot::bench
