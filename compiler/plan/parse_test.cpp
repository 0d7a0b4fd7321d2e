// SPDX-License-Identifier: Apache-2.0
#include "plan/parse.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "plan/check.h"
#include "plan/planned.h"

namespace ingot::plan {
namespace {

std::vector<std::byte> some_weights() {
  std::vector<std::byte> weights(2048);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::byte>(i % 251);
  return weights;
}

/// Everything that can stand in a plan, once.
std::string all_forms() {
  return fmt::format(R"text(plan "all \"forms\"" strict
symbol N in [0, 1000], rows
symbol k in [1, 64]
require N >= k + 1 "node 'knn' (top_k)"
require 2*N == k*k ""
input "x" f32[N, 8] in b0
input "which" i64[N] in b1
output "y; z" f32[N, 8] in b2
workspace max(64*N, 128*k) + 64 bytes
alive 60*N + 4 bytes
weights 2048 bytes #{:016x}
self_test seed 18446744073709551615 N=3 k=2 gives #0123456789abcdef
block 0 to 1 by 16 as N.begin, N.count of N
block 1 to 1 by 2 as inner.begin, inner.count of 8
fork 2 to 3, 4 to 4, 5 to 6
b0 = input 0 f32[N, 8] "x"
b1 = input 1 i64[N] "which"
b2 = output 0 f32[N, 8] "y; z"
b3 = arena f32[N, 8] "a \n b" at 32*N + 64
b4 = weights f32[8] "" at 1024
kernel 0 map "gathered" [N, 8] from "take", "scale/by two"
    %0: f32 = load b4 + 0 by [0, 1]
    %1: i64 = load b1 + 0 by [1, 0]
    %2: f32 = gather b0 + 0 by [0, 1, 8] at %1 below N
    %3: f32 = mul %0, %2
    %4: f32 = nan(0xffc00001)
    %5: f32 = -0.1
    %6: bool = lt %3, %5
    %7: f32 = where %6, %4, %3
    %8: i64 = index 1
    %9: i64 = size floor_div(N + 1, 2)
    %10: i64 = add %8, %9
    %11: f32 = cast %10
    %12: f32 = sub %7, %11
    %13: bool = true
    %14: f32 = nan
    store %12 to b3 + 0 by [8, 1]
kernel 1 reduce "softmax" [N, 8]
  stage 0
    %0: f32 = load b3 + 0 by [8, 1]
    s0 = max of %0
  stage 1
    %0: f32 = load b3 + 0 by [8, 1]
    %1: f32 = s0
    %2: f32 = sub %0, %1
    store %2 to b3 + 0 by [8, 1]
    s1 = sum of %2
    keep %2 at 64*k
  stage 2
    %0: f32 = kept 1
    store %0 to b2 + 0 by [8, 1]
  finish
    %0: f32 = s1
    store %0 to b2 + 7 by [8, 0]
kernel 2 reduce "depthwise" [N, 8, 3]
  sum over the last 1 in order
  window 3 along 0 by 2, dilated by 1, padded by -1, size floor_div(N, max(k, 2))
    %0: f32 = load b0 + -8 by [16, 1, 8]
    %1: f32 = load b4 + 0 by [0, 1, 0]
    times %1
    start b4 + 0 by [0, 1, 0]
  finish
    %0: f32 = s0
    store %0 to b2 + 0 by [8, 1, 0]
kernel 3 reduce "pool" [N, 3, 3]
  prod over the last 2 in order
  window 3 along 0 by 2, dilated by 1, padded by 0, size N, inside
  window 3 along 0 by 2, dilated by 1, padded by 0, size N, inside
    %0: f32 = 1
  finish
kernel 4 contract "conv" [2, N, 4]
  a b0 + -8 by [4, 8, 0, 1]
  b panels [12, 8] with bias in 512 bytes at 64
  groups along 0 of 512 bytes
  taps 3 along 1 by 1, dilated by 1, padded by 1, size N, a by 8, b by 0
  taps 1 along 1 by 1, dilated by 1, padded by 0, size N, inside, a by min(N, 8), b by 0
  sum of 4 in 1 chain
    %0: f32 = product
    store %0 to b2 + 0 by [4, 8, 1]
kernel 5 contract "dense" [N, 2]
  a b0 + 0 by [8, 0, 1]
  b dots [8, 2] in 128 bytes at 0
  sum of 8 in 16 chains
    %0: f32 = product
    store %0 to b2 + 0 by [8, 1]
kernel 6 contract "product" [N, 8]
  a b0 + 0 by [8, 0, 1]
  b b0 + 0 by [0, 1, 8]
  bias b4 + 0 by [0, 1]
  sum of k in 1 chain
    %0: f32 = product
)text",
                     weights_hash(some_weights()));
}

TEST(PlanText, EverythingPrintsAndReadsBack) {
  const std::string text = all_forms();
  const auto plan = parse_plan(text, some_weights());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(print(*plan).text, text);
  EXPECT_EQ(plan->kernels.size(), 7u);
  const auto& conv = std::get<Contract>(plan->kernels[4].work);
  EXPECT_EQ(conv.group_bytes, 512);
  EXPECT_FALSE(conv.taps.at(0).window.inside);
  EXPECT_TRUE(conv.taps.at(1).window.inside);
  EXPECT_EQ(std::get<PackedWeights>(conv.b).k, 12);
}

TEST(PlanText, CommentsAndSpacesMeanNothing) {
  std::string text = all_forms();
  text.insert(text.find("kernel 1"), "  ; a remark\n\n");
  const auto plan = parse_plan(text, some_weights());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(print(*plan).text, all_forms());
}

TEST(PlanText, WeightsMustBeTheOnesThatWerePrinted) {
  std::vector<std::byte> weights = some_weights();
  weights[7] = std::byte{99};
  const auto plan = parse_plan(all_forms(), weights);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "line 11, column 9: these are not the 2048 bytes of weights that are given");
  EXPECT_FALSE(parse_plan(all_forms(), {}));
}

