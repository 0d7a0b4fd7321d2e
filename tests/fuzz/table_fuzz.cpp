// SPDX-License-Identifier: Apache-2.0
// Indexes of checkpoints. Checksums would keep random bytes from everything that they guard, so all
// inputs but those that begin with a 0 are put behind good ones first.
#include "import/saved_model/checkpoint.h"
#include "import/saved_model/crc32c.h"
#include "import/saved_model/table.h"
#include "target.h"

namespace ingot::fuzz {
namespace {

using namespace ingot::tensorflow;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 128; value >>= 7) text += static_cast<char>(value | 0x80U);
  return text + static_cast<char>(value);
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string block(std::string payload, char type) {
  payload += type;
  return payload + number(masked(crc32c(bytes(payload))), 4);
}

/// A file of one block and its index, either of which may be given.
std::string file_of(const std::string& data, const std::string* index = nullptr) {
  const std::string handle = varint(0) + varint(data.size() - 5);
  const std::string entry = std::string("\0\1", 2) + varint(handle.size()) + "k" + handle;
  const std::string listed = block(index ? *index : entry + number(0, 4) + number(1, 4), 0);
  std::string footer = varint(0) + varint(0) + varint(data.size()) + varint(listed.size() - 5);
  footer.resize(40);
  return data + listed + footer + number(0xdb4775248b80fb57, 8);
}

void read(const std::string& file) {
  const auto table = read_table(bytes(file));
  if (!table) return;
  std::size_t size = 0;
  for (const TableEntry& entry : *table) size += entry.key.size() + entry.value.size();
  if (size > 64 * (file.size() + 1024)) stop("memory from nothing");
  auto checkpoint = Checkpoint::read(bytes(file), "/nonexistent/variables");
  if (!checkpoint) return;
  for (const TableEntry& entry : *table) {
    if (entry.key.empty()) continue;
    // There are no data files, so that only what has no bytes can be read.
    const auto tensor = checkpoint->tensor(entry.key);
    if (tensor && tensor->elements() != 0) stop("a tensor without a file");
    (void)checkpoint->strings(entry.key);
    (void)checkpoint->nearest(entry.key);
  }
}

void read_index(Bytes data) {
  if (data.empty()) return;
  const std::string rest(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  switch (data[0] % 5) {
    case 0:  // a whole file
      return read(rest);
    case 1:  // what a block holds
      return read(file_of(block(rest, 0)));
    case 2:  // what unpacks to it
      return read(file_of(block(rest, 1)));
    case 3:  // what the index of blocks holds
      return read(file_of(block(number(0, 4) + number(1, 4), 0), &rest));
    default: {  // strings: how many, their checksum's place, and what is stored
      const std::string_view text(rest);
      if (text.empty()) return;
      const auto count = static_cast<std::uint8_t>(text[0]);
      (void)decode_strings(bytes(text.substr(1)), count, masked(crc32c(bytes(text.substr(1)))));
    }
  }
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(table, ingot::fuzz::read_index)
