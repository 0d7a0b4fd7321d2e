// SPDX-License-Identifier: Apache-2.0
// Kernels of whole small graphs against the interpreter: reductions along all axes and of all
// lengths, softmax, moves, broadcasts, fused chains in place.
#include <gtest/gtest.h>

#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

using against_interpreter::check;
using against_interpreter::empty_graph;
using Integers = std::vector<std::int64_t>;

const Dim n = Dim::symbol("N");

/// A graph in the making; an op that fails fails the test.
struct Builder {
  explicit Builder(std::string name, bool strict = false)
      : graph(empty_graph(std::move(name), strict)) {}
  ValueId input(DType dtype, Shape shape) {
    return graph.add_input(fmt::format("input_{}", graph.inputs().size()),
                           {dtype, std::move(shape)});
  }
  ValueId op(std::string_view name, std::vector<ValueId> operands, Attributes attributes = {}) {
    auto result = graph.add(name, std::move(operands), std::move(attributes));
    if (!result) throw std::runtime_error(result.error().message);
    return *result;
  }
  ValueId reduce(std::string_view op_name, ValueId a, Integers axes, bool keep, bool lanes) {
    return op(op_name, {a},
              {{"axes", std::move(axes)},
               {"keep_dims", keep},
               {"order", std::string(lanes ? "lanes" : "index")}});
  }
  ValueId number(float value) { return graph.add_constant(Tensor::scalar(DType::f32, value)); }
  ValueId softmax(ValueId a, std::int64_t axis, bool lanes) {
    const ValueId e = op("exp", {op("sub", {a, reduce("reduce_max", a, {axis}, true, lanes)})});
    return op("mul", {e, op("div", {number(1), reduce("reduce_sum", e, {axis}, true, lanes)})});
  }
  void output(ValueId value) {
    graph.add_output(fmt::format("output_{}", graph.outputs().size()), value);
  }

  Graph graph;
};

TEST(Kernels, SoftmaxOfRowsOfAllLengths) {
  for (const std::int64_t length :
       {1, 2, 3, 4, 7, 8, 10, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 200}) {
    Builder b(fmt::format("softmax_{}", length));
    b.output(b.softmax(b.input(DType::f32, {n, length}), 1, true));
    check(b.graph, {0, 1, 3}, 5);
  }
}

TEST(Kernels, SoftmaxOfRowsOfSymbolicLength) {
  Builder b("softmax_n");
  b.output(b.softmax(b.input(DType::f32, {3, n}), 1, true));
  check(b.graph, {0, 1, 2, 15, 16, 17, 32, 100}, 6);
}

TEST(Kernels, SoftmaxOfAnInnerAxis) {
  Builder b("softmax_inner");
  b.output(b.softmax(b.input(DType::f32, {n, 5, 9}), 1, false));
  check(b.graph, {0, 1, 2, 20}, 7);
}

TEST(Kernels, ReductionsOfAllKindsTypesAndAxes) {
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::i32,
                            DType::i64, DType::u8, DType::u32, DType::boolean}) {
    Builder b(fmt::format("reduce_{}", name(dtype)));
    const ValueId a = b.input(dtype, {n, 6, 19});
    const ValueId narrow = b.input(dtype, {n, 3});
    for (const char* op : {"reduce_max", "reduce_min", "reduce_sum", "reduce_prod"}) {
      const std::string_view kind = op;
      if (dtype == DType::boolean && kind != "reduce_max" && kind != "reduce_min") continue;
      b.output(b.reduce(op, a, {2}, true, true));
      b.output(b.reduce(op, a, {2}, false, false));
      b.output(b.reduce(op, a, {1}, true, false));
      b.output(b.reduce(op, a, {0}, false, false));
      b.output(b.reduce(op, a, {0, 2}, false, false));
      b.output(b.reduce(op, a, {0, 1, 2}, false, false));
      b.output(b.reduce(op, narrow, {1}, false, true));
      b.output(b.reduce(op, narrow, {0}, true, false));
    }
    check(b.graph, {0, 1, 5, 40}, 8);
  }
}

