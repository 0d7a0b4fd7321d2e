// SPDX-License-Identifier: Apache-2.0
// Plans against the interpreter of graphs, bit for bit, and plans that were made wrong on purpose.
#include "plan/interpret.h"

#include <gmock/gmock.h>

#include <cstring>

#include "ops/interpret.h"
#include "ops/window.h"
#include "plan/pack.h"
#include "plan/parse.h"
#include "plan/planned.h"

namespace ingot::plan {
namespace {

Tensor numbers_of(DType dtype, const std::vector<std::int64_t>& shape, double scale = 0.37) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    const double value = static_cast<double>(i * 29 % 23 - 11) * scale;
    if (dtype == DType::f32) tensor.set(i, static_cast<float>(value));
    if (dtype == DType::f64) tensor.set(i, value);
    if (dtype == DType::i64) tensor.set<std::int64_t>(i, i * 7 % 3);
    if (dtype == DType::u8) tensor.set<std::uint8_t>(i, static_cast<std::uint8_t>(i * 37));
  }
  return tensor;
}

std::vector<Tensor> inputs_for(const Graph& graph, const SymbolValues& symbols) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const auto shape = evaluate_shape(graph.type(id).shape, symbols);
    inputs.push_back(numbers_of(graph.type(id).dtype, *shape));
  }
  return inputs;
}

void expect_same(const Graph& graph, const Plan& plan, std::vector<std::int64_t> sizes) {
  for (const std::int64_t n : sizes) {
    const SymbolValues symbols{{"N", n}};
    const std::vector<Tensor> inputs = inputs_for(graph, symbols);
    const auto meant = interpret(graph, inputs, symbols);
    const auto got = interpret_plan(plan, inputs, symbols);
    ASSERT_TRUE(meant) << meant.error().message;
    ASSERT_TRUE(got) << got.error().message << "\n" << print(plan).text;
    ASSERT_EQ(got->size(), meant->size());
    for (std::size_t i = 0; i < got->size(); ++i)
      EXPECT_EQ((*got)[i], (*meant)[i].dense()) << "N=" << n << "\n" << print(plan).text;
  }
}

Graph parsed(std::string_view text) {
  auto graph = parse_graph(text);
  EXPECT_TRUE(graph) << graph.error().message;
  return graph ? std::move(*graph) : Graph();
}

/// A dense layer with a softmax behind it: products, lanes, rows that are kept.
constexpr std::string_view dense = R"(graph "g" fused {
  symbol N in [0, 1000]
  %x: f32[N, 3] = input "x"
  %w: f32[3, 5] = constant {0.1, 0.2, -0.3, 4, 5.5, 6, 7, -8.25, 9, 1, 2, 3, 4, 5, 0.6}
  %b: f32[5] = constant {1, -2, 3, 0.5, 7}
  %a = matmul(%x, %w, %b) {chains = 8} "dense"
  %t = tanh(%a)
  %m = reduce_max(%t) {axes = [1], keep_dims = true, order = "lanes"}
  %d = sub(%t, %m)
  %e = exp(%d)
  %s = reduce_sum(%e) {axes = [1], keep_dims = true, order = "lanes"}
  %y = div(%e, %s) "softmax"
  return "y" = %y
})";

TEST(PlanInterpreter, DenseLayersAndRows) {
  const Graph graph = parsed(dense);
  expect_same(graph, planned(dense), {0, 1, 2, 7});
}

TEST(PlanInterpreter, ConcatenationsTransposesAndOrderedSums) {
  constexpr std::string_view text = R"(graph "g" strict {
    symbol N in [0, 1000]
    %x: f32[N, 4, 3] = input "x"
    %z: f64[N, 2] = input "z"
    %n = neg(%x)
    %c = concat(%x, %n) {axis = 1}
    %t = transpose(%c) {perm = [0, 2, 1]}
    %s = reduce_sum(%t) {axes = [0, 2], keep_dims = false, order = "index"}
    %h = cast(%z) {to = f16}
    %p = reduce_prod(%h) {axes = [0], keep_dims = true, order = "index"}
    %i: i64[N, 2] = iota() {axis = 0, dtype = i64, shape = [N, 2]}
    %w: f64[2, 2] = constant {1, 2, 3, 4}
    %q = matmul(%z, %w) {chains = 16}
    return "s" = %s
    return "t" = %t
    return "p" = %p
    return "i" = %i
    return "q" = %q
  })";
  expect_same(parsed(text), planned(text), {0, 1, 3, 18});
}

