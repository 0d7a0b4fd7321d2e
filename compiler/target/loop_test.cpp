// SPDX-License-Identifier: Apache-2.0
// Loops as plans and as code against the interpreter: rows in blocks, entries at any axis, in both
// directions, loops in loops, and no iteration at all.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "plan/interpret.h"
#include "plan/planned.h"
#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

using against_interpreter::expect_same;
using against_interpreter::levels;
using against_interpreter::moderate_tensor;

/// Plan and code for some values of the symbols N and T.
void check(std::string_view text, const std::vector<std::pair<std::int64_t, std::int64_t>>& sizes) {
  auto graph = parse_graph(text);
  ASSERT_TRUE(graph) << graph.error().message;
  auto plan = plan::make_plan(*graph);
  ASSERT_TRUE(plan) << plan.error().message;
  Options options;
  options.isa_levels = levels(graph->arithmetic == Arithmetic::strict);
  const CompiledCode code(*plan, options);
  std::mt19937_64 random(7);
  for (const auto& [n, t] : sizes) {
    const SymbolValues symbols{{"N", n}, {"T", t}};
    std::vector<Tensor> inputs;
    for (const ValueId id : graph->inputs()) {
      auto shape = evaluate_shape(graph->type(id).shape, symbols);
      inputs.push_back(moderate_tensor(graph->type(id).dtype, *shape, random));
    }
    auto meant = interpret(*graph, inputs, symbols);
    ASSERT_TRUE(meant) << meant.error().message;
    auto planned = plan::interpret_plan(*plan, inputs, symbols);
    ASSERT_TRUE(planned) << planned.error().message << "\n" << print(*plan).text;
    expect_same(*planned, *meant, fmt::format("plan N={} T={}", n, t));
    for (const int level : options.isa_levels)
      expect_same(code.run(level, {n, t}, inputs), *meant,
                  fmt::format("v{} N={} T={}", level, n, t));
  }
}

constexpr std::string_view recurrent = R"(
graph "recurrent" ARITHMETIC {
  symbol N in [0, 1000]
  symbol T in [0, 100]
  %x: f32[N, T, 24] = input "x"
  %zero: f32[] = constant {0}
  %start = broadcast(%zero) {shape = [N, 24]}
  %r: f32[24, 24] = input "r"
  %last, %all = scan(%start, %x, %r) {
    axes = [1, 1], carried = 1, reversed = [REVERSED, REVERSED], trips = [T],
    body = graph "step" ARITHMETIC {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %h: f32[N, 24] = input "h"
      %x: f32[N, 24] = input "x"
      %r: f32[24, 24] = input "r"
      %product = matmul(%h, %r) {chains = 4}
      %sum = add(%product, %x)
      %low = slice(%sum) {start = [0, 0], size = [N, 12], step = [1, 1]}
      %high = slice(%sum) {start = [0, 12], size = [N, 12], step = [1, 1]}
      %a = tanh(%low)
      %b = sigmoid(%high)
      %next = concat(%b, %a) {axis = 1}
      return "h" = %next
      return "y" = %next
    }}
  return "last" = %last
  return "all" = %all
})";

std::string with(std::string_view text, const std::string& from, const std::string& to) {
  std::string result(text);
  for (auto at = result.find(from); at != std::string::npos; at = result.find(from, at + to.size()))
    result.replace(at, from.size(), to);
  return result;
}

TEST(Loop, OfARecurrentLayer) {
  for (const char* arithmetic : {"fused", "strict"}) {
    for (const char* reversed : {"0", "1"}) {
      check(with(with(recurrent, "ARITHMETIC", arithmetic), "REVERSED", reversed),
            {{1, 5}, {0, 3}, {3, 0}, {7, 1}, {64, 3}, {70, 2}});
    }
  }
}

/// Rows that are known to be apart are taken in blocks, with the loop within.
TEST(Loop, StandsWithinBlocksOfRows) {
  const std::string own = with(with(recurrent, "ARITHMETIC", "fused"), "REVERSED", "0");
  auto graph = parse_graph(own);
  ASSERT_TRUE(graph);
  auto plan = plan::make_plan(*graph);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->blocks.size(), 2U) << print(*plan).text;
  EXPECT_FALSE(plan->blocks[0].loop);
  EXPECT_TRUE(plan->blocks[1].loop);
  std::set<std::string> symbols;
  plan->workspace_bytes.collect_symbols(symbols);
  EXPECT_TRUE(plan->independent[0]);
}

