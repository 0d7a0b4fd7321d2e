// SPDX-License-Identifier: Apache-2.0
// Sizes that data give, and loops that data end, as plans and as code against the interpreter; and
// what a call gets that asks for too much.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/planned.h"
#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

using against_interpreter::expect_same;
using against_interpreter::levels;

/// A graph of the symbol N as plan, as a plan read back from its text, and as code.
class Measured {
 public:
  explicit Measured(std::string_view text) {
    auto graph = parse_graph(text);
    if (!graph) throw std::runtime_error(graph.error().message);
    graph_ = *std::move(graph);
    auto plan = plan::make_plan(graph_);
    if (!plan) throw std::runtime_error(plan.error().message);
    const std::string printed = print(*plan).text;
    auto read = plan::parse_plan(printed, plan->weights);
    if (!read) throw std::runtime_error(read.error().message + "\n" + printed);
    plan_ = *std::move(read);
    EXPECT_EQ(print(plan_).text, printed);
    options_.isa_levels = levels(false);
    code_ = std::make_unique<CompiledCode>(plan_, options_);
  }

  /// Random numbers; elements of the input "mask" are true `part` times of 256.
  std::vector<Tensor> inputs(std::int64_t n, unsigned part) {
    std::vector<Tensor> inputs;
    for (const ValueId id : graph_.inputs()) {
      auto shape = evaluate_shape(graph_.type(id).shape, {{"N", n}});
      inputs.push_back(
          against_interpreter::moderate_tensor(graph_.type(id).dtype, *shape, random_));
      if (graph_.type(id).dtype != DType::boolean) continue;
      for (std::int64_t i = 0; i < inputs.back().elements(); ++i)
        inputs.back().set<std::uint8_t>(i, random_() % 256 < part ? 1 : 0);
    }
    return inputs;
  }

  void check(const std::vector<std::int64_t>& sizes) {
    for (const std::int64_t n : sizes) {
      for (const unsigned part : {0U, 16U, 128U, 256U}) check(n, inputs(n, part));
    }
  }
  void check(std::int64_t n, const std::vector<Tensor>& inputs) {
    auto meant = interpret(graph_, inputs, {{"N", n}});
    ASSERT_TRUE(meant) << meant.error().message;
    auto planned = plan::interpret_plan(plan_, inputs, {{"N", n}});
    ASSERT_TRUE(planned) << planned.error().message << "\n" << print(plan_).text;
    same(*planned, *meant, fmt::format("plan N={}", n));
    for (const int level : options_.isa_levels) {
      for (const bool probed : {false, true}) {
        same(code_->run(level, {n}, inputs, probed), *meant,
             fmt::format("v{} N={}{}", level, n, probed ? " probed" : ""));
      }
    }
  }

  /// All three refuse the call, and the code says this.
  void refuses(std::int64_t n, const std::vector<Tensor>& inputs, ingot_status status,
               std::int64_t value, std::int64_t limit) {
    EXPECT_FALSE(interpret(graph_, inputs, {{"N", n}}));
    EXPECT_FALSE(plan::interpret_plan(plan_, inputs, {{"N", n}}));
    for (const int level : options_.isa_levels) {
      ingot_error error{};
      code_->attempt(level, {n}, inputs, error);
      EXPECT_EQ(error.status, status);
      EXPECT_EQ(error.value, value);
      EXPECT_EQ(error.limit, limit);
    }
  }

  const plan::Plan& plan() const { return plan_; }

 private:
  static void same(const std::vector<Tensor>& found, const std::vector<Tensor>& meant,
                   const std::string& what) {
    ASSERT_EQ(found.size(), meant.size());
    for (std::size_t i = 0; i < meant.size(); ++i)
      ASSERT_EQ(found[i].shape(), meant[i].shape()) << what << " output " << i;
    expect_same(found, meant, what);
  }

  Graph graph_;
  plan::Plan plan_;
  Options options_;
  std::unique_ptr<CompiledCode> code_;
  std::mt19937_64 random_{11};
};

Tensor number(std::int64_t value) {
  Tensor tensor(DType::i64, {});
  tensor.set<std::int64_t>(0, value);
  return tensor;
}

