// SPDX-License-Identifier: Apache-2.0
// The verifier: each rule broken once. Graph's own interface cannot break most of them, so that
// faults are put in from behind.
#include "ir/verify.h"

#include <gtest/gtest.h>

#include "ir/op.h"
#include "ir/text.h"

namespace ingot {
namespace {

constexpr std::string_view whole = R"ir(graph "g" fused {
  symbol N in [0, 100]
  symbol M in [1, 50]
  require N == M "node 'sum' (add)" %
                                   0
    : f32[N, 2] = input "x" % 1 : f32[M, 2] = input "y" % 2 : f32[2] = constant{1, 2} % 3
    : f32[N, 2] = add(% 0, % 1) "sum" % 4 : f32[N, 2] = mul(% 3, % 2) return "z" = % 4
}
)ir";

Graph parsed(std::string_view text) {
  auto graph = parse_graph(text);
  EXPECT_TRUE(graph) << graph.error().message;
  return std::move(*graph);
}

std::string fault(const Graph& graph) {
  auto verified = verify(graph);
  if (verified) return "none";
  EXPECT_EQ(verified.error().code, ErrorCode::internal);
  const std::string prefix = "graph is broken: ";
  EXPECT_EQ(verified.error().message.substr(0, prefix.size()), prefix);
  return verified.error().message.substr(prefix.size());
}

Node& node(Graph& graph, std::uint32_t index) {
  return const_cast<Node&>(graph.node(NodeId{index}));
}
Value& value(Graph& graph, std::uint32_t index) {
  return const_cast<Value&>(graph.value(ValueId{index}));
}

TEST(Verify, AWholeGraphPasses) {
  EXPECT_EQ(fault(parsed(whole)), "none");
  EXPECT_EQ(fault(Graph()), "none");
}

TEST(Verify, Symbols) {
  Graph graph = parsed(whole);
  graph.declare_symbol("M", {60, 90});
  EXPECT_EQ(fault(graph), "symbol M has the empty range [60, 50]");
  graph = parsed(whole);
  graph.declare_symbol("batch size", {0, 1});
  EXPECT_EQ(fault(graph), "'batch size' cannot name a symbol");
  graph = parsed(whole);
  value(graph, 0).type.shape[0] = Dim::symbol("K");
  EXPECT_EQ(fault(graph), "%0 uses symbol K, which is not declared");
  value(graph, 0).type.shape[0] = -3;
  EXPECT_EQ(fault(graph), "%0 has the dimension -3");
  value(graph, 0).type.shape[0] = Dim(INT64_MAX) + Dim(1);
  EXPECT_EQ(fault(graph), "%0 has a dimension that is too large");
}

TEST(Verify, InputsAndOutputs) {
  Graph graph = parsed(whole);
  value(graph, 1).name = "x";
  EXPECT_EQ(fault(graph), "two inputs are called 'x'");
  value(graph, 1).name = "";
  EXPECT_EQ(fault(graph), "input %1 has no name");
  graph = parsed(whole);
  value(graph, 1).position = 0;
  EXPECT_EQ(fault(graph), "%1 is not among the inputs");
  graph = parsed(whole);
  graph.add_output("z", ValueId{3});
  EXPECT_EQ(fault(graph), "two outputs are called 'z'");
  graph = parsed(whole);
  graph.add_output("a", ValueId{9});
  EXPECT_EQ(fault(graph), "output 'a' is no value of the graph");
}

TEST(Verify, Constants) {
  Graph graph = parsed(whole);
  value(graph, 2).type.shape[0] = 3;
  EXPECT_EQ(fault(graph), "constant %2 is f32[3], but its numbers are f32[2]");
  graph = parsed(whole);
  const_cast<Tensor&>(graph.constant(ValueId{2})).set(0, 2.0f);
  EXPECT_EQ(fault(graph), "constant %2 is one repeated value, but stored in full");
}

TEST(Verify, Nodes) {
  Graph graph = parsed(whole);
  node(graph, 0).inputs[1] = ValueId{4};
  EXPECT_EQ(fault(graph), "%3 (add) reads %4, which does not stand before it");
  graph = parsed(whole);
  node(graph, 0).op = &op("eq");
  EXPECT_EQ(fault(graph), "%3 (eq) is f32[N, 2], but its op gives bool[N, 2]");
  graph = parsed(whole);
  value(graph, 4).type.shape[1] = 5;
  EXPECT_EQ(fault(graph), "%4 (mul) is f32[N, 5], but its op gives f32[N, 2]");
  graph = parsed(whole);
  node(graph, 1).attributes.set("axis", std::int64_t{1});
  EXPECT_EQ(fault(graph), "unnamed node (mul): unknown attribute 'axis'");
  graph = parsed(whole);
  node(graph, 1).inputs.pop_back();
  EXPECT_EQ(fault(graph), "unnamed node (mul): 1 operand given, 2 wanted");
  const OpDef unlisted = op("mul");
  graph = parsed(whole);
  node(graph, 1).op = &unlisted;
  EXPECT_EQ(fault(graph), "the op of %4 is not in the table");
  graph = parsed(whole);
  value(graph, 4).producer = NodeId{0};
  EXPECT_EQ(fault(graph), "%4 is not a result of its node");
}

TEST(Verify, Constraints) {
  Graph graph = parsed(whole);
  const_cast<std::vector<Constraint>&>(graph.constraints()).clear();
  EXPECT_EQ(fault(graph), "node 'sum' (add) asks for N == M, which is not among its constraints");
}

}  // namespace
}  // namespace ingot
