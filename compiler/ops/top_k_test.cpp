// SPDX-License-Identifier: Apache-2.0
// What top_k means: order, ties, zeros and NaN, and what it asks of sizes.
#include <gmock/gmock.h>

#include <cmath>

#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/interpret.h"

namespace ingot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The places that the first k of one row have.
std::vector<std::int64_t> places(const std::vector<float>& row, std::int64_t k, bool largest) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, {static_cast<std::int64_t>(row.size())}});
  const auto results =
      graph.add_node(op("top_k"), {x}, {{"k", Shape{k}}, {"largest", largest}}, "top");
  EXPECT_TRUE(results) << results.error().message;
  graph.add_output("values", (*results)[0]);
  graph.add_output("places", (*results)[1]);
  Tensor tensor(DType::f32, {static_cast<std::int64_t>(row.size())});
  for (std::size_t i = 0; i < row.size(); ++i) tensor.set(static_cast<std::int64_t>(i), row[i]);
  const auto outputs = interpret(graph, std::vector{tensor}, {});
  EXPECT_TRUE(outputs) << outputs.error().message;
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < k; ++i) {
    found.push_back((*outputs)[1].at<std::int64_t>(i));
    const float value = (*outputs)[0].at<float>(i);
    const float element = row[static_cast<std::size_t>(found.back())];
    EXPECT_TRUE(value == element || (std::isnan(value) && std::isnan(element)));
    EXPECT_EQ(std::signbit(value), std::signbit(element));
  }
  return found;
}

TEST(TopK, PutsTheGreatestOrTheLeastInFront) {
  const std::vector<float> row{3, -1, 4, 1, -5, 9, 2, 6};
  EXPECT_THAT(places(row, 3, true), ElementsAre(5, 7, 2));
  EXPECT_THAT(places(row, 3, false), ElementsAre(4, 1, 3));
  EXPECT_THAT(places(row, 8, true), ElementsAre(5, 7, 2, 0, 6, 3, 1, 4));
  EXPECT_THAT(places(row, 0, true), ElementsAre());
}

TEST(TopK, OfEqualElementsTheLowestPlaceComesFirst) {
  EXPECT_THAT(places({1, 2, 2, 1, 2}, 4, true), ElementsAre(1, 2, 4, 0));
  EXPECT_THAT(places({1, 2, 2, 1, 2}, 3, false), ElementsAre(0, 3, 1));
  EXPECT_THAT(places({-0.0F, 0.0F, -0.0F}, 3, true), ElementsAre(0, 1, 2));
  EXPECT_THAT(places({0.0F, -0.0F}, 2, false), ElementsAre(0, 1));
}

TEST(TopK, NanIsTheGreatest) {
  const float nan = std::nanf(""), inf = HUGE_VALF;
  EXPECT_THAT(places({inf, nan, 1, -nan, -inf}, 5, true), ElementsAre(1, 3, 0, 2, 4));
  EXPECT_THAT(places({inf, nan, 1, -nan, -inf}, 5, false), ElementsAre(4, 2, 0, 1, 3));
}

TEST(TopK, ARowMustBeAsLongAsKSays) {
  const auto graph = parse_graph(R"ir(graph "g" fused {
  symbol n in [0, 100]
  require n >= 7 "node 'knn' (top_k)"
  %x: f32[n, n] = input "x"
  %v, %i = top_k(%x) {k = [7], largest = true} "knn"
  return "v" = %v
  return "i" = %i
})ir");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_TRUE(verify(*graph));
  EXPECT_EQ(str(graph->type(graph->outputs()[1].value)), "i64[n, 7]");
  const std::vector<Tensor> inputs{Tensor(DType::f32, {3, 3})};
  const auto outputs = interpret(*graph, inputs, {});
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::limit);
  EXPECT_THAT(outputs.error().message,
              HasSubstr("node 'knn' (top_k) asks for n >= 7, but they are 3 and 7"));
}

TEST(TopK, RefusesWhatHasNoMeaning) {
  auto refused = [](Shape shape, Shape k) {
    Graph graph;
    graph.declare_symbol("n", {0, 100});
    const ValueId x = graph.add_input("x", {DType::f32, std::move(shape)});
    return !graph.add_node(op("top_k"), {x}, {{"k", std::move(k)}, {"largest", true}}, "");
  };
  EXPECT_TRUE(refused({}, {1}));
  EXPECT_TRUE(refused({4}, {5}));
  EXPECT_TRUE(refused({4}, {-1}));
  EXPECT_TRUE(refused({4}, {1, 1}));
  EXPECT_TRUE(refused({Dim::symbol("n")}, {101}));
  EXPECT_FALSE(refused({Dim::symbol("n")}, {100}));
}

}  // namespace
}  // namespace ingot
