// SPDX-License-Identifier: Apache-2.0
// Constant data with addresses in it, before there is an object file: what write/ makes of a
// model's descriptor and target/ turns into one global constant, so that neither knows the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ingot {

/// A 64-bit little-endian address to be put into a blob. The eight bytes at `offset`, a multiple of
/// eight, are zero until then.
struct Relocation {
  std::uint64_t offset = 0;
  /// What the address is counted from: the blob's own start if empty, else a name in the object.
  std::string symbol;
  std::uint64_t addend = 0;
  friend bool operator==(const Relocation&, const Relocation&) = default;
};

struct ConstantBlob {
  /// The name of its first byte in the object. The only name of a model's object that is global.
  std::string name;
  std::uint64_t alignment = 8;
  std::vector<std::byte> bytes;
  std::vector<Relocation> relocations;  // sorted by offset, no two overlap
  /// From here on there are texts and no addresses: they need not lie beside the rest, but in
  /// memory that processes share.
  std::uint64_t texts = UINT64_MAX;
};

}  // namespace ingot
