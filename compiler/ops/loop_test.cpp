// SPDX-License-Identifier: Apache-2.0
// scan in the interpreter, against sums made by hand.
#include "ops/loop.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "ops/interpret.h"

namespace ingot {
namespace {

constexpr std::string_view running_sum = R"(
graph "sum" fused {
  symbol N in [0, 9]
  symbol T in [0, 100]
  %x: f32[N, T] = input "x"
  %start: f32[N] = input "start"
  %scale: f32[] = constant {10}
  %last, %all = scan(%start, %x, %scale) {
    axes = [1, 0], carried = 1, reversed = REVERSED, trips = [T],
    body = graph "step" fused {
      symbol N in [0, 9]
      %i: i64[] = input "i"
      %sum: f32[N] = input "sum"
      %entry: f32[N] = input "entry"
      %by: f32[] = input "by"
      %number = cast(%i) {to = f32}
      %scaled = mul(%entry, %by)
      %more = add(%sum, %scaled)
      %next = add(%more, %number)
      return "sum" = %next
      return "each" = %next
    }}
  return "last" = %last
  return "all" = %all
})";

Graph graph_of(const std::string& reversed) {
  std::string text(running_sum);
  text.replace(text.find("REVERSED"), 8, reversed);
  auto graph = parse_graph(text);
  EXPECT_TRUE(graph) << graph.error().message;
  return graph ? *std::move(graph) : Graph();
}

Tensor tensor(std::vector<std::int64_t> shape, const std::vector<float>& numbers) {
  Tensor result(DType::f32, std::move(shape));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    result.set<float>(static_cast<std::int64_t>(i), numbers[i]);
  return result;
}

std::vector<float> numbers(const Tensor& tensor) {
  std::vector<float> result;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) result.push_back(tensor.at<float>(i));
  return result;
}

TEST(Scan, CarriesAndStacks) {
  const Graph graph = graph_of("[0, 0]");
  EXPECT_TRUE(verify(graph));
  const auto results = interpret(
      graph, std::vector{tensor({2, 3}, {1, 2, 3, 4, 5, 6}), tensor({2}, {100, 200})}, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(numbers((*results)[0]), (std::vector<float>{163, 353}));
  EXPECT_EQ((*results)[1].shape(), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(numbers((*results)[1]), (std::vector<float>{110, 240, 131, 291, 163, 353}));
}

TEST(Scan, GoesBackwards) {
  const Graph graph = graph_of("[1, 1]");
  const auto results =
      interpret(graph, std::vector{tensor({1, 3}, {1, 2, 3}), tensor({1}, {100})}, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(numbers((*results)[0]), (std::vector<float>{163}));
  EXPECT_EQ(numbers((*results)[1]), (std::vector<float>{163, 151, 130}));
}

TEST(Scan, OfNothingLeavesTheBeginning) {
  const Graph graph = graph_of("[0, 0]");
  const auto results = interpret(graph, std::vector{tensor({2, 0}, {}), tensor({2}, {7, 8})}, {});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(numbers((*results)[0]), (std::vector<float>{7, 8}));
  EXPECT_EQ((*results)[1].elements(), 0);
}

TEST(Scan, PinningASymbolReachesItsBody) {
  Graph graph = graph_of("[0, 0]");
  ASSERT_TRUE(graph.substitute("N", 2));
  EXPECT_TRUE(verify(graph));
  EXPECT_EQ(print(graph).find("N"), std::string::npos) << print(graph);
}

TEST(Scan, RefusesCountsThatDoNotFit) {
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"carried = 1", "carried = 7"},
                                                        {"carried = 1", "carried = -1"},
                                                        {"axes = [1, 0]", "axes = [1]"},
                                                        {"axes = [1, 0]", "axes = [1, 0, 0, 0]"},
                                                        {"axes = [1, 0]", "axes = [-1, 0]"},
                                                        {"axes = [1, 0]", "axes = [1, 2]"},
                                                        {"trips = [T]", "trips = []"},
                                                        {"trips = [T]", "trips = [-3]"},
                                                        {"REVERSED", "[0]"}}) {
    std::string text(running_sum);
    text.replace(text.find(from), from.size(), to);
    if (const auto at = text.find("REVERSED"); at != std::string::npos)
      text.replace(at, 8, "[0, 0]");
    EXPECT_FALSE(parse_graph(text)) << to;
  }
}

}  // namespace
}  // namespace ingot
