// SPDX-License-Identifier: Apache-2.0
#include "ops/common.h"

#include <algorithm>

namespace ingot::ops {

Expected<Shape> broadcast_shapes(const InferContext& context, const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim x = i < rank - a.size() ? Dim(1) : a[i - (rank - a.size())];
    const Dim y = i < rank - b.size() ? Dim(1) : b[i - (rank - b.size())];
    if (x.is(1)) {
      result[i] = y;
    } else {
      if (!y.is(1)) INGOT_TRY(context.require_equal(x, y));
      // Of two equal sizes the known number says more than the symbol.
      result[i] = y.value() && !y.is(1) ? y : x;
    }
  }
  return result;
}

std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

std::vector<std::int64_t> broadcast_strides(const std::vector<std::int64_t>& shape,
                                            const std::vector<std::int64_t>& result) {
  const std::vector<std::int64_t> dense = dense_strides(shape);
  std::vector<std::int64_t> strides(result.size(), 0);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) strides[d + result.size() - shape.size()] = dense[d];
  }
  return strides;
}

void Walk::next() {
  for (std::size_t d = shape_.size(); d-- > 0;) {
    for (std::size_t s = 0; s < strides_.size(); ++s) offsets_[s] += strides_[s][d];
    if (++index_[d] < shape_[d]) return;
    for (std::size_t s = 0; s < strides_.size(); ++s) offsets_[s] -= strides_[s][d] * shape_[d];
    index_[d] = 0;
  }
}

}  // namespace ingot::ops
