// SPDX-License-Identifier: Apache-2.0
// scatter against the interpreter: of all types and reductions, of entries and of single elements,
// in batches, into a concatenation; and indices from hostile callers.
#include <gtest/gtest.h>

#include "target/plan_and_code.h"

namespace ingot::target {
namespace {

using against_interpreter::empty_graph;
using against_interpreter::levels;
using against_interpreter::random_tensor;
using Integers = std::vector<std::int64_t>;

const Dim n = Dim::symbol("N");

struct Builder {
  explicit Builder(const std::string& name, bool strict = false)
      : graph(empty_graph(name, strict)) {}
  ValueId input(DType dtype, Shape shape) {
    return graph.add_input(fmt::format("x{}", graph.inputs().size()), {dtype, std::move(shape)});
  }
  ValueId op(std::string_view name, std::vector<ValueId> operands, Attributes attributes = {}) {
    auto result = graph.add(name, std::move(operands), std::move(attributes), "chosen");
    if (!result) throw std::runtime_error(result.error().message);
    return *result;
  }
  ValueId scatter(ValueId data, ValueId indices, ValueId updates, const std::string& reduction,
                  std::int64_t batch = 0) {
    return op("scatter", {data, indices, updates}, {{"reduction", reduction}, {"batch", batch}});
  }
  void output(ValueId value) {
    graph.add_output(fmt::format("y{}", graph.outputs().size()), value);
  }
  Graph graph;
};

/// i32 and i64 inputs of rank 2 or less are indices below `size`.
std::vector<Tensor> inputs_for(const Graph& graph, std::int64_t value, std::int64_t size,
                               std::mt19937_64& random) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    Integers shape;
    for (const Dim& dim : graph.type(id).shape) shape.push_back(*dim.evaluate({{"N", value}}));
    const DType dtype = graph.type(id).dtype;
    inputs.push_back(random_tensor(dtype, shape, random));
    const bool index = (dtype == DType::i32 || dtype == DType::i64) && shape.size() <= 2;
    for (std::int64_t i = 0; index && i < inputs.back().elements(); ++i) {
      const auto place = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(size));
      if (dtype == DType::i64) {
        inputs.back().set(i, place);
      } else {
        inputs.back().set(i, static_cast<std::int32_t>(place));
      }
    }
  }
  return inputs;
}

void check(const Graph& graph, const Integers& sizes, std::int64_t below) {
  std::mt19937_64 random(13);
  against_interpreter::check_plan_and_code(
      graph, sizes, [&](std::int64_t size) { return inputs_for(graph, size, below, random); });
}

TEST(ScatterCode, OfAllTypesAndReductions) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32,
        DType::i64, DType::u8, DType::u16, DType::u32, DType::u64, DType::boolean}) {
    Builder b(fmt::format("type_{}", name(dtype)), true);
    const ValueId data = b.input(dtype, {7, 3, 19}), updates = b.input(dtype, {n, 3, 19});
    const ValueId index = b.input(dtype == DType::u8 ? DType::i32 : DType::i64, {n});
    for (const char* reduction : {"none", "sum", "prod", "max", "min"}) {
      const bool sums = reduction == std::string("sum") || reduction == std::string("prod");
      if (dtype != DType::boolean || !sums) b.output(b.scatter(data, index, updates, reduction));
    }
    check(b.graph, {0, 1, 5, 40}, 7);
  }
}

TEST(ScatterCode, OfElementsAndOfWhatIsComputed) {
  Builder b("elements");
  const ValueId data = b.input(DType::f32, {11}), index = b.input(DType::i32, {n, 4});
  const ValueId updates = b.input(DType::f32, {n, 4});
  b.output(b.scatter(b.op("neg", {data}), index, b.op("abs", {updates}), "sum"));
  const ValueId zero = b.graph.add_constant(Tensor::scalar(DType::f32, 0.0F));
  const ValueId zeros = b.op("broadcast", {zero}, {{"shape", Shape{11}}});
  b.output(b.scatter(zeros, index, updates, "none"));
  const ValueId everywhere = b.op("broadcast", {zero}, {{"shape", Shape{n, 4}}});
  b.output(b.scatter(data, index, everywhere, "none"));
  // The result is read on, and part of a whole.
  const ValueId more = b.op("exp", {b.scatter(data, index, updates, "max")});
  b.output(b.op("concat", {more, b.scatter(data, index, updates, "min"), data},
                {{"axis", std::int64_t{0}}}));
  const ValueId one = b.input(DType::i64, {});
  b.output(b.scatter(data, one, b.input(DType::f32, {}), "none"));
  check(b.graph, {0, 1, 3, 30}, 11);
}

TEST(ScatterCode, RowsOfABatchStayApart) {
  Builder b("batch");
  const ValueId data = b.input(DType::f32, {n, 6, 5}), index = b.input(DType::i64, {n, 9});
  const ValueId updates = b.input(DType::f32, {n, 9, 5});
  b.output(b.scatter(data, index, updates, "sum", 1));
  const auto plan = plan::make_plan(b.graph, {.block_bytes = 1024});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->independent[0]);
  EXPECT_EQ(plan->blocks.size(), 1U) << plan::print(*plan).text;
  check(b.graph, {0, 1, 2, 50}, 6);
}

TEST(ScatterCode, AWrongIndexEndsTheCall) {
  Builder b("hostile");
  const ValueId data = b.input(DType::f32, {6, 5}), index = b.input(DType::i64, {n});
  b.output(b.scatter(data, index, b.input(DType::f32, {n, 5}), "none"));
  const auto plan = plan::make_plan(b.graph);
  ASSERT_TRUE(plan) << plan.error().message;
  Options options;
  options.isa_levels = levels(false);
  const CompiledCode code(*plan, options);
  std::mt19937_64 random(1);
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{6}, INT64_MIN, INT64_MAX}) {
    std::vector<Tensor> inputs = inputs_for(b.graph, 4, 6, random);
    inputs[1].set(2, bad);
    const auto meant = interpret(b.graph, inputs, {{"N", 4}});
    ASSERT_FALSE(meant);
    EXPECT_EQ(meant.error().code, ErrorCode::runtime);
    EXPECT_FALSE(plan::interpret_plan(*plan, inputs, {{"N", 4}}));
    for (const int level : options.isa_levels) {
      ingot_error error{};
      code.attempt(level, {4}, inputs, error);
      EXPECT_EQ(error.status, INGOT_INDEX_OUT_OF_RANGE);
      EXPECT_EQ(error.value, bad);
      EXPECT_EQ(error.limit, 6);
      EXPECT_EQ(error.position, 10);
    }
  }
}

}  // namespace
}  // namespace ingot::target
