// SPDX-License-Identifier: Apache-2.0
// Tensors in files of their own, as ONNX's test suites and our reference data keep them: the bytes
// of a file are one serialized TensorProto.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/expected.h"
#include "ir/tensor.h"

namespace ingot {

struct NamedTensor {
  std::string name;  // may be empty
  Tensor tensor;
};

/// Errors: unsupported for strings, complex numbers and floats of less than 16 bits; invalid_model
/// for bytes that are no TensorProto (a SequenceProto, say), or fewer than the shape asks for.
Expected<NamedTensor> read_tensor_proto(std::span<const std::byte> bytes);

}  // namespace ingot
