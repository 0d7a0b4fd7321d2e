// SPDX-License-Identifier: Apache-2.0
// top_k against the interpreter: of all types, in rows that are ranked and rows that need a heap,
// of moved and computed rows, with what follows in the same kernel.
#include <gtest/gtest.h>

#include "target/plan_and_code.h"

namespace ingot::target {
namespace {

using against_interpreter::random_tensor;

const Dim n = Dim::symbol("N");

struct Builder {
  explicit Builder(const std::string& name, std::int64_t most = 1000, bool strict = false) {
    graph.name = name;
    graph.arithmetic = strict ? Arithmetic::strict : Arithmetic::fused;
    graph.declare_symbol("N", {0, most});
  }
  ValueId input(DType dtype, Shape shape) {
    return graph.add_input(fmt::format("x{}", graph.inputs().size()), {dtype, std::move(shape)});
  }
  ValueId op(std::string_view name, std::vector<ValueId> operands, Attributes attributes = {}) {
    auto result = graph.add(name, std::move(operands), std::move(attributes));
    if (!result) throw std::runtime_error(result.error().message);
    return *result;
  }
  std::vector<ValueId> top_k(ValueId x, const Dim& k, bool largest = true) {
    auto results =
        graph.add_node(ingot::op("top_k"), {x}, {{"k", Shape{k}}, {"largest", largest}}, "top");
    if (!results) throw std::runtime_error(results.error().message);
    return *results;
  }
  void output(ValueId value) {
    graph.add_output(fmt::format("y{}", graph.outputs().size()), value);
  }
  Graph graph;
};

/// Random elements of which many are equal: every third is one of the first three.
Tensor with_ties(DType dtype, const std::vector<std::int64_t>& shape, std::mt19937_64& random) {
  Tensor tensor = random_tensor(dtype, shape, random);
  const std::size_t size = bytes_of(dtype);
  const std::span<std::byte> bytes = tensor.mutable_bytes();
  for (std::size_t i = 3; i < bytes.size() / size; ++i) {
    if (random() % 3 == 0) std::memcpy(&bytes[i * size], &bytes[random() % 3 * size], size);
  }
  return tensor;
}

/// Code of all levels, the plan and its text against the interpreter.
void check(const Graph& graph, const std::vector<std::int64_t>& sizes) {
  std::mt19937_64 random(11);
  against_interpreter::check_plan_and_code(graph, sizes, [&](std::int64_t size) {
    std::vector<Tensor> inputs;
    for (const ValueId id : graph.inputs()) {
      std::vector<std::int64_t> shape;
      for (const Dim& dim : graph.type(id).shape) shape.push_back(*dim.evaluate({{"N", size}}));
      inputs.push_back(with_ties(graph.type(id).dtype, shape, random));
    }
    return inputs;
  });
}

TEST(TopKCode, OfAllTypesInRowsOfAllLengths) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32,
        DType::i64, DType::u8, DType::u16, DType::u32, DType::u64, DType::boolean}) {
    Builder b(fmt::format("type_{}", name(dtype)), 1000, true);
    const ValueId x = b.input(dtype, {3, n});
    for (const bool largest : {true, false}) {
      for (const ValueId y : b.top_k(x, n, largest)) b.output(y);
    }
    // 300 is long for all vectors.
    check(b.graph, {0, 1, 2, 7, 8, 16, 17, 31, 64, 65, 128, 300});
  }
}

TEST(TopKCode, OfAFewInShortAndLongRows) {
  for (const std::int64_t length : {5, 16, 50, 100, 1000}) {
    Builder b(fmt::format("few_{}", length));
    const ValueId x = b.input(DType::f32, {n, length});
    for (const ValueId y : b.top_k(x, 1)) b.output(y);
    for (const ValueId y : b.top_k(x, 5, false)) b.output(y);
    for (const ValueId y : b.top_k(x, 0)) b.output(y);
    b.output(b.top_k(x, Dim::min(n, 4))[0]);
    check(b.graph, {0, 1, 5, 33});
  }
}

TEST(TopKCode, OfMovedRowsAndOfWhatIsComputedOnTheWay) {
  Builder b("moved");
  const ValueId x = b.input(DType::f32, {n, 40, 3}), y = b.input(DType::f32, {n, 1, 40});
  const ValueId columns = b.op("transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  for (const ValueId result : b.top_k(columns, 7)) b.output(result);
  const ValueId distance = b.op("neg", {b.op("abs", {b.op("sub", {columns, y})})});
  b.output(b.top_k(distance, 6)[1]);
  const ValueId wide = b.op("broadcast", {y}, {{"shape", Shape{n, 3, 40}}});
  b.output(b.top_k(wide, 2, false)[0]);
  const ValueId counted =
      b.op("iota", {}, {{"shape", Shape{n, 40}}, {"axis", std::int64_t{1}}, {"dtype", DType::i32}});
  for (const ValueId result : b.top_k(counted, 3)) b.output(result);
  check(b.graph, {0, 1, 2, 21});
}

TEST(TopKCode, ComputesOnInTheSameKernelAndLeavesOutWhatNobodyWants) {
  Builder b("fused");
  const ValueId x = b.input(DType::f32, {n, 5, 50}), scale = b.input(DType::f32, {5, 1});
  const ValueId distance = b.op("mul", {x, scale});
  const ValueId places = b.top_k(distance, 9)[1];
  const ValueId narrow = b.op("cast", {places}, {{"to", DType::i32}});
  const ValueId row =
      b.op("iota", {}, {{"shape", Shape{5, 1}}, {"axis", std::int64_t{0}}, {"dtype", DType::i32}});
  b.output(b.op("add", {narrow, row}));
  const auto plan = plan::make_plan(b.graph);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->kernels.size(), 1U) << plan::print(*plan).text;
  EXPECT_TRUE(plan::arena_buffers(*plan).empty()) << plan::print(*plan).text;
  const auto& work = plan::work_of<plan::TopK>(*plan, 0);
  EXPECT_EQ(plan::ops_of(work.body), "mul");
  EXPECT_EQ(plan::ops_of(work.finish), "cast add");
  EXPECT_EQ(work.finish_stores.size(), 1U);
  EXPECT_FALSE(work.heap) << "50 is a short row";
  check(b.graph, {0, 1, 2, 30});
}

TEST(TopKCode, RowsGoThroughInBlocks) {
  Builder b("blocks");
  const ValueId x = b.input(DType::f32, {n, 30, 3});
  const ValueId moved = b.op("transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  const ValueId product = b.op("matmul", {x, moved}, {{"chains", std::int64_t{1}}});
  const auto results = b.top_k(product, 4);
  b.output(b.op("neg", {results[0]}));
  b.output(results[1]);
  const auto plan = plan::make_plan(b.graph, {.block_bytes = 16 * 1024});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->blocks.size(), 1U) << plan::print(*plan).text;
  EXPECT_TRUE(plan->independent[0]);
  check(b.graph, {0, 1, 3, 100});
}

}  // namespace
}  // namespace ingot::target
