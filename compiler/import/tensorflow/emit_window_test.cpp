// SPDX-License-Identifier: Apache-2.0
// Convolutions and pooling against loops that say what TensorFlow's documentation says: which
// element of the operand meets which of the filter in which of the result. Small integers, so that
// every sum is exact in any order.
#include <cmath>
#include <functional>
#include <numeric>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using Doubles = std::vector<double>;

/// A convolution over three axes of positions; of two, the first is 1 long and left out of the
/// file.
struct Conv {
  const char* name;
  Sizes x;       // [batch, depth, height, width, channels]
  Sizes filter;  // [depth, height, width, channels, results]
  Sizes strides{1, 1, 1};
  Sizes dilations{1, 1, 1};
  std::string padding = "VALID";
  Sizes explicit_pads{0, 0, 0, 0};  // of height and width
  bool depthwise = false;

  bool flat() const { return x[1] == 1 && filter[0] == 1; }
  std::int64_t reach(std::size_t d) const { return (filter[d] - 1) * dilations[d] + 1; }
  std::int64_t positions(std::size_t d) const {
    const std::int64_t size = x[d + 1];
    if (padding == "SAME") return (size + strides[d] - 1) / strides[d];
    return (size + pads(d) - reach(d)) / strides[d] + 1;
  }
  std::int64_t pads(std::size_t d) const {
    if (padding == "EXPLICIT" && d > 0) return explicit_pads[2 * d - 2] + explicit_pads[2 * d - 1];
    if (padding != "SAME") return 0;
    return std::max<std::int64_t>((positions(d) - 1) * strides[d] + reach(d) - x[d + 1], 0);
  }
  std::int64_t begin(std::size_t d) const {
    if (padding == "EXPLICIT") return d > 0 ? explicit_pads[2 * d - 2] : 0;
    return pads(d) / 2;
  }
  Sizes y() const {
    const std::int64_t results = depthwise ? filter[3] * filter[4] : filter[4];
    return {x[0], positions(0), positions(1), positions(2), results};
  }
  /// visit(element of x, element of the filter, element of y) for each product.
  void for_each(const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& visit) const {
    const Sizes out = y();
    const std::int64_t each = out[4] / (x[4] / filter[3]);  // results of a group
    for (std::int64_t i = 0; i < out[0] * out[1] * out[2] * out[3] * out[4]; ++i) {
      const std::int64_t result = i % out[4];
      const Sizes at{i / out[4] / out[3] / out[2] % out[1], i / out[4] / out[3] % out[2],
                     i / out[4] % out[3]};
      const std::int64_t batch = i / (out[1] * out[2] * out[3] * out[4]);
      const std::int64_t taps = filter[0] * filter[1] * filter[2];
      for (std::int64_t t = 0; t < taps; ++t) {
        const Sizes tap{t / filter[2] / filter[1], t / filter[2] % filter[1], t % filter[2]};
        std::int64_t place = batch;
        bool inside = true;
        for (std::size_t d = 0; d < 3; ++d) {
          const std::int64_t p = at[d] * strides[d] + tap[d] * dilations[d] - begin(d);
          inside = inside && p >= 0 && p < x[d + 1];
          place = place * x[d + 1] + p;
        }
        if (!inside) continue;
        if (depthwise) {
          visit(place * x[4] + result / filter[4], t * out[4] + result, i);
          continue;
        }
        for (std::int64_t c = 0; c < filter[3]; ++c) {
          visit(place * x[4] + result / each * filter[3] + c, (t * filter[3] + c) * out[4] + result,
                i);
        }
      }
    }
  }
};

std::int64_t count_of(const Sizes& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// Different small integers of both signs.
std::vector<float> some(const Sizes& sizes, int factor) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count_of(sizes); ++i) {
    values.push_back(static_cast<float>((i * factor + 3) % 11 - 5));
  }
  return values;
}

/// From [batch, depth, height, width, channels] to the file's layout, whose depth may be left out.
Sizes layout(Sizes sizes, bool flat, bool first) {
  if (first) std::rotate(sizes.begin() + 1, sizes.begin() + 4, sizes.end());
  if (flat) sizes.erase(sizes.begin() + (first ? 2 : 1));
  return sizes;
}

