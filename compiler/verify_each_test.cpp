// SPDX-License-Identifier: Apache-2.0
// --verify-each: every step is checked, and the one that broke something is named.
#include <gtest/gtest.h>

#include "compile.h"
#include "ir/text.h"

namespace ingot {
namespace {

Graph example() {
  auto graph = parse_graph(R"(graph "example" fused {
  symbol N in [0, 100]
  %x: f32[N, 3] = input "x"
  %one: f32[] = constant {1}
  %w: f32[3, 2] = constant {1, 2, 3, 4, 5, 6}
  %a = mul(%x, %one) "scale"
  %y = matmul(%a, %w) {chains = 1} "dense"
  return "y" = %y
}
)");
  EXPECT_TRUE(graph) << graph.error().message;
  return *graph;
}

CompileOptions checking() {
  CompileOptions options;
  verify_each(options);
  return options;
}

TEST(VerifyEach, AsksAfterEachPassAndEachStepOfPlanning) {
  CompileOptions options = checking();
  std::vector<std::string> asked;
  options.passes.check = [&, check = options.passes.check](const Graph& graph,
                                                           std::string_view at) {
    asked.emplace_back(at);
    return check(graph, at);
  };
  options.plan.check = [&, check = options.plan.check](const plan::Plan& plan,
                                                       std::string_view at) {
    asked.emplace_back(at);
    return check(plan, at);
  };
  const auto bundle = compile_graph(example(), options, "example");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(asked.front(), "fold-constants");
  EXPECT_EQ(asked.back(), "forks and names");
  EXPECT_GE(asked.size(), passes::all_passes().size() + 3);
  const auto plain = compile_graph(example(), {}, "example");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(bundle->object, plain->object) << "checking changes nothing";
}

TEST(VerifyEach, NamesThePassThatBrokeTheGraph) {
  Graph graph = example();
  const_cast<Value&>(graph.value(graph.outputs()[0].value)).type.shape[1] = 7;
  const auto sound = checking().passes.check(graph, "fold-scales");
  ASSERT_FALSE(sound);
  EXPECT_EQ(sound.error().code, ErrorCode::internal);
  EXPECT_EQ(sound.error().message.substr(0, 36), "after fold-scales: graph is broken: ");
}

TEST(VerifyEach, NamesTheStepThatBrokeThePlan) {
  auto plan = plan::make_plan(example());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(checking().plan.check(*plan, "kernels"));
  plan->blocks.push_back({5, 4, Dim::symbol("N"), 8, "a", "b"});
  const auto sound = checking().plan.check(*plan, "blocks and arena");
  ASSERT_FALSE(sound);
  EXPECT_EQ(sound.error().message,
            "after planning blocks and arena: no block of kernels 5 to 4 by 8 can stand there");
}

TEST(VerifyEach, AFailureEndsTheCompiler) {
  CompileOptions options;
  options.plan.check = [](const plan::Plan&, std::string_view step) -> Expected<void> {
    return fail(ErrorCode::internal, "stopped at {}", step);
  };
  const auto bundle = compile_graph(example(), options, "example");
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().message, "stopped at kernels");
}

}  // namespace
}  // namespace ingot
