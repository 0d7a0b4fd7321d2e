// SPDX-License-Identifier: Apache-2.0
// Each family of TensorFlow ops against numbers from numpy and scipy.
#include <cmath>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

void expect_near(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], 1e-6 + 1e-5 * std::abs(expected[i])) << "element " << i;
  }
}

struct Case {
  const char* op;
  std::vector<double> expected;
};

void expect_unary(const Case& test, const std::vector<float>& x) {
  SCOPED_TRACE(test.op);
  GraphBuilder builder;
  const auto size = static_cast<std::int64_t>(x.size());
  builder.placeholder("x", tf_float, {size});
  builder.node(test.op, "y", {"x"});
  const std::vector<Tensor> outputs = run(builder, {float_tensor({size}, x)});
  ASSERT_EQ(outputs.size(), 1U);
  expect_near(numbers(outputs[0]), test.expected);
}

TEST(TensorflowEmit, UnaryOpsOfAnySign) {
  const std::vector<float> x{-2.5F, -0.5F, 0.0F, 0.5F, 1.5F, 7.25F};
  const Case cases[] = {
      {"Abs", {2.5, 0.5, 0.0, 0.5, 1.5, 7.25}},
      {"Neg", {2.5, 0.5, -0.0, -0.5, -1.5, -7.25}},
      {"Sign", {-1.0, -1.0, 0.0, 1.0, 1.0, 1.0}},
      {"Exp", {0.082084999, 0.60653066, 1.0, 1.648721271, 4.48168907, 1408.104848205}},
      {"Expm1", {-0.917915001, -0.39346934, 0.0, 0.648721271, 3.48168907, 1407.104848205}},
      {"Square", {6.25, 0.25, 0.0, 0.25, 2.25, 52.5625}},
      {"Floor", {-3.0, -1.0, 0.0, 0.0, 1.0, 7.0}},
      {"Ceil", {-2.0, -0.0, 0.0, 1.0, 2.0, 8.0}},
      {"Round", {-2.0, -0.0, 0.0, 0.0, 2.0, 7.0}},
      {"Rint", {-2.0, -0.0, 0.0, 0.0, 2.0, 7.0}},
      {"Tanh", {-0.986614298, -0.462117157, 0.0, 0.462117157, 0.905148254, 0.999998991}},
      {"Sigmoid", {0.07585818, 0.377540669, 0.5, 0.622459331, 0.817574476, 0.99929033}},
      {"Erfc", {1.999593048, 1.520499878, 1.0, 0.479500122, 0.033894854, 0.0}},
      {"Erf", {-0.999593048, -0.520499878, 0.0, 0.520499878, 0.966105146, 1.0}},
      {"Sin", {-0.598472144, -0.479425539, 0.0, 0.479425539, 0.997494987, 0.823080879}},
      {"Cos", {-0.801143616, 0.877582562, 1.0, 0.877582562, 0.070737202, 0.567924173}},
      {"Atan", {-1.19028995, -0.463647609, 0.0, 0.463647609, 0.982793723, 1.433730152}},
      {"Sinh", {-6.050204481, -0.521095305, 0.0, 0.521095305, 2.129279455, 704.052069015}},
      {"Asinh", {-1.647231146, -0.481211825, 0.0, 0.481211825, 1.194763217, 2.678871313}},
      {"Relu", {0.0, 0.0, 0.0, 0.5, 1.5, 7.25}},
      {"Relu6", {0.0, 0.0, 0.0, 0.5, 1.5, 6.0}},
      {"LeakyRelu", {-0.5, -0.1, 0.0, 0.5, 1.5, 7.25}},
      {"Elu", {-0.917915001, -0.39346934, 0.0, 0.5, 1.5, 7.25}},
      {"Selu", {-1.613785759, -0.691758188, 0.0, 0.525350494, 1.576051481, 7.617582158}},
      {"Softplus", {0.078889734, 0.474076984, 0.693147181, 0.974076984, 1.701413278, 7.250709922}},
      {"Softsign", {-0.714285714, -0.333333333, 0.0, 0.333333333, 0.6, 0.878787879}},
      {"IsFinite", {1, 1, 1, 1, 1, 1}},
      {"IsNan", {0, 0, 0, 0, 0, 0}},
      {"ZerosLike", {0, 0, 0, 0, 0, 0}},
      {"OnesLike", {1, 1, 1, 1, 1, 1}},
  };
  for (const Case& test : cases) expect_unary(test, x);
  const float infinity = std::numeric_limits<float>::infinity();
  expect_unary({"IsFinite", {0, 0, 1}}, {infinity, std::nanf(""), 1});
  expect_unary({"IsInf", {1, 0, 1}}, {infinity, std::nanf(""), -infinity});
}

