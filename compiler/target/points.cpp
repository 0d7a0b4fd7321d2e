// SPDX-License-Identifier: Apache-2.0
#include "target/points.h"

#include <algorithm>

#include "target/gathers.h"

namespace ingot::target {

using llvm::Value;
using plan::View;

Emitter::Values Points::evaluate(const plan::Body& body, const std::vector<View>& loads,
                                 const std::vector<std::uint32_t>& results,
                                 const std::vector<Value*>& point, const Lanes& lanes,
                                 const Scalars& scalars) {
  Gathers gathers(
      body, loads, results, [&](const View& view) { return !stride(view).is(0); },
      [&](std::uint32_t axis) { return axis == axis_; });
  Gathers::Lane lane;
  lane.address = [&](const View& view) { return e_.address(view, point); };
  lane.stride = [&](const View& view) { return e_.dim(stride(view)); };
  lane.position = [&] { return e_.position(point); };
  lane.step = [&] {
    Dim step = 1;
    for (std::size_t d = axis_ + 1; d < e_.kernel().space.size(); ++d) step *= e_.kernel().space[d];
    return e_.dim(step);
  };
  const Lanes one = e_.all_lanes(1);
  gathers.choose_rows(e_, leaves(loads, point, one, scalars), lane);
  Leaves leaves = this->leaves(loads, point, lanes, scalars);
  gathers.complete(e_, leaves, lanes, lane);
  return e_.body(body, lanes.count, leaves, &gathers.in_lanes());
}

bool Points::varies(const plan::Body& body, const std::vector<View>& loads,
                    std::uint32_t step) const {
  using Kind = plan::Step::Kind;
  const plan::Step& what = body.steps[step];
  if (what.kind == Kind::index) return what.index == axis_;
  if (what.kind == Kind::scalar) return true;
  const bool reads = what.kind == Kind::load || what.kind == Kind::gather;
  if (reads && !stride(loads[what.index]).is(0)) return true;
  return std::any_of(what.operands.begin(), what.operands.end(),
                     [&](std::uint32_t operand) { return varies(body, loads, operand); });
}

/// Refers to its arguments: for use within the statement.
Leaves Points::leaves(const std::vector<View>& views, const std::vector<Value*>& point,
                      const Lanes& lanes, const Scalars& scalars) {
  Leaves leaves;
  leaves.load = [this, &views, &point, &lanes](std::uint32_t i) {
    return e_.load(e_.dtype(views[i]), e_.address(views[i], point), e_.dim(stride(views[i])),
                   lanes);
  };
  leaves.index = [this, &point, &lanes](std::uint32_t axis) -> Value* {
    Value* value = e_.splat(point[axis] == nullptr ? e_.number(0) : point[axis], lanes.count);
    if (axis != axis_ || lanes.count == 1) return value;
    std::vector<llvm::Constant*> steps;
    for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(e_.build.getInt64(i));
    return e_.build.CreateAdd(value, llvm::ConstantVector::get(steps));
  };
  leaves.scalar = [&scalars](std::uint32_t stage) { return scalars(stage); };
  return leaves;
}

}  // namespace ingot::target
