// SPDX-License-Identifier: Apache-2.0
// Weights of many megabytes, which are put into the object once it is there.
#include <gtest/gtest.h>

#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

TEST(Weights, OfManyMegabytesAreWhatTheyWere) {
  // 64 rows are not a multiple of anything in 16 MB, and there is a second constant behind them.
  constexpr std::int64_t rows = 64, columns = 70'001;
  Graph graph = against_interpreter::empty_graph("many", false);
  Tensor table(DType::f32, {rows, columns}), last(DType::f32, {columns});
  for (std::int64_t i = 0; i < table.elements(); ++i)
    table.set(i, static_cast<float>(i % 9973) - 5000.0F);
  for (std::int64_t i = 0; i < columns; ++i) last.set(i, static_cast<float>(i));
  ASSERT_GT(table.bytes().size(), std::size_t{16} << 20);
  const ValueId x = graph.add_input("x", {DType::f32, {Dim::symbol("N"), 1, columns}});
  const auto sum = graph.add("add", {x, graph.add_constant(table)}, {});
  ASSERT_TRUE(sum) << sum.error().message;
  const auto most = graph.add("reduce_max", {*sum},
                              {{"axes", std::vector<std::int64_t>{1}},
                               {"keep_dims", false},
                               {"order", std::string("index")}});
  ASSERT_TRUE(most) << most.error().message;
  const auto product = graph.add("mul", {*most, graph.add_constant(last)}, {});
  ASSERT_TRUE(product) << product.error().message;
  graph.add_output("y", *product);
  against_interpreter::check(graph, {1}, 3);
}

}  // namespace
}  // namespace ingot::target
