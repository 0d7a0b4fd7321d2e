// SPDX-License-Identifier: Apache-2.0
// The order of top_k, for whoever computes it element by element, and its row of the table.
#pragma once

#include <cmath>
#include <type_traits>
#include <vector>

#include "ir/op.h"

namespace ingot::ops {

/// Whether element a comes before element b: the greater first, or the smaller. NaN counts as
/// greater than every number. Zeros of either sign are equal, and so are all NaN: of equal elements
/// the one at the lower index comes first, which is for the caller to see to.
template <class T>
bool comes_before(T a, T b, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return largest ? std::isnan(a) && !std::isnan(b) : std::isnan(b) && !std::isnan(a);
    }
  }
  return largest ? a > b : a < b;
}

void add_top_k_op(std::vector<OpDef>& table);

}  // namespace ingot::ops
