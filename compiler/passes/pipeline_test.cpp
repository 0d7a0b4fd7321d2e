// SPDX-License-Identifier: Apache-2.0
// The machinery around the passes: switching them off, stopping after so many rewrites, the log.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/pass.h"

namespace ingot::passes {
namespace {

/// drop-neutral fires three times, then merge-equal once.
Graph example() {
  auto graph = parse_graph(R"(graph "example" fused {
  symbol N in [0, 100]
  %x: f32[N, 3] = input "x"
  %one: f32[] = constant {1}
  %zero: f32[3] = constant splat 0
  %a = mul(%x, %one)
  %b = add(%a, %zero)
  %c = sub(%b, %zero)
  %d = neg(%c)
  %e = neg(%x)
  %y = mul(%d, %e)
  return "y" = %y
}
)");
  EXPECT_TRUE(graph) << graph.error().message;
  return *graph;
}

TEST(Optimize, LogsWhatEachPassDid) {
  std::vector<Applied> log;
  auto graph = optimize(example(), {}, &log);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->nodes().size(), 2U);
  int times = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    times += log[i].report.times;
    if (i > 0) {
      EXPECT_EQ(log[i].before, log[i - 1].after);
    }
  }
  EXPECT_EQ(times, 4);
  EXPECT_EQ(log.front().before.nodes, 6U);
  EXPECT_EQ(log.back().after.nodes, 2U);
  EXPECT_EQ(log.back().report.times, 0) << "the last round finds nothing to do";
  EXPECT_EQ(summary(log), "6 nodes to 2; 28 bytes of neutral parameters dropped");
}

TEST(Optimize, DoesNothingTwice) {
  auto once = optimize(example());
  ASSERT_TRUE(once);
  std::vector<Applied> log;
  auto twice = optimize(*once, {}, &log);
  ASSERT_TRUE(twice);
  for (const Applied& applied : log) {
    EXPECT_EQ(applied.report.times, 0) << applied.pass;
    EXPECT_EQ(applied.round, 0) << applied.pass;
  }
  EXPECT_EQ(print(*twice), print(*once));
}

TEST(Optimize, ALimitCountsTheRewritesOfAllPasses) {
  const std::size_t nodes[] = {6, 5, 4, 3, 2, 2};
  for (int limit = 0; limit < 6; ++limit) {
    std::vector<Applied> log;
    auto graph = optimize(example(), {.disabled = {}, .limit = limit}, &log);
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->nodes().size(), nodes[limit]) << limit;
    int times = 0;
    for (const Applied& applied : log) times += applied.report.times;
    EXPECT_EQ(times, std::min(limit, 4));
  }
}

TEST(Optimize, LatePassesWaitUntilNothingElseFires) {
  std::vector<Applied> log;
  ASSERT_TRUE(optimize(example(), {}, &log));
  std::map<int, int> fired;  // by round
  int late = 0;
  for (const Applied& applied : log) {
    if (find_pass(applied.pass)->late) {
      ++late;
      EXPECT_EQ(fired[applied.round], 0) << applied.pass << " in round " << applied.round;
    }
    fired[applied.round] += applied.report.times;
  }
  EXPECT_GT(fired[0], 0);
  EXPECT_GT(late, 0);
}

TEST(Optimize, ADisabledPassDoesNotRun) {
  std::vector<Applied> log;
  auto graph = optimize(example(), {.disabled = {"drop-neutral"}}, &log);
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->nodes().size(), 6U);
  for (const Applied& applied : log) EXPECT_NE(applied.pass, "drop-neutral");
}

TEST(Optimize, RefusesToDisableWhatIsNotThereOrNeeded) {
  const auto unknown = optimize(example(), {.disabled = {"unroll"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(unknown.error().message.starts_with("no pass 'unroll'; there are "))
      << unknown.error().message;
  const auto needed = optimize(example(), {.disabled = {"widen-half"}});
  ASSERT_FALSE(needed);
  EXPECT_EQ(needed.error().message, "pass 'widen-half' cannot be disabled: the plan needs it");
}

TEST(Optimize, ARequiredPassIsNotLimited) {
  auto graph = parse_graph(R"(graph "half" fused {
  symbol N in [0, 100]
  %x: f16[N, 2] = input "x"
  %w: f16[2, 2] = constant {1, 2, 3, 4}
  %y = matmul(%x, %w) {chains = 8}
  return "y" = %y
}
)");
  ASSERT_TRUE(graph);
  auto wide = optimize(*graph, {.disabled = {}, .limit = 0});
  ASSERT_TRUE(wide);
  EXPECT_EQ(print(*wide).find("f16[N, 2] = matmul"), std::string::npos);
}

TEST(Optimize, TellsATracerOfEachPass) {
  std::vector<std::string> traced;
  Options options;
  options.trace = [&](const Applied& applied) { traced.emplace_back(applied.pass); };
  std::vector<Applied> log;
  ASSERT_TRUE(optimize(example(), options, &log));
  ASSERT_EQ(traced.size(), log.size());
  EXPECT_EQ(traced.front(), log.front().pass);
}

}  // namespace
}  // namespace ingot::passes
