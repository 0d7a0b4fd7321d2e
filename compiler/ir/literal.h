// SPDX-License-Identifier: Apache-2.0
// Numbers and strings as text, such that reading what was written gives the same bits.
#pragma once

#include <string>
#include <string_view>

#include "base/expected.h"
#include "ir/tensor.h"

namespace ingot {

/// The shortest decimal that reads back to the same bits; always with a point, an exponent or
/// letters, so that it cannot be taken for an integer. A NaN other than the usual one shows its
/// bits: `nan(0x7ff8000000000001)`.
std::string real_str(double value);
Expected<double> parse_real(std::string_view text);
Expected<std::int64_t> parse_integer(std::string_view text);

/// One element: `0.1`, `-0`, `inf`, `nan(0x7fc00001)`, `255`, `true`. It reads back through
/// parse_element under the same element type.
std::string element_str(const Tensor& tensor, std::int64_t index);
/// Sets an element of a tensor that is no splat. Errors: not a number of this type, or beyond it.
Expected<void> parse_element(std::string_view text, Tensor& tensor, std::int64_t index);

/// In double quotes; `"`, `\` and control characters escaped as \", \\, \n, \t, \xNN.
std::string quoted(std::string_view text);

}  // namespace ingot