/// Entries in the middle and at the end, of what nothing stores and of what is a size; the number
/// of the iteration; a value that is handed on unchanged; results that nobody reads.
TEST(Loop, FindsItsEntriesAnywhere) {
  check(R"(
graph "entries" fused {
  symbol N in [0, 1000]
  symbol T in [0, 100]
  %x: f32[2, T, N] = input "x"
  %y: f32[N, 3, T] = input "y"
  %doubled = add(%y, %y)
  %turned = transpose(%doubled) {perm = [1, 2, 0]}
  %size = dims() {values = [N]}
  %count = iota() {axis = 0, dtype = i64, shape = [3, T]}
  %start: f32[N] = input "start"
  %kept: f32[] = constant {2}
  %all = broadcast(%kept) {shape = [4]}
  %a, %b, %c, %d, %e = scan(%start, %all, %x, %turned, %count, %size) {
    axes = [1, 1, 1, 0, 3, 1], carried = 2, reversed = [0, 1, 0, 1, 0, 0], trips = [T],
    body = graph "step" fused {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %h: f32[N] = input "h"
      %keep: f32[4] = input "keep"
      %x: f32[2, N] = input "x"
      %y: f32[3, N] = input "y"
      %row: i64[3] = input "row"
      %size: i64[1] = input "size"
      %sum = reduce_sum(%x) {axes = [0], keep_dims = false, order = "index"}
      %next = add(%sum, %h)
      %number = cast(%i) {to = f32}
      %more = mul(%next, %number)
      %rows = add(%row, %size)
      %grid = mul(%y, %next)
      %deep = reshape(%grid) {shape = [3, N, 1]}
      return "h" = %next
      return "keep" = %keep
      return "more" = %more
      return "deep" = %deep
      return "rows" = %rows
    }} "entries"
  return "a" = %a
  return "b" = %b
  return "c" = %c
  return "d" = %d
  return "e" = %e
})",
        {{1, 1}, {5, 4}, {0, 2}, {33, 3}, {4, 0}});
}

/// The second loop in the file is of the first branch: the parts of a fork change their places.
TEST(Loop, KeepsItsPlaceWhereBranchesAreSideBySide) {
  constexpr std::string_view step = R"(graph "step" fused {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %h: f32[N, 8] = input "h"
      %x: f32[N, 8] = input "x"
      %w: f32[8, 8] = constant splat 0.25
      %product = matmul(%h, %w) {chains = 4}
      %sum = add(%product, %x)
      return "h" = %sum
    })";
  const std::string text = with(R"(
graph "branches" fused {
  symbol N in [0, 1000]
  symbol T in [0, 100]
  %x: f32[N, T, 8] = input "x"
  %y: f32[N, T, 8] = input "y"
  %w: f32[8, 8] = constant splat 0.5
  %h: f32[N, 8] = input "h"
  %a = matmul(%x, %w) {chains = 1}
  %b = matmul(%y, %w) {chains = 1}
  %last_b = scan(%h, %b) {axes = [1], carried = 1, reversed = [0], trips = [T], body = STEP} "second"
  %last_a = scan(%h, %a) {axes = [1], carried = 1, reversed = [1], trips = [T], body = STEP} "first"
  return "a" = %last_a
  return "b" = %last_b
})",
                                "STEP", std::string(step));
  auto graph = parse_graph(text);
  ASSERT_TRUE(graph) << graph.error().message;
  auto plan = plan::make_plan(*graph, {.part_work = 1});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_FALSE(plan->forks.empty()) << print(*plan).text;
  const SymbolValues symbols{{"N", 3}, {"T", 4}};
  std::mt19937_64 random(5);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph->inputs()) {
    auto shape = evaluate_shape(graph->type(id).shape, symbols);
    inputs.push_back(moderate_tensor(graph->type(id).dtype, *shape, random));
  }
  auto meant = interpret(*graph, inputs, symbols);
  auto planned = plan::interpret_plan(*plan, inputs, symbols);
  ASSERT_TRUE(planned) << planned.error().message << "\n" << print(*plan).text;
  expect_same(*planned, *meant, "plan");
  Options options;
  options.isa_levels = levels(false);
  const CompiledCode code(*plan, options);
  for (const int level : options.isa_levels)
    expect_same(code.run(level, {3, 4}, inputs), *meant, fmt::format("v{}", level));
}

TEST(Loop, StandsWithinALoop) {
  check(R"(
graph "nested" fused {
  symbol N in [0, 1000]
  symbol T in [0, 100]
  %x: f32[T, T, N] = input "x"
  %start: f32[N] = input "start"
  %last, %sums = scan(%start, %x) {
    axes = [0, 0], carried = 1, reversed = [0, 0], trips = [T],
    body = graph "outer" fused {
      symbol N in [0, 1000]
      symbol T in [0, 100]
      %i: i64[] = input "i"
      %h: f32[N] = input "h"
      %x: f32[T, N] = input "x"
      %in = add(%h, %h)
      %out, %each = scan(%in, %x) {
        axes = [0, 0], carried = 1, reversed = [1, 0], trips = [T],
        body = graph "inner" fused {
          symbol N in [0, 1000]
          %i: i64[] = input "i"
          %h: f32[N] = input "h"
          %x: f32[N] = input "x"
          %s = sub(%x, %h)
          return "s" = %s
          return "each" = %s
        }}
      %sum = reduce_sum(%each) {axes = [0], keep_dims = false, order = "index"}
      return "h" = %out
      return "sum" = %sum
    }}
  return "last" = %last
  return "sums" = %sums
})",
        {{1, 1}, {3, 4}, {40, 2}, {2, 0}});
}

}  // namespace
}  // namespace ingot::target
