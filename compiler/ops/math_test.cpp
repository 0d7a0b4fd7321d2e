// SPDX-License-Identifier: Apache-2.0
// The float32 functions of ops/math.h against C99's special values, against the C library's float64
// functions over a coarse sweep, and against the floating-point exceptions they may raise. All 2^32
// inputs are swept by tests/math/ulp_sweep.cpp.
#include "ops/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "ops/native_arith.h"

namespace ingot::ops {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

struct Special {
  float x;
  float y;
};

struct Function {
  const char* name;
  float (*ours)(NativeArith& f, float x);
  double (*reference)(double x);
  std::vector<Special> specials;  // beside NaN, which must give NaN
};

std::ostream& operator<<(std::ostream& out, const Function& function) {
  return out << function.name;
}

#define INGOT_FUNCTION(name)                                       \
  #name, [](NativeArith& f, float x) { return math::name(f, x); }, \
      [](double x) { return std::name(x); }

std::vector<Function> functions() {
  const float tiny = 0x1p-149f;
  const float half_pi = 0x1.921fb6p+0f;
  return {
      {INGOT_FUNCTION(exp),
       {{0.0f, 1.0f},
        {-0.0f, 1.0f},
        {tiny, 1.0f},
        {infinity, infinity},
        {-infinity, 0.0f},
        {-largest, 0.0f},
        {89.0f, infinity}}},
      {INGOT_FUNCTION(expm1),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {tiny, tiny},
        {-tiny, -tiny},
        {infinity, infinity},
        {-infinity, -1.0f}}},
      {"sigmoid",
       [](NativeArith& f, float x) { return math::sigmoid(f, x); },
       [](double x) { return 1.0 / (1.0 + std::exp(-x)); },
       {{0.0f, 0.5f},
        {-0.0f, 0.5f},
        {infinity, 1.0f},
        {-infinity, 0.0f},
        {largest, 1.0f},
        {-largest, 0.0f}}},
      {INGOT_FUNCTION(tanh),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {tiny, tiny},
        {-tiny, -tiny},
        {infinity, 1.0f},
        {-infinity, -1.0f}}},
      {INGOT_FUNCTION(log),
       {{0.0f, -infinity},
        {-0.0f, -infinity},
        {1.0f, 0.0f},
        {infinity, infinity},
        {-1.0f, nan},
        {-tiny, nan},
        {-infinity, nan}}},
      {INGOT_FUNCTION(log1p),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {tiny, tiny},
        {-tiny, -tiny},
        {-1.0f, -infinity},
        {infinity, infinity},
        {-2.0f, nan},
        {-infinity, nan}}},
      {INGOT_FUNCTION(erf),
       {{0.0f, 0.0f}, {-0.0f, -0.0f}, {tiny, tiny}, {infinity, 1.0f}, {-infinity, -1.0f}}},
      {INGOT_FUNCTION(sin),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {tiny, tiny},
        {-tiny, -tiny},
        {infinity, nan},
        {-infinity, nan}}},
      {INGOT_FUNCTION(cos), {{0.0f, 1.0f}, {-0.0f, 1.0f}, {infinity, nan}, {-infinity, nan}}},
      {INGOT_FUNCTION(tan),
       {{0.0f, 0.0f}, {-0.0f, -0.0f}, {-tiny, -tiny}, {infinity, nan}, {-infinity, nan}}},
      {INGOT_FUNCTION(asin),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {-tiny, -tiny},
        {1.0f, half_pi},
        {-1.0f, -half_pi},
        {0x1.000002p+0f, nan},
        {-infinity, nan}}},
      {INGOT_FUNCTION(acos),
       {{1.0f, 0.0f},
        {-1.0f, 2.0f * half_pi},
        {-0.0f, half_pi},
        {0x1.000002p+0f, nan},
        {-infinity, nan}}},
      {INGOT_FUNCTION(atan),
       {{0.0f, 0.0f}, {-0.0f, -0.0f}, {-tiny, -tiny}, {infinity, half_pi}, {-infinity, -half_pi}}},
      {INGOT_FUNCTION(sinh),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {-tiny, -tiny},
        {infinity, infinity},
        {-infinity, -infinity},
        {-90.0f, -infinity}}},
      {INGOT_FUNCTION(cosh),
       {{0.0f, 1.0f},
        {-0.0f, 1.0f},
        {infinity, infinity},
        {-infinity, infinity},
        {-90.0f, infinity}}},
      {INGOT_FUNCTION(asinh),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {-tiny, -tiny},
        {infinity, infinity},
        {-infinity, -infinity}}},
      {INGOT_FUNCTION(acosh),
       {{1.0f, 0.0f}, {infinity, infinity}, {0x1.fffffep-1f, nan}, {-0.0f, nan}, {-infinity, nan}}},
      {INGOT_FUNCTION(atanh),
       {{0.0f, 0.0f},
        {-0.0f, -0.0f},
        {-tiny, -tiny},
        {1.0f, infinity},
        {-1.0f, -infinity},
        {0x1.000002p+0f, nan},
        {-infinity, nan}}},
  };
}

