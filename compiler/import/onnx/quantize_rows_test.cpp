// SPDX-License-Identifier: Apache-2.0
// Quantised products where ONNX's own cases do not go: parameters for each row, column and channel,
// results that saturate, sums that need all of int32. Expected numbers by hand from the formulas.
#include <gmock/gmock.h>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;

constexpr int u8 = 2, i8 = 3, i32 = 6;

void stored(TestModel& model, const std::string& name, int type, const Integers& dims,
            const std::vector<int>& values) {
  TensorProto* tensor = model.graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(type);
  for (const std::int64_t dim : dims) tensor->add_dims(dim);
  for (const int value : values) tensor->add_int32_data(value);
}

/// The numbers of the one output y.
std::vector<double> result(const TestModel& model) {
  const auto outputs = run(model.import(), {});
  return outputs.empty() ? std::vector<double>{} : outputs[0];
}

TEST(OnnxQuantize, MatMulOfRowsAndColumns) {
  TestModel model(13);
  stored(model, "a", u8, {2, 2}, {3, 5, 255, 0});
  stored(model, "az", u8, {2}, {1, 0});
  stored(model, "b", i8, {2, 2}, {1, -2, 3, 4});
  stored(model, "bz", i8, {2}, {0, 1});
  model.floats("as", {2}, {0.5F, 1}).floats("bs", {2}, {0.5F, 2}).floats("ys", {}, {0.125F});
  stored(model, "yz", u8, {}, {10});
  model.node("QLinearMatMul", {"a", "as", "az", "b", "bs", "bz", "ys", "yz"}, {"y"});
  model.output("y");
  // Rows [2, 4] and [255, 0], columns [1, 3] and [-3, 3]: sums 14, 6, 255, -765, times 2, 8, 4, 16.
  EXPECT_THAT(result(model), ElementsAre(38, 58, 255, 0));

  TestModel sums(13);
  stored(sums, "a", u8, {1, 2}, {255, 255});
  stored(sums, "b", u8, {2, 1}, {255, 255});
  sums.node("MatMulInteger", {"a", "b"}, {"y"});
  sums.output("y");
  EXPECT_THAT(result(sums), ElementsAre(130050));
}

// Halves go to even, and what is beyond the range is its end.
TEST(OnnxQuantize, RoundsOnceAndSaturates) {
  TestModel model(13);
  stored(model, "a", i8, {1, 1}, {1});
  stored(model, "b", i8, {1, 5}, {1, 3, 5, -128, 127});
  stored(model, "zero", i8, {}, {0});
  model.floats("half", {}, {0.5F}).floats("one", {}, {1});
  model.node("QLinearMatMul", {"a", "one", "zero", "b", "half", "zero", "one", "zero"}, {"y"});
  model.output("y");
  EXPECT_THAT(result(model), ElementsAre(0, 2, 2, -64, 64));
}

TEST(OnnxQuantize, ConvolutionOfChannels) {
  TestModel model(13);
  stored(model, "x", u8, {1, 1, 1, 3}, {1, 2, 3});
  stored(model, "xz", u8, {}, {1});
  stored(model, "w", i8, {2, 1, 1, 2}, {1, 2, 3, 1});
  stored(model, "wz", i8, {2}, {1, 0});
  model.node("ConvInteger", {"x", "w", "xz", "wz"}, {"y"}).with("pads", Integers{0, 1, 0, 0});
  model.output("y");
  EXPECT_THAT(result(model), ElementsAre(0, 1, 2, 0, 1, 5));

  TestModel scaled(13);
  stored(scaled, "x", u8, {1, 1, 1, 3}, {1, 2, 3});
  stored(scaled, "xz", u8, {}, {1});
  stored(scaled, "w", i8, {2, 1, 1, 2}, {1, 2, 3, 1});
  stored(scaled, "wz", i8, {2}, {1, 0});
  stored(scaled, "bias", i32, {2}, {10, -1});
  stored(scaled, "yz", u8, {}, {5});
  scaled.floats("xs", {}, {0.5F}).floats("ws", {2}, {2, 4}).floats("ys", {}, {1});
  scaled.node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "bias"}, {"y"})
      .with("pads", Integers{0, 1, 0, 0});
  scaled.output("y");
  // Sums 10, 11, 12 and -1, 0, 4, times 1 and 2.
  EXPECT_THAT(result(scaled), ElementsAre(15, 16, 17, 3, 5, 13));
}

