// SPDX-License-Identifier: Apache-2.0
// Numbers of 7 bits a byte, low bits first, as LevelDB and protobuf write them.
#pragma once

#include <cstdint>
#include <string_view>

namespace ingot::tensorflow {

class Varints {
 public:
  explicit Varints(std::string_view bytes) : rest_(bytes) {}

  /// 0, and failed, where the bytes end within a number or it has more than 64 bits.
  std::uint64_t next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      if (shift == 63 && byte > 1) break;
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  bool failed() const { return failed_; }
  /// What follows the numbers that were read.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace ingot::tensorflow
