// SPDX-License-Identifier: Apache-2.0
// Which nodes share a kernel, and what a kernel computes from coordinates instead of from memory.
#include <gmock/gmock.h>

#include "plan/planned.h"

namespace ingot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Fusion, ChainsJoinTheProductBeforeThem) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3] = input "x"
    %skip: f32[N, 2] = input "skip"
    %w: f32[3, 2] = constant {1, 2, 3, 4, 5, 6}
    %b: f32[2] = constant {1, 2}
    %zero: f32[] = constant {0}
    %p = matmul(%x, %w, %b) {chains = 8} "dense"
    %r = max(%zero, %p) "relu"
    %s = add(%r, %skip) "residual"
    return "y" = %s
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("contract dense [N, 2]"));
  const auto& contract = work_of<Contract>(plan, 0);
  EXPECT_EQ(ops_of(contract.epilogue), "max add");
  EXPECT_EQ(contract.chains, 8);
  ASSERT_TRUE(std::holds_alternative<PackedWeights>(contract.b));
  EXPECT_TRUE(std::get<PackedWeights>(contract.b).has_bias);
  EXPECT_FALSE(contract.bias.has_value());
  EXPECT_THAT(plan.kernels[0].sources, ElementsAre("dense", "relu", "residual"));
  EXPECT_THAT(arena_buffers(plan), IsEmpty());
  EXPECT_EQ(plan.workspace_bytes, Dim(0));
}

TEST(Fusion, WeightsOfTheCallerAreReadWhereTheyLie) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3] = input "x"
    %w: f32[5, 3] = input "w"
    %b: f32[5] = input "b"
    %t = transpose(%w) {perm = [1, 0]}
    %p = matmul(%x, %t, %b) {chains = 8} "dense"
    return "y" = %p
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("contract dense [N, 5]"));
  const auto& contract = work_of<Contract>(plan, 0);
  ASSERT_TRUE(std::holds_alternative<View>(contract.b));
  EXPECT_THAT(std::get<View>(contract.b).strides, ElementsAre(Dim(0), Dim(3), Dim(1)));
  EXPECT_TRUE(contract.bias.has_value());
  EXPECT_TRUE(plan.weights.empty());
}

TEST(Fusion, AValueThatIsNeededElsewhereIsComputedOnceAndStored) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3] = input "x"
    %w: f32[3, 3] = constant {1, 2, 3, 4, 5, 6, 7, 8, 9}
    %p = matmul(%x, %w) {chains = 8} "first"
    %t = tanh(%p) "activation"
    %q = matmul(%t, %w) {chains = 8} "second"
    %y = add(%q, %t) "sum"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("contract first [N, 3]", "contract second [N, 3]"));
  EXPECT_EQ(ops_of(work_of<Contract>(plan, 0).epilogue), "tanh");
  EXPECT_EQ(ops_of(work_of<Contract>(plan, 1).epilogue), "add");
  EXPECT_THAT(arena_buffers(plan), ElementsAre("activation"));
}

TEST(Fusion, OtherPointsAreAnotherKernel) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 1] = input "x"
    %w: f32[1, 1] = constant {3}
    %wide: f32[N, 4] = input "wide"
    %p = matmul(%x, %w) {chains = 16} "dense"
    %y = mul(%p, %wide) "outer"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("contract dense [N, 1]", "map outer [N, 4]"));
  const auto& map = work_of<Map>(plan, 1);
  ASSERT_EQ(map.loads.size(), 2u);
  EXPECT_THAT(map.loads[0].strides, ElementsAre(Dim(1), Dim(0)));
}

TEST(Fusion, SoftmaxIsOneKernelOfThreeStages) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 10] = input "x"
    %one: f32[] = constant {1}
    %m = reduce_max(%x) {axes = [1], keep_dims = true, order = "lanes"} "softmax"
    %d = sub(%x, %m) "softmax"
    %e = exp(%d) "softmax"
    %s = reduce_sum(%e) {axes = [1], keep_dims = true, order = "lanes"} "softmax"
    %r = div(%one, %s) "softmax"
    %y = mul(%e, %r) "softmax"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("reduce softmax [N, 10]"));
  const auto& row = work_of<Row>(plan, 0);
  ASSERT_EQ(row.stages.size(), 3u);
  ASSERT_TRUE(row.stages[0].reduction.has_value());
  EXPECT_EQ(row.stages[0].reduction->op, ReduceOp::max);
  ASSERT_TRUE(row.stages[1].reduction.has_value());
  EXPECT_EQ(row.stages[1].reduction->op, ReduceOp::sum);
  EXPECT_TRUE(row.stages[1].keep.has_value()) << "exp is computed once per element";
  EXPECT_EQ(ops_of(row.stages[1].body), "sub exp");
  EXPECT_FALSE(row.stages[2].reduction.has_value());
  EXPECT_EQ(ops_of(row.stages[2].body), "div mul");
  EXPECT_EQ(row.stages[2].stores.size(), 1u);
  EXPECT_THAT(arena_buffers(plan), IsEmpty());
  EXPECT_EQ(plan.workspace_bytes, Dim(40)) << "one row, whatever N is";
}