/// What a plan of this text gives, after a change; "" for what is to be found.
std::string fault_after(std::string_view from, std::string_view to, std::int64_t n = 3) {
  const Plan plan = planned(dense);
  std::string text = print(plan).text;
  const std::size_t at = text.find(from);
  if (at == text.npos) return fmt::format("'{}' is not in\n{}", from, text);
  text.replace(at, from.size(), to);
  const auto changed = parse_plan(text, plan.weights);
  if (!changed) return changed.error().message;
  const SymbolValues symbols{{"N", n}};
  const auto got = interpret_plan(*changed, inputs_for(parsed(dense), symbols), symbols);
  if (!got) return got.error().message;
  const auto meant = interpret_plan(plan, inputs_for(parsed(dense), symbols), symbols);
  return *got == *meant ? "nothing" : "another result";
}

TEST(PlanInterpreter, AWrongPlanIsFoundOut) {
  // Whatever the plan is, it has these lines; see print(planned(dense)).
  EXPECT_EQ(fault_after("sum of 3", "sum of 2"), "another result");
  EXPECT_THAT(fault_after("a b0 + 0 by [3, 0, 1]", "a b0 + 1 by [3, 0, 1]"),
              testing::HasSubstr("reads element 9 of b0 'x', which has 9"));
  EXPECT_THAT(fault_after("sum of 3 in 8 chains", "sum of 4 in 8 chains"),
              testing::HasSubstr("row 3, column 0 of weights of [3, 5]"));
  EXPECT_THAT(fault_after("workspace ", "workspace 0*"),
              testing::HasSubstr("buffer 'tanh_1' at 0 of 60 bytes does not fit into 24"));
}

TEST(PlanInterpreter, ConvolutionsWithTapsAndGroups) {
  Graph graph;
  graph.name = "g";
  graph.declare_symbol("N", {0, 100});
  const Dim n = Dim::symbol("N");
  const ValueId x = graph.add_input("x", {DType::f32, {n, 6, 4}});
  const Tensor weights = numbers_of(DType::f32, {3, 2, 4}), bias = numbers_of(DType::f32, {4}, 1.5);
  const std::vector<ops::WindowAxis> axes{{3, 2, 1, 1, 2}};
  const auto y = graph.add("conv", {x, graph.add_constant(weights), graph.add_constant(bias)},
                           ops::conv_attributes(axes, 2));
  ASSERT_TRUE(y) << y.error().message;
  graph.add_output("y", *y);
  ASSERT_EQ(graph.type(*y).shape[1], Dim(4));

  // Group g has columns 2g and 2g + 1.
  std::vector<std::byte> section;
  for (std::int64_t g = 0; g < 2; ++g) {
    Tensor part(DType::f32, {6, 2}), part_bias(DType::f32, {2});
    for (std::int64_t i = 0; i < 12; ++i) part.set(i, weights.at<float>(i / 2 * 4 + g * 2 + i % 2));
    for (std::int64_t i = 0; i < 2; ++i) part_bias.set(i, bias.at<float>(g * 2 + i));
    pack(part, &part_bias, section);
    section.resize((section.size() + 63) / 64 * 64);
  }
  const std::string text =
      fmt::format(R"(plan "g" fused
symbol N in [0, 100]
input "x" f32[N, 6, 4] in b0
output "y" f32[N, 4, 4] in b1
workspace 0 bytes
weights {} bytes #{:016x}
b0 = input 0 f32[N, 6, 4] "x"
b1 = output 0 f32[N, 4, 4] "y"
kernel 0 contract "conv" [2, N, 4, 2]
  a b0 + -4 by [2, 24, 8, 0, 1]
  b dots [6, 2] with bias in {} bytes at 0
  groups along 0 of {} bytes
  taps 3 along 2 by 2, dilated by 1, padded by 1, size 6, a by 4, b by 0
  sum of 2 in 1 chain
    %0: f32 = product
    store %0 to b1 + 0 by [2, 16, 4, 1]
)",
                  section.size(), weights_hash(section), section.size() / 2, section.size() / 2);
  const auto plan = parse_plan(text, section);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(print(*plan).text, text);
  expect_same(graph, *plan, {0, 1, 3});

  // What is said to be inside must be.
  std::string inside = text;
  inside.insert(inside.find(", a by"), ", inside");
  const auto wrong = parse_plan(inside, section);
  ASSERT_TRUE(wrong) << wrong.error().message;
  const auto got = interpret_plan(*wrong, inputs_for(graph, {{"N", 1}}), {{"N", 1}});
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, testing::HasSubstr("reads element -4 of b0"));
}

