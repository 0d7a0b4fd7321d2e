// SPDX-License-Identifier: Apache-2.0
// TensorProto, in all its encodings, to Tensor.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "import/onnx/onnx.pb.h"
#include "ir/tensor.h"

namespace ingot::onnx {

/// ONNX's number of an element type. Errors: unsupported for those that Ingot has not.
Expected<DType> to_dtype(std::int32_t data_type);

/// Where external data may lie: the model's own folder; empty when it is not known.
struct ExternalFolder {
  std::filesystem::path path;
  std::function<void(const std::string& path)> on_read = {};  // told of each file that is read
};

/// Nothing is allocated before the declared size is compared with the bytes that are there.
Expected<Tensor> to_tensor(const TensorProto& proto, const ExternalFolder& folder);

}  // namespace ingot::onnx
