// SPDX-License-Identifier: Apache-2.0
// Graphs: constants stored once, constraints kept or refused, symbols replaced, rebuilding.
#include "ir/graph.h"

#include <gtest/gtest.h>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ir/text.h"

namespace ingot {
namespace {

Graph parsed(std::string_view text) {
  auto graph = parse_graph(text);
  EXPECT_TRUE(graph) << graph.error().message;
  return std::move(*graph);
}

TEST(Graph, EqualConstantsAreStoredOnce) {
  Graph graph;
  Tensor ones(DType::f32, {2});
  ones.set(0, 1.0f);
  ones.set(1, 1.0f);
  const ValueId first = graph.add_constant(ones);
  EXPECT_TRUE(graph.constant(first).is_splat());
  EXPECT_EQ(graph.add_constant(ones.compact()), first);
  EXPECT_NE(graph.add_constant(ones.reshaped({1, 2})), first);
  EXPECT_EQ(graph.constants().size(), 2u);
}

TEST(Graph, ConstraintsAreForgottenKeptOrRefused) {
  Graph graph;
  graph.declare_symbol("N", {5, 10});
  const Dim n = Dim::symbol("N");
  using enum Constraint::Relation;
  EXPECT_TRUE(graph.require({n, greater_equal, 5, "a"}));
  EXPECT_TRUE(graph.require({n + 1, equal, n + 1, "b"}));
  EXPECT_TRUE(graph.constraints().empty());
  EXPECT_TRUE(graph.require({n, greater_equal, 6, "c"}));
  EXPECT_TRUE(graph.require({n, greater_equal, 6, "d"}));
  ASSERT_EQ(graph.constraints().size(), 1u);
  EXPECT_EQ(graph.constraints()[0].reason, "c");
  EXPECT_EQ(graph.require({n, greater_equal, 11, "e"}).error().message, "e: N >= 11 does not hold");
  EXPECT_EQ(graph.require({n, equal, 4, "f"}).error().message, "f: N == 4 does not hold");
}

constexpr std::string_view two_symbols = R"ir(graph "g" fused {
  symbol N in [0, 10]
  symbol M in [2, 20]
  require N == M "node 'sum' (add)"
  %0: f32[N] = input "x"
  %1: f32[M] = input "y"
  %2: f32[N] = add(%0, %1) "sum"
  %3: i64[1] = dims() {values = [2*M]}
  return "z" = %2
}
)ir";

TEST(Graph, AnEqualSymbolTakesOverRangeAndPlace) {
  Graph graph = parsed(two_symbols);
  ASSERT_TRUE(graph.substitute("M", Dim::symbol("N")));
  EXPECT_EQ(print(graph), R"ir(graph "g" fused {
  symbol N in [2, 10]
  %0: f32[N] = input "x"
  %1: f32[N] = input "y"
  %2: f32[N] = add(%0, %1) "sum"
  %3: i64[1] = dims() {values = [2*N]}
  return "z" = %2
}
)ir");
}

TEST(Graph, PinningKeepsToTheRange) {
  Graph graph = parsed(two_symbols);
  ASSERT_TRUE(graph.substitute("M", 3));
  EXPECT_EQ(str(graph.type(ValueId{1})), "f32[3]");
  EXPECT_EQ(graph.find_symbol("M"), nullptr);
  graph = parsed(two_symbols);
  EXPECT_EQ(graph.substitute("N", 11).error().message, "the range of N: 10 >= 11 does not hold");
}

TEST(Graph, ErrorsNameTheNode) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, {2}});
  EXPECT_EQ(graph.add("neg", {x, x}, {}, "layer/Neg").error().message,
            "node 'layer/Neg' (neg): 2 operands given, 1 wanted");
  EXPECT_EQ(graph.add("cast", {x}).error().message,
            "unnamed node (cast): attribute 'to' is missing");
  EXPECT_EQ(graph.add("cast", {x}, {{"to", true}}).error().message,
            "unnamed node (cast): attribute 'to' is of the wrong type");
  EXPECT_THROW((void)graph.add("frobnicate", {x}), InternalError);
}

TEST(Graph, RebuildingLeavesTheDeadBehindAndKeepsInputs) {
  const Graph graph = parsed(R"ir(graph "g" strict {
  symbol N in [0, 10]
  %0: f32[N] = input "x"
  %1: f32[N] = input "unused"
  %2: f32[] = constant {3}
  %3: f32[] = constant {4}
  %4: f32[N] = mul(%0, %2) "dead"
  %5: f32[N] = mul(%0, %3) "live"
  return "z" = %5
}
)ir");
  auto rebuilt =
      rebuild(graph, [](Rebuilder& rebuilder, const Node& node) { return rebuilder.copy(node); });
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(print(*rebuilt), R"ir(graph "g" strict {
  symbol N in [0, 10]
  %0: f32[N] = input "x"
  %1: f32[N] = input "unused"
  %2: f32[] = constant {4}
  %3: f32[N] = mul(%0, %2) "live"
  return "z" = %3
}
)ir");
}

}  // namespace
}  // namespace ingot
