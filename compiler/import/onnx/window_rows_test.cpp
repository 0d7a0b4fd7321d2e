// SPDX-License-Identifier: Apache-2.0
// Convolutions, pools and their kin where ONNX's own cases do not go: symbolic sizes, old opsets,
// files that make no sense.
#include <gmock/gmock.h>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;

/// One node on x, with weights of ones where `kernel` is given.
struct OneNode {
  TestModel model;
  TestNode node;

  OneNode(const std::string& op, const std::vector<TestDim>& x, const Integers& kernel = {},
          int opset = 17)
      : model(opset), node(make(op, x, kernel)) {}
  TestNode make(const std::string& op, const std::vector<TestDim>& x, const Integers& kernel) {
    model.input("x", x).output("y");
    if (kernel.empty()) return model.node(op, {"x"}, {"y"});
    std::size_t count = 1;
    for (const std::int64_t size : kernel) count *= static_cast<std::size_t>(size);
    model.floats("w", kernel, std::vector<float>(count, 1));
    return model.node(op, {"x", "w"}, {"y"});
  }
  template <class T>
  OneNode& with(const std::string& name, T value) {
    node.with(name, value);
    return *this;
  }
  std::string type() const {
    const Expected<Graph> graph = model.import();
    return graph ? str(graph->type(graph->outputs()[0].value)) : graph.error().message;
  }
  std::vector<double> run_on(const Integers& shape, const std::vector<float>& values) const {
    return run(model.import(), {float_tensor(shape, values)}).at(0);
  }
};

TEST(OnnxWindows, ConvolutionsOfASymbolicLength) {
  OneNode same("Conv", {"N", 1, "L"}, {2, 1, 3});
  same.with("auto_pad", "SAME_UPPER");
  EXPECT_EQ(same.type(), "f32[N, 2, L]");
  EXPECT_THAT(same.run_on({1, 1, 3}, {1, 2, 3}), ElementsAre(3, 6, 5, 3, 6, 5));
  OneNode strided("Conv", {"N", 1, "L"}, {2, 1, 3});
  strided.with("strides", Integers{2}).with("pads", Integers{1, 1});
  EXPECT_EQ(strided.type(), "f32[N, 2, floor_div(L + 1, 2)]");
  EXPECT_THAT(strided.run_on({1, 1, 3}, {1, 2, 3}), ElementsAre(3, 5, 3, 5));
  OneNode unknown("Conv", {"N", 1, "L"}, {2, 1, 3});
  unknown.with("strides", Integers{2}).with("auto_pad", "SAME_LOWER");
  EXPECT_THAT(unknown.type(), HasSubstr("depends on the size L modulo the stride 2"));
}

TEST(OnnxWindows, TransposedConvolutionsOfASymbolicLength) {
  OneNode same("ConvTranspose", {"N", 1, "L"}, {1, 1, 3});
  same.with("strides", Integers{2}).with("auto_pad", "SAME_UPPER");
  EXPECT_EQ(same.type(), "f32[N, 1, 2*L]");
  EXPECT_THAT(same.run_on({1, 1, 2}, {1, 10}), ElementsAre(1, 1, 11, 10));
  OneNode padded("ConvTranspose", {"N", 1, "L"}, {1, 1, 3});
  padded.with("strides", Integers{2})
      .with("pads", Integers{1, 0})
      .with("output_padding", Integers{1});
  EXPECT_EQ(padded.type(), "f32[N, 1, 2*L + 1]");
  EXPECT_THAT(padded.run_on({1, 1, 2}, {1, 10}), ElementsAre(1, 11, 10, 10, 0));
  OneNode nothing("ConvTranspose", {"N", 1, 2}, {1, 1, 3});
  nothing.with("pads", Integers{4, 4});
  EXPECT_THAT(nothing.type(), HasSubstr("to size -4"));
}

TEST(OnnxWindows, PoolsRoundUpUnlessAPositionBeginsInThePadding) {
  auto pool = [](const std::string& op, std::int64_t taps, std::int64_t stride, Integers pads) {
    OneNode one(op, {1, 1, "L"}, {}, 19);
    one.with("kernel_shape", Integers{taps}).with("strides", Integers{stride});
    one.with("pads", pads).with("ceil_mode", 1);
    return one;
  };
  EXPECT_THAT(pool("MaxPool", 3, 2, {0, 0}).run_on({1, 1, 4}, {1, 2, 3, 4}), ElementsAre(3, 4));
  EXPECT_THAT(pool("AveragePool", 3, 2, {0, 0}).run_on({1, 1, 4}, {1, 2, 3, 4}),
              ElementsAre(2, 3.5));
  EXPECT_THAT(pool("AveragePool", 3, 2, {0, 0})
                  .with("count_include_pad", 1)
                  .run_on({1, 1, 4}, {1, 2, 3, 4}),
              ElementsAre(2, 3.5));
  // Of known size; the third position would begin in the padding.
  OneNode known("MaxPool", {1, 1, 3}, {}, 19);
  known.with("kernel_shape", Integers{1}).with("strides", Integers{2}).with("pads", Integers{0, 0});
  known.with("ceil_mode", 1);
  EXPECT_THAT(known.run_on({1, 1, 3}, {1, 2, 3}), ElementsAre(1, 3));
  EXPECT_THAT(pool("MaxPool", 1, 2, {0, 0}).type(), HasSubstr("ceil_mode"));
}