/// Moves the channels of values to axis 1, or back.
template <class T>
std::vector<T> move_channels(const std::vector<T>& values, const Sizes& last, bool to_first) {
  std::vector<T> moved(values.size());
  const std::int64_t channels = last[4];
  const std::int64_t places = last[1] * last[2] * last[3];
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i) {
    const std::int64_t place = i / channels % places;
    const std::int64_t other = (i / channels / places * channels + i % channels) * places + place;
    moved[static_cast<std::size_t>(to_first ? other : i)] =
        values[static_cast<std::size_t>(to_first ? i : other)];
  }
  return moved;
}

void set_list(NodeDef& node, const char* attribute, const Sizes& values) {
  auto& list = *(*node.mutable_attr())[attribute].mutable_list();
  for (const std::int64_t value : values) list.add_i(value);
}

void set_window(NodeDef& node, const Conv& conv, bool first) {
  const auto full = [&](const Sizes& of_positions) {
    return layout({1, of_positions[0], of_positions[1], of_positions[2], 1}, conv.flat(), first);
  };
  set_list(node, "strides", full(conv.strides));
  if (conv.dilations != Sizes{1, 1, 1}) set_list(node, "dilations", full(conv.dilations));
  (*node.mutable_attr())["padding"].set_s(conv.padding);
  if (conv.padding == "EXPLICIT") {
    Sizes pads(first ? 4 : 2, 0);
    pads.insert(pads.end(), conv.explicit_pads.begin(), conv.explicit_pads.end());
    pads.resize(8, 0);
    set_list(node, "explicit_paddings", pads);
  }
  const char* three = first ? "NCDHW" : "NDHWC";
  (*node.mutable_attr())["data_format"].set_s(conv.flat() ? (first ? "NCHW" : "NHWC") : three);
}

std::string kind_of(const Conv& conv) {
  return conv.depthwise ? "DepthwiseConv2dNative" : conv.flat() ? "Conv2D" : "Conv3D";
}

Sizes filter_sizes(const Conv& conv) {
  return conv.flat() ? Sizes(conv.filter.begin() + 1, conv.filter.end()) : conv.filter;
}

void expect_conv(const Conv& conv, bool first) {
  SCOPED_TRACE(fmt::format("{} {}", conv.name, first ? "channels first" : "channels last"));
  const std::vector<float> x = some(conv.x, 7);
  const std::vector<float> w = some(conv.filter, 5);
  Doubles expected(static_cast<std::size_t>(count_of(conv.y())));
  conv.for_each([&](std::int64_t i, std::int64_t t, std::int64_t o) {
    expected[static_cast<std::size_t>(o)] +=
        static_cast<double>(x[static_cast<std::size_t>(i)] * w[static_cast<std::size_t>(t)]);
  });
  GraphBuilder builder;
  Sizes shape = layout(conv.x, conv.flat(), first);
  const Tensor input = float_tensor(shape, first ? move_channels(x, conv.x, true) : x);
  shape[0] = -1;
  builder.placeholder("x", tf_float, shape);
  builder.floats("w", filter_sizes(conv), w);
  set_window(builder.node(kind_of(conv), "y", {"x", "w"}), conv, first);
  const auto outputs = run(builder, {input});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), layout(conv.y(), conv.flat(), first));
  EXPECT_EQ(numbers(outputs[0]), first ? move_channels(expected, conv.y(), true) : expected);
}

/// The gradient by the operand: every product adds its part of y to the element of x.
void expect_gradient(const Conv& conv, bool first, bool positions_only = false) {
  SCOPED_TRACE(fmt::format("gradient of {} {}", conv.name, first ? "channels first" : ""));
  const std::vector<float> y = some(conv.y(), 7);
  const std::vector<float> w = some(conv.filter, 5);
  Doubles expected(static_cast<std::size_t>(count_of(conv.x)));
  conv.for_each([&](std::int64_t i, std::int64_t t, std::int64_t o) {
    expected[static_cast<std::size_t>(i)] +=
        static_cast<double>(y[static_cast<std::size_t>(o)] * w[static_cast<std::size_t>(t)]);
  });
  GraphBuilder builder;
  const Sizes shape = layout(conv.y(), conv.flat(), first);
  builder.placeholder("g", tf_float, shape);
  builder.floats("w", filter_sizes(conv), w);
  const Sizes result = layout(conv.x, conv.flat(), first);
  std::vector<int> sizes(result.begin(), result.end());
  if (positions_only) sizes = {sizes[1], sizes[2]};
  builder.vector("sizes", sizes);
  const std::string op = kind_of(conv) + (conv.flat() ? "BackpropInput" : "BackpropInputV2");
  set_window(builder.node(op, "y", {"sizes", "w", "g"}), conv, first);
  const auto outputs =
      run(builder, {float_tensor(shape, first ? move_channels(y, conv.y(), true) : y)});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), result);
  EXPECT_EQ(numbers(outputs[0]), first ? move_channels(expected, conv.x, true) : expected);
}

