// SPDX-License-Identifier: Apache-2.0
// Tensors: splats, equality and hashes, and 16-bit floats against numpy's and the definition.
#include "ir/tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace ingot {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor(DType::f32, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  }
  return tensor;
}

TEST(Tensor, CompactFindsOneRepeatedValueByItsBits) {
  const Tensor repeated = floats({2, 3}, {7, 7, 7, 7, 7, 7});
  const Tensor splat = repeated.compact();
  EXPECT_TRUE(splat.is_splat());
  EXPECT_EQ(splat.bytes().size(), 4u);
  EXPECT_EQ(splat.at<float>(5), 7);
  EXPECT_EQ(splat, repeated);
  EXPECT_EQ(repeated, splat);
  EXPECT_EQ(splat.hash(), repeated.hash());
  EXPECT_FALSE(splat.dense().is_splat());
  EXPECT_EQ(splat.dense().bytes().size(), 24u);

  EXPECT_FALSE(floats({2}, {0.0f, -0.0f}).compact().is_splat());
  EXPECT_TRUE(floats({2}, {NAN, NAN}).compact().is_splat());
  EXPECT_FALSE(floats({3}, {1, 1, 2}).compact().is_splat());
  EXPECT_FALSE(floats({3}, {2, 1, 1}).compact().is_splat());
  EXPECT_FALSE(floats({1}, {2}).compact().is_splat());
  EXPECT_FALSE(floats({0}, {}).compact().is_splat());
}

TEST(Tensor, SplatOfFewElementsIsDense) {
  const float one = 1;
  const auto element = std::as_bytes(std::span(&one, 1));
  EXPECT_EQ(Tensor::splat(DType::f32, {}, element), Tensor::scalar(DType::f32, 1.0f));
  EXPECT_EQ(Tensor::splat(DType::f32, {0, 4}, element), Tensor(DType::f32, {0, 4}));
  EXPECT_EQ(Tensor::splat(DType::f32, {0, 4}, element).hash(), Tensor(DType::f32, {0, 4}).hash());
}

TEST(Tensor, EqualityIsOfTypesAndBits) {
  EXPECT_EQ(floats({2}, {1, 2}), floats({2}, {1, 2}));
  EXPECT_NE(floats({2}, {1, 2}), floats({2, 1}, {1, 2}));
  EXPECT_NE(floats({1}, {0.0f}), floats({1}, {-0.0f}));
  EXPECT_NE(Tensor(DType::i32, {2}), Tensor(DType::u32, {2}));
  EXPECT_NE(Tensor(DType::i32, {2}).hash(), Tensor(DType::u32, {2}).hash());
  EXPECT_NE(floats({2}, {1, 2}).hash(), floats({2, 1}, {1, 2}).hash());
  EXPECT_NE(floats({2}, {3, 3}), floats({2}, {3, 4}));
  EXPECT_NE(floats({2}, {3, 3}).compact(), floats({2}, {3, 4}));
}

