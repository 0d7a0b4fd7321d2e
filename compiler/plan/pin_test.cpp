// SPDX-License-Identifier: Apache-2.0
#include "plan/pin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"
#include "plan/check.h"

namespace ingot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// N rows of k entries, of which there are at least 2.
const std::string model = R"(graph "m" fused {
  symbol N in [0, 100000]
  symbol k in [1, 50]
  require k >= 2 "a reason"
  %x: f32[N, k] = input "x"
  %c: f32[] = constant {3}
  %y = mul(%x, %c)
  %s = reduce_sum(%y) {axes = [1], keep_dims = false, order = "lanes"}
  return "y" = %y
  return "s" = %s
})";

struct Made {
  Graph graph;
  Plan whole;
};

Made make(const std::string& text) {
  auto graph = parse_graph(text);
  INGOT_CHECK(bool(graph), "{}", graph.error().message);
  auto plan = make_plan(*graph);
  INGOT_CHECK(bool(plan), "{}", plan.error().message);
  return {*std::move(graph), *std::move(plan)};
}

Expected<Plan> pinned_plan(const Made& made, const SymbolValues& pins) {
  INGOT_ASSIGN(const Graph graph, pin(made.graph, made.whole, pins));
  return make_pinned_plan(graph, made.whole, pins, {});
}

TEST(Pin, CallsLookAlike) {
  const Made made = make(model);
  const auto plan = pinned_plan(made, {{"k", 7}});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->name, "m:k=7");
  ASSERT_EQ(plan->symbols.size(), 2U);
  EXPECT_EQ(plan->symbols[0].name, "N");
  EXPECT_EQ(plan->symbols[1].range.lo, 7);
  EXPECT_EQ(plan->symbols[1].range.hi, 7);
  EXPECT_THAT(pins_of(*plan), ElementsAre(1U));
  EXPECT_EQ(plan->constraints.size(), made.whole.constraints.size());
  EXPECT_TRUE(plan->inputs[0].type.shape[1].is(7));
  EXPECT_FALSE(plan->blocks.empty()) << "rows are free";
  EXPECT_TRUE(check_plan(*plan));
}

TEST(Pin, ManyRowsKeepTheirBlocks) {
  const Made made = make(model);
  ASSERT_FALSE(made.whole.blocks.empty());
  const std::int64_t size = made.whole.blocks[0].size;
  ASSERT_LT(size, 100000);
  const auto few = pinned_plan(made, {{"N", size}});
  const auto many = pinned_plan(made, {{"N", size + 1}});
  ASSERT_TRUE(few && many);
  EXPECT_TRUE(few->blocks.empty());
  EXPECT_TRUE(few->inputs[0].type.shape[0].is(size));
  ASSERT_FALSE(many->blocks.empty());
  EXPECT_EQ(many->blocks[0].size, size);
  EXPECT_THAT(pins_of(*many), ElementsAre(0U));
}

TEST(Pin, WhatCannotBe) {
  const Made made = make(model);
  const auto message = [&](const SymbolValues& pins) {
    const auto plan = pinned_plan(made, pins);
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_EQ(message({{"m", 1}}), "--variant m=1: no such symbol; the model's are N, k");
  EXPECT_EQ(message({{"k", 51}}),
            "--variant k=51: k is from 1 to 50; --dim k=LO:HI sets its range");
  EXPECT_THAT(message({{"k", 1}}), HasSubstr("--variant k=1: "));
  EXPECT_THAT(message({{"k", 1}}), HasSubstr("a reason"));
}

TEST(Pin, WhatDataGiveCannotBeChosen) {
  const Made made = make(R"(graph "m" fused {
  symbol N in [0, 1000]
  symbol K in [0, 1000] up to [N]
  %mask: bool[N] = input "mask"
  %p, %c = places_of_true(%mask)
  %k = measure(%c) {size = [K]}
  %q = slice(%p) {size = [K], start = [0], step = [1]}
  return "q" = %q
})");
  const auto measured = pinned_plan(made, {{"K", 4}});
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(measured.error().message,
            "--variant K=4: K follows from data, calls don't choose it; leave it out");
  const auto unknown = pinned_plan(made, {{"M", 4}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "--variant M=4: no such symbol; the model's are N");

  const auto plan = pinned_plan(made, {{"N", 4}});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->measures());
  EXPECT_THAT(pins_of(*plan), ElementsAre(0U));
  EXPECT_TRUE(plan->symbols[1].measured());
  EXPECT_TRUE(check_plan(*plan));
}

}  // namespace
}  // namespace ingot::plan
