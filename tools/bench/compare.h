// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ir/tensor.h"
#include "report.h"

namespace ingot::bench {

/// Sets the result's `agreement` and `difference`: what an engine got beside what the first one
/// got. `bits`: they have to be the same bits, as those of Ingot's own variants.
void compare(const std::vector<Tensor>& got, const std::vector<Tensor>& reference, bool bits,
             Result& result);

}  // namespace ingot::bench