TEST(Tensor, NumbersOfAnyType) {
  EXPECT_EQ(Tensor::scalar(DType::u8, std::uint8_t{200}).as_int64(0), 200);
  EXPECT_EQ(Tensor::scalar(DType::i8, std::int8_t{-56}).as_double(0), -56);
  EXPECT_EQ(Tensor::scalar(DType::u64, ~std::uint64_t{0}).as_double(0), 0x1p64);
  EXPECT_EQ(Tensor::scalar(DType::boolean, std::uint8_t{1}).as_int64(0), 1);
  EXPECT_EQ(Tensor::scalar(DType::f16, std::uint16_t{0xc000}).as_double(0), -2);
  EXPECT_EQ(Tensor::scalar(DType::f32, -2.9f).as_int64(0), -2);
  EXPECT_EQ(Tensor::scalar(DType::f32, 1e30f).as_int64(0),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Tensor::scalar(DType::f64, -infinity).as_int64(0),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Tensor::scalar(DType::f64, nan).as_int64(0), 0);
  const std::vector<std::int64_t> values{3, -1, 4};
  EXPECT_EQ(Tensor::from_int64(values).as_int64s(), values);
  EXPECT_EQ(Tensor::from_int64(values).reshaped({3, 1}).shape(), (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(str(Tensor::from_int64(values).type()), "i64[3]");
}

TEST(Tensor, BrokenInvariantsAreInternalErrors) {
  EXPECT_THROW(Tensor(DType::f32, {-1}), InternalError);
  EXPECT_THROW(Tensor(DType::f32, {2}, std::vector<std::byte>(7)), InternalError);
  EXPECT_THROW(Tensor::scalar(DType::f32, 1.0), InternalError);
  EXPECT_THROW(Tensor(DType::f32, {2}).reshaped({3}), InternalError);
}

TEST(Tensor, CountingElementsChecksOverflow) {
  const std::int64_t large = std::int64_t{1} << 40;
  EXPECT_EQ(*element_count(std::vector<std::int64_t>{}), 1);
  EXPECT_EQ(*element_count(std::vector<std::int64_t>{3, 0, 5}), 0);
  EXPECT_EQ(*element_count(std::vector<std::int64_t>{large, large, 0}), 0);
  EXPECT_FALSE(element_count(std::vector<std::int64_t>{large, large}));
  EXPECT_FALSE(element_count(std::vector<std::int64_t>{0, -1}));
}

TEST(Tensor, ExtentCountsEveryAxis) {
  const auto fits = [](DType dtype, const Shape& shape) {
    return static_cast<bool>(check_extent({dtype, shape}));
  };
  const Dim n = Dim::symbol("N"), large = std::int64_t{1} << 45;
  EXPECT_TRUE(fits(DType::f32, {n, large}));
  EXPECT_FALSE(fits(DType::f64, {n, large}));
  EXPECT_FALSE(fits(DType::i8, {n, large, n, 8}));
  EXPECT_TRUE(fits(DType::i8, {0, large, 4}));
  EXPECT_FALSE(fits(DType::i8, {0, large, large}));
  EXPECT_TRUE(fits(DType::i8, {large * n, 4 * n}));
  EXPECT_FALSE(fits(DType::i8, {large * n, large * n}));
  EXPECT_FALSE(fits(DType::i8, {n + large, 4, n - large}));
}

// numpy 2 for float16, ml_dtypes 0.6 for bfloat16.
TEST(SixteenBits, AsNumpyRounds) {
  struct Row {
    double value;
    std::uint16_t f16, bf16;
  };
  for (const Row& row :
       std::vector<Row>{{0.1, 0x2e66, 0x3dcd},           {1.0 / 3, 0x3555, 0x3eab},
                        {-2.0, 0xc000, 0xc000},          {65504, 0x7bff, 0x4780},
                        {65519.999, 0x7bff, 0x4780},     {65520, 0x7c00, 0x4780},
                        {6.1e-05, 0x03ff, 0x3880},       {5.96e-08, 0x0001, 0x3380},
                        {2.98e-08, 0x0000, 0x3300},      {0x1p-25, 0x0000, 0x3300},
                        {1e-10, 0x0000, 0x2edc},         {3.14159265358979, 0x4248, 0x4049},
                        {1.00048828125, 0x3c00, 0x3f80}, {1.00146484375, 0x3c02, 0x3f80},
                        {infinity, 0x7c00, 0x7f80},      {-infinity, 0xfc00, 0xff80},
                        {-1e-07, 0x8002, 0xb3d7},        {-0.0, 0x8000, 0x8000},
                        {5e-324, 0x0000, 0x0000},        {1e39, 0x7c00, 0x7f80}}) {
    EXPECT_EQ(f64_to_f16(row.value), row.f16) << row.value;
    EXPECT_EQ(f64_to_bf16(row.value), row.bf16) << row.value;
  }
  EXPECT_TRUE(std::isnan(f16_to_f32(f64_to_f16(nan))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f64_to_bf16(nan))));
  // A payload in the low bits only must not turn into an infinity.
  const double faint = std::bit_cast<double>(std::uint64_t{0x7ff0000000000001});
  EXPECT_TRUE(std::isnan(f16_to_f32(f64_to_f16(faint))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f64_to_bf16(faint))));
  // Just above the middle: by way of float32 this would round twice, to the wrong side.
  EXPECT_EQ(f64_to_bf16(1.00390625 + 0x1p-40), 0x3f81);
  EXPECT_EQ(f64_to_f16(1.00048828125 + 0x1p-40), 0x3c01);
}

// The definition: between two neighbours the middle goes to the even one, all else to the nearer.
void check_all_intervals(float (*widen)(std::uint16_t), std::uint16_t (*round)(double),
                         std::uint16_t infinite) {
  for (std::uint16_t bits = 0; bits < infinite; ++bits) {
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const double low = widen(bits);
    // Beyond the largest number the next step would be as wide as the last.
    const double high = next == infinite ? 2 * low - widen(static_cast<std::uint16_t>(bits - 1))
                                         : static_cast<double>(widen(next));
    const double middle = low / 2 + high / 2;
    ASSERT_EQ(round(low), bits);
    ASSERT_EQ(round(-low), bits | 0x8000);
    ASSERT_EQ(round(middle), bits % 2 == 0 ? bits : next) << bits;
    ASSERT_EQ(round(std::nextafter(middle, 0)), bits) << bits;
    ASSERT_EQ(round(std::nextafter(middle, infinity)), next) << bits;
  }
}

TEST(SixteenBits, EveryNumberAndEveryMiddle) {
  check_all_intervals(f16_to_f32, f64_to_f16, 0x7c00);
  check_all_intervals(bf16_to_f32, f64_to_bf16, 0x7f80);
}

}  // namespace
}  // namespace ingot