TEST(OnnxQuantize, OperandsOfOtherTypesAreRefused) {
  TestModel model(13);
  model.input("x", {2, 2}).output("y");
  model.node("MatMulInteger", {"x", "x"}, {"y"});
  EXPECT_THAT(message_of(model.import()), HasSubstr("an operand of f32"));
}

constexpr int i4 = 22;

TEST(OnnxNarrow, IntegersOfFourBitsLieInBytes) {
  TestModel model(25);
  model.input("x", {4}, 1).output("wrapped").output("quantised").output("back").output("again");
  model.floats("scale", {}, {0.5F});
  stored(model, "zero", i4, {}, {1});
  model.node("Cast", {"x"}, {"wrapped"}).with("to", i4);
  model.node("QuantizeLinear", {"x", "scale", "zero"}, {"quantised"});
  model.node("Identity", {"quantised"}, {"same"});
  model.node("DequantizeLinear", {"same", "scale", "zero"}, {"back"});
  model.node("CastLike", {"x", "same"}, {"again"});
  const auto outputs = run(model.import(), {float_tensor({4}, {-9, -1.75F, 3, 8})});
  ASSERT_EQ(outputs.size(), 4U);
  EXPECT_THAT(outputs[0], ElementsAre(7, -1, 3, -8));
  EXPECT_THAT(outputs[1], ElementsAre(-8, -3, 7, 7));  // of -17, -3, 7 and 17
  EXPECT_THAT(outputs[2], ElementsAre(-4.5, -2, 3, 3));
  EXPECT_THAT(outputs[3], ElementsAre(7, -1, 3, -8));
}

TEST(OnnxNarrow, OpsThatWouldLeaveTheirRangeAreRefused) {
  TestModel sum(25);
  sum.input("x", {4}, i4).output("y");
  sum.node("Add", {"x", "x"}, {"y"});
  EXPECT_THAT(message_of(sum.import()), HasSubstr("input 0 has integers of 4 bits"));
  TestModel eye(25);
  eye.input("x", {2, 2}).output("y");
  eye.node("EyeLike", {"x"}, {"y"}).with("dtype", i4);
  EXPECT_THAT(message_of(eye.import()), HasSubstr("integers of 4 bits are not supported here"));
}

TEST(OnnxCumulative, AlongASymbolicAxis) {
  TestModel model(14);
  model.input("x", {2, "n"}).output("sum").output("before").output("product");
  model.integers("axis", {-1});
  model.node("CumSum", {"x", "axis"}, {"sum"});
  model.node("CumSum", {"x", "axis"}, {"before"}).with("exclusive", 1).with("reverse", 1);
  model.proto.mutable_opset_import(0)->set_version(26);
  model.node("CumProd", {"x", "axis"}, {"product"});
  const auto outputs = run(model.import(), {float_tensor({2, 3}, {1, 2, 3, 4, 5, 6})});
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_THAT(outputs[0], ElementsAre(1, 3, 6, 4, 9, 15));
  EXPECT_THAT(outputs[1], ElementsAre(5, 3, 0, 11, 6, 0));
  EXPECT_THAT(outputs[2], ElementsAre(1, 2, 6, 4, 20, 120));
  // What comes after an entry has no part in it.
  const float inf = std::numeric_limits<float>::infinity();
  const auto infinite = run(model.import(), {float_tensor({2, 2}, {1, inf, -1, -inf})});
  EXPECT_THAT(infinite[0], ElementsAre(1, inf, -1, -inf));
  EXPECT_THAT(run(model.import(), {float_tensor({2, 0}, {})})[0], ElementsAre());
}

TEST(OnnxReverseSequence, RefusesALengthBeyondTheAxis) {
  TestModel model(13);
  model.input("x", {2, 3}).input("lengths", {2}, 7).output("y");
  model.node("ReverseSequence", {"x", "lengths"}, {"y"}).with("time_axis", 1).with("batch_axis", 0);
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << graph.error().message;
  const Tensor x = float_tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  auto with = [&](const Integers& lengths) {
    return interpret(*graph, std::vector{x, Tensor::from_int64(lengths)}, {});
  };
  const auto good = with({2, 0});
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_THAT(numbers((*good)[0]), ElementsAre(2, 1, 3, 4, 5, 6));
  // As a place of the whole, the first row's fourth entry would be the second row's first.
  EXPECT_FALSE(with({4, 0}));
}

}  // namespace
}  // namespace ingot::onnx
