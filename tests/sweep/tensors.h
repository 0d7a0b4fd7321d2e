// SPDX-License-Identifier: Apache-2.0
// Inputs for sweeps and fuzzers, and how results are compared.
#pragma once

#include <cstdint>
#include <string>

#include "ir/tensor.h"

namespace ingot::sweep {

/// A tensor of random numbers, row by row of the leading axis: most rows moderate; with `wild`,
/// every eighth holds numbers of all magnitudes, every eighth special ones too.
Tensor random_rows(const TensorType& type, const SymbolValues& symbols, bool wild,
                   std::uint64_t seed);

/// Sets an element of a tensor of floats, of whatever width; false for other types.
bool set_real(Tensor& tensor, std::int64_t i, double real);

/// Empty, or the first element that differs in its bits; NaN is NaN.
std::string different_bits(const Tensor& got, const Tensor& wanted);

}  // namespace ingot::sweep
