// SPDX-License-Identifier: Apache-2.0
#include "plan/blocks.h"

#include <gtest/gtest.h>

#include "plan/planned.h"

namespace ingot::plan {
namespace {

/// Operations of all kernels at N rows.
std::int64_t operations(const Plan& plan, std::int64_t rows) {
  Dim total;
  for (const Kernel& kernel : plan.kernels) total += in_all(plan, kernel, flops(kernel));
  const Expected<std::int64_t> value = total.evaluate({{"N", rows}});
  EXPECT_TRUE(value) << value.error().message << ": " << total.str();
  return value ? *value : -1;
}

constexpr std::string_view list_of_candidates = R"(graph "g" fused {
  symbol N in [0, 1000]
  %x: f32[N, 4000, 8] = input "x"
  %w: f32[8, 8] = input "w"
  %a = matmul(%x, %w) {chains = 1} "a"
  %b = tanh(%a) "b"
  %c = matmul(%b, %w) {chains = 1} "c"
  %y = reduce_sum(%c) {axes = [1], keep_dims = false, order = "index"} "y"
  return "y" = %y
})";

TEST(BlocksOfAPlan, WhatKernelsDoInAllDoesNotDependOnThem) {
  const Plan whole = planned(list_of_candidates), nested = planned(list_of_candidates, 16384);
  ASSERT_EQ(whole.blocks.size(), 0u);
  ASSERT_EQ(nested.blocks.size(), 2u) << print(nested).text;
  for (const std::int64_t rows : {0, 1, 3, 64})
    EXPECT_EQ(operations(nested, rows), operations(whole, rows)) << rows;
  EXPECT_GE(operations(whole, 3), 3 * 4000 * 8 * 8 * 2 * 2);
}

}  // namespace
}  // namespace ingot::plan
