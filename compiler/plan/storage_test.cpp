// SPDX-License-Identifier: Apache-2.0
// Where values lie: in the caller's memory, inside a concatenation, or in bytes that another value
// has left.
#include "plan/storage.h"

#include <gmock/gmock.h>

#include "plan/arena.h"
#include "plan/planned.h"

namespace ingot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const View& store_of(const Plan& plan, std::size_t kernel) {
  return work_of<Map>(plan, kernel).stores.at(0).view;
}

TEST(Storage, PartsOfAConcatenationAreComputedInPlace) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3] = input "x"
    %z: f32[N, 5] = input "z"
    %a = neg(%x) "a"
    %b = abs(%z) "b"
    %y = concat(%a, %b) {axis = 1} "join"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map a [N, 3]", "map b [N, 5]"));
  EXPECT_EQ(plan.buffers[store_of(plan, 0).buffer].kind, Buffer::Kind::output);
  EXPECT_EQ(store_of(plan, 0).offset, Dim(0));
  EXPECT_THAT(store_of(plan, 0).strides, ElementsAre(Dim(8), Dim(1)));
  EXPECT_EQ(store_of(plan, 1).buffer, store_of(plan, 0).buffer);
  EXPECT_EQ(store_of(plan, 1).offset, Dim(3));
  EXPECT_THAT(store_of(plan, 1).strides, ElementsAre(Dim(8), Dim(1)));
  EXPECT_EQ(plan.workspace_bytes, Dim(0));
}

TEST(Storage, AConcatenationInsideAnotherStandsInIt) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2] = input "x"
    %a = neg(%x) "a"
    %b = abs(%x) "b"
    %c = exp(%x) "c"
    %inner = concat(%b, %c) {axis = 1} "inner"
    %y = concat(%a, %inner) {axis = 1} "outer"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map a [N, 2]", "map b [N, 2]", "map c [N, 2]"));
  EXPECT_EQ(store_of(plan, 0).offset, Dim(0));
  EXPECT_EQ(store_of(plan, 1).offset, Dim(2));
  EXPECT_EQ(store_of(plan, 2).offset, Dim(4));
  EXPECT_EQ(plan.workspace_bytes, Dim(0));
}

TEST(Storage, AConcatenationThatIsReadElsewhereTooIsCopiedOnce) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2] = input "x"
    %a = neg(%x) "a"
    %b = abs(%x) "b"
    %c = exp(%x) "c"
    %inner = concat(%b, %c) {axis = 1} "inner"
    %y = concat(%a, %inner) {axis = 1} "outer"
    %z = tanh(%inner) "z"
    return "y" = %y
    return "z" = %z
  })");
  EXPECT_THAT(kernels_of(plan), ElementsAre("map a [N, 2]", "map b [N, 2]", "map c [N, 2]",
                                            "map outer [N, 4]", "map z [4*N]"));
  EXPECT_EQ(store_of(plan, 0).offset, Dim(0));
  EXPECT_EQ(store_of(plan, 3).offset, Dim(2));
  EXPECT_THAT(arena_buffers(plan), ElementsAre("inner"));
}

TEST(Storage, AReshapeThatIsWrittenOutIsCopiedIntoItsPart) {
  // Three of four columns, two by two, are no strides of x: written out densely, in x's order.
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2, 4] = input "x"
    %z: f32[N, 3, 2] = input "z"
    %some = slice(%x) {size = [N, 2, 3], start = [0, 0, 1], step = [1, 1, 1]}
    %pairs = reshape(%some) {shape = [N, 3, 2]} "pairs"
    %y = concat(%pairs, %z) {axis = 2} "join"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan),
              ElementsAre("map pairs [2*N, 3]", "map join [3*N, 2]", "map join_2 [3*N, 2]"));
  EXPECT_EQ(plan.buffers[store_of(plan, 0).buffer].kind, Buffer::Kind::arena);
  EXPECT_THAT(store_of(plan, 1).strides, ElementsAre(Dim(4), Dim(1)));
}

TEST(Storage, WhatIsAPartTwiceIsCopiedOnce) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2] = input "x"
    %a = neg(%x) "a"
    %y = concat(%a, %a, %x) {axis = 1} "join"
    return "y" = %y
  })");
  EXPECT_THAT(kernels_of(plan),
              ElementsAre("map a [N, 2]", "map join [N, 2]", "map join_2 [N, 2]"));
  EXPECT_EQ(store_of(plan, 0).offset, Dim(0));
  EXPECT_EQ(store_of(plan, 1).offset, Dim(2));
  EXPECT_EQ(store_of(plan, 2).offset, Dim(4));
  EXPECT_EQ(plan.workspace_bytes, Dim(0));
}

TEST(Storage, AResultTakesThePlaceOfAnOperandThatDies) {
  // Two products keep the pointwise nodes apart; the second result may lie where its operand lay.
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 4] = input "x"
    %w: f32[4, 4] = input "w"
    %p = matmul(%x, %w) {chains = 8} "p"
    %q = matmul(%x, %w) {chains = 4} "q"
    %s = add(%p, %q) "sum"
    %r = matmul(%s, %w) {chains = 8} "r"
    return "y" = %r
  })");
  EXPECT_THAT(kernels_of(plan),
              ElementsAre("contract p [N, 4]", "contract q [N, 4]", "contract r [N, 4]"));
  EXPECT_EQ(plan.workspace_bytes, Dim::symbol("N") * 16) << print(plan).text;
}

TEST(Storage, AProductNeverOverwritesWhatItMultiplies) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 4] = input "x"
    %w: f32[4, 4] = input "w"
    %p = matmul(%x, %w) {chains = 8} "p"
    %q = matmul(%p, %w) {chains = 8} "q"
    %s = add(%q, %p) "sum"
    %r = matmul(%s, %w) {chains = 8} "r"
    return "y" = %r
  })");
  EXPECT_EQ(plan.workspace_bytes, Dim::symbol("N") * 32) << print(plan).text;
}

