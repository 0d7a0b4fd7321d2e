// SPDX-License-Identifier: Apache-2.0
// The self-test's numbers and hash against published vectors: whoever writes another reader of the
// ABI has only these to go by.
#include <gtest/gtest.h>
#include <ingot/self_test.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace ingot {
namespace {

template <class T>
std::vector<T> filled(std::int32_t dtype, std::uint64_t seed, std::size_t count) {
  std::vector<T> data(count);
  self_test_fill(dtype, seed, 0, data.data(), count);
  return data;
}

std::uint64_t hash_of(std::int32_t dtype, const void* data, std::size_t count) {
  SelfTestHash hash;
  hash.add(dtype, data, count);
  return hash.value();
}

TEST(SelfTest, NumbersAreSplitmix64) {
  // The first five for seed 1234567, from rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64.
  const std::uint64_t published[] = {6457827717110365317U, 3203168211198807973U,
                                     9817491932198370423U, 4593380528125082431U,
                                     16408922859458223821U};
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(self_test_number(1234567, i), published[i]);
}

TEST(SelfTest, HashIsFnv1a) {
  // From the vectors of the FNV draft (draft-eastlake-fnv).
  EXPECT_EQ(hash_of(INGOT_U8, "", 0), 0xCBF29CE484222325U);
  EXPECT_EQ(hash_of(INGOT_U8, "a", 1), 0xAF63DC4C8601EC8CU);
  EXPECT_EQ(hash_of(INGOT_U8, "foobar", 6), 0x85944171F73967E8U);
}

TEST(SelfTest, WiderElementsAreHashedAsLittleEndianBytes) {
  const std::uint32_t word = 0x64636261;  // "abcd"
  EXPECT_EQ(hash_of(INGOT_U32, &word, 1), hash_of(INGOT_U8, "abcd", 4));
  SelfTestHash hash;
  hash.add_symbol(0x61);
  EXPECT_EQ(hash.value(), hash_of(INGOT_U8, "a\0\0\0\0\0\0\0", 8));
}

TEST(SelfTest, FloatsAreTheStatedFractions) {
  // Computed with Python's integers from the formula in the header.
  EXPECT_EQ(
      filled<float>(INGOT_F32, 7, 9),
      (std::vector<float>{-0.22034060955047607F, -0.966423511505127F, 0.8015213012695312F,
                          0.16586053371429443F, -0.0951162576675415F, -0.5011370182037354F,
                          -0.06409406661987305F, -0.34384655952453613F, -0.7314834594726562F}));
  const auto doubles = filled<double>(INGOT_F64, 7, 9);
  EXPECT_NEAR(doubles[1], -0.966423511505127, 0x1p-23);
  EXPECT_NE(doubles[1], static_cast<double>(static_cast<float>(doubles[1])));
}

TEST(SelfTest, NarrowFloatsAreTheTopBitsOfTheSameNumbers) {
  const auto wide = filled<double>(INGOT_F64, 99, 4000);
  const auto half = filled<std::uint16_t>(INGOT_F16, 99, 4000);
  const auto brain = filled<std::uint16_t>(INGOT_BF16, 99, 4000);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const int exponent = (half[i] >> 10) & 31;
    const double magnitude = exponent == 0 ? (half[i] & 1023) * 0x1p-24
                                           : std::ldexp(1024 + (half[i] & 1023), exponent - 25);
    EXPECT_EQ((half[i] & 0x8000) != 0 ? -magnitude : magnitude, std::floor(wide[i] * 1024) / 1024);
    const std::uint32_t word = static_cast<std::uint32_t>(brain[i]) << 16;
    float value = 0;
    std::memcpy(&value, &word, sizeof value);
    EXPECT_EQ(value, std::floor(wide[i] * 128) / 128);
  }
}

TEST(SelfTest, IntegersAndBooleansAreZeroOrOneOfTheirWidth) {
  for (std::int32_t dtype = INGOT_I8; dtype <= INGOT_BOOL; ++dtype) {
    const std::size_t bytes = element_bytes(dtype);
    std::vector<unsigned char> data(65 * bytes, 0xEE);
    self_test_fill(dtype, 3, 10, data.data(), 64);
    std::size_t ones = 0;
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint64_t expected = self_test_number(3, 10 + i) >> 63;
      std::uint64_t found = 0;
      std::memcpy(&found, &data[i * bytes], bytes);
      EXPECT_EQ(found, expected);
      ones += found;
    }
    EXPECT_GT(ones, 16U);
    EXPECT_LT(ones, 48U);
    EXPECT_EQ(data[64 * bytes], 0xEE) << "wrote past the end";
  }
}

TEST(SelfTest, HashIgnoresWhatANanCarriesAndNothingElse) {
  const auto f32 = [](std::uint32_t bits) { return hash_of(INGOT_F32, &bits, 1); };
  EXPECT_EQ(f32(0xFFC00001U), f32(0x7FC00000U));
  EXPECT_EQ(f32(0x7F800001U), f32(0x7FC00000U));
  EXPECT_NE(f32(0x7F800000U), f32(0x7FC00000U));
  EXPECT_NE(f32(0xFF800000U), f32(0x7F800000U));
  EXPECT_NE(f32(0x80000000U), f32(0x00000000U));
  const auto f64 = [](std::uint64_t bits) { return hash_of(INGOT_F64, &bits, 1); };
  EXPECT_EQ(f64(0xFFF0000000000001U), f64(0x7FF8000000000000U));
  EXPECT_NE(f64(0x7FF0000000000000U), f64(0x7FF8000000000000U));
  const auto narrow = [](std::int32_t dtype, std::uint16_t bits) {
    return hash_of(dtype, &bits, 1);
  };
  EXPECT_EQ(narrow(INGOT_F16, 0xFC01), narrow(INGOT_F16, 0x7E00));
  EXPECT_EQ(narrow(INGOT_BF16, 0xFF81), narrow(INGOT_BF16, 0x7FC0));
  EXPECT_NE(narrow(INGOT_U16, 0xFF81), narrow(INGOT_U16, 0x7FC0));
}

}  // namespace
}  // namespace ingot
