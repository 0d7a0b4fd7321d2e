// SPDX-License-Identifier: Apache-2.0
// How products are summed, which is part of their meaning (docs/numerics.md).
#pragma once

#include "ir/type.h"

namespace ingot::ops {

/// The number of interleaved chains of matmul(a, b). 1 where the product has rows of its own
/// besides the batch (they hide the latency of a chain), and for a symbolic width; else from the
/// width alone: 16 up to four columns, which are vectors along k; wider, so that eight vectors are
/// under way. Importers set the attribute `chains`
/// to this once; no pass changes it.
std::int64_t matmul_chains(const TensorType& a, const TensorType& b);

}  // namespace ingot::ops
