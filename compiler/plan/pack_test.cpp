// SPDX-License-Identifier: Apache-2.0
// Every element of a packed matrix is where pack.h says, and nothing else is there.
#include "plan/pack.h"

#include <gtest/gtest.h>

#include <bit>

namespace ingot::plan {
namespace {

Tensor ramp(std::int64_t rows, std::int64_t columns) {
  Tensor tensor(DType::f32, {rows, columns});
  for (std::int64_t i = 0; i < tensor.elements(); ++i)
    tensor.set<float>(i, 1.0f + static_cast<float>(i));
  return tensor;
}

float at(const std::vector<std::byte>& section, std::int64_t byte) {
  float value;
  std::memcpy(&value, section.data() + byte, sizeof value);
  return value;
}

TEST(Pack, PanelsHoldBiasFirstAndRepeatTheLastColumn) {
  std::vector<std::byte> section(3, std::byte{0xAA});
  const Tensor b = ramp(2, 43);
  Tensor bias(DType::f32, {43});
  for (int j = 0; j < 43; ++j) bias.set<float>(j, -static_cast<float>(j) - 1);

  const PackedWeights packed = pack(b, &bias, section);
  EXPECT_EQ(packed.offset, Dim(64));
  EXPECT_EQ(packed.layout, PackedWeights::Layout::panels);
  EXPECT_TRUE(packed.has_bias);
  EXPECT_EQ(packed.bytes, (3 * 32 + 3 * 16) * 4);
  ASSERT_EQ(section.size(), 64u + static_cast<std::size_t>(packed.bytes));
  EXPECT_EQ(section[2], std::byte{0xAA});
  EXPECT_EQ(panel_width(packed, 0), 32);
  EXPECT_EQ(panel_width(packed, 1), 16);

  EXPECT_EQ(at(section, 64), -1.0f);                             // bias 0
  EXPECT_EQ(at(section, 64 + 32 * 4), 1.0f);                     // row 0, column 0
  EXPECT_EQ(at(section, 64 + (2 * 32 + 5) * 4), 1.0f + 43 + 5);  // row 1, column 5
  const std::int64_t second = 64 + 3 * 32 * 4;
  EXPECT_EQ(panel_start(packed, 1), 3 * 32);
  EXPECT_EQ(at(section, second), -33.0f);
  EXPECT_EQ(at(section, second + 16 * 4), 1.0f + 32);
  for (int j = 10; j < 16; ++j) {
    EXPECT_EQ(at(section, second + j * 4), -43.0f);
    EXPECT_EQ(at(section, second + (2 * 16 + j) * 4), 1.0f + 43 + 42);
  }
}

TEST(Pack, WithoutBiasPanelsBeginWithTheFirstRow) {
  std::vector<std::byte> section;
  const PackedWeights packed = pack(ramp(3, 5), nullptr, section);
  EXPECT_EQ(packed.bytes, 3 * 8 * 4);
  EXPECT_EQ(at(section, 0), 1.0f);
  EXPECT_EQ(at(section, 8 * 4), 6.0f);
  EXPECT_EQ(bias_elements(packed, 0), 0);
}

TEST(Pack, DotsStartAllChainsAndEndInNegativeZeros) {
  std::vector<std::byte> section;
  Tensor bias(DType::f32, {3});
  for (int j = 0; j < 3; ++j) bias.set<float>(j, 7.0f + static_cast<float>(j));
  const PackedWeights packed = pack(ramp(17, 3), &bias, section);
  EXPECT_EQ(packed.layout, PackedWeights::Layout::dots);
  EXPECT_EQ(panel_width(packed, 0), 4);
  EXPECT_EQ(bias_elements(packed, 0), 16);
  EXPECT_EQ(packed.bytes, (16 + 32 * 4) * 4);
  EXPECT_EQ(at(section, 0), 7.0f);
  EXPECT_EQ(at(section, 12), 9.0f);
  for (int j = 4; j < 16; ++j) EXPECT_EQ(std::bit_cast<std::uint32_t>(at(section, j * 4)), 0u);
  EXPECT_EQ(at(section, (16 + 16 * 4 + 2) * 4), 1.0f + 16 * 3 + 2);
  EXPECT_EQ(at(section, (16 + 16 * 4 + 3) * 4), 1.0f + 16 * 3 + 2);
  for (int j = 17 * 4; j < 32 * 4; ++j)
    EXPECT_EQ(std::bit_cast<std::uint32_t>(at(section, (16 + j) * 4)), 0x80000000u);
}

TEST(Pack, SplatsAreWrittenOutAndIntegersPadWithZero) {
  std::vector<std::byte> section;
  const std::int32_t nine = 9;
  const Tensor b = Tensor::splat(DType::i32, {3, 2}, std::as_bytes(std::span(&nine, 1)));
  const PackedWeights packed = pack(b, nullptr, section);
  EXPECT_EQ(packed.bytes, 16 * 2 * 4);
  std::int32_t values[32];
  std::memcpy(values, section.data(), sizeof values);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(values[i], i < 6 ? 9 : 0);
}

TEST(Pack, DoublesKeepTheirBits) {
  std::vector<std::byte> section;
  Tensor b(DType::f64, {1, 1});
  b.set<double>(0, 0.1);
  const PackedWeights packed = pack(b, nullptr, section);
  EXPECT_EQ(packed.bytes, 16 * 8);
  double values[16];
  std::memcpy(values, section.data(), sizeof values);
  EXPECT_EQ(values[0], 0.1);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(values[15]), std::uint64_t{1} << 63);
}

TEST(Pack, RowsWithoutElements) {
  std::vector<std::byte> section;
  Tensor bias(DType::f32, {6});
  const PackedWeights packed = pack(Tensor(DType::f32, {0, 6}), &bias, section);
  EXPECT_EQ(packed.bytes, 8 * 4);
}

}  // namespace
}  // namespace ingot::plan
