// SPDX-License-Identifier: Apache-2.0
// numpy's .npy files, versions 1 to 3: one tensor each, little-endian, C order.
#pragma once

#include <string>

#include "ir/tensor.h"

namespace ingot::tools {

/// Errors: io; invalid_argument for what is no such file or has elements that Ingot does not know.
Expected<Tensor> read_npy(const std::string& path);
/// bfloat16, which numpy does not have, is written as float32.
Expected<void> write_npy(const std::string& path, const Tensor& tensor);

}  // namespace ingot::tools
