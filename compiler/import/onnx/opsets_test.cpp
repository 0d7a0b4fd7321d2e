// SPDX-License-Identifier: Apache-2.0
// Ops whose form or meaning changed between opsets: the old and the new form side by side. Expected
// numbers are from numpy.
#include <gmock/gmock.h>

#include <cmath>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Integers = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

MATCHER(Near, "") { return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-6; }

const Tensor kRow = float_tensor({4}, {-3, -1, 1, 3});
const Tensor kMatrix = float_tensor({2, 3}, {1, 2, 3, 4, 5, 6});

/// The first output of a model with one input x.
Numbers first(TestModel& model, const Tensor& x) {
  const std::vector<Numbers> outputs = run(model.import(), {x});
  return outputs.empty() ? Numbers{} : outputs[0];
}

TestModel with_input(int opset, const Tensor& x, const Names& outputs = {"y"}) {
  TestModel model(opset);
  model.input("x", std::vector<TestDim>(x.shape().begin(), x.shape().end()));
  for (const std::string& output : outputs) model.output(output);
  return model;
}

TEST(OnnxOpsets, Clip) {
  TestModel old = with_input(6, kRow);
  old.node("Clip", {"x"}, {"y"}).with("max", 2.0F);
  EXPECT_THAT(first(old, kRow), ElementsAre(-3, -1, 1, 2));
  TestModel current = with_input(13, kRow);
  current.floats("lo", {}, {-2});
  current.node("Clip", {"x", "lo", ""}, {"y"});
  EXPECT_THAT(first(current, kRow), ElementsAre(-2, -1, 1, 3));
}

TEST(OnnxOpsets, Slice) {
  TestModel old = with_input(9, kMatrix);
  old.node("Slice", {"x"}, {"y"})
      .with("axes", Integers{1})
      .with("starts", Integers{-2})
      .with("ends", Integers{1000});
  EXPECT_THAT(first(old, kMatrix), ElementsAre(2, 3, 5, 6));
  TestModel current = with_input(13, kMatrix);
  current.integers("s", {-1, 0})
      .integers("e", {INT64_MIN, 2})
      .integers("a", {-1, 0})
      .integers("st", {-2, 1});
  current.node("Slice", {"x", "s", "e", "a", "st"}, {"y"});
  EXPECT_THAT(first(current, kMatrix), ElementsAre(3, 1, 6, 4));
}

TEST(OnnxOpsets, SqueezeAndUnsqueeze) {
  for (const int opset : {11, 13}) {
    TestModel model = with_input(opset, kMatrix);
    model.integers("axes", {0, -1}).integers("back", {0});
    if (opset < 13) {
      model.node("Unsqueeze", {"x"}, {"u"}).with("axes", Integers{0, -1});
      model.node("Squeeze", {"u"}, {"y"}).with("axes", Integers{0});
    } else {
      model.node("Unsqueeze", {"x", "axes"}, {"u"});
      model.node("Squeeze", {"u", "back"}, {"y"});
    }
    const Expected<Graph> graph = model.import();
    ASSERT_TRUE(graph) << message_of(graph);
    EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[2, 3, 1]");
  }
}

TEST(OnnxOpsets, SoftmaxBefore13IsOfAllAxesFromOneOn) {
  const Tensor x = float_tensor({1, 2, 2}, {0, 0, 0, 0});
  TestModel old = with_input(11, x);
  old.node("Softmax", {"x"}, {"y"});
  EXPECT_THAT(first(old, x), ElementsAre(0.25, 0.25, 0.25, 0.25));
  TestModel current = with_input(13, x);
  current.node("Softmax", {"x"}, {"y"});
  EXPECT_THAT(first(current, x), ElementsAre(0.5, 0.5, 0.5, 0.5));
}

TEST(OnnxOpsets, ReduceSum) {
  TestModel old = with_input(11, kMatrix);
  old.node("ReduceSum", {"x"}, {"y"}).with("axes", Integers{-2}).with("keepdims", 0);
  EXPECT_THAT(first(old, kMatrix), ElementsAre(5, 7, 9));
  TestModel current = with_input(13, kMatrix);
  current.integers("axes", {1});
  current.node("ReduceSum", {"x", "axes"}, {"y"});
  EXPECT_THAT(first(current, kMatrix), ElementsAre(6, 15));
  TestModel all = with_input(13, kMatrix);
  all.node("ReduceSum", {"x"}, {"y"});
  EXPECT_THAT(first(all, kMatrix), ElementsAre(21));
  TestModel none = with_input(13, kRow);
  none.node("ReduceSum", {"x"}, {"y"}).with("noop_with_empty_axes", 1);
  EXPECT_THAT(first(none, kRow), ElementsAre(-3, -1, 1, 3));
}

TEST(OnnxOpsets, BroadcastingBefore7StartsAtAnAxis) {
  TestModel old = with_input(6, kMatrix);
  old.floats("b", {2}, {10, 20});
  old.node("Add", {"x", "b"}, {"y"}).with("broadcast", 1).with("axis", 0);
  EXPECT_THAT(first(old, kMatrix), ElementsAre(11, 12, 13, 24, 25, 26));
}

TEST(OnnxOpsets, SlopesOfPReluBefore7AreOfChannels) {
  const Tensor x = float_tensor({1, 2, 2}, {-1, -2, -3, 4});
  TestModel old = with_input(6, x);
  old.floats("slope", {2}, {2, 10});
  old.node("PRelu", {"x", "slope"}, {"y"});
  EXPECT_THAT(first(old, x), ElementsAre(-2, -4, -30, 4));
}

