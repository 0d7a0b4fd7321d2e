// SPDX-License-Identifier: Apache-2.0
// Reports in parts become one, and what was measured again shows how far it moved.
#include "repeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::bench {
namespace {

using testing::HasSubstr;

Report report_of(const char* model, std::int64_t events, double ingot, double peer) {
  const auto result = [](const char* engine, double us) {
    Result result{.engine = engine};
    result.hot = Figures{.median = us};
    return result;
  };
  bench::Run run{.sizes = {{"N", events}}, .events = events};
  run.results = {result("ingot v4", ingot), result("x", peer)};
  Report report;
  report.machine.cpu = "A";
  report.engines = {{.name = "ingot v4"}, {.name = "x"}};
  report.models = {{.name = model, .runs = {run}}};
  return report;
}

TEST(ReportRepeats, PartsBecomeOne) {
  Report other = report_of("b", 1, 3, 6);
  other.date = "2026-11-21T20:00:00Z";
  other.engines.push_back({.name = "y"});
  other.models[0].runs[0].results.push_back({.engine = "y", .error = "no"});
  const auto merged = merge({report_of("a", 1, 1, 2), report_of("a", 16, 2, 4), other});
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_EQ(merged->models.size(), 2u);
  EXPECT_EQ(merged->models[0].runs.size(), 2u);
  EXPECT_EQ(merged->models[0].runs[1].results[1].hot->median, 4);
  EXPECT_EQ(merged->models[1].runs[0].results.size(), 3u);
  EXPECT_EQ(merged->engines.size(), 3u);
  EXPECT_EQ(merged->date, other.date);
}

TEST(ReportRepeats, TheMedianOfWhatWasMeasuredAgain) {
  const std::vector<Report> reports = {report_of("a", 1, 1.2, 2.4), report_of("a", 1, 1, 3),
                                       report_of("a", 1, 1.1, 2.2)};
  const auto merged = merge(reports);
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->models.size(), 1u);
  ASSERT_EQ(merged->models[0].runs.size(), 1u);
  const bench::Run& run = merged->models[0].runs[0];
  ASSERT_EQ(run.results.size(), 2u);
  EXPECT_EQ(run.results[0].hot->median, 1.1);
  EXPECT_EQ(run.results[1].hot->median, 2.4);
  EXPECT_FALSE(run.results[1].cold);

  const std::vector<Spread> found = spreads(reports);  // of the ratios 2, 3, 2
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].median, 2, 1e-12);
  EXPECT_NEAR(found[0].width, 0.5, 1e-12);
  EXPECT_THAT(spread_text(found), HasSubstr("hot: of 1 ratios to the best peer, measured 3 times"));
  EXPECT_THAT(spread_text(found), HasSubstr("and a at N=1 by 50.0 %"));
  EXPECT_TRUE(spreads({reports[0]}).empty());
}

TEST(ReportRepeats, WhatFailedOnceIsShownAsMeasured) {
  Report failed = report_of("a", 1, 1, 2);
  failed.models[0].runs[0].results[1] = {.engine = "x", .error = "timed out"};
  const auto merged = merge({failed, report_of("a", 1, 1, 2)});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->models[0].runs[0].results[1].error, "");
  EXPECT_EQ(merged->models[0].runs[0].results[1].hot->median, 2);
}

TEST(ReportRepeats, OtherMachinesCannotBeCompared) {
  Report other = report_of("a", 1, 1, 2);
  other.machine.cpu = "B";
  const auto cpus = merge({report_of("a", 1, 1, 2), other});
  ASSERT_FALSE(cpus);
  EXPECT_THAT(cpus.error().message, HasSubstr("different CPUs"));
  other.machine.cpu = "A";
  other.threads = 2;
  const auto threads = merge({report_of("a", 1, 1, 2), other});
  ASSERT_FALSE(threads);
  EXPECT_THAT(threads.error().message, HasSubstr("of 1 and of 2 threads"));
}

}  // namespace
}  // namespace ingot::bench