TEST(Kernels, MovesOfAllTypes) {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::i8, DType::i64, DType::boolean}) {
    Builder b(fmt::format("move_{}", name(dtype)));
    const ValueId a = b.input(dtype, {n, 4, 7});
    const ValueId c = b.input(dtype, {n, 4, 2});
    b.output(b.op("transpose", {a}, {{"perm", Integers{0, 2, 1}}}));
    b.output(b.op("transpose", {a}, {{"perm", Integers{2, 1, 0}}}));
    b.output(b.op("reshape", {a}, {{"shape", Shape{n, 28}}}));
    b.output(b.op("concat", {a, c, a}, {{"axis", std::int64_t{2}}}));
    b.output(
        b.op("slice", {a},
             {{"start", Shape{0, 1, 6}}, {"size", Shape{n, 2, 4}}, {"step", Integers{1, 2, -2}}}));
    b.output(b.op("broadcast", {b.op("reshape", {c}, {{"shape", Shape{n, 1, 4, 2}}})},
                  {{"shape", Shape{n, 3, 4, 2}}}));
    b.output(a);
    check(b.graph, {0, 1, 3, 33}, 9);
  }
}

TEST(Kernels, BroadcastChainsAndSizes) {
  Builder b("chains");
  const ValueId a = b.input(DType::f32, {n, 24});
  const ValueId row = b.input(DType::f32, {24});
  const ValueId column = b.input(DType::f32, {n, 1});
  ValueId x = b.op("add", {b.op("mul", {a, row}), column});
  x = b.op("max", {b.number(0), x});
  b.output(b.op("tanh", {b.op("sub", {x, b.op("sigmoid", {a})})}));
  const ValueId index =
      b.op("iota", {}, {{"shape", Shape{n, 24}}, {"axis", std::int64_t{1}}, {"dtype", DType::i32}});
  const ValueId outer =
      b.op("iota", {}, {{"shape", Shape{n, 24}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
  b.output(b.op("where", {b.op("lt", {index, b.op("cast", {x}, {{"to", DType::i32}})}), a,
                          b.op("cast", {outer}, {{"to", DType::f32}})}));
  b.output(b.op("dims", {}, {{"values", Shape{n, n * 24, 7}}}));
  check(b.graph, {0, 1, 2, 31}, 10);
}

TEST(Kernels, StrictAndFusedDenseLayers) {
  for (const bool strict : {false, true}) {
    Builder b(strict ? "dense_strict" : "dense", strict);
    std::mt19937_64 random(11);
    ValueId x = b.input(DType::f32, {n, 20});
    for (const std::int64_t width : {33, 16, 1}) {
      const ValueId w = b.graph.add_constant(against_interpreter::random_tensor(
          DType::f32, {b.graph.type(x).shape[1].value().value(), width}, random));
      const ValueId bias =
          b.graph.add_constant(against_interpreter::random_tensor(DType::f32, {width}, random));
      x = b.op("matmul", {x, w, bias}, {{"chains", std::int64_t{width == 1 ? 16 : 4}}});
      x = b.op("max", {b.number(0), x});
    }
    b.output(b.op("sigmoid", {x}));
    check(b.graph, {0, 1, 2, 7, 64}, 12);
  }
}

// What join-products leaves: a product whose columns are read in parts, as a product's operand, by
// a convolution, by a softmax, and by products of heads into which they are split.
TEST(Kernels, PartsOfTheColumnsOfAProduct) {
  Builder b("parts");
  std::mt19937_64 random(13);
  auto weights = [&](std::vector<std::int64_t> shape) {
    return b.graph.add_constant(
        against_interpreter::random_tensor(DType::f32, std::move(shape), random));
  };
  const std::int64_t one = 1;
  const ValueId x = b.input(DType::f32, {n, 5, 7});
  const ValueId y = b.op("tanh", {b.op("matmul", {x, weights({7, 43})}, {{"chains", one}})});
  auto part = [&](std::int64_t start, std::int64_t size) {
    return b.op(
        "slice", {y},
        {{"start", Shape{0, 0, start}}, {"size", Shape{n, 5, size}}, {"step", Integers{1, 1, 1}}});
  };
  b.output(b.op("matmul", {part(0, 9), weights({9, 3})}, {{"chains", one}}));
  b.output(b.op("conv", {part(9, 6), weights({3, 6, 20})},
                {{"dilations", Integers{1}},
                 {"groups", one},
                 {"pads_begin", Integers{1}},
                 {"pads_end", Integers{1}},
                 {"strides", Integers{1}}}));
  b.output(b.softmax(part(15, 4), 2, true));
  auto heads = [&](std::int64_t start, Integers perm) {
    const ValueId split = b.op("reshape", {part(start, 12)}, {{"shape", Shape{n, 5, 3, 4}}});
    return b.op("transpose", {split}, {{"perm", std::move(perm)}});
  };
  b.output(b.op("matmul", {heads(19, {0, 2, 1, 3}), heads(31, {0, 2, 3, 1})}, {{"chains", one}}));
  check(b.graph, {0, 1, 2, 9}, 14);
}

}  // namespace
}  // namespace ingot::target
