// SPDX-License-Identifier: Apache-2.0
#include "plan/weight_section.h"

#include <gtest/gtest.h>

namespace ingot::plan {
namespace {

/// A plan of constants alone, as they lie in its section.
Plan with_constants(const std::vector<std::pair<std::int64_t, std::string>>& constants) {
  Plan plan;
  for (const auto& [offset, text] : constants) {
    plan.weights.resize(static_cast<std::size_t>(offset));
    for (const char c : text) plan.weights.push_back(static_cast<std::byte>(c));
    plan.buffers.push_back({Buffer::Kind::weights,
                            DType::u8,
                            {static_cast<std::int64_t>(text.size())},
                            0,
                            offset,
                            ""});
  }
  return plan;
}

std::string text_at(const WeightSection& section, const Buffer& buffer) {
  return {reinterpret_cast<const char*>(section.bytes().data()) + *buffer.offset.value(),
          static_cast<std::size_t>(*buffer.shape[0].value())};
}

TEST(WeightSection, IsTheUnion) {
  Plan first = with_constants({{0, "one"}, {64, "two"}, {128, "three"}});
  Plan second = with_constants({{0, "three"}, {64, "four"}, {128, "one"}});
  Plan third = with_constants({{0, "four"}, {64, "on"}, {128, "two"}});
  WeightSection section;
  for (Plan* plan : {&first, &second, &third}) section.add(*plan);
  EXPECT_TRUE(first.buffers[1].offset.is(64)) << "the first one's stay";
  EXPECT_EQ(text_at(section, first.buffers[1]), "two");
  EXPECT_EQ(text_at(section, second.buffers[0]), "three");
  EXPECT_EQ(text_at(section, second.buffers[1]), "four");
  EXPECT_EQ(text_at(section, second.buffers[2]), "one");
  EXPECT_EQ(text_at(section, third.buffers[0]), "four");
  EXPECT_EQ(text_at(section, third.buffers[1]), "on") << "no prefix of another";
  EXPECT_EQ(text_at(section, third.buffers[2]), "two");
  EXPECT_EQ(section.bytes().size(), 5U * 64) << "one two three four on";
  for (const Plan* plan : {&first, &second, &third}) {
    EXPECT_TRUE(plan->weights.empty());
    for (const Buffer& buffer : plan->buffers) EXPECT_EQ(*buffer.offset.value() % 64, 0);
  }
}

TEST(WeightSection, BuffersThatOverlapMoveTogether) {
  Plan first = with_constants({{0, "x"}});
  Plan second = with_constants({{0, "y"}, {64, "abcdef"}});
  second.buffers.push_back({Buffer::Kind::weights, DType::u8, {3}, 0, 66, ""});
  WeightSection section;
  section.add(first);
  section.add(second);
  EXPECT_EQ(text_at(section, second.buffers[1]), "abcdef");
  EXPECT_EQ(text_at(section, second.buffers[2]), "cde");
}

TEST(WeightSection, APlanMayHaveNone) {
  Plan none, some = with_constants({{0, "some"}}), last;
  WeightSection section;
  for (Plan* plan : {&none, &some, &last}) section.add(*plan);
  EXPECT_EQ(text_at(section, some.buffers[0]), "some");
}

}  // namespace
}  // namespace ingot::plan
