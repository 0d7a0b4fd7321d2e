// SPDX-License-Identifier: Apache-2.0
// Window reductions against the interpreter: 1 to 3 axes, strides, dilations, pads of all sizes,
// known and symbolic extents, all element types; and the sums of products of depthwise
// convolutions, which have no op of their own.
#include "ops/window.h"

#include <gtest/gtest.h>

#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

using against_interpreter::check;
using against_interpreter::empty_graph;
using ops::WindowAxis;

const Dim n = Dim::symbol("N");
constexpr const char* kinds[] = {"window_max", "window_min", "window_prod", "window_sum"};

ValueId window(Graph& graph, std::string_view op, ValueId x, const std::vector<WindowAxis>& axes) {
  auto result = graph.add(op, {x}, ops::window_attributes(axes));
  if (!result) throw std::runtime_error(result.error().message);
  return *result;
}

void output(Graph& graph, ValueId value) {
  graph.add_output(fmt::format("y{}", graph.outputs().size()), value);
}

WindowAxis random_axis(std::mt19937_64& random) {
  WindowAxis axis;
  axis.taps = 1 + static_cast<std::int64_t>(random() % 4);
  axis.stride = 1 + static_cast<std::int64_t>(random() % 3);
  axis.dilation = random() % 3 == 0 ? 2 : 1;
  axis.pad_begin = static_cast<std::int64_t>(random() % 4) - (random() % 4 == 0 ? 2 : 0);
  axis.pad_end = static_cast<std::int64_t>(random() % 4) - (random() % 4 == 0 ? 1 : 0);
  if (random() % 8 == 0) axis.pad_begin = 9;
  if (random() % 3 == 0) axis = {};
  return axis;
}

/// One graph of several windows over one shape.
void sweep(const Shape& shape, bool strict, std::uint64_t seed,
           const std::vector<std::int64_t>& sizes) {
  std::mt19937_64 random(seed);
  Graph graph = empty_graph(fmt::format("window_{}", seed), strict);
  const ValueId x = graph.add_input("x", {DType::f32, shape});
  for (int i = 0; i < 4; ++i) {
    std::vector<WindowAxis> axes;
    for (std::size_t d = 0; d < shape.size(); ++d) axes.push_back(random_axis(random));
    output(graph, window(graph, kinds[random() % std::size(kinds)], x, axes));
  }
  SCOPED_TRACE(fmt::format("seed {}", seed));
  check(graph, sizes, seed);
}

TEST(Window, OfRandomAxesOverKnownSizes) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto size = [&](std::uint64_t i) { return static_cast<std::int64_t>(1 + seed * i % 13); };
    sweep({n, size(3), size(5), 1 + size(7) * 3}, seed % 2 == 0, seed, {0, 1, 5});
  }
}

TEST(Window, OfRandomAxesOverSymbolicSizes) {
  for (std::uint64_t seed = 101; seed <= 106; ++seed) {
    sweep({2, n, 3, n + 4}, false, seed, {0, 1, 2, 7, 40});
  }
  for (std::uint64_t seed = 107; seed <= 110; ++seed) sweep({n * 2 + 1}, true, seed, {0, 1, 2, 60});
}

// Cumulative sums and products: a window as long as the axis can be, that ends at each position.
TEST(Window, ThatGrowsAlongAnAxis) {
  Graph graph = empty_graph("growing", false);
  const ValueId x = graph.add_input("x", {DType::f32, {n, 5, n}});
  for (const char* kind : {"window_sum", "window_prod"}) {
    for (const std::size_t axis : {0, 1, 2}) {
      std::vector<WindowAxis> axes(3);
      axes[axis] = {4096, 1, 1, 4095, 0};
      output(graph, window(graph, kind, x, axes));
      axes[axis] = {4096, 1, 1, 4096, -1};
      output(graph, window(graph, kind, x, axes));
    }
  }
  check(graph, {0, 1, 2, 5, 17}, 7);
}

