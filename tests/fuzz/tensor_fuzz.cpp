// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tensor in a file of its own.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "import/onnx/tensor_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensor = ingot::read_tensor_proto({reinterpret_cast<const std::byte*>(data), size});
  // A tensor must not be larger than its file can fill.
  if (tensor && tensor->tensor.bytes().size() > 16 * size + 64) std::abort();
  return 0;
}
