// SPDX-License-Identifier: Apache-2.0
// Blocks of rows and threads: no bit of any row changes with them.
#include "plan/blocks.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "ir/text.h"
#include "plan/print.h"
#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

namespace against = against_interpreter;

/// Dense layers, a softmax, a reshape to lists and back, a reduction over lists, a concatenation.
constexpr std::string_view network = R"(graph "g" fused {
  symbol N in [0, 100000]
  %x: f32[N, 6] = input "x"
  %z: f32[1, N, 5, 3] = input "z"
  %scale: f32[6] = input "scale"
  %w: f32[6, 40] = constant splat 0.25
  %w2: f32[40, 9] = constant splat 1.5
  %v: f32[3, 7] = constant splat -0.5
  %s = mul(%x, %scale) "s"
  %a = matmul(%s, %w) {chains = 4} "a"
  %m = reduce_max(%a) {axes = [1], keep_dims = true, order = "lanes"}
  %d = sub(%a, %m)
  %e = exp(%d)
  %t = reduce_sum(%e) {axes = [1], keep_dims = true, order = "lanes"}
  %p = div(%e, %t) "p"
  %list = reshape(%z) {shape = [5*N, 3]}
  %dense = matmul(%list, %v) {chains = 1} "dense"
  %back = reshape(%dense) {shape = [N, 5, 7]}
  %tanh = tanh(%back) "tanh"
  %sum = reduce_sum(%tanh) {axes = [1], keep_dims = false, order = "index"} "sum"
  %y = concat(%p, %sum, %x) {axis = 1} "y"
  %r = matmul(%p, %w2) {chains = 2} "r"
  return "y" = %y
  return "r" = %r
})";

Graph parsed() {
  auto graph = parse_graph(network);
  if (!graph) throw std::runtime_error(graph.error().message);
  return *std::move(graph);
}

std::vector<Tensor> inputs_for(const Graph& graph, std::int64_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : graph.type(id).shape) shape.push_back(*dim.evaluate({{"N", n}}));
    inputs.push_back(against::random_tensor(graph.type(id).dtype, shape, random));
  }
  return inputs;
}

/// A row's candidates pass through dense layers, weighted sums and a maximum, and then meet.
constexpr std::string_view long_rows = R"(graph "g" fused {
  symbol N in [0, 1000]
  %x: f32[N, 700, 5] = input "x"
  %k: i64[N, 700, 1] = input "k"
  %w: f32[5, 24] = constant splat 0.25
  %v: f32[24, 3] = constant splat -0.5
  %u: f32[3, 2] = constant splat 0.75
  %kind = reshape(%k) {shape = [N, 700]}
  %real = cast(%kind) {to = f32}
  %one = reshape(%real) {shape = [N, 700, 1]}
  %flat = reshape(%x) {shape = [700*N, 5]}
  %a = matmul(%flat, %w) {chains = 1} "a"
  %b = tanh(%a) "b"
  %c = matmul(%b, %v) {chains = 1} "c"
  %back = reshape(%c) {shape = [N, 700, 3]}
  %weighted = mul(%back, %one) "weighted"
  %sum = reduce_sum(%weighted) {axes = [1], keep_dims = false, order = "index"} "sum"
  %most = reduce_max(%back) {axes = [1], keep_dims = false, order = "index"} "most"
  %both = add(%sum, %most) "both"
  %y = matmul(%both, %u) {chains = 2} "y"
  return "y" = %y
  return "each" = %back
})";

TEST(Blocks, FollowTheBudget) {
  const Graph graph = parsed();
  for (const std::int64_t budget : {1, 2000, 16000, 1 << 30}) {
    const auto plan = plan::make_plan(graph, {budget});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->blocks.size(), 1u);
    const std::int64_t size = plan->blocks[0].size;
    EXPECT_EQ(size & (size - 1), 0);
    EXPECT_TRUE(size == 1 || plan::bytes_at(*plan, 100000) <= budget);
    EXPECT_EQ(size == 1024, budget > 16000);
    EXPECT_EQ(plan::bytes_at(*plan, size), plan::bytes_at(*plan, 100000));
    EXPECT_LE(*plan->workspace_bytes.evaluate({{"N", 1}}),
              1.15 * static_cast<double>(*plan->least_bytes.evaluate({{"N", 1}})));
  }
}