const Conv convs[] = {
    {"plain", {2, 1, 4, 5, 2}, {1, 3, 2, 2, 3}},
    {"same", {1, 1, 4, 5, 2}, {1, 3, 2, 2, 3}, {1, 1, 1}, {1, 1, 1}, "SAME"},
    {"same with strides", {2, 1, 5, 6, 2}, {1, 3, 3, 2, 1}, {1, 2, 3}, {1, 1, 1}, "SAME"},
    {"strides beyond the window", {1, 1, 7, 8, 1}, {1, 2, 1, 1, 2}, {1, 3, 2}},
    {"dilated", {1, 1, 6, 7, 2}, {1, 2, 3, 2, 2}, {1, 1, 1}, {1, 3, 2}, "SAME"},
    {"pads of its own",
     {1, 1, 4, 4, 2},
     {1, 3, 3, 2, 2},
     {1, 2, 1},
     {1, 1, 1},
     "EXPLICIT",
     {2, 0, 1, 3}},
    {"groups", {1, 1, 4, 3, 4}, {1, 2, 2, 2, 6}, {1, 1, 1}, {1, 1, 1}, "SAME"},
    {"depthwise", {1, 1, 5, 5, 3}, {1, 2, 3, 3, 2}, {1, 2, 2}, {1, 1, 1}, "SAME", {}, true},
    {"three axes", {1, 3, 4, 3, 2}, {2, 3, 2, 2, 2}, {1, 2, 1}, {1, 1, 1}, "SAME"},
};

TEST(TensorflowWindow, ConvolutionsAreTheirDefinition) {
  for (const Conv& conv : convs) {
    expect_conv(conv, false);
    expect_conv(conv, true);
  }
}

TEST(TensorflowWindow, GradientsScatterWhatConvolutionsGather) {
  for (const Conv& conv : convs) {
    expect_gradient(conv, false);
    expect_gradient(conv, true);
  }
  expect_gradient(convs[2], false, true);
}

TEST(TensorflowWindow, TransposedConvolutionAsKerasWritesIt) {
  // The batch is a symbol: input_sizes is Pack(Shape(x)[0], 4, 4, 1).
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 2, 2, 1});
  builder.node("Shape", "shape", {"x"});
  builder.vector("zero", {0});
  builder.vector("one", {1});
  (*builder.node("StridedSlice", "n", {"shape", "zero", "one", "one"})
        .mutable_attr())["shrink_axis_mask"]
      .set_i(1);
  builder.ints("four", {}, {4});
  builder.ints("channels", {}, {1});
  builder.node("Pack", "sizes", {"n", "four", "four", "channels"});
  builder.floats("w", {2, 2, 1, 1}, {1, 2, 3, 4});
  NodeDef& node = builder.node("Conv2DBackpropInput", "y", {"sizes", "w", "x"});
  set_list(node, "strides", {1, 2, 2, 1});
  (*node.mutable_attr())["padding"].set_s("SAME");
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[N, 4, 4, 1]");
  EXPECT_TRUE(graph->constraints().empty());
  const auto outputs = run(builder, {float_tensor({1, 2, 2, 1}, {1, 10, 100, 1000})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(numbers(outputs[0]),
            (Doubles{1, 2, 10, 20, 3, 4, 30, 40, 100, 200, 1000, 2000, 300, 400, 3000, 4000}));
}

TEST(TensorflowWindow, ConvolutionOfSymbolicLength) {
  // Conv1D as Keras writes it.
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, -1, 1});
  builder.ints("axis", {}, {1});
  builder.node("ExpandDims", "rows", {"x", "axis"});
  builder.floats("w", {1, 3, 1, 1}, {1, 10, 100});
  NodeDef& node = builder.node("Conv2D", "conv", {"rows", "w"});
  set_list(node, "strides", {1, 1, 1, 1});
  (*node.mutable_attr())["padding"].set_s("SAME");
  set_list(builder.node("Squeeze", "y", {"conv"}), "squeeze_dims", {1});
  const auto outputs = run(builder, {counting({1, 4, 1})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (Sizes{1, 4, 1}));
  EXPECT_EQ(numbers(outputs[0]), (Doubles{100, 210, 321, 32}));
}

