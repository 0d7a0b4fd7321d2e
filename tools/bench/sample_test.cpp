// SPDX-License-Identifier: Apache-2.0
// Nothing here depends on how long anything takes.
#include "sample.h"

#include <gtest/gtest.h>

namespace ingot::bench {
namespace {

struct Counted : Contender {
  explicit Counted(std::vector<int>* order = nullptr, int id = 0, int fails_at = -1)
      : order(order), id(id), fails_at(fails_at) {}
  Expected<void> run() override {
    if (++calls == fails_at) return fail(ErrorCode::runtime, "call {} failed", calls);
    if (order != nullptr && (order->empty() || order->back() != id)) order->push_back(id);
    return {};
  }
  Expected<std::vector<Tensor>> outputs() override { return std::vector<Tensor>(); }
  std::vector<int>* order;
  int id, calls = 0, fails_at;
};

constexpr Pace short_pace{0.5, 0.02};

TEST(Sample, CountsItsCalls) {
  Counted one;
  const std::vector<Sampled> sampled = sample_hot({&one}, short_pace);
  ASSERT_EQ(sampled.size(), 1u);
  EXPECT_EQ(sampled[0].error, "");
  EXPECT_GT(sampled[0].figures.samples, 0);
  EXPECT_GT(sampled[0].figures.median, 0);
  EXPECT_EQ(sampled[0].figures.calls % sampled[0].figures.samples, 0);
  EXPECT_LT(sampled[0].figures.calls, one.calls);  // those that warm up do not count
}

TEST(Sample, TakesTurns) {
  std::vector<int> order;
  Counted a(&order, 0), b(&order, 1);
  sample_hot({&a, &b}, short_pace);
  // By turns, and whoever ended a turn does not begin the next: at least as many changes as turns.
  EXPECT_GT(order.size(), 6u);
  EXPECT_GT(a.calls, 0);
  EXPECT_GT(b.calls, 0);
}

TEST(Sample, OneThatFailsDropsOut) {
  Counted good, bad(nullptr, 0, 40);
  const std::vector<Sampled> sampled = sample_hot({&bad, &good}, short_pace);
  EXPECT_EQ(sampled[0].error, "call 40 failed");
  EXPECT_FALSE(sampled[0].figures.steady);
  EXPECT_EQ(bad.calls, 40);
  EXPECT_EQ(sampled[1].error, "");
  EXPECT_GT(sampled[1].figures.samples, 0);
}

TEST(Sample, ColdIsOneCallAfterAnother) {
  Expected<Evictor> evictor = Evictor::make();
  ASSERT_TRUE(evictor) << evictor.error().message;
  Counted one;
  const std::vector<Sampled> sampled = sample_cold({&one}, {10, 0.01}, *evictor, 0);
  EXPECT_EQ(sampled[0].figures.samples, one.calls);
  EXPECT_EQ(sampled[0].figures.calls, one.calls);
}

}  // namespace
}  // namespace ingot::bench