TEST(Window, WhollyInThePadding) {
  Graph graph = empty_graph("padding", false);
  const ValueId x = graph.add_input("x", {DType::f32, {n, 3, 20}});
  for (const char* kind : kinds) {
    output(graph, window(graph, kind, x, {{}, {2, 1, 1, 7, 8}, {}}));
    output(graph, window(graph, kind, x, {{}, {}, {3, 2, 3, 30, 30}}));
    output(graph, window(graph, kind, x, {{2, 1, 1, 3, 1}, {1, 1, 1, 1, 1}, {1, 4, 1, -3, -2}}));
  }
  check(graph, {0, 1, 2, 9}, 3);
}

TEST(Window, OfAllTypes) {
  for (const DType dtype : {DType::f64, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32,
                            DType::i64, DType::u8, DType::u32, DType::u64}) {
    Graph graph = empty_graph(fmt::format("window_{}", name(dtype)), false);
    const ValueId x = graph.add_input("x", {dtype, {n, 7, 18}});
    for (const char* kind : kinds) {
      output(graph, window(graph, kind, x, {{}, {3, 2, 1, 1, 1}, {}}));
      output(graph, window(graph, kind, x, {{}, {}, {4, 1, 2, 2, 3}}));
    }
    check(graph, {0, 1, 4}, 4);
  }
}

TEST(Window, InChainsWithOtherOps) {
  Graph graph = empty_graph("window_chain", false);
  const ValueId x = graph.add_input("x", {DType::f32, {n, 8, 9, 20}});
  const ValueId scale = graph.add_input("scale", {DType::f32, {20}});
  auto op = [&](std::string_view name, std::vector<ValueId> operands, Attributes attributes = {}) {
    auto result = graph.add(name, std::move(operands), std::move(attributes));
    if (!result) throw std::runtime_error(result.error().message);
    return *result;
  };
  const std::vector<WindowAxis> pool{{}, {3, 2, 1, 1, 1}, {3, 2, 1, 1, 1}, {}};
  // A producer, an epilogue, and a second window of the result.
  ValueId y = op("tanh", {op("mul", {x, scale})});
  y = op("add", {op("mul", {window(graph, "window_max", y, pool), scale}), scale});
  output(graph, y);
  y = window(graph, "window_sum", y, {{}, {2, 1, 1, 0, 1}, {2, 1, 1, 1, 0}, {5, 1, 1, 2, 2}});
  output(graph, op("sigmoid", {y}));
  // Transposed and sliced operands; one number; coordinates; a part of a concatenation.
  const ValueId turned = op("transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  const ValueId part = op("slice", {turned},
                          {{"start", Shape{0, 3, 7, 0}},
                           {"size", Shape{n, 8, 4, 9}},
                           {"step", std::vector<std::int64_t>{1, 2, -2, 1}}});
  output(graph, window(graph, "window_max", part, {{}, {}, {3, 1, 1, 1, 1}, {3, 2, 1, 1, 1}}));
  Tensor one(DType::f32, {1, 8, 9, 1});
  for (std::int64_t i = 0; i < one.elements(); ++i) one.set(i, 1.5F);
  const ValueId ones = graph.add_constant(std::move(one).compact());
  output(graph,
         op("add",
            {x, op("slice",
                   {window(graph, "window_sum", ones, {{}, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}, {}})},
                   {{"start", Shape{0, 0, 0, 0}},
                    {"size", Shape{1, 8, 9, 1}},
                    {"step", std::vector<std::int64_t>{1, 1, 1, 1}}})}));
  const ValueId iota =
      op("iota", {}, {{"shape", Shape{n, 6}}, {"axis", std::int64_t{1}}, {"dtype", DType::i32}});
  output(graph, window(graph, "window_sum", iota, {{}, {3, 2, 1, 2, 1}}));
  const ValueId small = window(graph, "window_min", x, {{}, {2, 2, 1, 0, 0}, {9, 1, 1, 0, 0}, {}});
  output(graph, op("concat", {small, small, op("neg", {small})}, {{"axis", std::int64_t{2}}}));
  check(graph, {0, 1, 3, 10}, 5);
}