/// One kernel on x f32[N, 6] and i i64[N], to y f32[N, 6]; an arena of 24*N bytes is there.
Plan by_hand(std::string_view kernels, std::string_view buffers = {}) {
  const std::string text = fmt::format(R"(plan "g" fused
symbol N in [0, 100]
input "x" f32[N, 6] in b0
input "i" i64[N] in b1
output "y" f32[N, 6] in b2
workspace 24*N bytes
weights 0 bytes #{:016x}
b0 = input 0 f32[N, 6] "x"
b1 = input 1 i64[N] "i"
b2 = output 0 f32[N, 6] "y"
{}
{})",
                                       weights_hash({}), buffers, kernels);
  auto plan = parse_plan(text, {});
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? std::move(*plan) : Plan();
}

std::string fault_of(const Plan& plan) {
  const std::vector<Tensor> inputs{numbers_of(DType::f32, {2, 6}), numbers_of(DType::i64, {2})};
  const auto got = interpret_plan(plan, inputs, {{"N", 2}});
  return got ? "nothing" : got.error().message;
}

TEST(PlanInterpreter, WhatNothingWroteIsNotRead) {
  const std::string buffers = "b3 = arena f32[N, 6] \"a\" at 0\nb4 = arena f32[N, 6] \"b\" at 0";
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "copy" [N, 6]
    %0: f32 = load b3 + 0 by [6, 1]
    store %0 to b2 + 0 by [6, 1]
)",
                             buffers)),
            "kernel 0 'copy': reads element 0 of b3 'a', which nothing has written");
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "first" [N, 6]
    %0: f32 = load b0 + 0 by [6, 1]
    store %0 to b3 + 0 by [6, 1]
kernel 1 map "second" [N]
    %0: f32 = load b0 + 0 by [6]
    store %0 to b4 + 1 by [6]
kernel 2 map "third" [N, 6]
    %0: f32 = load b3 + 0 by [6, 1]
    store %0 to b2 + 0 by [6, 1]
)",
                             buffers)),
            "kernel 2 'third': reads element 1 of b3 'a', which something else has written over");
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "part" [N, 5]
    %0: f32 = load b0 + 0 by [6, 1]
    store %0 to b2 + 0 by [6, 1]
)")),
            "nothing writes byte 20 of output 'y'");
}

TEST(PlanInterpreter, NothingIsReadOrWrittenOutOfBounds) {
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "k" [N, 6]
    %0: f32 = load b0 + -1 by [6, 1]
)")),
            "kernel 0 'k': reads element -1 of b0 'x', which has 12");
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "k" [N, 6]
    %0: f32 = 1
    store %0 to b2 + 1 by [6, 1]
)")),
            "kernel 0 'k': writes element 12 of b2 'y', which has 12");
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 map "k" [N, 6]
    %0: f32 = 1
    store %0 to b0 + 0 by [6, 1]
)")),
            "kernel 0 'k': writes b0 'x', which is not to be written");
  EXPECT_EQ(fault_of(by_hand("", "b3 = arena f32[N, 7] \"a\" at 0")),
            "buffer 'a' at 0 of 56 bytes does not fit into 48");
  EXPECT_EQ(fault_of(by_hand(R"(kernel 0 reduce "k" [N, 6]
  stage 0
    %0: f32 = 1
    keep %0 at 40
  finish
)")),
            "kernel 0 'k': keeps 4 bytes at 48 of an arena of 48");
}

TEST(PlanInterpreter, AnIndexFromDataIsCheckedInEachCall) {
  const std::string kernel = R"(kernel 0 map "take" [N, 6]
    %0: i64 = load b1 + 0 by [1, 0]
    %1: f32 = gather b0 + 0 by [0, 1, 6] at %0 below {}
    store %1 to b2 + 0 by [6, 1]
)";
  EXPECT_EQ(fault_of(by_hand(fmt::format(fmt::runtime(kernel), "N"))), "nothing");
  const Plan plan = by_hand(fmt::format(fmt::runtime(kernel), "N"));
  Tensor indices(DType::i64, {2});
  indices.set<std::int64_t>(1, 2);
  const auto got =
      interpret_plan(plan, std::vector{numbers_of(DType::f32, {2, 6}), indices}, {{"N", 2}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::runtime);
  EXPECT_EQ(got.error().message, "kernel 0 'take': index 2 is outside of [0, 2)");
}

TEST(PlanInterpreter, InputsMustBeTheRightOnes) {
  const Plan plan = by_hand("");
  EXPECT_FALSE(interpret_plan(plan, {}, {{"N", 2}}));
  const std::vector<Tensor> inputs{numbers_of(DType::f32, {3, 6}), numbers_of(DType::i64, {2})};
  const auto got = interpret_plan(plan, inputs, {{"N", 2}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "input 'x' is f32[3, 6], f32[N, 6] wanted");
  EXPECT_FALSE(interpret_plan(plan, inputs, {}));
}

}  // namespace
}  // namespace ingot::plan
