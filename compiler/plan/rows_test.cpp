// SPDX-License-Identifier: Apache-2.0
// Which graphs keep their rows apart.
#include "plan/rows.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace ingot::plan {
namespace {

/// "2:3" for rows along axis 2, three elements each; "same"; "mixed".
std::string place(const Rows::Place& place) {
  switch (place.kind) {
    case Rows::Place::Kind::same:
      return "same";
    case Rows::Place::Kind::mixed:
      return "mixed";
    case Rows::Place::Kind::rows:
      return fmt::format("{}:{}", place.axis, place.factor.str());
  }
  return "";
}

/// Of the last node's result; " counted" where something depends on the number of rows.
std::string last(std::string_view nodes, const Dim& extent = Dim::symbol("N")) {
  const std::string text = fmt::format(R"(graph "g" fused {{
    symbol N in [0, 1000]
    symbol M in [0, 100]
    %x: f32[N, 4] = input "x"
    %z: f32[N, 50, 8] = input "z"
    %w: f32[8, 3] = input "w"
    %i: i64[N, 50] = input "i"
    %v: f32[N, M, 4] = input "v"
    {}
    return "y" = %y
  }})",
                                       nodes);
  const auto graph = parse_graph(text);
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return "";
  }
  const Rows rows = find_rows(*graph, extent);
  const std::string found = place(rows[graph->outputs()[0].value]);
  EXPECT_EQ(found == "mixed", !rows.mixers.empty());
  return found + (rows.counted ? " counted" : "");
}

TEST(Rows, GoThroughOpsThatKeepThemApart) {
  EXPECT_EQ(last("%y = tanh(%z)"), "0:1");
  EXPECT_EQ(last("%y = add(%x, %x)"), "0:1");
  EXPECT_EQ(last("%y = matmul(%z, %w) {chains = 1}"), "0:1");
  EXPECT_EQ(last("%y = transpose(%z) {perm = [1, 2, 0]}"), "2:1");
  EXPECT_EQ(last("%y = transpose(%w) {perm = [1, 0]}"), "same");
  EXPECT_EQ(last("%y = reduce_sum(%z) {axes = [1], keep_dims = false, order = \"index\"}"), "0:1");
  EXPECT_EQ(last("%y = slice(%z) {size = [N, 2, 8], start = [0, 1, 0], step = [1, 3, 1]}"), "0:1");
  EXPECT_EQ(last("%y = concat(%x, %x) {axis = 1}"), "0:1");
  EXPECT_EQ(last("%y = gather(%w, %i) {axis = 0}"), "0:1");
  EXPECT_EQ(last("%y = gather(%w, %i) {axis = 1}"), "1:1");
  EXPECT_EQ(last("%y = broadcast(%w) {shape = [N, 8, 3]}"), "0:1");
}

TEST(Rows, AReshapeGivesARowSeveralNeighbours) {
  EXPECT_EQ(last("%y = reshape(%z) {shape = [50*N, 8]}"), "0:50");
  EXPECT_EQ(last("%y = reshape(%v) {shape = [N*M, 4]}"), "0:M");
  EXPECT_EQ(last("%a = reshape(%z) {shape = [50*N, 8]}\n%b = matmul(%a, %w) {chains = 1}\n"
                 "%y = reshape(%b) {shape = [N, 150]}"),
            "0:1");
  // Rows that stand inside something else are scattered.
  EXPECT_EQ(last("%a = transpose(%z) {perm = [1, 0, 2]}\n%y = reshape(%a) {shape = [50*N, 8]}"),
            "mixed");
}

TEST(Rows, MeetInOpsThatMixThem) {
  EXPECT_EQ(last("%y = reduce_sum(%x) {axes = [0], keep_dims = false, order = \"index\"}"),
            "mixed");
  EXPECT_EQ(last("%y = concat(%x, %x) {axis = 0}"), "mixed");
  EXPECT_EQ(last("%a = transpose(%x) {perm = [1, 0]}\n%y = matmul(%a, %x) {chains = 1}"), "mixed");
  EXPECT_EQ(last("%y = slice(%x) {size = [N, 4], start = [0, 0], step = [-1, 1]}"), "mixed");
  EXPECT_EQ(last("%a = transpose(%x) {perm = [1, 0]}\n%b = broadcast(%a) {shape = [N, 4, N]}\n"
                 "%y = reduce_max(%b) {axes = [0], keep_dims = false, order = \"index\"}"),
            "mixed");
}

TEST(Rows, MayBeCounted) {
  EXPECT_EQ(last("%y = iota() {axis = 0, dtype = i64, shape = [N, 4]}"), "0:1 counted");
  EXPECT_EQ(last("%y = iota() {axis = 1, dtype = i64, shape = [N, 4]}"), "0:1");
  EXPECT_EQ(last("%y = dims() {values = [N, 4]}"), "same counted");
  EXPECT_EQ(last("%y, %p = top_k(%w) {k = [min(N, 3)], largest = true}"), "same counted");
  EXPECT_EQ(last("%y, %p = top_k(%x) {k = [3], largest = true}"), "0:1");
  EXPECT_EQ(last("%y = dims() {values = [M, 4]}"), "same");
}

TEST(Rows, OfANumberAreFollowedFromTheAxesThatHaveIt) {
  EXPECT_EQ(last("%y = tanh(%z)", 50), "1:1");
  EXPECT_EQ(last("%y = tanh(%x)", 50), "same");
  EXPECT_EQ(last("%y = gather(%w, %i) {axis = 0}", 50), "1:1");
  EXPECT_EQ(last("%y = reduce_sum(%z) {axes = [1], keep_dims = false, order = \"index\"}", 50),
            "mixed");
}

}  // namespace
}  // namespace ingot::plan
