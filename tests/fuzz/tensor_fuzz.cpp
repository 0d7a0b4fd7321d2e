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
#include "message_mutator.h"

namespace {

ingot::fuzz::MessageMutator& mutator() {
  static ingot::fuzz::MessageMutator made(
      INGOT_SCHEMAS "/onnx.descriptor", "TensorProto",
      {{{"StringStringEntryProto.key", {"location", "offset", "length"}}}, {}, {}});
  return made;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return mutator().mutate(data, size, max_size, seed);
}
#endif