TEST(TensorflowEmit, UnaryOpsOfPositiveNumbers) {
  const std::vector<float> x{0.25F, 0.5F, 1.0F, 2.0F, 3.0F, 10.0F};
  const Case cases[] = {
      {"Log", {-1.386294361, -0.693147181, 0.0, 0.693147181, 1.098612289, 2.302585093}},
      {"Log1p", {0.223143551, 0.405465108, 0.693147181, 1.098612289, 1.386294361, 2.397895273}},
      {"Sqrt", {0.5, 0.707106781, 1.0, 1.414213562, 1.732050808, 3.16227766}},
      {"Rsqrt", {2.0, 1.414213562, 1.0, 0.707106781, 0.577350269, 0.316227766}},
      {"Reciprocal", {4.0, 2.0, 1.0, 0.5, 0.333333333, 0.1}},
      {"Inv", {4.0, 2.0, 1.0, 0.5, 0.333333333, 0.1}},
      {"Identity", {0.25, 0.5, 1.0, 2.0, 3.0, 10.0}},
      {"StopGradient", {0.25, 0.5, 1.0, 2.0, 3.0, 10.0}},
  };
  for (const Case& test : cases) expect_unary(test, x);
}

void expect_binary(const Case& test, int dtype, const Tensor& a, const Tensor& b) {
  SCOPED_TRACE(test.op);
  GraphBuilder builder;
  builder.placeholder("a", dtype, {a.elements()});
  builder.placeholder("b", dtype, {b.elements()});
  builder.node(test.op, "y", {"a", "b"});
  const std::vector<Tensor> outputs = run(builder, {a, b});
  ASSERT_EQ(outputs.size(), 1U);
  expect_near(numbers(outputs[0]), test.expected);
}

TEST(TensorflowEmit, BinaryOpsOfFloats) {
  const Tensor a = float_tensor({6}, {7, -7, 7, -7, 6.5F, 0});
  const Tensor b = float_tensor({6}, {2, 2, -2, -2, 4, 3});
  const Case cases[] = {
      {"Add", {9.0, -5.0, 5.0, -9.0, 10.5, 3.0}},
      {"AddV2", {9.0, -5.0, 5.0, -9.0, 10.5, 3.0}},
      {"AddN", {9.0, -5.0, 5.0, -9.0, 10.5, 3.0}},
      {"Sub", {5.0, -9.0, 9.0, -5.0, 2.5, -3.0}},
      {"Mul", {14.0, -14.0, -14.0, 14.0, 26.0, 0.0}},
      {"RealDiv", {3.5, -3.5, -3.5, 3.5, 1.625, 0.0}},
      {"FloorDiv", {3.0, -4.0, -4.0, 3.0, 1.0, 0.0}},
      {"FloorMod", {1.0, 1.0, -1.0, -1.0, 2.5, 0.0}},
      {"Mod", {1.0, -1.0, 1.0, -1.0, 2.5, 0.0}},
      {"TruncateDiv", {3.0, -3.0, -3.0, 3.0, 1.0, 0.0}},
      {"Minimum", {2.0, -7.0, -2.0, -7.0, 4.0, 0.0}},
      {"Maximum", {7.0, 2.0, 7.0, -2.0, 6.5, 3.0}},
      {"SquaredDifference", {25.0, 81.0, 81.0, 25.0, 6.25, 9.0}},
      {"Less", {0, 1, 0, 1, 0, 1}},
      {"GreaterEqual", {1, 0, 1, 0, 1, 0}},
      {"Equal", {0, 0, 0, 0, 0, 0}},
      {"NotEqual", {1, 1, 1, 1, 1, 1}},
  };
  for (const Case& test : cases) expect_binary(test, tf_float, a, b);
  const Tensor zeros = float_tensor({6}, {0, 2, 0, -2, 4, 3});
  expect_binary({"DivNoNan", {0, -3.5, 0, 3.5, 1.625, 0}}, tf_float, a, zeros);
}

