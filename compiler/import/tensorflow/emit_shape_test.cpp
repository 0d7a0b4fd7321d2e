// SPDX-License-Identifier: Apache-2.0
// Ops that move elements and compute shapes, against numpy's index expressions; most with a
// symbolic batch, so that what is computed from Shape must become part of types.
#include "import/tensorflow/graph_builder.h"
#include "ir/op.h"

namespace ingot::tensorflow {
namespace {

using Doubles = std::vector<double>;

std::vector<double> iota_from(std::vector<std::pair<int, int>> runs) {
  std::vector<double> values;
  for (const auto& [first, count] : runs) {
    for (int i = 0; i < count; ++i) values.push_back(first + i);
  }
  return values;
}

struct SliceCase {
  const char* expression;
  std::vector<int> begin, end, strides;
  int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
  Sizes shape;
  Doubles expected;
};

TEST(TensorflowSlice, StridedSliceMasks) {
  // numpy: x = arange(60).reshape(3, 4, 5), and the expression.
  const SliceCase cases[] = {
      {"x[1]", {1}, {2}, {1}, 0, 0, 0, 0, 1, {4, 5}, iota_from({{20, 20}})},
      {"x[-1,1:3]", {-1, 1}, {0, 3}, {1, 1}, 0, 0, 0, 0, 1, {2, 5}, iota_from({{45, 10}})},
      {"x[...,2]",
       {0, 2},
       {0, 3},
       {1, 1},
       0,
       0,
       1,
       0,
       2,
       {3, 4},
       {2, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57}},
      {"x[:,None,1:,::2]",
       {0, 0, 1, 0},
       {0, 0, 0, 0},
       {1, 1, 1, 2},
       9,
       13,
       0,
       2,
       0,
       {3, 1, 3, 3},
       {5,  7,  9,  10, 12, 14, 15, 17, 19, 25, 27, 29, 30, 32,
        34, 35, 37, 39, 45, 47, 49, 50, 52, 54, 55, 57, 59}},
      {"x[1,...,None,-2:]",
       {1, 0, 0, -2},
       {2, 0, 0, 0},
       {1, 1, 1, 1},
       0,
       8,
       2,
       4,
       1,
       {4, 1, 2},
       {23, 24, 28, 29, 33, 34, 38, 39}},
      {"x[::-1,3:0:-2]",
       {0, 3},
       {0, 0},
       {-1, -2},
       1,
       1,
       0,
       0,
       0,
       {3, 2, 5},
       iota_from({{55, 5}, {45, 5}, {35, 5}, {25, 5}, {15, 5}, {5, 5}})},
      {"x[5:,1]", {5, 1}, {0, 2}, {1, 1}, 0, 1, 0, 0, 2, {0, 5}, {}},
      {"x[-9:2,-2:9]",
       {-9, -2},
       {2, 9},
       {1, 1},
       0,
       0,
       0,
       0,
       0,
       {2, 2, 5},
       iota_from({{10, 10}, {30, 10}})},
  };
  for (const bool symbolic : {false, true}) {
    for (const SliceCase& test : cases) {
      SCOPED_TRACE(test.expression);
      if (symbolic && std::string(test.expression) == "x[-9:2,-2:9]") continue;
      GraphBuilder builder;
      builder.placeholder("x", tf_float, {symbolic ? -1 : 3, 4, 5});
      builder.vector("begin", test.begin);
      builder.vector("end", test.end);
      builder.vector("strides", test.strides);
      auto& attributes =
          *builder.node("StridedSlice", "y", {"x", "begin", "end", "strides"}).mutable_attr();
      attributes["begin_mask"].set_i(test.begin_mask);
      attributes["end_mask"].set_i(test.end_mask);
      attributes["ellipsis_mask"].set_i(test.ellipsis_mask);
      attributes["new_axis_mask"].set_i(test.new_axis_mask);
      attributes["shrink_axis_mask"].set_i(test.shrink_axis_mask);
      const auto outputs = run(builder, {counting({3, 4, 5})});
      ASSERT_EQ(outputs.size(), 1U);
      EXPECT_EQ(outputs[0].shape(), test.shape);
      EXPECT_EQ(numbers(outputs[0]), test.expected);
    }
  }
}

TEST(TensorflowSlice, StridedSliceOutsideIsRefused) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {3});
  builder.vector("at", {3});
  builder.vector("one", {1});
  (*builder.node("StridedSlice", "y", {"x", "at", "at", "one"}).mutable_attr())["shrink_axis_mask"]
      .set_i(1);
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().message,
            "node 'y' (StridedSlice): index 3 is outside of axis 0 of size 3");
}

