// SPDX-License-Identifier: Apache-2.0
// Forks: branches that threads run side by side, with the bits that they have one after the other.
#include "plan/forks.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "plan/blocks.h"
#include "plan/check.h"
#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/print.h"
#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

namespace against = against_interpreter;

/// Two branches with enough work each and a small one, which meet in a concatenation. What all of
/// them start from is small.
constexpr std::string_view branches = R"(graph "g" fused {
  symbol N in [0, 1000]
  %x: f32[N, 40, 16] = input "x"
  %i: i64[N, 9] = input "i"
  %table: f32[50, 3] = constant splat 0.75
  %w: f32[16, 128] = constant splat 0.25
  %v: f32[128, 128] = constant splat -0.03125
  %u: f32[275, 4] = constant splat 0.5
  %t = tanh(%x) "t"
  %a = matmul(%t, %w) {chains = 1} "a"
  %b = matmul(%t, %w) {chains = 1} "b"
  %ta = tanh(%a) "ta"
  %sb = sigmoid(%b) "sb"
  %small = gather(%table, %i) {axis = 0} "small"
  %a2 = matmul(%ta, %v) {chains = 1} "a2"
  %b2 = matmul(%sb, %v) {chains = 1} "b2"
  %soft = reduce_max(%b2) {axes = [2], keep_dims = true, order = "lanes"} "most"
  %e = sub(%b2, %soft) "e"
  %suma = reduce_sum(%a2) {axes = [1], keep_dims = false, order = "index"} "suma"
  %sumb = reduce_sum(%e) {axes = [1], keep_dims = false, order = "index"} "sumb"
  %list = reshape(%small) {shape = [N, 27]}
  %part = slice(%list) {start = [0, 0], size = [N, 19], step = [1, 1]}
  %all = concat(%suma, %sumb, %part) {axis = 1} "all"
  %y = matmul(%all, %u) {chains = 4} "y"
  return "y" = %y
})";

Graph parsed(std::string text) {
  auto graph = parse_graph(text);
  if (!graph) throw std::runtime_error(graph.error().message);
  return *std::move(graph);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::vector<Tensor> inputs_for(const Graph& graph, std::int64_t n, std::int64_t wrong = -1) {
  std::mt19937_64 random(static_cast<std::uint64_t>(n) + 1);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : graph.type(id).shape) shape.push_back(*dim.evaluate({{"N", n}}));
    inputs.push_back(against::moderate_tensor(graph.type(id).dtype, shape, random));
    Tensor& tensor = inputs.back();
    if (tensor.dtype() != DType::i64) continue;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set<std::int64_t>(i, i * 7 % 50);
    if (wrong >= 0) tensor.set<std::int64_t>(wrong, 50);
  }
  return inputs;
}

/// Sound, the same as text, and computed alike by plan and code for all numbers of threads.
void expect_same_bits(const Graph& graph, const plan::Plan& plan,
                      const std::vector<std::int64_t>& sizes) {
  const auto read = plan::parse_plan(plan::print(plan).text, plan.weights);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(plan::print(*read).text, plan::print(plan).text);
  Options options;
  options.isa_levels = against::levels(false);
  const CompiledCode code(plan, options);
  for (const std::int64_t n : sizes) {
    const std::vector<Tensor> inputs = inputs_for(graph, n);
    const SymbolValues symbols{{"N", n}};
    const auto meant = interpret(graph, inputs, symbols);
    ASSERT_TRUE(meant) << meant.error().message;
    const auto planned = plan::interpret_plan(plan, inputs, symbols);
    ASSERT_TRUE(planned) << planned.error().message;
    against::expect_same(*planned, *meant, fmt::format("plan N={}", n));
    for (const int level : options.isa_levels) {
      for (const std::uint32_t threads : {1U, 2U, 3U, 8U}) {
        for (const bool probed : {false, true}) {
          against::expect_same(code.run(level, {n}, inputs, probed, threads), *meant,
                               fmt::format("N={} v{} threads {}", n, level, threads));
        }
      }
    }
  }
}

TEST(Forks, KeepEveryBit) {
  const Graph graph = parsed(std::string(branches));
  for (const std::int64_t budget : {0, 1, 200000}) {
    const auto plan = plan::make_plan(graph, {budget});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->forks.size(), 1u) << plan::print(*plan).text;
    EXPECT_GE(plan->forks[0].parts.size(), 2u);
    expect_same_bits(graph, *plan, {0, 1, 2, 3, 7});
  }
}