TEST(OnnxOpsets, Split) {
  TestModel old = with_input(12, kMatrix, {"a", "b"});
  old.node("Split", {"x"}, {"a", "b"}).with("axis", 1).with("split", Integers{1, 2});
  EXPECT_THAT(run(old.import(), {kMatrix}), ElementsAre(Numbers{1, 4}, Numbers{2, 3, 5, 6}));
  TestModel current = with_input(18, kMatrix, {"a", "b"});
  current.node("Split", {"x"}, {"a", "b"}).with("axis", 1).with("num_outputs", 2);
  EXPECT_THAT(run(current.import(), {kMatrix}), ElementsAre(Numbers{1, 2, 4, 5}, Numbers{3, 6}));
  TestModel wrong = with_input(12, kMatrix, {"a", "b"});
  wrong.node("Split", {"x"}, {"a", "b"}).with("axis", 1).with("split", Integers{1, 1});
  EXPECT_THAT(message_of(wrong.import()), HasSubstr("the parts of a Split"));
}

TEST(OnnxOpsets, Dropout) {
  TestModel old = with_input(6, kRow);
  old.node("Dropout", {"x"}, {"y"}).with("is_test", 1);
  EXPECT_THAT(first(old, kRow), ElementsAre(-3, -1, 1, 3));
  TestModel training = with_input(6, kRow);
  training.node("Dropout", {"x"}, {"y"});
  EXPECT_THAT(message_of(training.import()), HasSubstr("export the model for inference"));
  TestModel current = with_input(13, kRow, {"y", "mask"});
  current.floats("ratio", {}, {0.5});
  current.node("Dropout", {"x", "ratio"}, {"y", "mask"});
  EXPECT_THAT(run(current.import(), {kRow})[1], ElementsAre(1, 1, 1, 1));
}

TEST(OnnxOpsets, Reshape) {
  for (const int allow_zero : {0, 1}) {
    const Tensor x = float_tensor({0, 3}, {});
    TestModel model = with_input(14, x);
    model.integers("shape", {3, 0});
    model.node("Reshape", {"x", "shape"}, {"y"}).with("allowzero", allow_zero);
    const Expected<Graph> graph = model.import();
    ASSERT_EQ(static_cast<bool>(graph), allow_zero == 1) << message_of(graph);
  }
  TestModel copied = with_input(5 + 1, kMatrix);
  copied.integers("shape", {0, -1, 1});
  copied.node("Reshape", {"x", "shape"}, {"y"});
  const Expected<Graph> graph = copied.import();
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[2, 3, 1]");
  TestModel wrong = with_input(13, kMatrix);
  wrong.integers("shape", {4, -1});
  wrong.node("Reshape", {"x", "shape"}, {"y"});
  EXPECT_FALSE(wrong.import());
}

TEST(OnnxOpsets, GemmInAllForms) {
  const Tensor x = float_tensor({1, 2}, {1, 2});
  struct Form {
    Integers bias_dims;
    float alpha, beta;
    Numbers expected;
  };
  // [1, 2] * [[1, 2, 3], [4, 5, 6]] is [9, 12, 15].
  for (const Form& form : {Form{{3}, 1, 1, {19, 32, 45}}, Form{{1, 3}, 1, 1, {19, 32, 45}},
                           Form{{3}, 2, 0.5F, {23, 34, 45}}, Form{{}, 1, 1, {19, 22, 25}}}) {
    TestModel model = with_input(11, x);
    model.floats("w", {3, 2}, {1, 4, 2, 5, 3, 6});
    model.floats("c", form.bias_dims,
                 form.bias_dims.empty() ? std::vector<float>{10} : std::vector<float>{10, 20, 30});
    model.node("Gemm", {"x", "w", "c"}, {"y"})
        .with("transB", 1)
        .with("alpha", form.alpha)
        .with("beta", form.beta);
    EXPECT_THAT(first(model, x), Pointwise(Near(), form.expected));
  }
  TestModel without = with_input(11, x);
  without.floats("w", {2, 1}, {1, 1});
  without.node("Gemm", {"x", "w"}, {"y"});
  EXPECT_THAT(first(without, x), ElementsAre(3));
}

TEST(OnnxOpsets, BatchNormalization) {
  const Tensor x = float_tensor({1, 2}, {3, 5});
  for (const int opset : {7, 9, 15}) {
    TestModel model = with_input(opset, x);
    model.floats("g", {2}, {2, 1})
        .floats("b", {2}, {1, 0})
        .floats("m", {2}, {1, 1})
        .floats("v", {2}, {4, 16});
    model.node("BatchNormalization", {"x", "g", "b", "m", "v"}, {"y"}).with("epsilon", 0.0F);
    EXPECT_THAT(first(model, x), Pointwise(Near(), Numbers{3, 1}));
  }
  TestModel training = with_input(15, x);
  training.floats("p", {2}, {1, 1});
  training.node("BatchNormalization", {"x", "p", "p", "p", "p"}, {"y"}).with("training_mode", 1);
  EXPECT_THAT(message_of(training.import()), HasSubstr("training_mode"));
}

TEST(OnnxOpsets, DoubleFunctionsAreNotNarrowed) {
  TestModel model(13);
  model.input("x", {2}, 11);
  model.node("Exp", {"x"}, {"y"});
  model.output("y");
  Tensor x(DType::f64, {2});
  x.set(0, 1.0);
  x.set(1, -0.5);
  const Numbers y = first(model, x);
  ASSERT_EQ(y.size(), 2U);
  EXPECT_DOUBLE_EQ(y[0], 2.718281828459045);
  EXPECT_DOUBLE_EQ(y[1], 0.6065306597126334);
}

}  // namespace
}  // namespace ingot::onnx
