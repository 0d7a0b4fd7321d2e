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

/// Integers of 2 and 4 bits are held one in a byte, as i8 or u8, within their range. A graph does
/// not know them; the importer keeps account of which values they are.
enum class Narrow : std::uint8_t { none, u2, i2, u4, i4 };
Narrow narrow_of(std::int32_t data_type);
constexpr int bits_of(Narrow type) {
  return type == Narrow::none ? 0 : type == Narrow::u2 || type == Narrow::i2 ? 2 : 4;
}

/// Where external data may lie: the model's own folder; empty when it is not known.
struct ExternalFolder {
  std::filesystem::path path;
  std::function<void(const std::string& path)> on_read = {};  // told of each file that is read
};

/// Nothing is allocated before the declared size is compared with the bytes that are there.
Expected<Tensor> to_tensor(const TensorProto& proto, const ExternalFolder& folder);

}  // namespace ingot::onnx