TEST(TensorflowEmit, BinaryOpsOfIntegers) {
  const Tensor a = make_tensor<std::int32_t>(DType::i32, {7}, {7, -7, 7, -7, -8, 0, 5});
  const Tensor b = make_tensor<std::int32_t>(DType::i32, {7}, {2, 2, -2, -2, 4, 3, -3});
  const Case cases[] = {
      {"FloorDiv", {3, -4, -4, 3, -2, 0, -2}},    {"FloorMod", {1, 1, -1, -1, 0, 0, -1}},
      {"Mod", {1, -1, 1, -1, 0, 0, 2}},           {"Div", {3, -3, -3, 3, -2, 0, -1}},
      {"TruncateDiv", {3, -3, -3, 3, -2, 0, -1}},
  };
  for (const Case& test : cases) expect_binary(test, tf_int32, a, b);
}

TEST(TensorflowEmit, SelectPicksRowsAndSelectV2Broadcasts) {
  GraphBuilder builder;
  builder.placeholder("c", tf_bool, {2});
  builder.floats("a", {2, 2}, {1, 2, 3, 4});
  builder.floats("b", {2, 2}, {5, 6, 7, 8});
  builder.node("Select", "rows", {"c", "a", "b"});
  builder.node("SelectV2", "columns", {"c", "a", "b"});
  const auto outputs = run(builder, {make_tensor<std::uint8_t>(DType::boolean, {2}, {1, 0})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{1, 2, 7, 8}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{1, 6, 3, 8}));
}

TEST(TensorflowEmit, SoftmaxAndLogSoftmaxAreAlongTheLastAxis) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 3});
  builder.node("Softmax", "p", {"x"});
  builder.node("LogSoftmax", "q", {"x"});
  const auto outputs = run(builder, {float_tensor({2, 3}, {1, 2, 3, -1, 0, 5})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(numbers(outputs[0]),
              {0.090030573, 0.244728471, 0.665240956, 0.002456115, 0.006676413, 0.990867473});
  expect_near(numbers(outputs[1]),
              {-2.407605964, -1.407605964, -0.407605964, -6.009174485, -5.009174485, -0.009174485});
}

TEST(TensorflowEmit, MatMulTransposesEitherFactor) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3});
  builder.floats("w", {2, 3}, {-2, -1, 0, 1, 2, 3});
  (*builder.node("MatMul", "right", {"x", "w"}).mutable_attr())["transpose_b"].set_b(true);
  (*builder.node("MatMul", "left", {"x", "w"}).mutable_attr())["transpose_a"].set_b(true);
  (*builder.node("BatchMatMulV2", "batch", {"x", "w"}).mutable_attr())["adj_y"].set_b(true);
  const auto outputs = run(builder, {counting({2, 3})});
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{-1, 8, -10, 26}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{3, 6, 9, 2, 7, 12, 1, 8, 15}));
  EXPECT_EQ(numbers(outputs[2]), numbers(outputs[0]));
}

TEST(TensorflowEmit, BiasAddFollowsTheLayout) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {1, 2, 2});
  builder.floats("b", {2}, {10, 20});
  builder.node("BiasAdd", "last", {"x", "b"});
  (*builder.node("BiasAdd", "second", {"x", "b"}).mutable_attr())["data_format"].set_s("NCHW");
  const auto outputs = run(builder, {counting({1, 2, 2})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{10, 21, 12, 23}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{10, 11, 22, 23}));
}

NodeDef& add_batch_norm(GraphBuilder& builder, const std::string& name) {
  NodeDef& node =
      builder.node("FusedBatchNormV3", name, {"x", "scale", "offset", "mean", "variance"});
  (*node.mutable_attr())["epsilon"].set_f(0.001F);
  (*node.mutable_attr())["is_training"].set_b(false);
  return node;
}

