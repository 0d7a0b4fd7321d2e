// SPDX-License-Identifier: Apache-2.0
// Results against references.
#pragma once

#include <optional>
#include <string>

#include "ir/tensor.h"

namespace ingot::tools {

/// None where all elements agree: |got - expected| <= atol + rtol * |expected|, or both NaN, or the
/// same infinity; and type and shape are the same. Else what is wrong, with the worst element.
std::optional<std::string> difference(const Tensor& got, const Tensor& expected, double rtol,
                                      double atol);

/// Of the element that is the farthest off in units of what is allowed: how far, and that. Infinite
/// where types differ.
struct Worst {
  double error = 0, of_tolerance = 0;
};
Worst worst(const Tensor& got, const Tensor& expected, double rtol, double atol);

/// The same as a number, to see which of two results is nearer: 0 where all agree, else the number
/// of elements that differ and a fraction for the worst; infinite where types differ.
double disagreement(const Tensor& got, const Tensor& expected, double rtol, double atol);

}  // namespace ingot::tools