/// Equal, sign of zero included; any NaN equals any NaN.
bool same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// Distance in units of the last place of the expected value; infinity stands for 2^128.
double error_in_ulp(float got, double expected) {
  if (std::isnan(got) || std::isnan(expected)) {
    return std::isnan(got) && std::isnan(expected) ? 0.0 : std::numeric_limits<double>::infinity();
  }
  const double a = std::clamp(static_cast<double>(got), -0x1p128, 0x1p128);
  const double b = std::clamp(expected, -0x1p128, 0x1p128);
  const int exponent = b == 0.0 ? -126 : std::clamp(std::ilogb(b), -126, 127);
  return std::ldexp(std::fabs(a - b), 23 - exponent);
}

class MathTest : public testing::TestWithParam<std::tuple<Function, bool>> {
 protected:
  const Function& function() const { return std::get<0>(GetParam()); }
  NativeArith arith() const { return NativeArith{std::get<1>(GetParam())}; }
};

TEST_P(MathTest, special_values) {
  NativeArith f = arith();
  EXPECT_TRUE(std::isnan(function().ours(f, nan)));
  EXPECT_TRUE(std::isnan(function().ours(f, -nan)));
  for (const Special& special : function().specials) {
    const float y = function().ours(f, special.x);
    EXPECT_TRUE(same(y, special.y))
        << function().name << "(" << special.x << ") is " << y << ", expected " << special.y;
  }
}

TEST_P(MathTest, two_ulp_over_a_coarse_sweep) {
  NativeArith f = arith();
  double worst = 0.0;
  float worst_x = 0.0f;
  for (std::uint64_t bits = 0; bits <= 0xffffffff; bits += 20011) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const double error = error_in_ulp(function().ours(f, x), function().reference(x));
    if (error > worst) {
      worst = error;
      worst_x = x;
    }
  }
  EXPECT_LE(worst, 2.0) << function().name << " at " << worst_x;
}

// The formulas compute all their branches; those not taken must not leave a trace.
TEST_P(MathTest, raises_only_what_the_result_means) {
  NativeArith f = arith();
  for (std::uint64_t bits = 0; bits <= 0xffffffff; bits += 2000003) {
    const volatile auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isfinite(x)) continue;
    std::feclearexcept(FE_ALL_EXCEPT);
    const volatile float y = function().ours(f, x);
    const int raised = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    if (std::isfinite(y)) {
      EXPECT_EQ(raised, 0) << function().name << " at " << x;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ops, MathTest,
                         testing::Combine(testing::ValuesIn(functions()), testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) +
                                  (std::get<1>(info.param) ? "_strict" : "_fma");
                         });

class PowTest : public testing::TestWithParam<bool> {};

