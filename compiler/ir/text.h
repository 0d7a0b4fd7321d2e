// SPDX-License-Identifier: Apache-2.0
// Graphs as text, out and in: what `--stop-after` shows and what tests are written in.
//
//     graph "digits" fused {
//       symbol N in [0, 2147483647]
//       require N >= k "node 'knn' (top_k)"        ; or ==; the string is the reason
//       %0: f32[N, 64] = input "pixels"
//       %1: f32[64, 10] = constant #9f31c2d4e5f60718
//       %2: f32[10] = constant splat 0.5           ; or {1, 2, 3} or hex "0000003f..."
//       %3: f32[N, 10] = matmul(%0, %1, %2) {chains = 8} "dense_1/MatMul"
//       return "scores" = %3
//     }
//
// A semicolon starts a comment. Values are numbered in the order in which the graph holds them; a
// reader may call them anything after the %, and may leave out the type of a node's result.
#pragma once

#include <string>
#include <string_view>

#include "base/expected.h"
#include "ir/graph.h"

namespace ingot {

struct PrintOptions {
  /// Constants of more than 16 elements as `hex`, their bytes in memory order, instead of `#hash`,
  /// which cannot be read back.
  bool constants_in_full = false;
};

/// Ends with a newline. parse_graph(print(graph, {.constants_in_full = true})) gives the same
/// graph: values and nodes in the same order, the same bits in every number.
std::string print(const Graph& graph, PrintOptions options = {});

/// One node as it stands in print(), without indentation and newline.
std::string print(const Graph& graph, const Node& node, PrintOptions options = {});

/// Reads one graph. Nodes are added through Graph::add_node, so that types are inferred; one that
/// is written must agree. Errors say line and column, and what was expected; input may be hostile.
Expected<Graph> parse_graph(std::string_view text);

}  // namespace ingot