/// x [1, 3, 3, 2] = 0, 1, 2, ...; window 2, stride 2.
Doubles pooled(const char* op, const char* padding, bool as_operands = false) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 3, 3, 2});
  builder.vector("list", {1, 2, 2, 1});
  std::vector<std::string> inputs{"x"};
  if (as_operands) inputs = {"x", "list", "list"};
  NodeDef& node = builder.node(op, "y", inputs);
  if (!as_operands) {
    set_list(node, "ksize", {1, 2, 2, 1});
    set_list(node, "strides", {1, 2, 2, 1});
  }
  (*node.mutable_attr())["padding"].set_s(padding);
  const auto outputs = run(builder, {counting({1, 3, 3, 2})});
  return outputs.size() == 1 ? numbers(outputs[0]) : Doubles{};
}

TEST(TensorflowWindow, Pooling) {
  EXPECT_EQ(pooled("MaxPool", "VALID"), (Doubles{8, 9}));
  EXPECT_EQ(pooled("MaxPool", "SAME"), (Doubles{8, 9, 10, 11, 14, 15, 16, 17}));
  EXPECT_EQ(pooled("MaxPoolV2", "SAME", true), pooled("MaxPool", "SAME"));
  EXPECT_EQ(pooled("AvgPool", "VALID"), (Doubles{4, 5}));
  // Padding does not count: the last column has 2 elements, the corner 1.
  EXPECT_EQ(pooled("AvgPool", "SAME"), (Doubles{4, 5, 7, 8, 13, 14, 16, 17}));
}

TEST(TensorflowWindow, PoolingOfChannelsFirstAndOfThreeAxes) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {1, 2, 2, 4});
  builder.placeholder("z", tf_float, {1, 2, 2, 2, 1});
  for (const char* op : {"MaxPool", "AvgPool"}) {
    NodeDef& node = builder.node(op, std::string(op) + "_flat", {"x"});
    set_list(node, "ksize", {1, 1, 1, 2});
    set_list(node, "strides", {1, 1, 1, 2});
    (*node.mutable_attr())["padding"].set_s("VALID");
    (*node.mutable_attr())["data_format"].set_s("NCHW");
    NodeDef& deep = builder.node(std::string(op) + "3D", std::string(op) + "_deep", {"z"});
    set_list(deep, "ksize", {1, 2, 1, 2, 1});
    set_list(deep, "strides", {1, 1, 1, 1, 1});
    (*deep.mutable_attr())["padding"].set_s("VALID");
    (*deep.mutable_attr())["data_format"].set_s("NDHWC");
  }
  ImportOptions options;
  options.outputs = {"MaxPool_flat", "MaxPool_deep", "AvgPool_flat", "AvgPool_deep"};
  const auto outputs = run(builder, {counting({1, 2, 2, 4}), counting({1, 2, 2, 2, 1})}, options);
  ASSERT_EQ(outputs.size(), 4U);
  EXPECT_EQ(numbers(outputs[0]), (Doubles{1, 3, 5, 7, 9, 11, 13, 15}));
  EXPECT_EQ(numbers(outputs[1]), (Doubles{5, 7}));
  EXPECT_EQ(numbers(outputs[2]), (Doubles{0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5}));
  EXPECT_EQ(numbers(outputs[3]), (Doubles{2.5, 4.5}));
}

TEST(TensorflowWindow, LocalResponseNormalization) {
  // x / (bias + alpha * sum of squares)^beta with sums over the channel and its neighbours.
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {1, 1, 1, 4});
  NodeDef& node = builder.node("LRN", "y", {"x"});
  (*node.mutable_attr())["depth_radius"].set_i(1);
  (*node.mutable_attr())["bias"].set_f(2);
  (*node.mutable_attr())["alpha"].set_f(0.5F);
  (*node.mutable_attr())["beta"].set_f(0.5F);
  const auto outputs = run(builder, {float_tensor({1, 1, 1, 4}, {1, 2, 3, -4})});
  ASSERT_EQ(outputs.size(), 1U);
  const Doubles got = numbers(outputs[0]);
  // Sums of squares: 5, 14, 29, 25.
  const Doubles expected{1 / std::sqrt(4.5), 2 / std::sqrt(9.0), 3 / std::sqrt(16.5),
                         -4 / std::sqrt(14.5)};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