void add_batch_norm_operands(GraphBuilder& builder) {
  builder.placeholder("x", tf_float, {-1, 2, 2, 2});
  builder.floats("scale", {2}, {2, 0.5F});
  builder.floats("offset", {2}, {1, -1});
  builder.floats("mean", {2}, {3, 4});
  builder.floats("variance", {2}, {4, 0.25F});
}

TEST(TensorflowEmit, FusedBatchNormInBothLayouts) {
  GraphBuilder builder;
  add_batch_norm_operands(builder);
  add_batch_norm(builder, "last");
  (*add_batch_norm(builder, "second").mutable_attr())["data_format"].set_s("NCHW");
  const auto outputs = run(builder, {counting({1, 2, 2, 2})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(numbers(outputs[0]), {-1.99962507, -3.99401794, 0.000124977, -1.99800598, 1.999875023,
                                    -0.00199402, 3.99962507, 1.99401794});
  expect_near(numbers(outputs[1]), {-1.99962507, -0.999750047, 0.000124977, 1.0, -1.0, -0.00199402,
                                    0.99601196, 1.99401794});
}

TEST(TensorflowEmit, FusedBatchNormInTrainingIsRefused) {
  GraphBuilder builder;
  add_batch_norm_operands(builder);
  (*add_batch_norm(builder, "y").mutable_attr())["is_training"].set_b(true);
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_NE(graph.error().message.find("is_training"), std::string::npos) << graph.error().message;
}

/// Keras 2's LayerNormalization: rows are channels of one image.
TEST(TensorflowEmit, FusedBatchNormOfOneImageNormalisesChannels) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4});
  builder.node("Shape", "shape", {"x"});
  builder.vector("first", {0});
  builder.vector("second", {1});
  NodeDef& rows = builder.node("StridedSlice", "rows", {"shape", "first", "second", "second"});
  (*rows.mutable_attr())["shrink_axis_mask"].set_i(1);
  builder.ints("one", {}, {1});
  builder.ints("four", {}, {4});
  builder.node("Pack", "image", {"one", "rows", "four", "one"});
  builder.node("Reshape", "flat", {"x", "image"});
  builder.vector("all", {-1});
  builder.node("Reshape", "channels", {"rows", "all"});
  builder.floats("1", {}, {1});
  builder.floats("2", {}, {2});
  builder.node("Fill", "scale", {"channels", "2"});
  builder.node("Fill", "offset", {"channels", "1"});
  builder.floats("none", {0}, {});
  NodeDef& norm =
      builder.node("FusedBatchNormV3", "y", {"flat", "scale", "offset", "none", "none"});
  (*norm.mutable_attr())["epsilon"].set_f(0.75F);
  (*norm.mutable_attr())["data_format"].set_s("NCHW");
  const auto outputs = run(builder, {float_tensor({2, 4}, {1, 2, 3, 4, 5, 5, 5, 5})});
  ASSERT_EQ(outputs.size(), 1U);
  // Variance 1.25: the deviation is the root of 2.
  expect_near(numbers(outputs[0]), {-1.12132034, 0.29289322, 1.70710678, 3.12132034, 1, 1, 1, 1});
}

TEST(TensorflowEmit, MainDiagonals) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2, 3});
  builder.ints("k", {}, {0});
  builder.floats("padding", {}, {0});
  builder.node("MatrixDiagPartV3", "y", {"x", "k", "padding"});
  const auto outputs = run(builder, {counting({2, 2, 3})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{0, 4, 6, 10}));
  builder.def.mutable_node(1)->mutable_attr()->at("value").mutable_tensor()->set_int_val(0, 1);
  const auto refused = builder.import();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("diagonals besides the main one"), std::string::npos);
}

