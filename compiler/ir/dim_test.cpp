// SPDX-License-Identifier: Apache-2.0
// Dimensions: canonical forms by hand, and random expressions against plain arithmetic on numbers.
#include "ir/dim.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>

namespace ingot {
namespace {

constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

Dim dim(std::string_view text) {
  auto parsed = Dim::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : Dim();
}

std::string error_of(std::string_view text) {
  auto parsed = Dim::parse(text);
  return parsed ? "no error, but " + parsed->str() : parsed.error().message;
}

TEST(Dim, EqualExpressionsCompareEqual) {
  EXPECT_EQ(dim("(N + 3)*2"), dim("2*N + 6"));
  EXPECT_EQ(dim("N*M - M*N"), Dim(0));
  EXPECT_EQ(dim("(N + 1)*(N - 1)"), dim("N*N - 1"));
  EXPECT_NE(dim("N"), dim("M"));
  EXPECT_NE(dim("N"), dim("N + 1"));
}

TEST(Dim, PrintsReadably) {
  EXPECT_EQ(dim("3 + N*2").str(), "2*N + 3");
  EXPECT_EQ(dim("0 - N").str(), "-N");
  EXPECT_EQ(dim("5 - N*M*2").str(), "-2*M*N + 5");
  EXPECT_EQ(dim("floor_div(N + 1, 2) - 1").str(), "floor_div(N + 1, 2) - 1");
  EXPECT_EQ(dim("M*4 - 4").str(), "4*M - 4");
  EXPECT_EQ(Dim(0).str(), "0");
  EXPECT_EQ(Dim(least).str(), "-9223372036854775808");
  EXPECT_EQ(str(Shape{dim("N"), 1, 64}), "[N, 1, 64]");
  EXPECT_EQ(str(Shape{}), "[]");
}

TEST(Dim, DivisionCancels) {
  EXPECT_EQ(dim("floor_div(64*N, N)"), Dim(64));
  EXPECT_EQ(dim("floor_div(64*N + 64, N + 1)"), Dim(64));
  EXPECT_EQ(dim("floor_div(64*N + 3, 64)"), dim("N"));
  EXPECT_EQ(dim("floor_div(6*N, 4)"), dim("N + floor_div(N, 2)"));
  EXPECT_EQ(dim("floor_div(N - 1, 2) + 1"), dim("floor_div(N + 1, 2)"));
  EXPECT_EQ(dim("floor_div(2*N + 3, 6)"), dim("floor_div(N + 1, 3)"));
  EXPECT_EQ(dim("floor_div(floor_div(N + 1, 2) + 1, 2)"), dim("floor_div(N + 3, 4)"));
  EXPECT_EQ(dim("floor_div(4*N*M, 6*M)"), dim("floor_div(2*N, 3)"));
  EXPECT_EQ(dim("ceil_div(N, 2)"), dim("floor_div(N + 1, 2)"));
  EXPECT_EQ(dim("floor_div(N, -2)"), dim("floor_div(-N, 2)"));
  EXPECT_EQ(dim("mod(4*N + 7, 4)"), Dim(3));
  EXPECT_EQ(dim("mod(N*M, N)"), Dim(0));
  EXPECT_EQ(dim("floor_div(-7, 2)"), Dim(-4));
  EXPECT_EQ(dim("mod(-7, 2)"), Dim(1));
  EXPECT_EQ(dim("mod(7, -2)"), Dim(-1));
}

TEST(Dim, ExactDivisionLeavesNothing) {
  EXPECT_EQ(Dim::exact_div(dim("64*N"), dim("N")), Dim(64));
  EXPECT_EQ(Dim::exact_div(dim("N*N - M*M"), dim("N + M")), dim("N - M"));
  EXPECT_EQ(Dim::exact_div(dim("N + 1"), dim("2")), std::nullopt);
  EXPECT_EQ(Dim::exact_div(dim("N"), dim("M")), std::nullopt);
  EXPECT_EQ(Dim::exact_div(dim("N"), Dim(0)), std::nullopt);
  EXPECT_EQ(Dim::exact_div(Dim(0), dim("N")), Dim(0));
}

TEST(Dim, MinimumAndMaximumSimplify) {
  EXPECT_EQ(dim("max(N, N + 2)"), dim("N + 2"));
  EXPECT_EQ(dim("min(N, N + 2)"), dim("N"));
  EXPECT_EQ(dim("max(M, N)"), dim("max(N, M)"));
  EXPECT_EQ(dim("max(max(1, N), M)"), dim("max(N, max(M, 1))"));
  EXPECT_EQ(dim("max(max(1, N), 4)"), dim("max(N, 4)"));
  EXPECT_EQ(dim("min(7, 3)"), Dim(3));
}

TEST(Dim, BoundsAreTightWhereShapeInferenceNeedsIt) {
  const SymbolRanges ranges{{"N", {0, 100}}, {"M", {-3, 5}}};
  auto bounds = [&](std::string_view text) { return dim(text).bounds(ranges); };
  EXPECT_EQ(bounds("2*N + 3"), (Interval{3, 203}));
  EXPECT_EQ(bounds("M*M"), (Interval{0, 25}));
  EXPECT_EQ(bounds("M*M*M"), (Interval{-27, 125}));
  EXPECT_EQ(bounds("N - floor_div(N, 2)").lo, 0);
  EXPECT_EQ(bounds("floor_div(100 - N, 2)"), (Interval{0, 50}));
  EXPECT_EQ(bounds("max(N, 1) - N").lo, 0);
  EXPECT_EQ(bounds("N - min(N, 7)").lo, 0);
  EXPECT_EQ(bounds("mod(N, 8)"), (Interval{0, 7}));
  EXPECT_EQ(bounds("floor_div(N, M)"), (Interval{-100, 100}));
  EXPECT_EQ(bounds("unknown"), (Interval{0, (std::int64_t{1} << 31) - 1}));
  EXPECT_EQ(bounds("unknown*unknown*unknown - 5"), (Interval{-5, greatest}));
  EXPECT_EQ(bounds("5 - unknown*unknown*unknown"), (Interval{least, 5}));
}

TEST(Dim, EvaluationSaysWhatIsWrong) {
  EXPECT_EQ(*dim("2*N + 3").evaluate({{"N", 5}}), 13);
  EXPECT_EQ(dim("N*k").evaluate({{"N", 5}}).error().message, "symbol 'k' has no value");
  EXPECT_EQ(dim("floor_div(3, N)").evaluate({{"N", 0}}).error().message,
            "floor_div(3, N) divides by zero");
  EXPECT_EQ(dim("mod(3, N)").evaluate({{"N", 0}}).error().message, "mod(3, N) divides by zero");
  EXPECT_EQ(dim("N*N").evaluate({{"N", std::int64_t{1} << 32}}).error().message,
            "N*N is too large for these sizes");
  EXPECT_FALSE(dim("N*N*N*N*N - N*N*N*N*N*M").evaluate({{"N", greatest}, {"M", 2}}));
  EXPECT_EQ(*dim("N*N*N*M").evaluate({{"N", greatest}, {"M", 0}}), 0);
  // Only the result has to fit.
  EXPECT_EQ(*dim("2*N - 2*M").evaluate({{"N", greatest}, {"M", greatest}}), 0);
  EXPECT_FALSE(dim("floor_div(N, M)").evaluate({{"N", least}, {"M", -1}}));
}

TEST(Dim, OverflowIsRememberedNotWrapped) {
  const Dim large = Dim(greatest) * Dim::symbol("N");
  EXPECT_FALSE(large.overflowed());
  const Dim over = large + large;
  EXPECT_TRUE(over.overflowed());
  EXPECT_TRUE((over - over).overflowed());
  EXPECT_TRUE((over * Dim(0)).overflowed());
  EXPECT_TRUE(Dim::max(over, 1).overflowed());
  EXPECT_EQ(over.value(), std::nullopt);
  EXPECT_FALSE(over.evaluate({{"N", 0}}));
  EXPECT_TRUE((-Dim(least)).overflowed());
  EXPECT_FALSE((Dim(-1) - Dim(least)).overflowed());
  EXPECT_TRUE(Dim::floor_div(least, -1).overflowed());
}

TEST(Dim, GrowthIsBounded) {
  Dim powers = dim("a + b + c + d + e + f");
  for (int i = 0; i < 8; ++i) powers *= powers;
  EXPECT_TRUE(powers.overflowed());
  Dim nested = Dim::symbol("x");
  for (int i = 0; i < 64; ++i) {
    nested = Dim::max(nested * Dim::symbol("y"), Dim::floor_div(nested, 3) + Dim::symbol("z"));
  }
  EXPECT_TRUE(nested.overflowed());
}

TEST(Dim, SubstitutionSimplifiesAgain) {
  EXPECT_EQ(dim("floor_div(N, 2)").substitute("N", dim("4*M")), dim("2*M"));
  EXPECT_EQ(dim("max(N, M)").substitute("N", dim("M + 1")), dim("M + 1"));
  EXPECT_EQ(dim("N*N + N").substitute("N", 3), Dim(12));
  EXPECT_EQ(dim("mod(N, M)").substitute("M", 1), Dim(0));
  EXPECT_EQ(dim("K + 1").substitute("N", 3), dim("K + 1"));
  std::set<std::string> names;
  dim("floor_div(N, k) + max(3, a)*N").collect_symbols(names);
  EXPECT_EQ(names, (std::set<std::string>{"N", "a", "k"}));
}

TEST(Dim, ParserNamesThePlace) {
  EXPECT_EQ(error_of("2*"), "dimension '2*': expected a number, a symbol or '(' at column 3");
  EXPECT_EQ(error_of("(N"), "dimension '(N': expected ')' at column 3");
  EXPECT_EQ(error_of("N M"), "dimension 'N M': expected '+', '-', '*' or the end at column 3");
  EXPECT_EQ(error_of("sin(N)"),
            "dimension 'sin(N)': expected floor_div, ceil_div, mod, min or max before '(' at "
            "column 1");
  EXPECT_EQ(error_of("max(N)"), "dimension 'max(N)': expected ',' at column 6");
  EXPECT_EQ(error_of("9223372036854775808"),
            "dimension '9223372036854775808': 9223372036854775808 is too large");
  EXPECT_EQ(error_of(""), "dimension '': expected a number, a symbol or '(' at column 1");
  EXPECT_NE(error_of(std::string(100'000, '(')).find("nested too deeply"), std::string::npos);
  EXPECT_NE(error_of(std::string(100'000, '-')).find("nested too deeply"), std::string::npos);
}

TEST(Dim, ExtremeCoefficientsSurviveText) {
  for (const Dim& value :
       {Dim(least), Dim(least) * Dim::symbol("N"), Dim::symbol("A") + Dim(least) * Dim::symbol("N"),
        Dim::symbol("A") + Dim(least), Dim(greatest)}) {
    EXPECT_EQ(dim(value.str()), value) << value.str();
  }
}

// A random expression twice: as a Dim, and as a function that does the same on numbers, or gives
// nothing where it divides by zero.
struct Both {
  Dim dim;
  std::function<std::optional<std::int64_t>(const SymbolValues&)> number;
};

std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  std::int64_t quotient = a / b;
  while (quotient * b > a && b > 0) --quotient;
  while (quotient * b < a && b < 0) --quotient;
  return quotient;
}

Both random_expression(std::mt19937& random, int depth) {
  auto pick = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  if (depth == 0 || pick(5) == 0) {
    if (pick(2) == 0) {
      const std::int64_t number = pick(13) - 4;
      return {number, [number](const SymbolValues&) { return number; }};
    }
    const std::string name(1, static_cast<char>('A' + pick(3)));
    return {Dim::symbol(name), [name](const SymbolValues& values) { return values.at(name); }};
  }
  const Both a = random_expression(random, depth - 1);
  const Both b = random_expression(random, depth - 1);
  const int kind = pick(9);
  auto number = [a, b, kind](const SymbolValues& values) -> std::optional<std::int64_t> {
    const auto x = a.number(values);
    const auto y = b.number(values);
    if (!x || !y || (kind >= 5 && kind <= 7 && *y == 0)) return std::nullopt;
    switch (kind) {
      case 0:
        return *x + *y;
      case 1:
        return *x - *y;
      case 2:
        return *x * *y;
      case 3:
        return std::min(*x, *y);
      case 4:
        return std::max(*x, *y);
      case 5:
        return floor_of(*x, *y);
      case 6:
        return -floor_of(-*x, *y);
      case 7:
        return *x - *y * floor_of(*x, *y);
      default:
        return -*x;
    }
  };
  switch (kind) {
    case 0:
      return {a.dim + b.dim, number};
    case 1:
      return {a.dim - b.dim, number};
    case 2:
      return {a.dim * b.dim, number};
    case 3:
      return {Dim::min(a.dim, b.dim), number};
    case 4:
      return {Dim::max(a.dim, b.dim), number};
    case 5:
      return {Dim::floor_div(a.dim, b.dim), number};
    case 6:
      return {Dim::ceil_div(a.dim, b.dim), number};
    case 7:
      return {Dim::mod(a.dim, b.dim), number};
    default:
      return {-a.dim, number};
  }
}

TEST(Dim, RandomExpressionsMeanWhatTheirNumbersMean) {
  const SymbolRanges ranges{{"A", {0, 5}}, {"B", {-3, 3}}, {"C", {1, 4}}};
  int compared = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    const Both both = random_expression(random, 4);
    if (both.dim.overflowed()) continue;
    const std::string text = both.dim.str();
    EXPECT_EQ(dim(text), both.dim) << text;
    const Interval bounds = both.dim.bounds(ranges);
    for (std::int64_t a = 0; a <= 5; ++a) {
      for (std::int64_t b = -3; b <= 3; ++b) {
        for (std::int64_t c = 1; c <= 4; ++c) {
          const SymbolValues values{{"A", a}, {"B", b}, {"C", c}};
          const auto number = both.number(values);
          if (!number) continue;
          ++compared;
          const auto value = both.dim.evaluate(values);
          ASSERT_TRUE(value) << "seed " << seed << ": " << text << ": " << value.error().message;
          ASSERT_EQ(*value, *number) << "seed " << seed << ": " << text;
          ASSERT_LE(bounds.lo, *number) << "seed " << seed << ": " << text;
          ASSERT_GE(bounds.hi, *number) << "seed " << seed << ": " << text;
          if (a != 2 || c != 3) continue;
          const auto pinned = both.dim.substitute("A", a).substitute("B", b).substitute("C", c);
          ASSERT_TRUE(pinned.is(*number)) << "seed " << seed << ": " << text;
        }
      }
    }
  }
  EXPECT_GT(compared, 20'000);
}

}  // namespace
}  // namespace ingot
