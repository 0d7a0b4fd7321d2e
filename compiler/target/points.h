// SPDX-License-Identifier: Apache-2.0
// Evaluates bodies whose lanes run along one axis of a kernel's space, at any point of it.
#pragma once

#include "target/emitter.h"

namespace ingot::target {

class Points {
 public:
  /// `axis` is that of the lanes.
  Points(Emitter& emitter, std::size_t axis) : e_(emitter), axis_(axis) {}

  /// Step::scalar, by stage.
  using Scalars = std::function<llvm::Value*(std::uint32_t stage)>;
  /// The steps `results` of a body, and what they need, of the lanes from `point` on; null
  /// coordinates are 0.
  Emitter::Values evaluate(const plan::Body& body, const std::vector<plan::View>& loads,
                           const std::vector<std::uint32_t>& results,
                           const std::vector<llvm::Value*>& point, const Lanes& lanes,
                           const Scalars& scalars = {});
  /// Whether a step has several values along the lanes.
  bool varies(const plan::Body& body, const std::vector<plan::View>& loads,
              std::uint32_t step) const;

 private:
  /// From lane to lane; the one point of a space without axes has no other.
  Dim stride(const plan::View& view) const {
    return e_.kernel().space.empty() ? Dim(0) : view.strides[axis_];
  }
  Leaves leaves(const std::vector<plan::View>& views, const std::vector<llvm::Value*>& point,
                const Lanes& lanes, const Scalars& scalars);

  Emitter& e_;
  std::size_t axis_;
};

}  // namespace ingot::target
