// SPDX-License-Identifier: Apache-2.0
// Padding, mirroring, resizing, blocks, gathering by data and fake quantisation; expected numbers
// by hand from TensorFlow's documentation, or by the formula that stands beside them.
#include <cmath>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using Doubles = std::vector<double>;

/// One node of one float input x and the named constants.
struct OneNode {
  GraphBuilder builder;
  std::vector<std::string> inputs{"x"};

  explicit OneNode(const Sizes& shape) { builder.placeholder("x", tf_float, shape); }
  OneNode& list(const std::vector<int>& values) {
    inputs.push_back(fmt::format("c{}", inputs.size()));
    builder.vector(inputs.back(), values);
    return *this;
  }
  OneNode& pairs(const std::vector<int>& values) {
    inputs.push_back(fmt::format("c{}", inputs.size()));
    builder.ints(inputs.back(), {static_cast<std::int64_t>(values.size() / 2), 2}, values);
    return *this;
  }
  OneNode& number(float value) {
    inputs.push_back(fmt::format("c{}", inputs.size()));
    builder.floats(inputs.back(), {}, {value});
    return *this;
  }
  OneNode& floats(const std::vector<float>& values) {
    inputs.push_back(fmt::format("c{}", inputs.size()));
    builder.floats(inputs.back(), {static_cast<std::int64_t>(values.size())}, values);
    return *this;
  }
  NodeDef& node(const std::string& op) { return builder.node(op, "y", inputs); }
  Tensor run(const Tensor& x) const {
    auto outputs = tensorflow::run(builder, {x});
    return outputs.empty() ? Tensor() : outputs[0];
  }
};

TEST(TensorflowSpace, Pads) {
  OneNode pad({-1, 2});
  pad.pairs({0, 1, 2, 0}).node("Pad");
  Tensor y = pad.run(counting({1, 2}));
  EXPECT_EQ(y.shape(), (Sizes{2, 4}));
  EXPECT_EQ(numbers(y), (Doubles{0, 0, 0, 1, 0, 0, 0, 0}));

  OneNode with_value({2, 2});
  with_value.pairs({1, 0, 0, 1}).number(7).node("PadV2");
  EXPECT_EQ(numbers(with_value.run(counting({2, 2}))), (Doubles{7, 7, 7, 0, 1, 7, 2, 3, 7}));

  OneNode reflect({3});
  (*reflect.pairs({2, 1}).node("MirrorPad").mutable_attr())["mode"].set_s("REFLECT");
  EXPECT_EQ(numbers(reflect.run(counting({3}))), (Doubles{2, 1, 0, 1, 2, 1}));
  OneNode symmetric({3});
  (*symmetric.pairs({2, 1}).node("MirrorPad").mutable_attr())["mode"].set_s("SYMMETRIC");
  EXPECT_EQ(numbers(symmetric.run(counting({3}))), (Doubles{1, 0, 0, 1, 2, 2}));

  OneNode negative({3});
  negative.pairs({-1, 1}).node("Pad");
  EXPECT_FALSE(negative.builder.import());
}

TEST(TensorflowIndex, GathersByCoordinates) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3});
  builder.placeholder("i", tf_int32, {2, 2});
  builder.node("GatherNd", "y", {"x", "i"});
  const auto at = [](const std::vector<int>& i) { return make_tensor<int>(DType::i32, {2, 2}, i); };
  EXPECT_EQ(numbers(run(builder, {counting({2, 3}), at({1, 0, 0, 2})})[0]), (Doubles{3, 2}));
  const Expected<Graph> graph = builder.import();
  ASSERT_TRUE(graph) << graph.error().message;
  for (const int beyond : {3, -1}) {
    const std::vector<Tensor> inputs{counting({2, 3}), at({1, 0, 0, beyond})};
    EXPECT_FALSE(interpret(*graph, inputs, {}));
  }
}

TEST(TensorflowIndex, FindsExtremaAndAccumulates) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2, 3});
  builder.ints("axis", {}, {1});
  (*builder.node("ArgMax", "first", {"x", "axis"}).mutable_attr())["output_type"].set_type(
      tf_int32);
  builder.node("ArgMin", "least", {"x", "axis"});
  (*builder.node("Cumsum", "sum", {"x", "axis"}).mutable_attr())["exclusive"].set_b(true);
  (*builder.node("Cumprod", "product", {"x", "axis"}).mutable_attr())["reverse"].set_b(true);
  const auto outputs = run(builder, {float_tensor({2, 3}, {1, 3, 3, 2, -1, 4})});
  ASSERT_EQ(outputs.size(), 4U);
  EXPECT_EQ(outputs[0].dtype(), DType::i32);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{1, 2}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{0, 1}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{0, 1, 4, 0, 2, 1}));
  EXPECT_EQ(numbers(outputs[3]), (Doubles{9, 9, 3, -8, -4, 4}));
}