TEST(Blocks, OfAnInnerAxisWhereOneRowIsLong) {
  auto graph = parse_graph(long_rows);
  ASSERT_TRUE(graph) << graph.error().message;
  for (const std::int64_t budget : {1, 3000, 20000, 1 << 20}) {
    const auto plan = plan::make_plan(*graph, {budget});
    ASSERT_TRUE(plan) << plan.error().message;
    const bool nested = budget < 1 << 20;
    ASSERT_EQ(plan->blocks.size(), nested ? 2u : 1u) << plan::print(*plan).text;
    if (nested) {
      EXPECT_EQ(plan->blocks[1].extent, Dim(700));
      EXPECT_LE(plan::bytes_at(*plan, 64), std::max<std::int64_t>(budget, 1000));
    }
    Options options;
    options.isa_levels = against::levels(false);
    const CompiledCode code(*plan, options);
    for (const std::int64_t n : {0, 1, 2, 3, 7}) {
      const std::vector<Tensor> inputs = inputs_for(*graph, n, 9);
      const auto meant = interpret(*graph, inputs, {{"N", n}});
      ASSERT_TRUE(meant) << meant.error().message;
      for (const int level : options.isa_levels) {
        for (const std::uint32_t threads : {1U, 2U, 3U}) {
          const std::string what = fmt::format("N={} v{} budget {}", n, level, budget);
          against::expect_same(code.run(level, {n}, inputs, false, threads), *meant, what);
          against::expect_same(code.run(level, {n}, inputs, true, threads), *meant, what);
        }
      }
    }
  }
}

TEST(Blocks, KeepEveryBit) {
  const Graph graph = parsed();
  for (const std::int64_t budget : {1, 2000, 16000}) {
    const auto plan = plan::make_plan(graph, {budget});
    ASSERT_TRUE(plan) << plan.error().message;
    const std::int64_t size = plan->blocks.at(0).size;
    Options options;
    options.isa_levels = against::levels(false);
    const CompiledCode code(*plan, options);
    for (const std::int64_t n :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{7},
          std::int64_t{64}, size - 1, size, size + 1, 2 * size + 3}) {
      const std::vector<Tensor> inputs = inputs_for(graph, n, 5);
      const auto meant = interpret(graph, inputs, {{"N", n}});
      ASSERT_TRUE(meant) << meant.error().message;
      for (const int level : options.isa_levels) {
        for (const std::uint32_t threads : {1U, 2U, 3U, 8U}) {
          const std::string what =
              fmt::format("N={} v{} blocks of {} threads {}", n, level, size, threads);
          against::expect_same(code.run(level, {n}, inputs, false, threads), *meant, what);
          against::expect_same(code.run(level, {n}, inputs, true, threads), *meant, what);
        }
      }
    }
  }
}

TEST(Blocks, TheWorkspaceStopsGrowing) {
  const auto plan = plan::make_plan(parsed(), {16000});
  ASSERT_TRUE(plan) << plan.error().message;
  const CompiledCode code(*plan, Options{.isa_levels = {3}});
  std::uint64_t before = 0;
  const std::int64_t block = plan->blocks.at(0).size;
  std::uint64_t at_block = 0;
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, block, 2 * block, 50 * block}) {
    std::uint64_t bytes = 0;
    ASSERT_EQ(code.workspace_bytes(&n, 1, 1, &bytes), INGOT_OK);
    EXPECT_GE(bytes, before);
    before = bytes;
    if (n == block) at_block = bytes;
  }
  EXPECT_EQ(before, at_block);
  std::uint64_t threads = 0;
  const std::int64_t n = 50 * block;
  for (const std::uint32_t count : {0U, 1U, 2U, 3U, 1000U, 4000000000U}) {
    std::uint64_t bytes = 0;
    ASSERT_EQ(code.workspace_bytes(&n, 1, count, &bytes), INGOT_OK);
    EXPECT_GE(bytes, threads);
    threads = bytes;
  }
}

TEST(Blocks, NoneWhereRowsMeet) {
  const auto graph = parse_graph(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 6] = input "x"
    %a = tanh(%x)
    %y = reduce_sum(%a) {axes = [0], keep_dims = false, order = "index"}
    return "y" = %y
  })");
  ASSERT_TRUE(graph);
  const auto plan = plan::make_plan(*graph);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->blocks.empty());
  EXPECT_FALSE(plan->independent.at(0));
}

}  // namespace
}  // namespace ingot::target
