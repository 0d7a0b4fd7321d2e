// SPDX-License-Identifier: Apache-2.0
// Convolutions between SpaceToBatchND and BatchToSpaceND, joined and as they stand.
#include "import/tensorflow/dilate.h"

#include <algorithm>

#include "import/tensorflow/graph_builder.h"
#include "ir/op.h"

namespace ingot::tensorflow {
namespace {

/// A causal convolution along [N, L, C], as tf.nn.convolution writes it for a dilation of 2.
struct Dilated {
  explicit Dilated(std::int64_t size) {
    b.placeholder("x", tf_float, {1, size, 1});
    b.vector("block", {2});
    b.floats("w", {1, 3, 1, 1}, {1, 10, 100});
    b.node("Shape", "shape", {"x"});
    b.vector("one", {1});
    b.vector("two", {2});
    b.vector("four", {4});
    b.vector("zero", {0});
    b.node("StridedSlice", "length", {"shape", "one", "two", "one"});
    // 4 in front; at the end what makes it even, which is cropped again.
    b.node("FloorMod", "odd", {"length", "two"});
    b.ints("axis", {}, {0});
    for (const auto& [name, begin] : {std::pair("paddings", "four"), {"crops", "zero"}}) {
      NodeDef& flat = b.node("ConcatV2", name + std::string("/flat"), {begin, "odd", "axis"});
      (*flat.mutable_attr())["N"].set_i(2);
      NodeDef& pairs = b.node("Pack", name, {name + std::string("/flat")});
      (*pairs.mutable_attr())["N"].set_i(1);
    }
    b.node("SpaceToBatchND", "apart", {"x", "block", "paddings"});
    b.ints("dim", {}, {-3});
    b.node("ExpandDims", "wide", {"apart", "dim"});
    NodeDef& conv = b.node("Conv2D", "conv", {"wide", "w"});
    for (int i = 0; i < 4; ++i) (*conv.mutable_attr())["strides"].mutable_list()->add_i(1);
    (*conv.mutable_attr())["padding"].set_s("VALID");
    (*b.node("Squeeze", "narrow", {"conv"}).mutable_attr())["squeeze_dims"].mutable_list()->add_i(
        -3);
    b.node("BatchToSpaceND", "y", {"narrow", "block", "crops"});
  }
  GraphBuilder b;
};

TEST(Dilate, ASizeThatIsNotKnown) {
  const auto graph = Dilated(-1).b.import();
  ASSERT_TRUE(graph) << graph.error().message;
  const auto transposes = [](const Node& node) { return node.op->name == "transpose"; };
  EXPECT_TRUE(std::none_of(graph->nodes().begin(), graph->nodes().end(), transposes));
  for (const std::int64_t size : {1, 2, 5, 6}) {
    const auto outputs = run(Dilated(-1).b, {counting({1, size, 1})});
    ASSERT_EQ(outputs.size(), 1U);
    ASSERT_EQ(outputs[0].shape(), (Sizes{1, size, 1}));
    for (std::int64_t i = 0; i < size; ++i) {
      const auto at = [&](std::int64_t k) {
        return static_cast<double>(std::max<std::int64_t>(k, 0));
      };
      EXPECT_EQ(outputs[0].as_double(i), at(i - 4) + 10 * at(i - 2) + 100 * at(i)) << i;
    }
  }
}

TEST(Dilate, WhatIsAskedForStays) {
  ImportOptions options;
  options.outputs = {"y", "narrow"};
  for (const std::int64_t size : {5, 6}) {
    const auto apart = run(Dilated(size).b, {counting({1, size, 1})}, options);
    const auto joined = run(Dilated(size).b, {counting({1, size, 1})});
    ASSERT_EQ(apart.size(), 2U);
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(apart[0], joined[0]);
    EXPECT_EQ(apart[1].shape()[0], 2);
  }
}

TEST(Dilate, PairsThatDoNotFitStay) {
  auto blocks_are_left = [](auto change) {
    Dilated model(6);
    for (NodeDef& node : *model.b.def.mutable_node()) change(node);
    join_dilations(model.b.def, {});
    const auto& nodes = model.b.def.node();
    return std::any_of(nodes.begin(), nodes.end(),
                       [](const NodeDef& node) { return node.op() == "BatchToSpaceND"; });
  };
  EXPECT_FALSE(blocks_are_left([](NodeDef&) {}));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "conv") (*node.mutable_attr())["padding"].set_s("SAME");
  }));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "conv") (*node.mutable_attr())["strides"].mutable_list()->set_i(2, 2);
  }));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "y") node.set_input(1, "one");
  }));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "dim") node.mutable_attr()->at("value").mutable_tensor()->set_int_val(0, 2);
  }));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "narrow") node.mutable_attr()->erase("squeeze_dims");
  }));
  EXPECT_TRUE(blocks_are_left([](NodeDef& node) {
    if (node.name() == "narrow") node.set_op("Relu");
  }));
}

}  // namespace
}  // namespace ingot::tensorflow