TEST(TensorflowSlice, SliceToTheEnd) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4});
  builder.vector("begin", {0, 1});
  builder.vector("size", {-1, 2});
  builder.node("Slice", "y", {"x", "begin", "size"});
  const auto outputs = run(builder, {counting({2, 4})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{1, 2, 5, 6}));
}

TEST(TensorflowSlice, SplitsAndUnpack) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4});
  builder.ints("axis", {}, {-1});
  builder.vector("sizes", {1, -1});
  (*builder.node("Split", "even", {"axis", "x"}).mutable_attr())["num_split"].set_i(2);
  (*builder.node("SplitV", "uneven", {"x", "sizes", "axis"}).mutable_attr())["num_split"].set_i(2);
  auto& unpack = *builder.node("Unpack", "columns", {"x"}).mutable_attr();
  unpack["num"].set_i(4);
  unpack["axis"].set_i(1);
  ImportOptions options;
  options.outputs = {"even:1", "uneven:1", "columns:2", "columns:0"};
  const auto outputs = run(builder, {counting({2, 4})}, options);
  ASSERT_EQ(outputs.size(), 4U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{2, 3, 6, 7}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{1, 2, 3, 5, 6, 7}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{2, 6}));
  EXPECT_EQ(numbers(outputs[3]), (Doubles{0, 4}));
}

TEST(TensorflowSlice, ConcatAndPack) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.ints("axis", {}, {-1});
  builder.node("ConcatV2", "wide", {"x", "x", "axis"});
  builder.node("Concat", "old", {"axis", "x", "x"});
  (*builder.node("Pack", "stack", {"x", "x"}).mutable_attr())["axis"].set_i(1);
  const auto outputs = run(builder, {counting({2, 2})});
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(numbers(outputs[1]), numbers(outputs[0]));
  EXPECT_EQ(outputs[2].shape(), (Sizes{2, 2, 2}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{0, 1, 0, 1, 2, 3, 2, 3}));
}

TEST(TensorflowSlice, GatherByConstants) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4});
  builder.vector("indices", {3, 0, 0});
  builder.ints("axis", {}, {1});
  builder.node("GatherV2", "y", {"x", "indices", "axis"});
  const auto outputs = run(builder, {counting({2, 4})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{3, 0, 0, 7, 4, 4}));
}

TEST(TensorflowShape, FlattenAsKerasWritesIt) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2, 3});
  builder.node("Shape", "shape", {"x"});
  builder.vector("zero", {0});
  builder.vector("one", {1});
  (*builder.node("StridedSlice", "n", {"shape", "zero", "one", "one"})
        .mutable_attr())["shrink_axis_mask"]
      .set_i(1);
  builder.ints("rest", {}, {-1});
  builder.node("Pack", "target", {"n", "rest"});
  builder.node("Reshape", "y", {"x", "target"});
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[N, 6]");
  EXPECT_TRUE(graph->constraints().empty());
}

TEST(TensorflowShape, EnsureShapeBindsASymbol) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, -1});
  auto& attributes = *builder.node("EnsureShape", "y", {"x"}).mutable_attr();
  GraphBuilder::set_shape(*attributes["shape"].mutable_shape(), {-1, 7});
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(str(graph->type(graph->inputs()[0])), "f32[N, 7]");
}

TEST(TensorflowShape, ReshapeThatDoesNotFitIsRefused) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3});
  builder.vector("shape", {4, 2});
  builder.node("Reshape", "y", {"x", "shape"});
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::invalid_model);
}

TEST(TensorflowShape, ReshapeByDataIsUnsupported) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3});
  builder.placeholder("shape", tf_int32, {2});
  builder.node("Reshape", "y", {"x", "shape"});
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_NE(graph.error().message.find("'shape'"), std::string::npos) << graph.error().message;
}

TEST(TensorflowShape, SqueezeExpandTranspose) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 1, 3});
  (*builder.node("Squeeze", "squeezed", {"x"}).mutable_attr())["squeeze_dims"]
      .mutable_list()
      ->add_i(-2);
  builder.ints("axis", {}, {-1});
  builder.node("ExpandDims", "expanded", {"squeezed", "axis"});
  builder.vector("perm", {2, 0, 1});
  builder.node("Transpose", "turned", {"expanded", "perm"});
  const auto outputs = run(builder, {counting({2, 1, 3})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (Sizes{1, 2, 3}));
  EXPECT_EQ(numbers(outputs[0]), (Doubles{0, 1, 2, 3, 4, 5}));
}