TEST(Fusion, SumsOfOtherAxesGoInOrderOverAPermutedSpace) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[4, N, 6] = input "x"
    %a = abs(%x) "size"
    %s = reduce_sum(%a) {axes = [0, 1], keep_dims = false, order = "index"} "total"
    %r = sqrt(%s) "root"
    return "y" = %r
  })");
  ASSERT_EQ(plan.kernels.size(), 1u);
  EXPECT_EQ(plan.kernels[0].name, "total");
  const auto& reduce = work_of<OrderedReduce>(plan, 0);
  EXPECT_EQ(reduce.op, ReduceOp::sum);
  EXPECT_EQ(ops_of(reduce.body), "abs");
  EXPECT_EQ(ops_of(reduce.finish), "sqrt");
  // The kept axis first; [4, N], which are walked in memory order, behind it, as one.
  EXPECT_EQ(str(plan.kernels[0].space), "[6, 4*N]");
  EXPECT_EQ(reduce.reduced, 1u);
  ASSERT_EQ(reduce.loads.size(), 1u);
  EXPECT_THAT(reduce.loads[0].strides, ElementsAre(Dim(1), Dim(6)));
}

TEST(Fusion, AReductionLeavesAValueThatOthersReadToItsOwnKernel) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 6] = input "x"
    %a = abs(%x) "size"
    %s = reduce_sum(%a) {axes = [0], keep_dims = false, order = "index"} "total"
    return "y" = %s
    return "a" = %a
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map size [6*N]", "reduce total [6, N]"));
}

TEST(Fusion, OneHotIsComputedFromCoordinates) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %k: i32[N, 1] = input "k"
    %i = iota() {axis = 1, dtype = i32, shape = [N, 7]}
    %same = eq(%k, %i) "one_hot"
    %on: f32[] = constant {1}
    %off: f32[] = constant {0}
    %y = where(%same, %on, %off) "one_hot"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map one_hot [N, 7]"));
  const auto& map = work_of<Map>(plan, 0);
  ASSERT_EQ(map.loads.size(), 1u);
  EXPECT_EQ(plan.buffers[map.loads[0].buffer].name, "k");
  const auto index = std::find_if(map.body.steps.begin(), map.body.steps.end(),
                                  [](const Step& step) { return step.kind == Step::Kind::index; });
  ASSERT_NE(index, map.body.steps.end());
  EXPECT_EQ(index->index, 1u);
  EXPECT_TRUE(plan.weights.empty());
}

TEST(Fusion, BroadcastsAndSplatsAreNeverWrittenOut) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 4] = input "x"
    %row: f32[1, 4] = input "row"
    %half: f32[4] = constant splat 0.5
    %wide = broadcast(%row) {shape = [N, 4]}
    %a = mul(%x, %half) "scaled"
    %y = add(%a, %wide) "shifted"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map shifted [N, 4]"));
  const auto& map = work_of<Map>(plan, 0);
  ASSERT_EQ(map.loads.size(), 2u);
  EXPECT_THAT(map.loads[1].strides, ElementsAre(Dim(0), Dim(1)));
  EXPECT_TRUE(plan.weights.empty());
}

TEST(Fusion, SlicesAndTransposesAreStrides) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 8] = input "x"
    %odd = slice(%x) {size = [N, 4], start = [0, 7], step = [1, -2]}
    %turned = transpose(%odd) {perm = [1, 0]}
    %y = neg(%turned) "negated"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map negated [4, N]"));
  const auto& map = work_of<Map>(plan, 0);
  ASSERT_EQ(map.loads.size(), 1u);
  EXPECT_EQ(map.loads[0].offset, Dim(7));
  EXPECT_THAT(map.loads[0].strides, ElementsAre(Dim(-2), Dim(8)));
}

TEST(Fusion, ColumnsOfAWiderProductAreReadWhereTheyLie) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3, 2] = input "x"
    %w: f32[2, 12] = constant splat 2
    %y = matmul(%x, %w) {chains = 1} "both"
    %q = slice(%y) {size = [N, 3, 6], start = [0, 0, 0], step = [1, 1, 1]}
    %k = slice(%y) {size = [N, 3, 6], start = [0, 0, 6], step = [1, 1, 1]}
    %qh = reshape(%q) {shape = [N, 3, 2, 3]}
    %kh = reshape(%k) {shape = [N, 3, 2, 3]}
    %qt = transpose(%qh) {perm = [0, 2, 1, 3]}
    %kt = transpose(%kh) {perm = [0, 2, 3, 1]}
    %s = matmul(%qt, %kt) {chains = 1} "scores"
    return "s" = %s
  })");
  EXPECT_THAT(kernels_of(plan),
              ElementsAre("contract both [3*N, 12]", "contract scores [N, 2, 3, 3]"));
  const auto& scores = work_of<Contract>(plan, 1);
  EXPECT_THAT(scores.a.strides, ElementsAre(Dim(36), Dim(3), Dim(12), Dim(0), Dim(1)));
  EXPECT_EQ(std::get<View>(scores.b).offset, Dim(6));
}

TEST(Fusion, AReshapeOfStridesThatDoNotLieAsOneIsWrittenOut) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3, 4] = input "x"
    %half = slice(%x) {size = [N, 3, 2], start = [0, 0, 0], step = [1, 1, 1]}
    %flat = reshape(%half) {shape = [N, 6]} "flat"
    %y = neg(%flat) "negated"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map flat [3*N, 2]", "map negated [6*N]"));
}

TEST(Fusion, SizesAreNumbersToAKernel) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 4] = input "x"
    %n = dims() {values = [N]}
    %scalar = reshape(%n) {shape = []}
    %count = cast(%scalar) {to = f32} "count"
    %y = div(%x, %count) "mean"
    return "y" = %y
  })");
  ASSERT_FALSE(plan.kernels.empty());
  EXPECT_THAT(arena_buffers(plan), testing::SizeIs(plan.kernels.size() - 1));
  bool found = false;
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    for (const Step& step : work_of<Map>(plan, k).body.steps) {
      found = found || (step.kind == Step::Kind::dim && step.dim == Dim::symbol("N"));
    }
  }
  EXPECT_TRUE(found) << print(plan).text;
}

}  // namespace
}  // namespace ingot::plan
