// SPDX-License-Identifier: Apache-2.0
// Compiled kernels against the interpreter, bit for bit (a NaN is a NaN): every pointwise op on
// every type that it takes, every cast, with the values where things go wrong and in sizes around
// those of vectors.
#include <gtest/gtest.h>

#include "ops/pointwise.h"
#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

using against_interpreter::check;
using against_interpreter::empty_graph;

constexpr DType all_types[] = {DType::f32, DType::f64, DType::f16,    DType::bf16, DType::i8,
                               DType::i16, DType::i32, DType::i64,    DType::u8,   DType::u16,
                               DType::u32, DType::u64, DType::boolean};

/// Strictness changes formulas of floats; for the other types a strict graph is there to try v2.
std::vector<int> levels_for(DType dtype, bool strict) {
  if (strict && dtype != DType::f32 && dtype != DType::f64) return {2};
  return against_interpreter::levels(strict);
}

class PointwiseTest : public testing::TestWithParam<std::tuple<DType, bool>> {};

TEST_P(PointwiseTest, EveryOpGivesTheInterpretersBits) {
  const auto [dtype, strict] = GetParam();
  Graph graph = empty_graph(fmt::format("pointwise_{}", name(dtype)), strict);
  const Dim n = Dim::symbol("N");
  const ValueId a = graph.add_input("a", {dtype, {n}});
  const ValueId b = graph.add_input("b", {dtype, {n}});
  const ValueId condition = graph.add_input("condition", {DType::boolean, {n}});
  for (const OpDef& op : all_ops()) {
    const auto formula = ops::find_pointwise(op.name);
    if (!formula || !ops::in_domain(ops::info(*formula).domain, dtype)) continue;
    std::vector<ValueId> operands;
    switch (ops::info(*formula).signature) {
      case ops::Signature::V_V:
      case ops::Signature::V_M:
        operands = {a};
        break;
      case ops::Signature::M_M:
        operands = {condition};
        break;
      case ops::Signature::VV_V:
      case ops::Signature::VV_M:
        operands = {a, b};
        break;
      case ops::Signature::MM_M:
        operands = {condition, a};
        break;
      case ops::Signature::MVV_V:
        operands = {condition, a, b};
        break;
    }
    auto result = graph.add(op.name, operands);
    ASSERT_TRUE(result) << result.error().message;
    graph.add_output(std::string(op.name), *result);
  }
  check(graph, {0, 1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 100, 257}, 1, levels_for(dtype, strict));
}

TEST_P(PointwiseTest, EveryCastGivesTheInterpretersBits) {
  const auto [dtype, strict] = GetParam();
  Graph graph = empty_graph(fmt::format("cast_{}", name(dtype)), strict);
  const ValueId a = graph.add_input("a", {dtype, {Dim::symbol("N")}});
  for (const DType to : all_types) {
    auto result = graph.add("cast", {a}, {{"to", to}});
    ASSERT_TRUE(result) << result.error().message;
    graph.add_output(std::string(name(to)), *result);
  }
  check(graph, {1, 7, 16, 65, 1000}, 2, levels_for(dtype, strict));
}

INSTANTIATE_TEST_SUITE_P(Types, PointwiseTest,
                         testing::Combine(testing::ValuesIn(all_types), testing::Bool()),
                         [](const auto& info) {
                           return std::string(name(std::get<0>(info.param))) +
                                  (std::get<1>(info.param) ? "_strict" : "_fused");
                         });

}  // namespace
}  // namespace ingot::target
