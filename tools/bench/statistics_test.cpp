// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <gtest/gtest.h>

namespace ingot::bench {
namespace {

TEST(Statistics, OfOneToFive) {
  const double samples[] = {5, 1, 4, 2, 3};
  const Figures figures = figures_of(samples, 10);
  EXPECT_EQ(figures.median, 3);
  EXPECT_EQ(figures.mean, 3);
  EXPECT_EQ(figures.least, 1);
  EXPECT_NEAR(figures.low, 1.64, 1e-12);   // numpy.percentile([1, 2, 3, 4, 5], 16)
  EXPECT_NEAR(figures.high, 4.36, 1e-12);  // and 84
  EXPECT_NEAR(figures.deviation, 1.5811388300841898, 1e-15);  // numpy.std(.., ddof=1)
  EXPECT_EQ(figures.samples, 5);
  EXPECT_EQ(figures.calls, 50);
  EXPECT_EQ(figures.times, std::vector<double>(std::begin(samples), std::end(samples)));
}

TEST(Statistics, TheUncertaintyShrinksAsSamplesGrow) {
  std::vector<double> samples;
  for (int i = 0; i < 101; ++i) samples.push_back(100 + i % 11);
  const double few = figures_of(std::span(samples).first(31), 1).uncertainty;
  const double many = figures_of(samples, 1).uncertainty;
  EXPECT_GT(few, many);
  EXPECT_GT(many, 0);
  EXPECT_EQ(figures_of(std::vector<double>(1000, 7.0), 1).times.size(), 63u);  // each 16th is kept
  const std::vector<double> equal(50, 7.0);
  EXPECT_EQ(figures_of(equal, 1).uncertainty, 0);
}

TEST(Statistics, OfNothingAndOfOne) {
  EXPECT_EQ(figures_of({}, 1).samples, 0);
  const double one[] = {2.5};
  EXPECT_EQ(figures_of(one, 1).median, 2.5);
  EXPECT_EQ(figures_of(one, 1).deviation, 0);
}

TEST(Statistics, GeometricMean) {
  const double values[] = {1, 10, 100};
  EXPECT_NEAR(geometric_mean(values), 10, 1e-12);
  EXPECT_EQ(geometric_mean({}), 0);
}

}  // namespace
}  // namespace ingot::bench
