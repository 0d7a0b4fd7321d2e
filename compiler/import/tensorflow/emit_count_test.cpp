// SPDX-License-Identifier: Apache-2.0
// TensorFlow's ops that count, by their documentation's definitions.
#include <gmock/gmock.h>

#include <cmath>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using testing::HasSubstr;
using Doubles = std::vector<double>;

Tensor int_tensor(Sizes shape, const std::vector<std::int32_t>& values) {
  return make_tensor<std::int32_t>(DType::i32, std::move(shape), values);
}

NodeDef& boundaries(NodeDef& node, const std::vector<float>& numbers) {
  auto& list = *(*node.mutable_attr())["boundaries"].mutable_list();
  for (const float number : numbers) list.add_f(number);
  return node;
}

TEST(TensorflowCount, BucketsBeginAtTheirBoundaries) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1});
  boundaries(builder.node("Bucketize", "y", {"x"}), {-1, 0.5, 0.5, 2});
  const auto outputs = run(builder, {float_tensor({7}, {-2, -1, 0.25, 0.5, 1, 2, NAN})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].dtype(), DType::i32);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{0, 1, 1, 3, 3, 4, 4}));
  GraphBuilder integers;
  integers.placeholder("x", tf_int32, {-1});
  boundaries(integers.node("Bucketize", "y", {"x"}), {1.5, 3});
  EXPECT_EQ(numbers(run(integers, {int_tensor({4}, {1, 2, 3, 9})})[0]), (Doubles{0, 1, 2, 2}));
  GraphBuilder wrong;
  wrong.placeholder("x", tf_float, {-1});
  boundaries(wrong.node("Bucketize", "y", {"x"}), {2, 1});
  EXPECT_THAT(wrong.import().error().message, HasSubstr("its boundaries are not sorted"));
}

TEST(TensorflowCount, PlacesInSortedRows) {
  for (const bool upper : {false, true}) {
    GraphBuilder builder;
    builder.placeholder("sorted", tf_float, {-1, 4});
    builder.placeholder("x", tf_float, {-1, 3});
    NodeDef& node = builder.node(upper ? "UpperBound" : "LowerBound", "y", {"sorted", "x"});
    (*node.mutable_attr())["out_type"].set_type(tf_int64);
    const auto outputs = run(builder, {float_tensor({2, 4}, {0, 1, 1, 5, 2, 3, 4, 4}),
                                       float_tensor({2, 3}, {1, -1, 9, 4, 2.5, 3})});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].dtype(), DType::i64);
    EXPECT_EQ(numbers(outputs[0]),
              upper ? (Doubles{3, 0, 4, 4, 1, 2}) : (Doubles{1, 0, 4, 2, 1, 1}));
  }
}

/// size 4; `weights` of the shape of x, or none.
GraphBuilder counting_bins(const Sizes& shape, bool weighted, bool binary) {
  GraphBuilder builder;
  builder.placeholder("x", tf_int32, shape);
  builder.ints("size", {}, {4});
  if (weighted) {
    builder.placeholder("weights", tf_float, shape);
  } else {
    builder.floats("weights", {0}, {});
  }
  NodeDef& node = builder.node("DenseBincount", "y", {"x", "size", "weights"});
  (*node.mutable_attr())["binary_output"].set_b(binary);
  return builder;
}

TEST(TensorflowCount, Bins) {
  const Tensor x = int_tensor({5}, {1, 3, 1, 9, 0}), rows = int_tensor({2, 3}, {1, 1, 4, 0, 3, 3});
  const auto numbers_of = [](const GraphBuilder& builder, const std::vector<Tensor>& inputs) {
    const auto outputs = run(builder, inputs);
    return outputs.empty() ? Doubles() : numbers(outputs[0]);
  };
  EXPECT_EQ(numbers_of(counting_bins({-1}, false, false), {x}), (Doubles{1, 2, 0, 1}));
  EXPECT_EQ(numbers_of(counting_bins({-1}, false, true), {x}), (Doubles{1, 1, 0, 1}));
  EXPECT_EQ(
      numbers_of(counting_bins({-1}, true, false), {x, float_tensor({5}, {2, 0.5, 3, 7, -1})}),
      (Doubles{-1, 5, 0, 0.5}));
  EXPECT_EQ(numbers_of(counting_bins({-1, 3}, false, false), {rows}),
            (Doubles{0, 2, 0, 0, 1, 0, 0, 2}));
  EXPECT_EQ(numbers_of(counting_bins({-1, 3}, false, true), {rows}),
            (Doubles{0, 1, 0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(numbers_of(counting_bins({-1, 3}, true, false),
                       {rows, float_tensor({2, 3}, {1, 2, 3, 4, 5, 6})}),
            (Doubles{0, 3, 0, 0, 4, 0, 0, 11}));
}

/// tf.math.bincount: as many as the greatest number says, within limits.
TEST(TensorflowCount, BinsOfData) {
  for (const bool fixed : {true, false}) {
    GraphBuilder builder;
    builder.placeholder("x", tf_int32, {-1});
    builder.vector("axes", {0});
    builder.ints("one", {}, {1});
    builder.ints("least", {}, {fixed ? 5 : 2});
    builder.ints("most", {}, {5});
    builder.node("Max", "greatest", {"x", "axes"});
    builder.node("AddV2", "end", {"greatest", "one"});
    builder.node("Maximum", "more", {"least", "end"});
    builder.node("Minimum", "size", {"most", "more"});
    builder.floats("weights", {0}, {});
    builder.node("DenseBincount", "y", {"x", "size", "weights"});
    const auto graph = builder.import();
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_EQ(str(graph->type(graph->outputs()[0].value)) == "f32[5]", fixed);
    EXPECT_EQ(numbers(run(builder, {int_tensor({3}, {2, 0, 2})})[0]),
              fixed ? (Doubles{1, 0, 2, 0, 0}) : (Doubles{1, 0, 2}));
    EXPECT_EQ(numbers(run(builder, {int_tensor({2}, {7, 4})})[0]), (Doubles{0, 0, 0, 0, 1}));
  }
}

}  // namespace
}  // namespace ingot::tensorflow