TEST(TensorflowEmit, ReductionsTakeNegativeAxes) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3, 4});
  builder.ints("one", {}, {1});
  builder.vector("outer", {0, -1});
  builder.vector("last", {-1});
  builder.vector("first two", {0, 1});
  builder.node("Sum", "sum", {"x", "one"});
  builder.node("Mean", "mean", {"x", "outer"});
  (*builder.node("Max", "max", {"x", "last"}).mutable_attr())["keep_dims"].set_b(true);
  builder.node("Min", "min", {"x", "first two"});
  builder.node("Prod", "prod", {"x", "last"});
  const auto outputs = run(builder, {counting({2, 3, 4})});
  ASSERT_EQ(outputs.size(), 5U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{12, 15, 18, 21, 48, 51, 54, 57}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{7.5, 11.5, 15.5}));
  EXPECT_EQ(outputs[2].shape(), (Sizes{2, 3, 1}));
  EXPECT_EQ(numbers(outputs[2]), (std::vector<double>{3, 7, 11, 15, 19, 23}));
  EXPECT_EQ(numbers(outputs[3]), (std::vector<double>{0, 1, 2, 3}));
  EXPECT_EQ(numbers(outputs[4]), (std::vector<double>{0, 840, 7920, 32760, 93024, 212520}));
}

TEST(TensorflowEmit, AnyAndAllReduceTruths) {
  GraphBuilder builder;
  builder.placeholder("x", tf_bool, {2, 2});
  builder.ints("last", {}, {-1});
  builder.node("Any", "any", {"x", "last"});
  builder.node("All", "all", {"x", "last"});
  const auto outputs =
      run(builder, {make_tensor<std::uint8_t>(DType::boolean, {2, 2}, {1, 0, 1, 1})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{1, 1}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{0, 1}));
}

TEST(TensorflowEmit, OneHotOfANegativeIndexIsOff) {
  GraphBuilder builder;
  builder.placeholder("x", tf_int32, {-1});
  builder.ints("depth", {}, {3});
  builder.floats("on", {}, {5});
  builder.floats("off", {}, {-1});
  (*builder.node("OneHot", "last", {"x", "depth", "on", "off"}).mutable_attr())["axis"].set_i(-1);
  (*builder.node("OneHot", "first", {"x", "depth", "on", "off"}).mutable_attr())["axis"].set_i(0);
  const auto outputs = run(builder, {make_tensor<std::int32_t>(DType::i32, {2}, {2, -1})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{-1, -1, 5, -1, -1, -1}));
  EXPECT_EQ(outputs[1].shape(), (Sizes{3, 2}));
  EXPECT_EQ(numbers(outputs[1]), (std::vector<double>{-1, -1, -1, -1, 5, -1}));
}

TEST(TensorflowEmit, CastTruncatesAndSaturates) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {3});
  (*builder.node("Cast", "y", {"x"}).mutable_attr())["DstT"].set_type(tf_int32);
  const auto outputs = run(builder, {float_tensor({3}, {-2.75F, 2.75F, 1e20F})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].dtype(), DType::i32);
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{-2, 2, 2147483647}));
}

/// tf.einsum(equation, a, b) of counting numbers.
Tensor einsum(const char* equation, const Sizes& a, const Sizes& b) {
  GraphBuilder builder;
  builder.placeholder("a", tf_float, a);
  builder.placeholder("b", tf_float, b);
  (*builder.node("Einsum", "y", {"a", "b"}).mutable_attr())["equation"].set_s(equation);
  const auto outputs = run(builder, {counting(a), counting(b)});
  return outputs.empty() ? Tensor() : outputs[0];
}