/// A depthwise convolution made from a window kernel: what is summed becomes a product.
TEST(Window, SumsOfProducts) {
  for (const bool strict : {false, true}) {
    for (const std::int64_t channels : {2, 3, 16, 37, 70}) {
      const std::vector<WindowAxis> axes{{3, 2, 1, 1, 1}, {2, 1, 3, 2, 0}};
      // The plan is that of a window sum plus a bias; the meaning is that of conv.
      Graph shape_of = empty_graph("depthwise", strict);
      const ValueId x = shape_of.add_input("x", {DType::f32, {n, 9, 7, channels}});
      const ValueId w = shape_of.add_input("w", {DType::f32, {3, 2, channels}});
      const ValueId b = shape_of.add_input("b", {DType::f32, {channels}});
      const ValueId sum = window(shape_of, "window_sum", x, {{}, axes[0], axes[1], {}});
      // All inputs have to be in the plan.
      const ValueId all = *shape_of.add("add", {sum, b});
      output(shape_of, all);
      output(shape_of, *shape_of.add("neg", {w}));
      auto plan = plan::make_plan(shape_of);
      ASSERT_TRUE(plan) << plan.error().message;
      for (plan::Kernel& kernel : plan->kernels) {
        auto* reduce = std::get_if<plan::OrderedReduce>(&kernel.work);
        if (reduce == nullptr) continue;
        ASSERT_EQ(kernel.space.size(), 6U) << str(kernel.space);
        const std::vector<Dim> bias{0, 0, 0, 1, 0, 0}, taps{0, 0, 0, 1, 2 * channels, channels};
        reduce->start = plan::View{plan->inputs[2].buffer, 0, bias};
        reduce->loads.push_back({plan->inputs[1].buffer, 0, taps});
        reduce->body.steps.insert(
            reduce->body.steps.begin(),
            {.kind = plan::Step::Kind::load, .dtype = DType::f32, .index = 1});
        reduce->times = 0;
        // The epilogue without its addition.
        reduce->finish.steps = {{.kind = plan::Step::Kind::scalar, .dtype = DType::f32}};
        reduce->finish_loads.clear();
        reduce->finish_stores[0].step = 0;
      }
      Options options;
      options.isa_levels = against_interpreter::levels(strict);
      const CompiledCode code(*plan, options);

      std::mt19937_64 random(static_cast<std::uint64_t>(channels));
      for (const std::int64_t batch : {0, 1, 2}) {
        std::vector<Tensor> inputs;
        const std::vector<std::vector<std::int64_t>> shapes{
            {batch, 9, 7, channels}, {3, 2, channels}, {channels}};
        for (const auto& shape : shapes)
          inputs.push_back(against_interpreter::random_tensor(DType::f32, shape, random));
        Graph meaning = empty_graph("depthwise_meaning", strict);
        const ValueId mx = meaning.add_input("x", {DType::f32, {n, 9, 7, channels}});
        const ValueId mw = meaning.add_input("w", {DType::f32, {3, 2, channels}});
        const ValueId mb = meaning.add_input("b", {DType::f32, {channels}});
        const ValueId mw4 = *meaning.add("reshape", {mw}, {{"shape", Shape{3, 2, 1, channels}}});
        output(meaning, *meaning.add("conv", {mx, mw4, mb}, ops::conv_attributes(axes, channels)));
        const SymbolValues symbols{{"N", batch}};
        auto meant = interpret(meaning, inputs, symbols);
        ASSERT_TRUE(meant) << meant.error().message;
        for (const int level : options.isa_levels) {
          std::vector<Tensor> compiled = code.run(level, {batch}, inputs);
          compiled.resize(1);
          against_interpreter::expect_same(
              compiled, *meant, fmt::format("{} channels N={} v{}", channels, batch, level));
        }
      }
    }
  }
}

}  // namespace
}  // namespace ingot::target
