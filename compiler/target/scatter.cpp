// SPDX-License-Identifier: Apache-2.0
// Scatter kernels: updates go to where indices say, one after the other, because two may go to the
// same place. Lanes are the elements of one entry, which all have one index.
#include <algorithm>

#include "target/kernels.h"
#include "target/points.h"
#include "target/space.h"

namespace ingot::target {
namespace {

using llvm::Value;
using plan::Scatter;

class ScatterWriter {
 public:
  ScatterWriter(Emitter& e, const plan::Kernel& kernel, const Scatter& scatter)
      : e_(e),
        scatter_(scatter),
        space_(kernel.space),
        axis_(space_.empty() ? 0 : space_.size() - 1),
        points_(e, axis_),
        dtype_(e.dtype(scatter.target)) {}

  void write() {
    const bool entries = !space_.empty() && !scatter_.target.strides[axis_].is(0) &&
                         !points_.varies(scatter_.body, scatter_.loads, scatter_.index);
    std::vector<Value*> extents;
    for (std::size_t d = 0; d < space_.size() - (entries ? 1 : 0); ++d)
      extents.push_back(e_.dim(space_[d]));
    e_.loops(extents, [&](const std::vector<Value*>& outer) {
      std::vector<Value*> point = outer;
      if (!entries) {
        put(point, index(point), e_.all_lanes(1));
        return;
      }
      point.push_back(e_.number(0));
      Value* extent = e_.dim(space_[axis_]);
      // An entry of no elements has no index.
      e_.when(e_.build.CreateICmpSGT(extent, e_.number(0)), [&] {
        Value* chosen = index(point);
        emit_blocks(e_, extent, pick_lanes(e_, BodyInfo(scatter_.body).widest, space_[axis_]), 1,
                    can_mask(), [&](Value* first, const std::vector<Lanes>& block) {
                      point[axis_] = first;
                      put(point, chosen, block[0]);
                    });
      });
    });
  }

 private:
  bool can_mask() const {
    return std::all_of(scatter_.loads.begin(), scatter_.loads.end(),
                       [&](const plan::View& view) { return e_.can_mask(e_.dtype(view)); }) &&
           e_.can_mask(dtype_);
  }

  Emitter::Values evaluate(std::uint32_t step, const std::vector<Value*>& point,
                           const Lanes& lanes) {
    return points_.evaluate(scatter_.body, scatter_.loads, {step}, point, lanes);
  }

  Value* index(const std::vector<Value*>& point) {
    const Lanes one = e_.all_lanes(1);
    Value* index = evaluate(scatter_.index, point, one)[scatter_.index];
    return e_.checked_index(
        index, e_.dim(scatter_.size), one, [&] { return e_.position(point); },
        [&] { return e_.number(1); });
  }

  void put(const std::vector<Value*>& point, Value* index, const Lanes& lanes) {
    Value* update = evaluate(scatter_.update, point, lanes)[scatter_.update];
    Value* target = e_.advance(e_.address(scatter_.target, point),
                               e_.mul(index, e_.dim(scatter_.target.strides.back())), dtype_);
    Value* stride = space_.empty() ? e_.number(0) : e_.dim(scatter_.target.strides[axis_]);
    if (scatter_.combine) {
      Value* before = e_.load(dtype_, target, stride, lanes);
      update = e_.from_compute(
          dtype_, e_.combine(*scatter_.combine, Emitter::compute_type(dtype_),
                             e_.to_compute(dtype_, before), e_.to_compute(dtype_, update)));
    }
    e_.store(dtype_, update, target, stride, lanes);
  }

  Emitter& e_;
  const Scatter& scatter_;
  const std::vector<Dim>& space_;
  std::size_t axis_;
  Points points_;
  DType dtype_;
};

}  // namespace

void emit_scatter(Emitter& e, const plan::Kernel& kernel, const Scatter& scatter) {
  ScatterWriter(e, kernel, scatter).write();
}

}  // namespace ingot::target
