// SPDX-License-Identifier: Apache-2.0
// CRC-32C, as TensorFlow's checkpoints store it: of blocks, of tensors and of the lengths of
// strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ingot::tensorflow {

/// Of what `before` is the checksum of, followed by `bytes`.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// What files hold instead of a checksum, so that a checksum of bytes that hold one stays a good
/// one.
std::uint32_t masked(std::uint32_t crc);

}  // namespace ingot::tensorflow
