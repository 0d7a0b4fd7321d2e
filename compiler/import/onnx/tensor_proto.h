// SPDX-License-Identifier: Apache-2.0
// TensorProto, in all its encodings, to Tensor.
#pragma once

#include <filesystem>

#include "import/onnx/onnx.pb.h"
#include "ir/tensor.h"

namespace ingot::onnx {

/// ONNX's number of an element type. Errors: unsupported for those that Ingot has not.
Expected<DType> to_dtype(std::int32_t data_type);

/// `folder` is where external data may lie: the model's own folder; empty when it is not known.
/// Nothing is allocated before the declared size is compared with the bytes that are there.
Expected<Tensor> to_tensor(const TensorProto& proto, const std::filesystem::path& folder);

}  // namespace ingot::onnx
