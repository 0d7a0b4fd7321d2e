// SPDX-License-Identifier: Apache-2.0
// Compact kernels: each point is written where the next one that is true belongs, and counts if it
// is true, so that there is no branch to guess. Sequential, because a place depends on all before.
#include "target/kernels.h"
#include "target/points.h"

namespace ingot::target {

using llvm::Value;

void emit_compact(Emitter& e, const plan::Kernel& kernel, const plan::Compact& compact) {
  llvm::IRBuilder<>& b = e.build;
  Points points(e, 0);
  Value* extent = e.dim(kernel.space[0]);
  Value* stride = e.dim(compact.places.strides[0]);
  Value* places = e.address(compact.places, {e.number(0)});
  Value* count = e.address(compact.count, {e.number(0)});
  const auto last = static_cast<std::uint32_t>(compact.body.steps.size() - 1);
  const Lanes one = e.all_lanes(1);
  auto put = [&](Value* at, Value* value) {
    e.store(DType::i64, value, e.advance(places, e.mul(at, stride), DType::i64), e.number(1), one);
  };
  const Emitter::Values found = e.loop(
      e.number(0), extent, 1, {e.number(0)},
      [&](Value* i, const Emitter::Values& carried) -> Emitter::Values {
        Value* truth = points.evaluate(compact.body, compact.loads, {last}, {i}, one)[last];
        // No more were found than looked at: the place is one of the kernel's.
        put(carried[0], i);
        return {e.add(carried[0], b.CreateZExt(truth, b.getInt64Ty()))};
      },
      "find");
  e.loop(found[0], extent, 1, [&](Value* i) { put(i, e.number(0)); }, "rest");
  e.store(DType::i64, found[0], count, e.number(1), one);
}

}  // namespace ingot::target