/// As many entries as are true, products of them, a concatenation behind them, and a second
/// selection from the first.
TEST(Measured, EntriesAreSelected) {
  Measured graph(R"(
graph "select" fused {
  symbol N in [0, 1000]
  symbol K in [0, 1000] up to [N]
  symbol J in [0, 1000] up to [N]
  %x: f32[N, 5] = input "x"
  %mask: bool[N] = input "mask"
  %w: f32[5, 20] = constant splat 0.25
  %more: f32[2, 20] = input "more"
  %p, %c = places_of_true(%mask)
  %k = measure(%c) {size = [K]}
  %q = slice(%p) {size = [K], start = [0], step = [1]}
  %chosen = gather(%x, %q) {axis = 0}
  %y = matmul(%chosen, %w) {chains = 1}
  %all = concat(%y, %more) {axis = 0}
  %column = slice(%chosen) {size = [K, 1], start = [0, 2], step = [1, 1]}
  %flat = reshape(%column) {shape = [K]}
  %zero: f32[] = constant {0}
  %positive = gt(%flat, %zero)
  %p2, %c2 = places_of_true(%positive)
  %j = measure(%c2) {size = [J]}
  %q2 = slice(%p2) {size = [J], start = [0], step = [1]}
  %few = gather(%y, %q2) {axis = 0}
  %sum = reduce_sum(%few) {axes = [0], keep_dims = false, order = "index"}
  %counts = iota() {axis = 0, dtype = i64, shape = [J]}
  %scaled = mul(%counts, %k)
  return "all" = %all
  return "few" = %few
  return "sum" = %sum
  return "scaled" = %scaled
  return "places" = %p
  return "k" = %k
})");
  EXPECT_TRUE(graph.plan().measures());
  std::set<std::string> symbols;
  graph.plan().workspace_bytes.collect_symbols(symbols);
  EXPECT_EQ(symbols, std::set<std::string>{"N"}) << "memory is there for the bound";
  graph.check({0, 1, 2, 7, 33, 200});
}

/// A size that a caller's number gives.
TEST(Measured, SizesAboveTheirBoundAreRefused) {
  Measured graph(R"(
graph "count" fused {
  symbol N in [0, 1000]
  symbol K in [1, 1000] up to [2*N]
  %n: i64[] = input "n"
  %x: f32[N] = input "x"
  %k = measure(%n) {size = [K]}
  %i = iota() {axis = 0, dtype = i64, shape = [K]}
  return "i" = %i
})");
  const Tensor none(DType::f32, {4});
  graph.check(4, {number(8), none});
  graph.check(4, {number(1), none});
  graph.refuses(4, {number(9), none}, INGOT_LIMIT_EXCEEDED, 9, 8);
  graph.refuses(4, {number(0), none}, INGOT_LIMIT_EXCEEDED, 0, 1);
  graph.refuses(4, {number(INT64_MIN), none}, INGOT_LIMIT_EXCEEDED, INT64_MIN, 1);
  graph.refuses(4, {number(INT64_MAX), none}, INGOT_LIMIT_EXCEEDED, INT64_MAX, 8);
}

/// What ops ask of a measured size is checked when it is known.
TEST(Measured, ConstraintsAreCheckedWhenSizesAreKnown) {
  Measured graph(R"(
graph "equal" fused {
  symbol N in [0, 1000]
  symbol K in [0, 1000] up to [N]
  symbol J in [0, 1000] up to [N]
  require K == J "add"
  %a: bool[N] = input "a"
  %mask: bool[N] = input "mask"
  %p, %c = places_of_true(%a)
  %k = measure(%c) {size = [K]}
  %p2, %c2 = places_of_true(%mask)
  %j = measure(%c2) {size = [J]}
  %q = slice(%p) {size = [K], start = [0], step = [1]}
  %q2 = slice(%p2) {size = [J], start = [0], step = [1]}
  %y = add(%q, %q2)
  return "y" = %y
})");
  Tensor a(DType::boolean, {3}), b(DType::boolean, {3});
  a.set<std::uint8_t>(0, 1);
  b.set<std::uint8_t>(2, 1);
  graph.check(3, {a, b});
  b.set<std::uint8_t>(1, 1);
  graph.refuses(3, {a, b}, INGOT_CONSTRAINT_VIOLATED, 1, 2);
}

constexpr std::string_view halving = R"(
graph "until" fused {
  symbol N in [0, 1000]
  symbol T in [0, 40] up to [40]
  %x: f32[N] = input "x"
  %limit: f32[] = input "limit"
  %any: bool[] = input "any"
  %y, %sums, %t = scan(%x, %limit, %any) {
    axes = [0], carried = 1, reversed = [0], trips = [40], turns = [T],
    body = graph "step" fused {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %h: f32[N] = input "h"
      %limit: f32[] = input "limit"
      %first: bool[] = input "first"
      %half: f32[] = constant {0.5}
      %next = mul(%h, %half)
      %all = abs(%next)
      %sum = reduce_max(%all) {axes = [0], keep_dims = false, order = "index"}
      %more = gt(%sum, %limit)
      return "h" = %next
      return "sum" = %sum
      return "more" = %more
    }}
  %one: f32[] = constant {1}
  %after = add(%sums, %one)
  return "y" = %y
  return "sums" = %sums
  return "after" = %after
  return "t" = %t
})";

