// SPDX-License-Identifier: Apache-2.0
// A fuzzer's input, read as decisions. What it says first matters most; behind its end come random
// numbers that follow from nothing but its length, so that the same input is always the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace ingot::fuzz {

class InputBytes {
 public:
  InputBytes(const std::uint8_t* data, std::size_t size)
      : data_(data), size_(size), random_(size) {}

  bool empty() const { return at_ == size_; }
  std::uint8_t byte() { return at_ < size_ ? data_[at_++] : static_cast<std::uint8_t>(random_()); }
  std::uint64_t word() {
    std::uint64_t result = 0;
    for (int i = 0; i < 8; ++i) result = result << 8 | byte();
    return result;
  }
  /// In [0, n). Needs: 0 < n.
  std::uint64_t below(std::uint64_t n) {
    if (n <= 256) return byte() % n;
    return (static_cast<std::uint64_t>(byte()) << 8 | byte()) % n;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
  std::mt19937_64 random_;
};

}  // namespace ingot::fuzz