TEST(Storage, OutputsThatNobodyComputesAreCopied) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2] = input "x"
    %c: f32[3] = constant {1, 2, 3}
    %s: f32[2, 2] = constant splat 4
    %t = tanh(%x) "t"
    return "input" = %x
    return "constant" = %c
    return "splat" = %s
    return "first" = %t
    return "second" = %t
    return "first" = %t
  })");
  ASSERT_EQ(plan.outputs.size(), 6u);
  std::vector<int> writers(plan.buffers.size());
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) ++writers[store_of(plan, k).buffer];
  for (const Plan::Port& output : plan.outputs) {
    EXPECT_EQ(plan.buffers[output.buffer].kind, Buffer::Kind::output);
    EXPECT_EQ(writers[output.buffer], 1) << output.name << "\n" << print(plan).text;
  }
  EXPECT_EQ(plan.workspace_bytes, Dim(0));
  EXPECT_EQ(plan.weights.size(), 64u) << "the vector only; a splat is no bytes";
}

TEST(Storage, EveryKernelHasANameOfItsOwn) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 2] = input "x"
    %c: f32[3] = constant {1, 2, 3}
    %w: f32[2, 2] = constant {1, 2, 3, 4}
    %a = matmul(%x, %w) {chains = 8} "dense"
    %b = matmul(%a, %w) {chains = 8} "dense"
    %d = matmul(%b, %w) {chains = 8} "dense_2"
    %e = matmul(%d, %w) {chains = 8}
    return "y" = %e
    return "vector" = %c
  })");
  std::vector<std::string> names;
  for (const Kernel& kernel : plan.kernels) names.push_back(kernel.name);
  EXPECT_THAT(names, ElementsAre("dense", "dense_3", "dense_2", testing::Not(testing::IsEmpty()),
                                 "vector"));
}

TEST(Storage, EqualConstantsAreOneBuffer) {
  const Plan plan = planned(R"(graph "g" fused {
    symbol N in [0, 1000]
    %x: f32[N, 3] = input "x"
    %c: f32[3] = constant {1, 2, 3}
    %d: f32[3] = constant {1, 2, 3}
    %a = mul(%x, %c) "a"
    %y = add(%a, %d) "y"
    return "y" = %y
  })");
  EXPECT_EQ(plan.weights.size(), 64u);
}

TEST(Storage, DenseStridesAreRowMajor) {
  const Dim n = Dim::symbol("N");
  EXPECT_THAT(dense_strides({n, 2, n, 5}), ElementsAre(n * 10, n * 5, Dim(5), Dim(1)));
  EXPECT_THAT(dense_strides({}), IsEmpty());
}

TEST(Arena, SizesStayAligned) {
  const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
  EXPECT_EQ(align_bytes(0), Dim(0));
  EXPECT_EQ(align_bytes(1), Dim(8));
  EXPECT_EQ(align_bytes(130), Dim(144));
  EXPECT_EQ(align_bytes(n * 4), n * 8);
  EXPECT_EQ(align_bytes(n * 40 + 3), n * 40 + 8);
  EXPECT_EQ(align_bytes(n * m * 4097), n * m * 4160);
}

TEST(Arena, RegionsThatNeverMeetShareBytes) {
  const SymbolRanges ranges{{"N", {0, 1000}}};
  const Dim n = Dim::symbol("N");
  std::vector<Region> regions{{n * 64, 0, 1, 0}, {n * 128, 1, 2, 0}, {n * 64, 2, 3, 0}};
  EXPECT_EQ(pack_arena(regions, ranges), n * 192);
  EXPECT_EQ(regions[0].offset, n * 128);
  EXPECT_EQ(regions[1].offset, Dim(0));
  EXPECT_EQ(regions[2].offset, n * 128);
}

TEST(Arena, NumbersArePackedTightly) {
  // Largest first leaves a hole of 32 under the last; another order does not.
  std::vector<Region> regions{{24, 0, 2, 0}, {40, 2, 3, 0}, {32, 0, 1, 0}, {16, 1, 3, 0}};
  EXPECT_EQ(least_arena(regions, {}), Dim(80));
  EXPECT_EQ(pack_arena(regions, {}), Dim(80));
}

TEST(Arena, SizesOfSeveralKindsNeverOverlap) {
  const SymbolRanges ranges{{"N", {0, 1000}}};
  const Dim n = Dim::symbol("N");
  std::vector<Region> regions{{n * 64, 0, 1, 0}, {256, 1, 2, 0}, {n * 64 + 8, 2, 3, 0}};
  const Dim total = pack_arena(regions, ranges);
  for (const std::int64_t size : {0, 1, 3, 4, 5, 1000}) {
    auto at = [&](const Dim& dim) { return *dim.evaluate({{"N", size}}); };
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_LE(at(regions[i].offset + regions[i].bytes), at(total));
      if (i == 1) continue;
      EXPECT_TRUE(at(regions[i].offset + regions[i].bytes) <= at(regions[1].offset) ||
                  at(regions[1].offset + regions[1].bytes) <= at(regions[i].offset));
    }
  }
}

TEST(Arena, WhichOfTwoIsLargerMayDependOnTheSizes) {
  const SymbolRanges ranges{{"M", {0, 1000}}, {"N", {0, 1000}}};
  const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
  EXPECT_EQ(larger(n * 2, n, ranges), n * 2);
  EXPECT_EQ(larger(n, m, ranges), Dim::max(n, m));
  EXPECT_EQ(larger(n + 2000, m, ranges), n + 2000);
}

}  // namespace
}  // namespace ingot::plan
