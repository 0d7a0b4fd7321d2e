// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ingot::bench {
namespace {

constexpr std::size_t most_times = 100;  // that a report keeps

double percentile(const std::vector<double>& sorted, double fraction) {
  const double at = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

Figures figures_of(std::span<const double> microseconds, std::int64_t calls) {
  Figures result;
  if (microseconds.empty()) return result;
  std::vector<double> sorted(microseconds.begin(), microseconds.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  result.samples = static_cast<std::int64_t>(sorted.size());
  result.calls = calls * result.samples;
  result.least = sorted.front();
  result.low = percentile(sorted, 0.16);
  result.median = percentile(sorted, 0.5);
  result.high = percentile(sorted, 0.84);
  result.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / count;
  double squares = 0;
  for (const double us : sorted) squares += (us - result.mean) * (us - result.mean);
  result.deviation = sorted.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  const double reach = 0.98 / std::sqrt(count);
  // Of many, as many as are left when each second one is dropped until there are few.
  std::size_t step = 1;
  while (microseconds.size() / step > most_times) step *= 2;
  for (std::size_t i = 0; i < microseconds.size(); i += step)
    result.times.push_back(microseconds[i]);
  result.uncertainty = (percentile(sorted, std::min(1.0, 0.5 + reach)) -
                        percentile(sorted, std::max(0.0, 0.5 - reach))) /
                       2;
  return result;
}

double geometric_mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace ingot::bench
