// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <algorithm>
#include <cmath>

#include "clock.h"
#include "statistics.h"

namespace ingot::bench {
namespace {

constexpr std::int64_t fewest_samples = 21;
constexpr double sample_seconds = 10e-6;  // of hot calls: 400 times what reading a clock takes
constexpr double turn_seconds = 200e-6;   // of samples in a row, once the caches are warm
constexpr double warm_seconds = 50e-6;    // at least, and at least two calls

struct Lane {
  Contender* contender = nullptr;
  std::vector<double> microseconds;
  std::int64_t calls = 1;         // of each sample
  std::int64_t samples_each = 1;  // of each turn
  std::int64_t warm_calls = 2;
  std::string error;

  /// Seconds of `count` calls; negative when one failed.
  double time(std::int64_t count) {
    const double begin = seconds_now();
    for (std::int64_t i = 0; i < count; ++i) {
      if (const Expected<void> done = contender->run(); !done) {
        error = done.error().message;
        return -1;
      }
    }
    return seconds_now() - begin;
  }
};

using Turn = std::function<void(Lane&)>;

/// Turns until all medians are steady or time is up. Each turn begins with another contender.
std::vector<Sampled> in_turns(std::vector<Lane> lanes, const Pace& pace, const Turn& turn) {
  const auto steady = [&](const Lane& lane) {
    if (!lane.error.empty()) return true;
    if (static_cast<std::int64_t>(lane.microseconds.size()) < fewest_samples) return false;
    const Figures figures = figures_of(lane.microseconds, lane.calls);
    return figures.uncertainty <= pace.uncertainty * figures.median;
  };
  const double end = seconds_now() + pace.seconds * static_cast<double>(lanes.size());
  // Judged seldom: at every 1.3 times as many turns.
  for (std::size_t turns = 0, next = fewest_samples;; ++turns) {
    if (turns >= next) {
      if (std::all_of(lanes.begin(), lanes.end(), steady)) break;
      next = turns + turns / 3;
    }
    if (turns >= 3 && seconds_now() > end) break;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      Lane& lane = lanes[(i + turns) % lanes.size()];
      if (lane.error.empty()) turn(lane);
    }
  }
  std::vector<Sampled> result;
  for (const Lane& lane : lanes) {
    Sampled sampled{figures_of(lane.microseconds, lane.calls), lane.error};
    sampled.figures.steady = lane.error.empty() && steady(lane);
    result.push_back(std::move(sampled));
  }
  return result;
}

std::vector<Lane> lanes_of(const std::vector<Contender*>& contenders) {
  std::vector<Lane> lanes(contenders.size());
  for (std::size_t i = 0; i < contenders.size(); ++i) lanes[i].contender = contenders[i];
  return lanes;
}

std::int64_t calls_in(double seconds, double once, std::int64_t least) {
  return std::max(least, static_cast<std::int64_t>(std::ceil(seconds / std::max(once, 1e-9))));
}

}  // namespace

std::vector<Sampled> sample_hot(const std::vector<Contender*>& contenders, const Pace& pace) {
  std::vector<Lane> lanes = lanes_of(contenders);
  for (Lane& lane : lanes) {
    double once = lane.time(1);
    for (int i = 0; i < 3 && lane.error.empty(); ++i) once = std::min(once, lane.time(1));
    if (!lane.error.empty()) continue;
    if (once < sample_seconds) once = lane.time(20) / 20;
    lane.calls = calls_in(sample_seconds, once, 1);
    const double sample = once * static_cast<double>(lane.calls);
    lane.samples_each =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(turn_seconds / sample), 1, 5);
    lane.warm_calls = calls_in(warm_seconds, once, 2);
  }
  return in_turns(std::move(lanes), pace, [](Lane& lane) {
    lane.time(lane.warm_calls);
    for (std::int64_t i = 0; i < lane.samples_each && lane.error.empty(); ++i) {
      const double seconds = lane.time(lane.calls);
      if (lane.error.empty())
        lane.microseconds.push_back(seconds * 1e6 / static_cast<double>(lane.calls));
    }
  });
}

std::vector<Sampled> sample_cold(const std::vector<Contender*>& contenders, const Pace& pace,
                                 Evictor& evictor, double clock_us) {
  return in_turns(lanes_of(contenders), pace, [&](Lane& lane) {
    evictor.run();
    const double seconds = lane.time(1);
    if (lane.error.empty()) lane.microseconds.push_back(std::max(0.0, seconds * 1e6 - clock_us));
  });
}

}  // namespace ingot::bench
