// SPDX-License-Identifier: Apache-2.0
// What a reshape makes of a view whose elements do not lie one after the other.
#pragma once

#include <optional>
#include <vector>

#include "ir/type.h"

namespace ingot::plan {

/// The strides by which a tensor of shape `from`, walked by `strides`, is walked as one of shape
/// `to`, which has as many elements: an axis may be split, and axes joined that lie as one. None
/// where elements would have to be moved. Axes of size 1 have stride 0.
std::optional<std::vector<Dim>> reshaped_strides(const Shape& from, const std::vector<Dim>& strides,
                                                 const Shape& to);

}  // namespace ingot::plan
