// SPDX-License-Identifier: Apache-2.0
// What gather asks of its attributes, for whoever reads them.
#pragma once

#include "ir/attributes.h"

namespace ingot::ops {

/// How many leading axes data and indices have in common; none where the attribute is missing.
std::size_t batch_axes(const Attributes& attributes);

}  // namespace ingot::ops
