// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <bit>

namespace ingot::tensorflow {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  constexpr std::size_t most = std::size_t{1} << 30;  // the library counts in int
  std::uint32_t crc = ~before;
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(bytes.size(), most));
    // It only reads, but takes no pointer to const.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
    crc = crc32_iscsi(data, static_cast<int>(part.size()), crc);
    bytes = bytes.subspan(part.size());
  }
  return ~crc;
}

std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8U; }

}  // namespace ingot::tensorflow