TEST(PlanText, ErrorsSayWhere) {
  const std::pair<const char*, const char*> changes[] = {
      {"strict", "loose"},
      {"symbol k in [1, 64]", "symbol k in [9, 8]"},
      {"workspace max(64*N", "workspace maximum(64*N"},
      {"b3 = arena", "b5 = arena"},
      {"b3 = arena", "b3 = heap"},
      {"f32[N, 8] \"a", "f31[N, 8] \"a"},
      {"kernel 0 map", "kernel 0 mop"},
      {"kernel 0 map", "kernel 4294967296 map"},
      {"mul %0, %2", "mull %0, %2"},
      {"mul %0, %2", "mul"},
      {"mul %0, %2", "mul %0,"},
      {"%12: f32", "%11: f32"},
      {"by [8, 1]\n    s0", "by [8, 1\n    s0"},
      {"max of %0", "mix of %0"},
      {"stage 1", "stage 7"},
      {"size N, inside", "size N, inward"},
      {"sum of 8 in 16 chains", "sum of 8 chains"},
      {"#0123456789abcdef", "#0123"},
      {"\n    %0: f32 = product\n    store %0 to b2 + 0 by [4", "\n    %0: f32 = 1e\n    store"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = all_forms();
    const std::size_t at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    text.replace(at, std::string_view(from).size(), to);
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const auto plan = parse_plan(text, some_weights());
    ASSERT_FALSE(plan) << to;
    EXPECT_EQ(plan.error().code, ErrorCode::invalid_model) << to;
    // The line of the change, or where it first cannot be right any more.
    const std::string message = plan.error().message;
    int said = 0;
    ASSERT_EQ(std::sscanf(message.c_str(), "line %d,", &said), 1) << message;
    EXPECT_GE(said, line + 1) << message;
    EXPECT_LE(said, line + 3) << message;
  }
}

TEST(PlanText, NoPrefixCrashes) {
  const std::string text = all_forms();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto plan = parse_plan(std::string_view(text).substr(0, size), some_weights());
    if (plan) (void)check_plan(*plan);
  }
}

TEST(PlanText, WhatDoesNotFitIsRefused) {
  const std::pair<const char*, const char*> changes[] = {
      {"input \"x\" f32[N, 8] in b0", "input \"x\" f32[N, 8] in b9"},
      {"input \"x\" f32[N, 8] in b0", "input \"x\" f32[N, 7] in b0"},
      {"b2 = output 0", "b2 = output 1"},
      {"load b4 + 0 by [0, 1]\n    %1: i64", "load b4 + 0 by [0]\n    %1: i64"},
      {"load b4 + 0 by [0, 1]\n    %1: i64", "load b7 + 0 by [0, 1]\n    %1: i64"},
      {"%1: i64 = load b1", "%1: i32 = load b1"},
      {"at %1 below", "at %0 below"},
      {"mul %0, %2", "mul %0, %3"},
      {"mul %0, %2", "mul %0"},
      {"mul %0, %2", "mul %0, %1"},
      {"index 1", "index 2"},
      {"%1: f32 = s0", "%1: f32 = s1"},
      {"f32 = kept 1", "f32 = kept 0"},
      {"store %12 to", "store %13 to"},
      {"store %12 to", "store %15 to"},
      {"max of %0", "max of %3"},
      {"%0: f32 = product", "%0: f32 = kept 0"},
      {"last 1 in order", "last 4 in order"},
      {"window 3 along 0 by 2, dilated by 1, padded by -1",
       "window 3 along 2 by 2, dilated by 1, padded by -1"},
      {"times %1", "times %2"},
      {"groups along 0", "groups along 3"},
      {"panels [12, 8]", "panels [12, 0]"},
      {"dots [8, 2]", "dots [8, 5]"},
      {"in 16 chains", "in 17 chains"},
  };
  auto sound = parse_plan(all_forms(), some_weights());
  ASSERT_TRUE(sound);
  const auto checked = check_plan(*sound);
  ASSERT_TRUE(checked) << checked.error().message;
  for (const auto& [from, to] : changes) {
    std::string text = all_forms();
    ASSERT_NE(text.find(from), text.npos) << from;
    text.replace(text.find(from), std::string_view(from).size(), to);
    const auto plan = parse_plan(text, some_weights());
    ASSERT_TRUE(plan) << to << ": " << plan.error().message;
    EXPECT_FALSE(check_plan(*plan)) << to;
  }
}

}  // namespace
}  // namespace ingot::plan