TEST(Forks, StandWhereRowsMeetToo) {
  // A sum over rows: no blocks, so forks are all that threads can share.
  const Graph graph =
      parsed(replaced(std::string(branches), "return \"y\" = %y",
                      "%s = reduce_sum(%y) {axes = [0], keep_dims = false, order = \"index\"}\n"
                      "  return \"s\" = %s"));
  const auto plan = plan::make_plan(graph);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->blocks.empty());
  ASSERT_EQ(plan->forks.size(), 1u) << plan::print(*plan).text;
  expect_same_bits(graph, *plan, {0, 1, 3});
}

TEST(Forks, HoldBlocksOfAnInnerAxis) {
  const Graph graph = parsed(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 700, 5] = input "x"
    %z: f32[N, 300, 16] = input "z"
    %w: f32[5, 160] = constant splat 0.25
    %v: f32[16, 128] = constant splat -0.5
    %a = matmul(%x, %w) {chains = 1} "a"
    %ta = tanh(%a) "ta"
    %sum = reduce_sum(%ta) {axes = [1], keep_dims = false, order = "index"} "sum"
    %b = matmul(%z, %v) {chains = 1} "b"
    %tb = tanh(%b) "tb"
    %most = reduce_max(%tb) {axes = [1], keep_dims = false, order = "index"} "most"
    return "sum" = %sum
    return "most" = %most
  })");
  const auto plan = plan::make_plan(graph, {20000});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->blocks.size(), 2u) << plan::print(*plan).text;
  EXPECT_EQ(plan->forks.size(), 1u) << plan::print(*plan).text;
  expect_same_bits(graph, *plan, {0, 1, 2});
}

TEST(Forks, TakeNoMemoryFromOneThread) {
  const Graph graph = parsed(std::string(branches));
  for (const std::int64_t budget : {0, 1, 200000}) {
    const auto plan = plan::make_plan(graph, {budget});
    const auto without = plan::make_plan(graph, {budget, 0});
    ASSERT_TRUE(plan && without);
    for (const std::int64_t n : {1, 2, 7, 64})
      EXPECT_LE(plan::bytes_at(*plan, n), plan::bytes_at(*without, n));
    const CompiledCode code(*plan, Options{.isa_levels = {3}});
    std::uint64_t least = 0;
    for (const std::int64_t n : {0, 1, 2, 3, 4, 64}) {
      std::uint64_t bytes = 0;
      ASSERT_EQ(code.workspace_bytes(&n, 1, 3, &bytes), INGOT_OK);
      EXPECT_GE(bytes, least) << n;
      least = bytes;
    }
  }
}

TEST(Forks, ReportAWrongIndexInAPart) {
  const Graph graph = parsed(std::string(branches));
  const auto plan = plan::make_plan(graph, {1});
  ASSERT_TRUE(plan) << plan.error().message;
  Options options;
  options.isa_levels = against::levels(false);
  const CompiledCode code(*plan, options);
  for (const std::int64_t n : {1, 2}) {
    const std::vector<Tensor> inputs = inputs_for(graph, n, 9 * (n - 1) + 4);
    for (const int level : options.isa_levels) {
      ingot_error alone{};
      for (const std::uint32_t threads : {1U, 2U, 3U}) {
        for (const bool probed : {false, true}) {
          ingot_error error{};
          code.attempt(level, {n}, inputs, error, probed, threads);
          EXPECT_EQ(error.status, INGOT_INDEX_OUT_OF_RANGE);
          EXPECT_EQ(error.where, INGOT_AT_KERNEL);
          EXPECT_EQ(error.value, 50);
          EXPECT_EQ(error.limit, 50);
          if (threads == 1) alone = error;
          EXPECT_EQ(error.index, alone.index);
          EXPECT_EQ(error.position, alone.position);
        }
      }
    }
  }
}

TEST(Forks, PartsThatDependAreRefused) {
  const auto plan = plan::make_plan(parsed(std::string(branches)), {1});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_TRUE(plan::check_plan(*plan));
  auto with = [&](std::vector<plan::Fork::Part> parts) {
    plan::Plan other = *plan;
    other.forks = {plan::Fork{std::move(parts)}};
    return static_cast<bool>(plan::check_plan(other));
  };
  const plan::Fork::Part first = plan->forks[0].parts[0];
  ASSERT_LT(first.first, first.last);
  EXPECT_FALSE(with({{first.first, first.first}, {first.first + 1, first.last}}));
  EXPECT_FALSE(with({first}));
  EXPECT_FALSE(with({first, first}));
  EXPECT_FALSE(with({first, {first.last + 1, 1000}}));
  EXPECT_FALSE(with({first, {first.last + 2, first.last + 2}}));
}

TEST(Forks, AreNotMadeOfLittleWork) {
  const Graph graph = parsed(replaced(std::string(branches), "[N, 40, 16]", "[N, 20, 16]"));
  const auto plan = plan::make_plan(graph);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->forks.empty());
}

}  // namespace
}  // namespace ingot::target
