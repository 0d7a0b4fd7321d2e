// SPDX-License-Identifier: Apache-2.0
// The float64 functions of ops/math.h against C99's special values, the argument that is hardest to
// reduce, and the floating-point exceptions they may raise. tests/math/ulp64_sweep.cpp has the
// errors.
#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "ops/math.h"
#include "ops/native_arith.h"

namespace ingot::ops {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double largest = std::numeric_limits<double>::max();
constexpr double tiny = std::numeric_limits<double>::denorm_min();
constexpr double half_pi = 0x1.921fb54442d18p+0;
constexpr double above_one = 0x1.0000000000001p+0;

struct Function {
  const char* name;
  double (*ours)(NativeArith& f, double x);
  std::vector<std::pair<double, double>> specials;  // beside NaN, which must give NaN
};

std::ostream& operator<<(std::ostream& out, const Function& function) {
  return out << function.name;
}

#define INGOT_FUNCTION(name) #name, [](NativeArith& f, double x) { return math::name(f, x); }

using Pairs = std::vector<std::pair<double, double>>;
Pairs odd(Pairs pairs) {
  pairs.insert(pairs.end(), {{0.0, 0.0}, {tiny, tiny}, {0x1p-1022, 0x1p-1022}});
  for (std::size_t i = 0, count = pairs.size(); i < count; ++i)
    pairs.emplace_back(-pairs[i].first, -pairs[i].second);
  return pairs;
}

std::vector<Function> functions() {
  return {
      {INGOT_FUNCTION(exp),
       {{0.0, 1.0},
        {-0.0, 1.0},
        {tiny, 1.0},
        {inf, inf},
        {-inf, 0.0},
        {-largest, 0.0},
        {710, inf}}},
      {INGOT_FUNCTION(expm1),
       {{0.0, 0.0}, {-0.0, -0.0}, {tiny, tiny}, {-tiny, -tiny}, {inf, inf}, {-inf, -1.0}}},
      {INGOT_FUNCTION(sigmoid),
       {{0.0, 0.5}, {-0.0, 0.5}, {inf, 1.0}, {-inf, 0.0}, {largest, 1.0}, {-largest, 0.0}}},
      {INGOT_FUNCTION(tanh), odd({{inf, 1.0}, {largest, 1.0}})},
      {INGOT_FUNCTION(log),
       {{0.0, -inf}, {-0.0, -inf}, {1.0, 0.0}, {inf, inf}, {-1.0, nan}, {-tiny, nan}, {-inf, nan}}},
      {INGOT_FUNCTION(log1p),
       {{0.0, 0.0},
        {-0.0, -0.0},
        {-tiny, -tiny},
        {-1.0, -inf},
        {inf, inf},
        {-2.0, nan},
        {-inf, nan}}},
      {INGOT_FUNCTION(erf), {{0.0, 0.0}, {-0.0, -0.0}, {inf, 1.0}, {-inf, -1.0}, {-6.5, -1.0}}},
      {INGOT_FUNCTION(sin), odd({{inf, nan}})},
      {INGOT_FUNCTION(cos), {{0.0, 1.0}, {-0.0, 1.0}, {tiny, 1.0}, {inf, nan}, {-inf, nan}}},
      {INGOT_FUNCTION(tan), odd({{inf, nan}})},
      {INGOT_FUNCTION(asin), odd({{1.0, half_pi}, {above_one, nan}, {inf, nan}})},
      {INGOT_FUNCTION(acos),
       {{1.0, 0.0}, {-1.0, 2 * half_pi}, {-0.0, half_pi}, {above_one, nan}, {-inf, nan}}},
      {INGOT_FUNCTION(atan), odd({{inf, half_pi}, {largest, half_pi}})},
      {INGOT_FUNCTION(sinh), odd({{inf, inf}, {711.0, inf}, {largest, inf}})},
      {INGOT_FUNCTION(cosh), {{0.0, 1.0}, {-0.0, 1.0}, {inf, inf}, {-inf, inf}, {-711.0, inf}}},
      {INGOT_FUNCTION(asinh), odd({{inf, inf}})},
      {INGOT_FUNCTION(acosh),
       {{1.0, 0.0}, {inf, inf}, {0x1.fffffffffffffp-1, nan}, {-0.0, nan}, {-inf, nan}}},
      {INGOT_FUNCTION(atanh), odd({{1.0, inf}, {above_one, nan}, {inf, nan}})},
  };
}

/// Equal, sign of zero included; any NaN equals any NaN.
bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

class Math64Test : public testing::TestWithParam<std::tuple<Function, bool>> {
 protected:
  const Function& function() const { return std::get<0>(GetParam()); }
  NativeArith arith() const { return NativeArith{std::get<1>(GetParam())}; }
};

TEST_P(Math64Test, SpecialValues) {
  NativeArith f = arith();
  EXPECT_TRUE(std::isnan(function().ours(f, nan)));
  EXPECT_TRUE(std::isnan(function().ours(f, -nan)));
  for (const auto& [x, expected] : function().specials) {
    const double y = function().ours(f, x);
    EXPECT_TRUE(same(y, expected))
        << function().name << "(" << x << ") is " << y << ", expected " << expected;
  }
}

// The formulas compute all their branches; those not taken must not leave a trace.
TEST_P(Math64Test, RaisesOnlyWhatTheResultMeans) {
  NativeArith f = arith();
  for (std::uint64_t i = 0; i < 60000; ++i) {
    const volatile auto x = std::bit_cast<double>(i * 0x0001123456789abdULL);
    if (!std::isfinite(x)) continue;
    std::feclearexcept(FE_ALL_EXCEPT);
    const volatile double y = function().ours(f, x);
    const int raised = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    if (std::isfinite(y)) {
      EXPECT_EQ(raised, 0) << function().name << " at " << x;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ops, Math64Test,
                         testing::Combine(testing::ValuesIn(functions()), testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) +
                                  (std::get<1>(info.param) ? "_strict" : "_fma");
                         });

// Of all float64 this is nearest to a multiple of pi/2: J.-M. Muller, Elementary Functions.
TEST(Math64, ReducesTheHardestArgument) {
  constexpr double x = 6381956970095103.0 * 0x1p797;
  for (const bool strict : {false, true}) {
    NativeArith f{strict};
    EXPECT_DOUBLE_EQ(math::cos(f, x), -4.68716592425462761112e-19);
    EXPECT_EQ(std::fabs(math::sin(f, x)), 1.0);
  }
}

TEST(Math64, PowRaisesOnlyWhatTheResultMeans) {
  for (std::uint64_t i = 0; i < 60000; ++i) {
    NativeArith f{i % 2 == 0};
    const volatile auto x = std::bit_cast<double>(i * 0x0001123456789abdULL);
    const volatile auto y = std::bit_cast<double>(i * i * 0x0003ff3456789abdULL);
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    std::feclearexcept(FE_ALL_EXCEPT);
    const volatile double z = math::pow(f, x, y);
    const int raised = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    if (std::isfinite(z)) {
      EXPECT_EQ(raised, 0) << "pow(" << x << ", " << y << ")";
    }
  }
}

// The C library's pow is exact where the result is.
TEST(Math64, PowOfSpecialValues) {
  const std::vector<double> values = {
      0.0,  -0.0, 1.0,     -1.0,     inf,  -inf,  2.0,       -2.0,
      0.5,  -0.5, 3.0,     -3.0,     2.5,  -2.5,  tiny,      -tiny,
      1e10, nan,  largest, -largest, 1e17, -1e17, above_one, 9007199254740991.0};
  for (const bool strict : {false, true}) {
    NativeArith f{strict};
    for (const double x : values) {
      for (const double y : values) {
        const double expected = std::pow(x, y), got = math::pow(f, x, y);
        const bool exact = std::isnan(expected) || std::isinf(expected) || expected == 0;
        EXPECT_TRUE(exact ? same(got, expected) : std::fabs(got / expected - 1) < 5e-16)
            << "pow(" << x << ", " << y << ") is " << got << ", expected " << expected;
      }
    }
  }
}

}  // namespace
}  // namespace ingot::ops