TEST(OnnxWindows, AveragesOfASymbolicLength) {
  OneNode pool("AveragePool", {"N", 1, "L"});
  pool.with("kernel_shape", Integers{3}).with("pads", Integers{1, 1});
  EXPECT_THAT(pool.run_on({1, 1, 3}, {1, 2, 6}), ElementsAre(1.5, 3, 4));
  pool.with("count_include_pad", 1);
  EXPECT_THAT(pool.run_on({1, 1, 3}, {3, 3, 6}), ElementsAre(2, 4, 3));
}

TEST(OnnxWindows, WhatMakesNoSenseIsAnError) {
  constexpr std::int64_t most_floats = std::int64_t{1} << 44;  // more would be refused as an input
  EXPECT_THAT(OneNode("Conv", {1, 1}, {1, 1}).type(), HasSubstr("has no axes of positions"));
  EXPECT_THAT(OneNode("Conv", {1, 1, 8}, {1, 1, 3, 3}).type(), HasSubstr("weights"));
  EXPECT_THAT(OneNode("Conv", {1, 3, 8}, {1, 1, 3}).type(),
              HasSubstr("sizes 3 and 1 must be equal"));
  auto conv = [] { return OneNode("Conv", {1, 1, 8}, {1, 1, 3}); };
  EXPECT_THAT(conv().with("strides", Integers{0}).type(), HasSubstr("strides of 0"));
  EXPECT_THAT(conv().with("strides", Integers{1, 1}).type(), HasSubstr("2 entries instead of 1"));
  EXPECT_THAT(conv().with("pads", Integers{INT64_MAX, 0}).type(), HasSubstr("pads of"));
  EXPECT_THAT(conv().with("auto_pad", "BOTH").type(), HasSubstr("auto_pad 'BOTH'"));
  EXPECT_THAT(conv().with("group", 0).type(), HasSubstr("0 groups"));
  EXPECT_THAT(conv().with("kernel_shape", Integers{5}).type(), HasSubstr("kernel_shape"));
  OneNode far("ConvTranspose", {1, 1, most_floats}, {1, 1, 3});
  far.with("output_shape", Integers{1});
  EXPECT_THAT(far.type(), HasSubstr("pads"));
  OneNode pool("AveragePool", {1, 1, most_floats});
  pool.with("kernel_shape", Integers{3}).with("pads", Integers{1, 1});
  EXPECT_THAT(pool.type(), HasSubstr("f32[1, 1, "));
  OneNode empty("MaxPool", {1, 1, 8});
  EXPECT_THAT(empty.with("kernel_shape", Integers{0}).type(), HasSubstr("a window of 0 taps"));
  OneNode large("Upsample", {1, 1, most_floats}, {}, 7);
  EXPECT_THAT(large.type(), HasSubstr("scales"));
  OneNode blocks("DepthToSpace", {1, 4, 2, 2});
  EXPECT_THAT(blocks.with("blocksize", INT64_MAX).type(), HasSubstr("blocks of"));
}

TEST(OnnxWindows, GatherCountsFromTheEndSinceOpset11) {
  for (const int opset : {10, 11}) {
    TestModel model(opset);
    model.input("x", {"N"}).input("i", {2}, 7).output("y");
    model.node("Gather", {"x", "i"}, {"y"});
    const Expected<Graph> graph = model.import();
    ASSERT_TRUE(graph) << graph.error().message;
    Tensor indices(DType::i64, {2});
    indices.set<std::int64_t>(0, 1);
    indices.set<std::int64_t>(1, -1);
    const std::vector<Tensor> inputs{float_tensor({3}, {5, 6, 7}), indices};
    const auto outputs = interpret(*graph, inputs, *bind_symbols(*graph, inputs));
    ASSERT_EQ(static_cast<bool>(outputs), opset >= 11);
    if (outputs) {
      EXPECT_THAT(numbers(outputs->at(0)), ElementsAre(6, 7));
    }
  }
}

TEST(OnnxWindows, GatherOfCoordinatesRefusesEachThatIsOutside) {
  TestModel model;
  model.input("x", {2, 2}).input("i", {1, 2}, 7).output("y");
  model.node("GatherND", {"x", "i"}, {"y"});
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << graph.error().message;
  auto outcome = [&](std::int64_t row, std::int64_t column) {
    Tensor indices(DType::i64, {1, 2});
    indices.set(0, row);
    indices.set(1, column);
    return interpret(*graph, std::vector{float_tensor({2, 2}, {1, 2, 3, 4}), indices}, {});
  };
  EXPECT_THAT(numbers(outcome(-1, 0)->at(0)), ElementsAre(3));
  // In the whole the place would be within: 0 * 2 + 2 and 1 * 2 - 1.
  EXPECT_FALSE(outcome(0, 2));
  EXPECT_FALSE(outcome(1, -3));
}

}  // namespace
}  // namespace ingot::onnx
