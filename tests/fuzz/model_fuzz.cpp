// SPDX-License-Identifier: Apache-2.0
// Any bytes as a model file: ONNX, GraphDef or text, as recognised. What imports must be sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "import/import.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = ingot::import_model({reinterpret_cast<const std::byte*>(data), size}, {});
  if (graph && !ingot::verify(*graph)) std::abort();
  return 0;
}
