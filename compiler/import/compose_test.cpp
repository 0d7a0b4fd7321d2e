// SPDX-License-Identifier: Apache-2.0
// Compositions against what Python and plain arithmetic say, for sizes that are only known later.
#include "import/compose.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "ops/interpret.h"

namespace ingot {
namespace {

using ::testing::ElementsAre;
using Numbers = std::vector<double>;

Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor(DType::f32, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

Tensor counting(std::int64_t count) {
  Tensor tensor(DType::f32, {count});
  for (std::int64_t i = 0; i < count; ++i) tensor.set(i, static_cast<float>(i));
  return tensor;
}

Numbers numbers(const Tensor& tensor) {
  Numbers result;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) result.push_back(tensor.as_double(i));
  return result;
}

/// A graph of one input.
struct Bench {
  Graph graph;
  Composer compose{graph, "test"};
  ValueId x;

  explicit Bench(Shape shape) {
    if (!static_shape(shape)) graph.declare_symbol("N", {0, 100});
    x = graph.add_input("x", {DType::f32, std::move(shape)});
  }
  Numbers run(ValueId y, const Tensor& input) {
    const Expected<ValueId> built = compose.result(y);
    if (!built) {
      ADD_FAILURE() << built.error().message;
      return Numbers(100, NAN);
    }
    Graph whole = graph;
    whole.add_output("y", y);
    const Expected<SymbolValues> symbols = bind_symbols(whole, std::vector{input});
    if (!symbols) {
      ADD_FAILURE() << symbols.error().message;
      return Numbers(100, NAN);
    }
    const Expected<std::vector<Tensor>> outputs = interpret(whole, std::vector{input}, *symbols);
    if (!outputs) {
      ADD_FAILURE() << outputs.error().message;
      return Numbers(100, NAN);
    }
    return numbers((*outputs)[0]);
  }
};

/// Python's range(length)[begin:end:step], by the language reference's rules.
Numbers python_slice(std::int64_t length, std::optional<std::int64_t> begin,
                     std::optional<std::int64_t> end, std::int64_t step) {
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? length : length - 1;
  auto place = [&](std::optional<std::int64_t> bound, std::int64_t otherwise) {
    if (!bound) return otherwise;
    return std::clamp(*bound < 0 ? *bound + length : *bound, low, high);
  };
  Numbers result;
  const std::int64_t stop = place(end, step > 0 ? high : low);
  for (std::int64_t i = place(begin, step > 0 ? low : high); step > 0 ? i < stop : i > stop;
       i += step) {
    result.push_back(static_cast<double>(i));
  }
  return result;
}

TEST(Compose, StridedSliceIsPythons) {
  const std::optional<std::int64_t> bounds[] = {std::nullopt, -7,       -3, -1, 0, 1, 2, 4, 9,
                                                INT64_MAX,    INT64_MIN};
  for (const auto& begin : bounds) {
    for (const auto& end : bounds) {
      for (const std::int64_t step : {1, 2, 3, -1, -2}) {
        Bench bench({Dim::symbol("N")});
        auto dim = [](const std::optional<std::int64_t>& bound) {
          return bound ? std::optional<Dim>(*bound) : std::nullopt;
        };
        const ValueId y = bench.compose.strided_slice(bench.x, 0, dim(begin), dim(end), step);
        for (const std::int64_t length : {0, 1, 2, 3, 5, 8}) {
          auto tame = [](std::optional<std::int64_t> bound) {
            if (bound) bound = std::clamp<std::int64_t>(*bound, -1000, 1000);
            return bound;
          };
          ASSERT_EQ(bench.run(y, counting(length)),
                    python_slice(length, tame(begin), tame(end), step))
              << "[" << begin.value_or(99) << ":" << end.value_or(99) << ":" << step << "] of "
              << length;
        }
      }
    }
  }
}

TEST(Compose, TakeGathersRunsBySlices) {
  Bench bench({5});
  const ValueId y = bench.compose.take(bench.x, 0, {4, 2, 0, -1, 3, 3}, {2, 3});
  EXPECT_EQ(str(bench.compose.type(y)), "f32[2, 3]");
  EXPECT_THAT(bench.run(y, counting(5)), ElementsAre(4, 2, 0, 4, 3, 3));
  Bench outside({5});
  outside.compose.take(outside.x, 0, {5}, {});
  EXPECT_TRUE(outside.compose.failed());
  Bench last({Dim::symbol("N")});
  EXPECT_THAT(last.run(last.compose.select(last.x, 0, -1), counting(7)), ElementsAre(6));
}

TEST(Compose, TileRepeatsEachAxis) {
  Bench bench({2, 2});
  EXPECT_THAT(bench.run(bench.compose.tile(bench.x, {2, 2}), floats({2, 2}, {1, 2, 3, 4})),
              ElementsAre(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4));
}

TEST(Compose, MatmulOfVectors) {
  Bench bench({3});
  const ValueId matrix = bench.compose.constant(floats({3, 2}, {1, 2, 3, 4, 5, 6}));
  const ValueId vector = bench.compose.constant(floats({3}, {1, 10, 100}));
  const Tensor x = floats({3}, {1, 2, 3});
  EXPECT_THAT(bench.run(bench.compose.matmul(bench.x, matrix), x), ElementsAre(22, 28));
  EXPECT_THAT(bench.run(bench.compose.matmul(bench.x, vector), x), ElementsAre(321));
  EXPECT_EQ(bench.compose.rank(bench.compose.matmul(bench.x, vector)), 0U);
}

TEST(Compose, OneHotWithAndWithoutWrapping) {
  Bench bench({3});
  const ValueId on = bench.compose.scalar(DType::f32, 1);
  const ValueId off = bench.compose.scalar(DType::f32, 0);
  const ValueId index = bench.compose.cast(bench.x, DType::i32);
  const Tensor x = floats({3}, {1, -1, 7});
  EXPECT_THAT(bench.run(bench.compose.one_hot(index, 2, on, off, 1, true), x),
              ElementsAre(0, 1, 0, 1, 0, 0));
  EXPECT_THAT(bench.run(bench.compose.one_hot(index, 2, on, off, 0, false), x),
              ElementsAre(0, 0, 0, 1, 0, 0));
}

TEST(Compose, SoftmaxOfALeadingAxisAndOfHugeNumbers) {
  Bench bench({2, 2});
  const Numbers y =
      bench.run(bench.compose.softmax(bench.x, 0), floats({2, 2}, {1000, 0, 1000, std::log(3.0F)}));
  EXPECT_NEAR(y[0], 0.5, 1e-6);
  EXPECT_NEAR(y[1], 0.25, 1e-6);
  EXPECT_NEAR(y[3], 0.75, 1e-6);
}

TEST(Compose, ActivationsAtTheirEdges) {
  const Tensor x = floats({4}, {-100, -1, 0, 2});
  Bench bench({4});
  auto value = [&](ValueId y, std::size_t i) { return bench.run(y, x)[i]; };
  Composer& c = bench.compose;
  EXPECT_NEAR(value(c.selu(bench.x), 0), -1.0507009873554805 * 1.6732632423543772, 1e-6);
  EXPECT_NEAR(value(c.elu(bench.x, 2), 1), 2 * std::expm1(-1.0), 1e-6);
  EXPECT_NEAR(value(c.softplus(bench.x), 3), std::log1p(std::exp(2.0)), 1e-6);
  EXPECT_GE(value(c.softplus(bench.x), 0), 0);
  EXPECT_NEAR(value(c.gelu(bench.x), 3), 2 * 0.97724986805182079, 1e-6);
  EXPECT_NEAR(value(c.mish(bench.x), 3), 2 * std::tanh(std::log1p(std::exp(2.0))), 1e-6);
  EXPECT_NEAR(value(c.swish(bench.x), 3), 2 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_EQ(value(c.leaky_relu(bench.x, 0.5), 1), -0.5);
  EXPECT_EQ(value(c.hard_sigmoid(bench.x, 0.25, 0.5), 3), 1);
}

TEST(Compose, ReluPassesNaN) {
  Bench bench({1});
  EXPECT_TRUE(std::isnan(bench.run(bench.compose.relu(bench.x), floats({1}, {NAN}))[0]));
}

TEST(Compose, TheFirstFailureIsKept) {
  Bench bench({2, 3});
  Composer& c = bench.compose;
  const ValueId product = c.matmul(bench.x, bench.x);
  const ValueId y = c.add(product, c.transpose(bench.x, {7, 7}));
  ASSERT_FALSE(c.result(y));
  EXPECT_THAT(c.result(y).error().message, ::testing::HasSubstr("matmul"));
}

TEST(Compose, NumbersAreRoundedOnceAndSaturate) {
  EXPECT_EQ(number_tensor(DType::f32, 0.1).at<float>(0), 0.1F);
  EXPECT_EQ(number_tensor(DType::i8, -1e9).at<std::int8_t>(0), -128);
  EXPECT_EQ(number_tensor(DType::i64, 1e300).at<std::int64_t>(0), INT64_MAX);
  EXPECT_EQ(number_tensor(DType::u32, 4294967295.0).at<std::uint32_t>(0), 4294967295U);
  EXPECT_EQ(number_tensor(DType::f16, 1.0).at<std::uint16_t>(0), 0x3c00);
}

}  // namespace
}  // namespace ingot
