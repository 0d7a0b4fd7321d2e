// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ingot::bench {
namespace {

Tensor row(std::vector<float> values) {
  Tensor tensor(DType::f32, {1, static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

std::string agreement(const Tensor& got, const Tensor& reference, bool bits = false) {
  Result result;
  compare({got}, {reference}, bits, result);
  return result.agreement;
}

TEST(Compare, WithinATenThousandthOfTheLargest) {
  EXPECT_EQ(agreement(row({1000.05F, 0.01F}), row({1000, 0})), "agrees");
  EXPECT_EQ(agreement(row({1000.2F, 0}), row({1000, 0})), "differs");
  Result result;
  compare({row({2, 1})}, {row({1, 1})}, false, result);
  EXPECT_NEAR(result.difference, 1 / 1.01e-4, 1);
}

TEST(Compare, OurOwnToTheBit) {
  EXPECT_EQ(agreement(row({1, 2}), row({1, 2}), true), "same bits");
  EXPECT_EQ(agreement(row({1, std::nextafter(2.0F, 3.0F)}), row({1, 2}), true), "differs");
}

TEST(Compare, WhatIsNoNumberHasToBeTheSame) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(agreement(row({nan, infinity}), row({nan, infinity})), "agrees");
  EXPECT_EQ(agreement(row({nan}), row({1})), "differs");
  EXPECT_EQ(agreement(row({1}), row({infinity})), "differs");
}

TEST(Compare, OtherShapes) {
  EXPECT_EQ(agreement(row({1, 2}), row({1})), "output 0 is f32[1, 2], not f32[1, 1]");
  Result result;
  compare({}, {row({1})}, false, result);
  EXPECT_EQ(result.agreement, "0 outputs, not 1");
}

}  // namespace
}  // namespace ingot::bench
