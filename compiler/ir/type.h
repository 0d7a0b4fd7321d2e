// SPDX-License-Identifier: Apache-2.0
// What is known of a value before it is computed: element type and shape.
#pragma once

#include <string>

#include "ir/dim.h"
#include "ir/dtype.h"

namespace ingot {

/// Of any value; models have at most a dozen axes, damaged files millions.
inline constexpr std::size_t max_rank = 64;

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;

  std::size_t rank() const { return shape.size(); }
  Dim elements() const { return product(shape); }
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// `f32[N, 64]`
inline std::string str(const TensorType& type) {
  return std::string(name(type.dtype)) + str(type.shape);
}

}  // namespace ingot