TEST(TensorflowEmit, EinsumInKerasForms) {
  using Doubles = std::vector<double>;
  // A dense layer: [[0,1],[2,3]] x [[0,1,2],[3,4,5]].
  EXPECT_EQ(numbers(einsum("ab,bc->ac", {2, 2}, {2, 3})), (Doubles{3, 4, 5, 9, 14, 19}));
  EXPECT_EQ(numbers(einsum("...b,bc->...c", {1, 2, 2}, {2, 3})), (Doubles{3, 4, 5, 9, 14, 19}));
  // The projection to heads: y[a,b,d,e] = sum_c x[a,b,c] * w[c,d,e].
  const Tensor heads = einsum("abc,cde->abde", {1, 2, 2}, {2, 2, 1});
  EXPECT_EQ(heads.shape(), (Sizes{1, 2, 2, 1}));
  EXPECT_EQ(numbers(heads), (Doubles{2, 3, 6, 11}));
  // Scores: y[a,c,b,e] = sum_d x[a,e,c,d] * z[a,b,c,d]; one head, vectors of 2.
  // keys (0,1), (2,3); queries (0,1), (2,3), (4,5).
  const Tensor scores = einsum("aecd,abcd->acbe", {1, 2, 1, 2}, {1, 3, 1, 2});
  EXPECT_EQ(scores.shape(), (Sizes{1, 1, 3, 2}));
  EXPECT_EQ(numbers(scores), (Doubles{1, 3, 3, 13, 5, 23}));
  // Values: y[a,b,c,d] = sum_e s[a,c,b,e] * v[a,e,c,d].
  const Tensor values = einsum("acbe,aecd->abcd", {1, 1, 2, 2}, {1, 2, 1, 3});
  EXPECT_EQ(values.shape(), (Sizes{1, 2, 1, 3}));
  EXPECT_EQ(numbers(values), (Doubles{3, 4, 5, 9, 14, 19}));
  // The projection back sums over two axes at once.
  EXPECT_EQ(numbers(einsum("abcd,cde->abe", {1, 1, 2, 2}, {2, 2, 1})), (Doubles{14}));
  // Nothing is summed, or only one side, or all; the result's order is implicit.
  EXPECT_EQ(numbers(einsum("a,b->ba", {2}, {3})), (Doubles{0, 0, 0, 1, 0, 2}));
  EXPECT_EQ(numbers(einsum("ab,ab->ab", {2, 2}, {2, 2})), (Doubles{0, 1, 4, 9}));
  EXPECT_EQ(numbers(einsum("ab,c->c", {2, 2}, {2})), (Doubles{0, 6}));
  EXPECT_EQ(numbers(einsum("ab,ab->", {2, 2}, {2, 2})), (Doubles{14}));
  EXPECT_EQ(numbers(einsum("ba, bc", {2, 1}, {2, 3})), (Doubles{3, 4, 5}));
}

TEST(TensorflowEmit, EinsumRefusesWhatDoesNotFit) {
  for (const char* equation : {"ab,bc", "a,bc->ac", "ab->b", "ab,bc,cd->ad", "ab,bc->ax",
                               "aa,ab->b", "a1,bc->ac", "", "->", "ab,bc->aac", "...,..."}) {
    GraphBuilder builder;
    builder.placeholder("a", tf_float, {2, 3});
    builder.placeholder("b", tf_float, {4, 2});
    (*builder.node("Einsum", "y", {"a", "b"}).mutable_attr())["equation"].set_s(equation);
    EXPECT_FALSE(builder.import()) << equation;
  }
}

TEST(TensorflowEmit, BandsOfMatrices) {
  const auto band = [](std::int32_t lower, std::int32_t upper) {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {-1, 2, 3});
    builder.ints("lower", {}, {lower});
    builder.ints("upper", {}, {upper});
    builder.node("MatrixBandPart", "y", {"x", "lower", "upper"});
    return numbers(run(builder, {float_tensor({1, 2, 3}, {1, 2, 3, 4, 5, 6})}).at(0));
  };
  EXPECT_EQ(band(-1, 0), (std::vector<double>{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(band(0, -1), (std::vector<double>{1, 2, 3, 0, 5, 6}));
  EXPECT_EQ(band(0, 1), (std::vector<double>{1, 2, 0, 0, 5, 6}));
  EXPECT_EQ(band(-1, -1), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(TensorflowEmit, InvertsPermutations) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 1, 3});
  builder.vector("perm", {1, 2, 0});
  builder.node("InvertPermutation", "back", {"perm"});
  builder.node("Transpose", "there", {"x", "perm"});
  builder.node("Transpose", "y", {"there", "back"});
  EXPECT_EQ(run(builder, {counting({2, 1, 3})}).at(0).shape(), (Sizes{2, 1, 3}));
}

}  // namespace
}  // namespace ingot::tensorflow
