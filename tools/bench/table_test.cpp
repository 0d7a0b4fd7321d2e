// SPDX-License-Identifier: Apache-2.0
// What a report comes to, and its table for a terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "summary.h"
#include "text.h"

namespace ingot::bench {
namespace {

using testing::HasSubstr;

TEST(ReportText, NumbersHaveThreeDigits) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.1234), "0.123");
  EXPECT_EQ(short_number(9.996), "10.0");
  EXPECT_EQ(short_number(99.96), "100");
  EXPECT_EQ(short_number(1), "1.00");
  EXPECT_EQ(short_number(12345.6), "12346");
  EXPECT_EQ(short_number(-2.5), "-2.50");
  EXPECT_EQ(short_number(1e-9), "1.00e-09");
  EXPECT_EQ(short_number(NAN), "-");
  EXPECT_EQ(with_prefix(0, "B"), "0 B");
  EXPECT_EQ(with_prefix(999, "B"), "999 B");
  EXPECT_EQ(with_prefix(999.6, "B"), "1.00 kB");
  EXPECT_EQ(with_prefix(443108000, ""), "443 M");
  EXPECT_EQ(date_text("2026-11-21T20:05:09Z"), "2026-11-21 20:05 UTC");
  EXPECT_EQ(date_text("today"), "today");
  EXPECT_EQ(sizes_text({{"N", 16}, {"n_pf", 50}}), "N=16, n_pf=50");
}

Figures us(double median) {
  return {.median = median, .low = median * 0.9, .high = median * 1.1, .steady = true};
}

Result measured(const char* engine, double hot, double cold = 0) {
  Result result{.engine = engine, .agreement = "agrees"};
  if (hot != 0) result.hot = us(hot);
  if (cold != 0) result.cold = us(cold);
  return result;
}

/// Two models above 20,000 multiply-adds, one below.
Report three_models() {
  Report report;
  const auto add = [&](const char* name, std::uint64_t multiply_adds, std::vector<Result> results) {
    ModelReport model{.name = name};
    model.multiply_adds = multiply_adds;
    model.runs.push_back({.sizes = {{"N", 16}}, .events = 16, .inputs = "random"});
    model.runs[0].results = std::move(results);
    report.models.push_back(std::move(model));
  };
  add("a", 20'000,
      {measured("ingot v3", 4, 9), measured("ingot v4", 2, 10), measured("x", 8, 18),
       measured("y", 16, 12)});
  add("b", 1'000'000, {measured("ingot v4", 10), measured("x", 5), measured("y", 0)});
  add("c", 19'999, {measured("ingot v4", 1), measured("x", 3)});
  add("d", 5, {measured("ingot v4", 1)});
  return report;
}

TEST(ReportSummary, OurBestAgainstTheBestPeer) {
  const Report report = three_models();
  const std::vector<Contest> hot = contests(report, Mode::hot);
  ASSERT_EQ(hot.size(), 3u);  // d has no peer
  EXPECT_EQ(hot[0].ingot->engine, "ingot v4");
  EXPECT_EQ(hot[0].peer->engine, "x");
  EXPECT_EQ(hot[0].ratio, 4);
  EXPECT_EQ(hot[1].ratio, 0.5);
  const std::vector<Contest> cold = contests(report, Mode::cold);
  ASSERT_EQ(cold.size(), 1u);
  EXPECT_EQ(cold[0].ingot->engine, "ingot v3");
  EXPECT_EQ(cold[0].peer->engine, "y");
  const Mean large = mean_ratio(hot, 16, false), few = mean_ratio(hot, 16, true);
  EXPECT_NEAR(large.ratio, std::sqrt(4 * 0.5), 1e-12);
  EXPECT_EQ(large.models, 2);
  EXPECT_EQ(large.won, 1);
  EXPECT_NEAR(few.ratio, 3, 1e-12);
  EXPECT_EQ(mean_ratio(hot, 1, false).models, 0);
  EXPECT_EQ(engine_names(report), (std::vector<std::string>{"ingot v3", "ingot v4", "x", "y"}));
  EXPECT_EQ(event_counts(report), std::vector<std::int64_t>{16});
}

TEST(ReportSummary, WhoeverComputesSomethingElseTakesNoPart) {
  Report report = three_models();
  report.models[0].runs[0].results[2].agreement = "differs";  // x
  const std::vector<Contest> hot = contests(report, Mode::hot);
  EXPECT_EQ(hot[0].peer->engine, "y");
  EXPECT_EQ(hot[0].ratio, 8);
  report.models[2].runs[0].results[0].agreement = "differs";  // ours
  EXPECT_EQ(contests(report, Mode::hot).size(), 2u);
}

TEST(ReportSummary, KernelsFurthestFromTheirLimit) {
  Report report = three_models();
  const auto profile = [](double scale) {
    return Profile{.engine = "ingot v4",
                   .total_us = 100,
                   .kernels = {{.name = "near", .us = 50, .limit_us = 40},
                               {.name = "far", .us = 20 * scale, .limit_us = 5},
                               {.name = "short", .us = 4, .limit_us = 0.1},  // below 5 %
                               {.name = "no limit", .us = 20}}};
  };
  report.models[0].runs[0].profile = profile(1);
  report.models[0].runs.push_back(report.models[0].runs[0]);
  report.models[0].runs[1].profile = profile(2);
  const std::vector<Distance> found = furthest_kernels(report, 10);
  ASSERT_EQ(found.size(), 2u);  // each kernel once, at its worst
  EXPECT_EQ(found[0].kernel->name, "far");
  EXPECT_EQ(found[0].factor, 8);
  EXPECT_EQ(found[0].share, 0.4);
  EXPECT_EQ(found[0].run, &report.models[0].runs[1]);
  EXPECT_EQ(found[1].factor, 1.25);
  EXPECT_EQ(furthest_kernels(report, 1).size(), 1u);
}

TEST(ReportTable, HasMediansBandsRatiosAndErrors) {
  Report report = three_models();
  bench::Run& run = report.models[0].runs[0];
  run.results[3].hot->steady = false;
  run.results[3].note = "shapes fixed";
  run.results[2].doubt = "too slow";
  run.results.push_back({.engine = "z", .error = "no such op"});
  report.models.push_back({.name = "broken", .error = "not a model"});
  const std::string text = to_table(report);
  EXPECT_THAT(text, HasSubstr("a  N=16, random inputs; 20.0 k multiply-adds per event\n"));
  EXPECT_THAT(text, HasSubstr("ingot v4        0         0    2.00  1.80 - 2.20  1.00x"));
  EXPECT_THAT(text, HasSubstr("16.0~  14.4 - 17.6  8.00x"));
  EXPECT_THAT(text, HasSubstr("  z: no such op\n"));
  EXPECT_THAT(text, HasSubstr("  y: shapes fixed\n"));
  EXPECT_THAT(text, HasSubstr("  x: to be doubted: too slow\n"));
  EXPECT_THAT(text, HasSubstr("  ~ not steady when time was up\n"));
  EXPECT_THAT(text, HasSubstr("broken: not a model\n"));
  EXPECT_THAT(text, HasSubstr("1.41x"));
  EXPECT_THAT(text, HasSubstr("1 of 2"));
}

}  // namespace
}  // namespace ingot::bench
