// SPDX-License-Identifier: Apache-2.0
// TensorFlow's top-k, scatters and segments, by their documentation's definitions.
#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using Doubles = std::vector<double>;

TEST(TensorflowIndex, TopKSortsAndGivesPlaces) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 6});
  builder.ints("k", {}, {3});
  builder.node("TopKV2", "top", {"x", "k"});
  builder.node("Identity", "values", {"top:0"});
  builder.node("Identity", "places", {"top:1"});
  ImportOptions options;
  options.outputs = {"values", "places"};
  const Tensor x = float_tensor({2, 6}, {1, 5, 2, 5, 0, -3, 7, 7, 7, 8, 9, 7});
  const std::vector<Tensor> outputs = run(builder, {x}, options);
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{5, 5, 2, 9, 8, 7}));
  EXPECT_EQ(outputs[1].dtype(), DType::i32);
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{1, 3, 2, 4, 3, 0}));
}

TEST(TensorflowIndex, KMayBeASizeOrAnAttribute) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4});
  builder.node("Shape", "shape", {"x"});
  builder.vector("first", {0});
  builder.vector("one", {1});
  NodeDef& slice = builder.node("StridedSlice", "rows", {"shape", "first", "one", "one"});
  (*slice.mutable_attr())["shrink_axis_mask"].set_i(1);
  builder.vector("perm", {1, 0});
  builder.node("Transpose", "columns", {"x", "perm"});
  builder.node("TopKV2", "all", {"columns", "rows"});
  NodeDef& old = builder.node("TopK", "two", {"columns"});
  (*old.mutable_attr())["k"].set_i(2);
  ImportOptions options;
  options.outputs = {"all", "two"};
  const Tensor x = float_tensor({3, 4}, {1, 2, 3, 4, 3, 1, 9, 0, 2, 4, 5, 6});
  const std::vector<Tensor> outputs = run(builder, {x}, options);
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{3, 2, 1, 4, 2, 1, 9, 5, 3, 6, 4, 0}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{3, 2, 4, 2, 9, 5, 6, 4}));
}

TEST(TensorflowIndex, RowsThatAreTooShortAreRefused) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.ints("k", {}, {3});
  builder.node("TopKV2", "top", {"x", "k"});
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().message.find("node 'top'"), std::string::npos) << graph.error().message;
}

TEST(TensorflowIndex, ScatterNdAddsUpInZeros) {
  GraphBuilder builder;
  builder.placeholder("indices", tf_int32, {-1, 1});
  builder.placeholder("updates", tf_float, {-1, 2});
  builder.vector("shape", {4, 2});
  builder.node("ScatterNd", "y", {"indices", "updates", "shape"});
  const auto outputs = run(builder, {make_tensor<std::int32_t>(DType::i32, {3, 1}, {2, 0, 2}),
                                     float_tensor({3, 2}, {1, 2, 3, 4, 10, 20})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{3, 4, 0, 0, 11, 22, 0, 0}));
}

TEST(TensorflowIndex, TensorScatters) {
  const std::pair<const char*, Doubles> cases[] = {
      {"TensorScatterUpdate", {7, 1, 1, 9}}, {"TensorScatterAdd", {13, 1, 1, 10}},
      {"TensorScatterSub", {-11, 1, 1, -8}}, {"TensorScatterMax", {7, 1, 1, 9}},
      {"TensorScatterMin", {1, 1, 1, 1}},
  };
  for (const auto& [op, expected] : cases) {
    GraphBuilder builder;
    builder.floats("data", {2, 2}, {1, 1, 1, 1});
    builder.placeholder("indices", tf_int64, {-1, 2});
    builder.placeholder("updates", tf_float, {-1});
    builder.node(op, "y", {"data", "indices", "updates"});
    const auto outputs =
        run(builder, {make_tensor<std::int64_t>(DType::i64, {3, 2}, {0, 0, 1, 1, 0, 0}),
                      float_tensor({3}, {5, 9, 7})});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(numbers(outputs[0]), expected) << op;
  }
}

TEST(TensorflowIndex, BoxesThatMeetBetterOnesAreLeftOut) {
  for (const std::string version : {"", "V2", "V3"}) {
    GraphBuilder builder;
    builder.placeholder("boxes", tf_float, {-1, 4});
    builder.placeholder("scores", tf_float, {-1});
    builder.ints("most", {}, {3});
    builder.floats("share", {}, {0.5F});
    builder.floats("least", {}, {0.15F});
    std::vector<std::string> inputs{"boxes", "scores", "most"};
    if (!version.empty()) inputs.push_back("share");
    if (version == "V3") inputs.push_back("least");
    builder.node("NonMaxSuppression" + version, "kept", inputs);
    // The second meets the first in more than half of both, the third in less; the last are alone.
    const auto outputs =
        run(builder,
            {float_tensor({5, 4}, {0, 0, 4, 4, 0, 1, 4, 4, 3, 3, 0, 6, 9, 9, 8, 8, 20, 20, 21, 21}),
             float_tensor({5}, {0.9F, 0.8F, 0.7F, 0.1F, 0.95F})});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(numbers(outputs[0]), (Doubles{4, 0, 2})) << version;
  }
}

