// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tensor in a file of its own.
#include "import/onnx/tensor_file.h"
#include "target.h"

namespace ingot::fuzz {
namespace {

void read_tensor(Bytes data) {
  const auto tensor = read_tensor_proto(std::as_bytes(data));
  // A tensor must not be larger than its file can fill.
  if (tensor && tensor->tensor.bytes().size() > 16 * data.size() + 64) stop("memory from nothing");
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(tensor, ingot::fuzz::read_tensor)

#ifdef INGOT_LIBFUZZER
#include "message_format.h"

ingot::fuzz::MessageFormat ingot::fuzz::message_format() {
  return {"onnx",
          "TensorProto",
          {{{"StringStringEntryProto.key", {"location", "offset", "length"}}}, {}, {}},
          nullptr};
}
#endif