Tensor real(float value) {
  Tensor tensor(DType::f32, {});
  tensor.set<float>(0, value);
  return tensor;
}
Tensor truth(bool value) {
  Tensor tensor(DType::boolean, {});
  tensor.set<std::uint8_t>(0, value ? 1 : 0);
  return tensor;
}

TEST(Measured, LoopsEndWhenTheirConditionDoes) {
  Measured graph(halving);
  for (const std::int64_t n : {0, 1, 5, 40}) {
    for (const float limit : {1e9F, 1.0F, 0.01F}) {
      for (const bool any : {true, false}) {
        std::vector<Tensor> inputs = graph.inputs(n, 0);
        for (std::int64_t i = 0; i < n; ++i) inputs[0].set<float>(i, static_cast<float>(i) + 0.5F);
        inputs[1] = real(limit);
        inputs[2] = truth(any);
        graph.check(n, inputs);
      }
    }
  }
}

TEST(Measured, ALoopThatNeverEndsIsStopped) {
  Measured graph(halving);
  std::vector<Tensor> inputs = graph.inputs(3, 0);
  for (std::int64_t i = 0; i < 3; ++i) inputs[0].set<float>(i, HUGE_VALF);
  inputs[1] = real(1);
  inputs[2] = truth(true);
  graph.refuses(3, inputs, INGOT_LIMIT_EXCEEDED, 41, 40);
  for (std::int64_t i = 0; i < 3; ++i) inputs[0].set<float>(i, NAN);
  graph.check(3, inputs);  // a NaN is not above the limit
}

/// What is said of the symbol holds, too.
TEST(Measured, TurnsAreWithinTheirSymbolsRange) {
  std::string text(halving);
  text.replace(text.find("symbol T in [0, 40]"), 19, "symbol T in [2, 5] ");
  Measured graph(text);
  std::vector<Tensor> inputs = graph.inputs(1, 0);
  inputs[0].set<float>(0, 1024);
  inputs[2] = truth(true);
  inputs[1] = real(100);  // four turns
  graph.check(1, inputs);
  inputs[1] = real(1);
  graph.refuses(1, inputs, INGOT_LIMIT_EXCEEDED, 6, 5);
  inputs[1] = real(1e6F);
  graph.refuses(1, inputs, INGOT_LIMIT_EXCEEDED, 1, 2);
}

/// In each iteration another size, which is forgotten between them.
TEST(Measured, SizesWithinLoops) {
  Measured graph(R"(
graph "inside" fused {
  symbol N in [0, 1000]
  symbol K in [0, 6] up to [6]
  %x: f32[N, 6] = input "x"
  %zero: f32[] = constant {0}
  %all = scan(%x, %zero) {
    axes = [0, 0], carried = 0, reversed = [0, 0], trips = [N],
    body = graph "step" fused {
      symbol K in [0, 6] up to [6]
      %i: i64[] = input "i"
      %row: f32[6] = input "row"
      %zero: f32[] = input "zero"
      %positive = gt(%row, %zero)
      %p, %c = places_of_true(%positive)
      %k = measure(%c) {size = [K]}
      %q = slice(%p) {size = [K], start = [0], step = [1]}
      %some = gather(%row, %q) {axis = 0}
      %sum = reduce_sum(%some) {axes = [0], keep_dims = false, order = "index"}
      return "sum" = %sum
    }}
  return "all" = %all
})");
  graph.check({0, 1, 9});
}

/// A condition of data: each branch is a loop of no or one turn.
TEST(Measured, BranchesAreLoopsOfNoOrOneTurn) {
  Measured graph(R"(
graph "if" fused {
  symbol N in [0, 1000]
  symbol K in [0, 1] up to [1]
  %x: f32[N, 3] = input "x"
  %mask: bool[] = input "mask"
  %c = cast(%mask) {to = i64}
  %k = measure(%c) {size = [K]}
  %a = scan(%x) {axes = [0], carried = 0, reversed = [0], trips = [K],
    body = graph "then" fused {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %x: f32[N, 3] = input "x"
      %y = exp(%x)
      return "y" = %y
    }}
  %b = scan(%x) {axes = [0], carried = 0, reversed = [0], trips = [-K + 1],
    body = graph "else" fused {
      symbol N in [0, 1000]
      %i: i64[] = input "i"
      %x: f32[N, 3] = input "x"
      %y = neg(%x)
      return "y" = %y
    }}
  %both = concat(%a, %b) {axis = 0}
  %one = reshape(%both) {shape = [N, 3]}
  return "y" = %one
})");
  graph.check({0, 1, 20});
}

}  // namespace
}  // namespace ingot::target
