// SPDX-License-Identifier: Apache-2.0
// Any bytes as a frozen TensorFlow graph. What imports must be sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "import/import.h"
#include "import/tensorflow/graphdef.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = ingot::import_graphdef({reinterpret_cast<const std::byte*>(data), size}, {});
  if (graph && !ingot::verify(*graph)) std::abort();
  return 0;
}
