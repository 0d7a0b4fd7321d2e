// SPDX-License-Identifier: Apache-2.0
// Rows about places that stand in files of their own.
#pragma once

#include "import/onnx/node.h"

namespace ingot::onnx {

Results scatter_nd(OnnxNode& n);
/// Scatter, which is older, too.
Results scatter_elements(OnnxNode& n);
Results nonzero(OnnxNode& n);
Results compress(OnnxNode& n);
Results non_max_suppression(OnnxNode& n);
Results unique(OnnxNode& n);

}  // namespace ingot::onnx