TEST(TensorflowSpace, ReversesAndRolls) {
  OneNode axes({2, 3});
  axes.list({-1}).node("ReverseV2");
  EXPECT_EQ(numbers(axes.run(counting({2, 3}))), (Doubles{2, 1, 0, 5, 4, 3}));
  OneNode batch({-1, 2});
  batch.list({0}).node("ReverseV2");
  EXPECT_EQ(numbers(batch.run(counting({3, 2}))), (Doubles{4, 5, 2, 3, 0, 1}));

  GraphBuilder flags;
  flags.placeholder("x", tf_float, {2, 2});
  TensorProto& mask = flags.constant("flags", tf_bool, {2});
  mask.add_bool_val(true);
  mask.add_bool_val(false);
  flags.node("Reverse", "y", {"x", "flags"});
  EXPECT_EQ(numbers(run(flags, {counting({2, 2})}).at(0)), (Doubles{2, 3, 0, 1}));

  // tf.roll(x, shift=[1, -4], axis=[0, 1]): row 0 comes from the last row, column 0 from column 1.
  OneNode roll({2, 3});
  roll.list({1, -4}).list({0, 1}).node("Roll");
  EXPECT_EQ(numbers(roll.run(counting({2, 3}))), (Doubles{4, 5, 3, 1, 2, 0}));
}

Tensor resized(const char* op, std::int64_t size, int out, bool align, bool half) {
  OneNode resize({1, size, 1, 1});
  NodeDef& node = resize.list({out, 1}).node(op);
  (*node.mutable_attr())["align_corners"].set_b(align);
  (*node.mutable_attr())["half_pixel_centers"].set_b(half);
  return resize.run(counting({1, size, 1, 1}));
}