/// The message with which a Conv2D (or its gradient) of x [N, size, 4, 1] and a filter is refused.
std::string refusal(std::int64_t size, const Sizes& filter, const Sizes& strides,
                    const std::string& padding, const std::vector<int>& sizes = {}) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, size, 4, 1});
  builder.floats("w", filter, std::vector<float>(static_cast<std::size_t>(count_of(filter)), 1));
  builder.vector("sizes", sizes);
  NodeDef& node = sizes.empty() ? builder.node("Conv2D", "y", {"x", "w"})
                                : builder.node("Conv2DBackpropInput", "y", {"sizes", "w", "x"});
  set_list(node, "strides", strides);
  (*node.mutable_attr())["padding"].set_s(padding);
  const auto graph = builder.import();
  return graph ? "" : graph.error().message;
}

/// A convolution along one axis of x [1, size, 1, 1], whose size is known or is not.
Doubles convolved(std::int64_t size, bool is_known, int taps, int stride, int dilation) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {1, is_known ? size : -1, 1, 1});
  std::vector<float> weights;
  for (int t = 0; t < taps; ++t) weights.push_back(static_cast<float>(1 << t));
  builder.floats("w", {taps, 1, 1, 1}, weights);
  NodeDef& node = builder.node("Conv2D", "y", {"x", "w"});
  set_list(node, "strides", {1, stride, 1, 1});
  set_list(node, "dilations", {1, dilation, 1, 1});
  (*node.mutable_attr())["padding"].set_s("SAME");
  const auto outputs = run(builder, {counting({1, size, 1, 1})});
  return outputs.empty() ? Doubles{} : numbers(outputs[0]);
}

TEST(TensorflowWindow, PadsByASizeThatIsNotKnown) {
  for (const auto& [taps, stride, dilation] :
       {std::tuple(3, 2, 1), {2, 2, 1}, {2, 3, 1}, {1, 2, 1}, {5, 3, 1}, {3, 1, 2}, {3, 2, 2}}) {
    for (std::int64_t size = 1; size < 8; ++size) {
      const Doubles known = convolved(size, true, taps, stride, dilation);
      EXPECT_EQ(known.size(), static_cast<std::size_t>((size + stride - 1) / stride));
      EXPECT_EQ(convolved(size, false, taps, stride, dilation), known)
          << taps << " taps, stride " << stride << ", size " << size;
    }
  }
}

TEST(TensorflowWindow, RefusesWhatMakesNoSense) {
  const Sizes filter{2, 2, 1, 1};
  EXPECT_EQ(refusal(4, filter, {1, 2, 2, 1}, "SAME"), "");
  EXPECT_EQ(refusal(-1, filter, {1, 1, 1, 1}, "SAME"), "");
  EXPECT_NE(refusal(4, filter, {2, 1, 1, 1}, "SAME").find("steps along the batch"),
            std::string::npos);
  EXPECT_NE(refusal(4, filter, {1, 0, 1, 1}, "SAME").find("is 0"), std::string::npos);
  EXPECT_NE(refusal(4, filter, {1, 1}, "SAME").find("2 strides"), std::string::npos);
  EXPECT_NE(refusal(4, filter, {1, 1, 1, 1}, "FULL").find("padding 'FULL'"), std::string::npos);
  EXPECT_NE(refusal(4, {2, 2, 1}, {1, 1, 1, 1}, "SAME").find("a filter of 3"), std::string::npos);
  EXPECT_EQ(refusal(-1, filter, {1, 2, 2, 1}, "SAME"), "");
  EXPECT_NE(refusal(4, {2, 2, 3, 1}, {1, 1, 1, 1}, "SAME"), "");
  EXPECT_NE(refusal(4, filter, {1, 2, 2, 1}, "SAME", {1, 9, 8, 1}).find("convolve to"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::tensorflow