TEST(TensorflowIndex, SegmentsDropNegativeOnes) {
  const double low = std::numeric_limits<float>::lowest();
  const std::pair<const char*, Doubles> cases[] = {
      {"UnsortedSegmentSum", {0, 0, 6, 8, 3, 4}},
      {"UnsortedSegmentProd", {1, 1, 5, 12, 3, 4}},
      {"UnsortedSegmentMax", {low, low, 5, 6, 3, 4}},
      {"UnsortedSegmentMin", {-low, -low, 1, 2, 3, 4}},
  };
  for (const auto& [op, expected] : cases) {
    GraphBuilder builder;
    builder.placeholder("data", tf_float, {-1, 2});
    builder.placeholder("ids", tf_int32, {-1});
    builder.ints("count", {}, {3});
    builder.node(op, "y", {"data", "ids", "count"});
    const Tensor data = float_tensor({4, 2}, {1, 2, 3, 4, 5, 6, 100, 200});
    const auto outputs =
        run(builder, {data, make_tensor<std::int32_t>(DType::i32, {4}, {1, 2, 1, -1})});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(numbers(outputs[0]), expected) << op;
    const auto graph = builder.import();
    ASSERT_TRUE(graph);
    const std::vector<Tensor> wrong{data,
                                    make_tensor<std::int32_t>(DType::i32, {4}, {1, 2, 3, -1})};
    EXPECT_FALSE(interpret(*graph, wrong, *bind_symbols(*graph, wrong))) << "segment 3 of 3";
  }
}

TEST(TensorflowIndex, WhereGivesCoordinatesOfWhatIsTrue) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.floats("zero", {}, {0});
  builder.node("Greater", "mask", {"x", "zero"});
  builder.node("Where", "places", {"mask"});
  builder.node("GatherNd", "values", {"x", "places"});
  ImportOptions options;
  options.outputs = {"places", "values"};
  const auto outputs = run(builder, {float_tensor({3, 2}, {1, -1, 0, 2, -3, 3})}, options);
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].shape(), (Sizes{3, 2}));
  EXPECT_EQ(numbers(outputs[0]), (Doubles{0, 0, 1, 1, 2, 1}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{1, 2, 3}));
}

TEST(TensorflowIndex, PartitionsAndDistinctElements) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.placeholder("part", tf_int32, {-1});
  NodeDef& node = builder.node("DynamicPartition", "parts", {"x", "part"});
  (*node.mutable_attr())["num_partitions"].set_i(2);
  builder.node("Identity", "a", {"parts:0"});
  builder.node("Identity", "b", {"parts:1"});
  builder.node("Unique", "distinct", {"part"});
  builder.node("Identity", "which", {"distinct:1"});
  ImportOptions options;
  options.outputs = {"a", "b", "distinct", "which"};
  const auto outputs = run(builder,
                           {float_tensor({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7}),
                            make_tensor<std::int32_t>(DType::i32, {4}, {1, 0, 5, 1})},
                           options);
  ASSERT_EQ(outputs.size(), 4U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{2, 3}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{0, 1, 6, 7}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{1, 0, 5}));
  EXPECT_EQ(numbers(outputs[3]), (Doubles{0, 1, 2, 0}));
  EXPECT_EQ(outputs[3].dtype(), DType::i32);
}

TEST(TensorflowIndex, SlicesWhosePlacesAreData) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {5, 2});
  builder.placeholder("n", tf_int32, {});
  builder.ints("zero", {}, {0});
  builder.ints("all", {}, {-1});
  builder.vector("one", {1});
  builder.vector("first", {0});
  NodeDef& pack = builder.node("Pack", "end", {"n"});
  (*pack.mutable_attr())["axis"].set_i(0);
  builder.node("StridedSlice", "head", {"x", "first", "end", "one"});
  NodeDef& row = builder.node("StridedSlice", "row", {"x", "end", "end", "one"});
  (*row.mutable_attr())["shrink_axis_mask"].set_i(1);
  NodeDef& begin = builder.node("Pack", "begin", {"n", "zero"});
  (*begin.mutable_attr())["axis"].set_i(0);
  builder.vector("sizes", {2, -1});
  builder.node("Slice", "two", {"x", "begin", "sizes"});
  ImportOptions options;
  options.outputs = {"head", "row", "two"};
  const Tensor n = make_tensor<std::int32_t>(DType::i32, {}, {3});
  const auto outputs = run(builder, {counting({5, 2}), n}, options);
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(outputs[0].shape(), (Sizes{3, 2}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{6, 7}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{6, 7, 8, 9}));
}

TEST(TensorflowIndex, SegmentsAreAsManyAsTheGreatestNumberSays) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.placeholder("part", tf_int32, {-1});
  builder.node("SegmentSum", "sum", {"x", "part"});
  builder.node("SegmentProd", "prod", {"x", "part"});
  builder.node("SegmentMax", "max", {"x", "part"});
  builder.node("SegmentMin", "min", {"x", "part"});
  builder.node("SegmentMean", "mean", {"x", "part"});
  ImportOptions options;
  options.outputs = {"sum", "prod", "max", "min", "mean"};
  const Tensor x = float_tensor({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  auto outputs =
      run(builder, {x, make_tensor<std::int32_t>(DType::i32, {4}, {0, 0, 2, 2})}, options);
  ASSERT_EQ(outputs.size(), 5U);
  EXPECT_EQ(outputs[0].shape(), (Sizes{3, 2}));
  EXPECT_EQ(numbers(outputs[0]), (Doubles{2, 4, 0, 0, 10, 12}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{0, 3, 1, 1, 24, 35}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{2, 3, 0, 0, 6, 7}));
  EXPECT_EQ(numbers(outputs[3]), (Doubles{0, 1, 0, 0, 4, 5}));
  EXPECT_EQ(numbers(outputs[4]), (Doubles{1, 2, 0, 0, 5, 6}));
  outputs = run(builder, {float_tensor({0, 2}, {}), Tensor(DType::i32, {0})}, options);
  ASSERT_EQ(outputs.size(), 5U);
  for (const Tensor& output : outputs) EXPECT_EQ(output.shape(), (Sizes{0, 2}));
}

}  // namespace
}  // namespace ingot::tensorflow