TEST_P(PowTest, special_values) {
  const std::vector<float> values = {
      0.0f,         -0.0f,      1.0f,      -1.0f,         infinity, -infinity,   2.0f,
      -2.0f,        0.5f,       -0.5f,     3.0f,          -3.0f,    2.5f,        -2.5f,
      0x1p-149f,    -0x1p-149f, largest,   -largest,      nan,      16777215.0f, 16777216.0f,
      -16777215.0f, 8388607.5f, 0x1p-126f, 0x1.fffffep-1f};
  NativeArith f{GetParam()};
  for (const float x : values) {
    for (const float y : values) {
      const auto expected =
          static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
      const float got = math::pow(f, x, y);
      const bool exact = std::isnan(expected) || std::isinf(expected) || expected == 0.0f;
      EXPECT_TRUE(exact ? same(got, expected) : error_in_ulp(got, expected) <= 2.0)
          << "pow(" << x << ", " << y << ") is " << got << ", expected " << expected;
    }
  }
}

TEST_P(PowTest, two_ulp_on_random_arguments) {
  NativeArith f{GetParam()};
  std::mt19937 random(20240611);
  std::uniform_real_distribution<double> log2_x(-149.0, 128.0);
  std::uniform_real_distribution<double> log2_result(-151.0, 129.0);
  for (int i = 0; i < 200000; ++i) {
    const auto x = static_cast<float>(std::exp2(log2_x(random)));
    const auto y = static_cast<float>(log2_result(random) / std::log2(static_cast<double>(x)));
    const double expected = std::pow(static_cast<double>(x), static_cast<double>(y));
    ASSERT_LE(error_in_ulp(math::pow(f, x, y), expected), 2.0) << "pow(" << x << ", " << y << ")";
  }
}

INSTANTIATE_TEST_SUITE_P(ops, PowTest, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "strict" : "fma");
});

// Fails when the compiler joins a multiply and an add: the build lost -ffp-contract=off.
TEST(NativeArithTest, never_contracts) {
  const volatile float a = 1.0f + 0x1p-12f;
  const volatile float c = -(1.0f + 0x1p-11f);
  const volatile double da = 1.0 + 0x1p-27;
  const volatile double dc = -(1.0 + 0x1p-26);
  const NativeArith strict{true};
  const NativeArith fused{false};
  EXPECT_EQ(strict.fma(a, a, c), 0.0f);
  EXPECT_EQ(fused.add(fused.mul(a, a), c), 0.0f);
  EXPECT_EQ(fused.fma(a, a, c), 0x1p-24f);
  EXPECT_EQ(strict.dfma(da, da, dc), 0.0);
  EXPECT_EQ(fused.dfma(da, da, dc), 0x1p-54);
}

TEST(NativeArithTest, integers_wrap_and_shift) {
  const NativeArith f;
  EXPECT_EQ(f.iadd(0x7fffffff, 1), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(f.isub(std::numeric_limits<std::int32_t>::min(), 1), 0x7fffffff);
  EXPECT_EQ(f.imul(0x10000, 0x10001), 0x10000);
  EXPECT_EQ(f.ishl(3, 31), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(f.ilshr(-1, 28), 15);
  EXPECT_EQ(f.iashr(-16, 2), -4);
}

TEST(NativeArithTest, splits_and_scales_doubles) {
  const NativeArith f;
  EXPECT_EQ(f.dexponent(0.75), -1);
  EXPECT_EQ(f.dmantissa(0.75), 1.5);
  EXPECT_EQ(f.dexponent(0x1.8p-149), -149);
  EXPECT_EQ(f.dscale(1.5, -149), 0x1.8p-149);
  EXPECT_EQ(f.narrow(0x1.8p-149), 0x1p-148f);  // half to even, in the subnormals
  EXPECT_EQ(f.narrow(0x1p128), infinity);
}

}  // namespace
}  // namespace ingot::ops
