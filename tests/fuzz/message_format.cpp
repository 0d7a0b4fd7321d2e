// SPDX-License-Identifier: Apache-2.0
// libFuzzer's hooks for targets that read protobuf messages.
#include "message_format.h"

#include <fmt/format.h>

#include <cstring>

namespace ingot::fuzz {
namespace {

const MessageFormat& format() {
  static const MessageFormat given = message_format();
  return given;
}

MessageMutator& mutator() {
  static MessageMutator made(fmt::format("{}/{}.descriptor", INGOT_SCHEMAS, format().schema),
                             format().root, format().words);
  return made;
}

}  // namespace
}  // namespace ingot::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  using namespace ingot::fuzz;
  size = mutator().mutate(data, size, max_size, seed);
  if (format().mended == nullptr || seed % 8 == 0) return size;
  const std::string mended = format().mended(data, size, seed);
  if (mended.empty() || mended.size() > max_size) return size;
  std::memcpy(data, mended.data(), mended.size());
  return mended.size();
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t max_size,
                                                 unsigned seed) {
  return ingot::fuzz::mutator().cross(a, a_size, b, b_size, out, max_size, seed);
}