TEST(TensorflowSpace, ResizesToTheNearest) {
  const char* op = "ResizeNearestNeighbor";
  // floor(o * 3 / 6); floor((o + 0.5) * 3 / 6); round(o * 2 / 5), halves up
  EXPECT_EQ(numbers(resized(op, 3, 6, false, false)), (Doubles{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(numbers(resized(op, 3, 6, false, true)), (Doubles{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(numbers(resized(op, 3, 6, true, false)), (Doubles{0, 0, 1, 1, 2, 2}));
  // floor(o * 5 / 3); floor((o + 0.5) * 5 / 3); round(o * 4 / 2)
  EXPECT_EQ(numbers(resized(op, 5, 3, false, false)), (Doubles{0, 1, 3}));
  EXPECT_EQ(numbers(resized(op, 5, 3, false, true)), (Doubles{0, 2, 4}));
  EXPECT_EQ(numbers(resized(op, 5, 3, true, false)), (Doubles{0, 2, 4}));
  // A whole factor, but not o / 2: round(o / 3).
  EXPECT_EQ(numbers(resized(op, 2, 4, true, false)), (Doubles{0, 0, 1, 1}));
  EXPECT_EQ(numbers(resized(op, 3, 9, true, false)), (Doubles{0, 0, 1, 1, 1, 1, 2, 2, 2}));
}

TEST(TensorflowSpace, UpsamplesSymbolicSizes) {
  // UpSampling2D: the size is Shape(x)[1:3] * 2.
  OneNode up({1, -1, -1, 1});
  up.builder.node("Shape", "shape", {"x"});
  up.builder.vector("one", {1});
  up.builder.vector("three", {3});
  up.builder.vector("factors", {2, 2});
  up.builder.node("StridedSlice", "inner", {"shape", "one", "three", "one"});
  up.builder.node("Mul", "sizes", {"inner", "factors"});
  up.inputs.emplace_back("sizes");
  (*up.node("ResizeNearestNeighbor").mutable_attr())["half_pixel_centers"].set_b(true);
  const Tensor y = up.run(counting({1, 1, 2, 1}));
  EXPECT_EQ(y.shape(), (Sizes{1, 2, 4, 1}));
  EXPECT_EQ(numbers(y), (Doubles{0, 0, 1, 1, 0, 0, 1, 1}));
}

void expect_near(const Doubles& got, const Doubles& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

TEST(TensorflowSpace, ResizesBilinearly) {
  const char* op = "ResizeBilinear";
  // o * 3 / 6; o * 2 / 5; (o + 0.5) * 3 / 6 - 0.5, all held within 0 .. 2
  expect_near(numbers(resized(op, 3, 6, false, false)), {0, 0.5, 1, 1.5, 2, 2});
  expect_near(numbers(resized(op, 3, 6, true, false)), {0, 0.4, 0.8, 1.2, 1.6, 2});
  expect_near(numbers(resized(op, 3, 6, false, true)), {0, 0.25, 0.75, 1.25, 1.75, 2});
  // o * 5 / 2; (o + 0.5) * 5 / 2 - 0.5: nothing is averaged beyond two neighbours
  expect_near(numbers(resized(op, 5, 2, false, false)), {0, 2.5});
  expect_near(numbers(resized(op, 5, 2, false, true)), {0.75, 3.25});
  EXPECT_TRUE(resized(op, 3, 3, false, true).shape() == (Sizes{1, 3, 1, 1}));
}

TEST(TensorflowSpace, DepthAndSpace) {
  // Channel (by * 2 + bx) * 2 + c goes to channel c of place (by, bx) of its block.
  OneNode out({1, 1, 2, 8});
  (*out.node("DepthToSpace").mutable_attr())["block_size"].set_i(2);
  const Tensor y = out.run(counting({1, 1, 2, 8}));
  EXPECT_EQ(y.shape(), (Sizes{1, 2, 4, 2}));
  EXPECT_EQ(numbers(y), (Doubles{0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15}));
  OneNode back({1, 2, 4, 2});
  (*back.node("SpaceToDepth").mutable_attr())["block_size"].set_i(2);
  EXPECT_EQ(numbers(back.run(y)), numbers(counting({1, 1, 2, 8})));
  OneNode first({1, 4, 1, 2});
  NodeDef& node = first.node("DepthToSpace");
  (*node.mutable_attr())["block_size"].set_i(2);
  (*node.mutable_attr())["data_format"].set_s("NCHW");
  EXPECT_EQ(numbers(first.run(counting({1, 4, 1, 2}))), (Doubles{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST(TensorflowSpace, SpaceAndBatch) {
  // The documentation's example: [1, 2, 2, 1] of 1, 2, 3, 4 gives four batches of one.
  OneNode example({1, 2, 2, 1});
  example.list({2, 2}).pairs({0, 0, 0, 0}).node("SpaceToBatchND");
  const Tensor batches = example.run(float_tensor({1, 2, 2, 1}, {1, 2, 3, 4}));
  EXPECT_EQ(batches.shape(), (Sizes{4, 1, 1, 1}));
  EXPECT_EQ(numbers(batches), (Doubles{1, 2, 3, 4}));

  // 0 0 1 2 3 4 in blocks of 2: first the even places, then the odd ones.
  OneNode out({1, 5, 1});
  out.list({2}).pairs({1, 0}).node("SpaceToBatchND");
  const Tensor y = out.run(counting({1, 5, 1}));
  EXPECT_EQ(y.shape(), (Sizes{2, 3, 1}));
  EXPECT_EQ(numbers(y), (Doubles{0, 1, 3, 0, 2, 4}));
  OneNode back({2, 3, 1});
  back.list({2}).pairs({1, 0}).node("BatchToSpaceND");
  EXPECT_EQ(numbers(back.run(y)), (Doubles{0, 1, 2, 3, 4}));
  OneNode odd({3, 3, 1});
  odd.list({2}).pairs({0, 0}).node("BatchToSpaceND");
  EXPECT_FALSE(odd.builder.import());
}

Expected<std::vector<Tensor>> gathered(const std::vector<int>& indices, const Sizes& shape,
                                       int axis, int batch, const Tensor& x) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, x.shape());
  builder.placeholder("i", tf_int32, shape);
  builder.ints("axis", {}, {axis});
  (*builder.node("GatherV2", "y", {"x", "i", "axis"}).mutable_attr())["batch_dims"].set_i(batch);
  const auto graph = builder.import();
  if (!graph) return graph.error();
  const Tensor places =
      make_tensor<std::int32_t>(DType::i32, shape, {indices.begin(), indices.end()});
  return interpret(*graph, std::vector<Tensor>{x, places}, {});
}

TEST(TensorflowSpace, GathersByData) {
  const auto rows = gathered({2, 0, 2}, {3}, 0, 0, counting({3, 2}));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(numbers((*rows)[0]), (Doubles{4, 5, 0, 1, 4, 5}));
  EXPECT_FALSE(gathered({-1}, {1}, 0, 0, counting({3, 2})));
  EXPECT_FALSE(gathered({3}, {1}, 0, 0, counting({3, 2})));
}

TEST(TensorflowSpace, GathersWithinABatch) {
  // tf.gather(x, i, axis=1, batch_dims=1): y[b, k] = x[b, i[b, k]].
  const auto y = gathered({2, 0, 1, 1}, {2, 2}, 1, 1, counting({2, 3}));
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ((*y)[0].shape(), (Sizes{2, 2}));
  EXPECT_EQ(numbers((*y)[0]), (Doubles{2, 0, 4, 4}));
  // axis=2: y[b, a, k] = x[b, a, i[b, k]].
  const auto z = gathered({2, 0}, {2, 1}, 2, 1, counting({2, 2, 3}));
  ASSERT_TRUE(z) << z.error().message;
  EXPECT_EQ((*z)[0].shape(), (Sizes{2, 2, 1}));
  EXPECT_EQ(numbers((*z)[0]), (Doubles{2, 5, 6, 9}));
  // An index past the end must not read the next batch, nor one before the beginning the last.
  EXPECT_FALSE(gathered({3, 0, 0, 0}, {2, 2}, 1, 1, counting({2, 3})));
  EXPECT_FALSE(gathered({0, 0, -1, 0}, {2, 2}, 1, 1, counting({2, 3})));
}

/// The steps of TensorFlow's kernel, in float32.
float fake_quantized(float x, float min, float max, int bits, bool narrow, bool divide) {
  const float first = narrow ? 1 : 0;
  const auto last = static_cast<float>((1 << bits) - 1);
  const float scale = (max - min) / (last - first);
  const float inverse = (last - first) / (max - min);
  const float from_min = first - min / scale;
  const float zero = from_min < first ? first : from_min > last ? last : std::round(from_min);
  const float low = (first - zero) * scale;
  const float high = (last - zero) * scale;
  const float from_zero = std::floor(-low * inverse + 0.5F);
  const float shifted = std::max(std::min(x, high), low) - low;
  const float steps = divide ? shifted / scale : shifted * inverse;
  return std::floor(steps - from_zero + 0.5F) * scale;
}

TEST(TensorflowQuantize, FakeQuantisationRoundsAsTensorflow) {
  std::vector<float> x;
  for (int i = -40; i <= 40; ++i) x.push_back(static_cast<float>(i) * 0.1837F);
  const auto count = static_cast<std::int64_t>(x.size());
  for (const bool narrow : {false, true}) {
    for (const int bits : {3, 8}) {
      OneNode args({count});
      NodeDef& by_args = args.node("FakeQuantWithMinMaxArgs");
      OneNode vars({count});
      NodeDef& by_vars = vars.number(-1.3F).number(4.1F).node("FakeQuantWithMinMaxVars");
      (*by_args.mutable_attr())["min"].set_f(-1.3F);
      (*by_args.mutable_attr())["max"].set_f(4.1F);
      for (NodeDef* node : {&by_args, &by_vars}) {
        (*node->mutable_attr())["num_bits"].set_i(bits);
        (*node->mutable_attr())["narrow_range"].set_b(narrow);
      }
      Doubles multiplied;
      Doubles divided;
      for (const float value : x) {
        multiplied.push_back(
            static_cast<double>(fake_quantized(value, -1.3F, 4.1F, bits, narrow, false)));
        divided.push_back(
            static_cast<double>(fake_quantized(value, -1.3F, 4.1F, bits, narrow, true)));
      }
      EXPECT_EQ(numbers(args.run(float_tensor({count}, x))), multiplied);
      EXPECT_EQ(numbers(vars.run(float_tensor({count}, x))), divided);
    }
  }
}

TEST(TensorflowQuantize, StepsOfOne) {
  // Worked by hand: 3 bits from 0 to 7 are the integers, halves go up.
  OneNode steps({6});
  steps.number(0).number(7).node("FakeQuantWithMinMaxVars");
  NodeDef& node = *steps.builder.def.mutable_node(steps.builder.def.node_size() - 1);
  (*node.mutable_attr())["num_bits"].set_i(3);
  EXPECT_EQ(numbers(steps.run(float_tensor({6}, {-1, 0.49F, 0.5F, 2.5F, 6.7F, 9}))),
            (Doubles{0, 0, 1, 3, 7, 7}));
}

TEST(TensorflowQuantize, RangesByChannel) {
  OneNode channels({2, 3});
  NodeDef& node =
      channels.floats({-1, 0, 0}).floats({1, 3, 0}).node("FakeQuantWithMinMaxVarsPerChannel");
  (*node.mutable_attr())["num_bits"].set_i(2);
  const std::vector<float> x{-0.2F, 0.4F, 5, 3, 2.6F, -5};
  Doubles expected;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float min = i % 3 == 0 ? -1.0F : 0.0F;
    const float max = i % 3 == 0 ? 1.0F : 3.0F;
    // The last channel has no range at all: 0.
    expected.push_back(
        i % 3 == 2 ? 0 : static_cast<double>(fake_quantized(x[i], min, max, 2, false, false)));
  }
  EXPECT_EQ(numbers(channels.run(float_tensor({2, 3}, x))), expected);

  OneNode empty({2});
  empty.number(0).number(0).node("FakeQuantWithMinMaxVars");
  EXPECT_EQ(numbers(empty.run(float_tensor({2}, {3, -4}))), (Doubles{0, 0}));
  OneNode wrong({2});
  wrong.number(2).number(1).node("FakeQuantWithMinMaxVars");
  EXPECT_FALSE(wrong.builder.import());
}

}  // namespace
}  // namespace ingot::tensorflow