TEST(TensorflowShape, FillRangeTileAndSizes) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2});
  builder.node("Shape", "shape", {"x"});
  builder.floats("seven", {}, {7});
  builder.node("Fill", "sevens", {"shape", "seven"});
  builder.node("Size", "size", {"x"});
  builder.node("Rank", "rank", {"x"});
  builder.node("Cast", "depth", {"rank"});
  builder.ints("three", {}, {3});
  builder.ints("step", {}, {2});
  builder.node("Range", "range", {"three", "size", "step"});
  builder.vector("multiples", {1, 2});
  builder.node("Tile", "tiled", {"x", "multiples"});
  ImportOptions options;
  options.outputs = {"sevens", "size", "rank", "range", "tiled", "shape"};
  const auto outputs = run(builder, {counting({4, 2})}, options);
  ASSERT_EQ(outputs.size(), 6U);
  EXPECT_EQ(numbers(outputs[0]), Doubles(8, 7));
  EXPECT_EQ(numbers(outputs[1]), Doubles{8});
  EXPECT_EQ(numbers(outputs[2]), Doubles{2});
  EXPECT_EQ(numbers(outputs[3]), (Doubles{3, 5, 7}));
  EXPECT_EQ(outputs[4].shape(), (Sizes{4, 4}));
  EXPECT_EQ(numbers(outputs[4]), (Doubles{0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7}));
  EXPECT_EQ(outputs[5].dtype(), DType::i32);
  EXPECT_EQ(numbers(outputs[5]), (Doubles{4, 2}));
}

TEST(TensorflowShape, RangeOfFloats) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {3});
  builder.floats("start", {}, {1});
  builder.floats("limit", {}, {2.25F});
  builder.floats("delta", {}, {0.5F});
  builder.node("Range", "range", {"start", "limit", "delta"});
  builder.node("Add", "y", {"x", "range"});
  const auto outputs = run(builder, {float_tensor({3}, {0, 0, 0})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{1, 1.5, 2}));
}

/// tf.tensordot(x, w, [[2], [0]]) + b as Keras 2 exports it, without folding.
void add_tensordot(GraphBuilder& builder) {
  builder.placeholder("x", tf_float, {-1, 2, 3});
  builder.floats("w", {3, 2}, {1, 0, 0, 1, 2, -1});
  builder.vector("axes", {2});
  builder.vector("free", {0, 1});
  builder.ints("zero", {}, {0});
  builder.node("Shape", "shape", {"x"});
  builder.node("GatherV2", "free_sizes", {"shape", "free", "zero"});
  builder.node("GatherV2", "axes_sizes", {"shape", "axes", "zero"});
  builder.vector("zeros", {0});
  builder.node("Prod", "rows", {"free_sizes", "zeros"});
  builder.node("Prod", "columns", {"axes_sizes", "zeros"});
  builder.node("ConcatV2", "perm", {"free", "axes", "zero"});
  builder.node("Pack", "matrix_shape", {"rows", "columns"});
  builder.node("Transpose", "turned", {"x", "perm"});
  builder.node("Reshape", "matrix", {"turned", "matrix_shape"});
  builder.node("MatMul", "product", {"matrix", "w"});
  builder.vector("width", {2});
  builder.node("ConcatV2", "result_shape", {"free_sizes", "width", "zero"});
  builder.node("Reshape", "y", {"product", "result_shape"});
}

TEST(TensorflowShape, TensordotIsAProductAlongTheLastAxis) {
  GraphBuilder builder;
  add_tensordot(builder);
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << graph.error().message;
  const ValueId y = graph->outputs()[0].value;
  EXPECT_EQ(str(graph->type(y)), "f32[N, 2, 2]");
  ASSERT_NE(graph->producer(y), nullptr);
  EXPECT_EQ(graph->producer(y)->op->name, "matmul");
  EXPECT_EQ(graph->producer(y)->inputs[0], graph->inputs()[0]);
  EXPECT_EQ(graph->producer(y)->attributes.get<std::int64_t>("chains"), 1);
  EXPECT_TRUE(graph->constraints().empty());

  const auto outputs = run(builder, {counting({1, 2, 3})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{4, -1, 13, -1}));
}

}  // namespace
}  // namespace ingot::tensorflow
