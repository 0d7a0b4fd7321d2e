// SPDX-License-Identifier: Apache-2.0
// For tests: tables and checkpoints, written as TensorFlow does, and as it does not.
#pragma once

#include <gtest/gtest.h>
#include <snappy.h>

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "import/saved_model/checkpoint.h"
#include "import/saved_model/crc32c.h"

namespace ingot::tensorflow {

inline std::span<const std::byte> bytes_of_text(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string fixed32(std::uint32_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

inline std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 128; value >>= 7) text += static_cast<char>(value | 0x80U);
  return text + static_cast<char>(value);
}

/// A block with its trailer; `type` 1 packs it.
inline std::string table_block(std::string payload, char type = 0) {
  if (type == 1) {
    std::string packed;
    snappy::Compress(payload.data(), payload.size(), &packed);
    payload = packed;
  }
  payload += type;
  return payload + fixed32(masked(crc32c(bytes_of_text(payload))));
}

/// The entries of a block, of which each leaves out what it shares with the one before it.
inline std::string table_entries(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text, last;
  for (const auto& [key, value] : entries) {
    std::size_t shared = 0;
    while (shared < std::min(key.size(), last.size()) && key[shared] == last[shared]) ++shared;
    text += varint(shared) + varint(key.size() - shared) + varint(value.size());
    text += key.substr(shared) + value;
    last = key;
  }
  return text + fixed32(0) + fixed32(1);
}

/// A file of blocks that are given with their trailers.
inline std::string table_file(const std::vector<std::string>& blocks) {
  std::string file;
  std::vector<std::pair<std::string, std::string>> index;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    index.emplace_back("k" + std::to_string(i), varint(file.size()) + varint(blocks[i].size() - 5));
    file += blocks[i];
  }
  const std::string listed = table_block(table_entries(index));
  std::string footer = varint(0) + varint(0) + varint(file.size()) + varint(listed.size() - 5);
  footer.resize(40);
  return file + listed + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

/// Writes PREFIX.index and its data files into a folder of its own.
class CheckpointBuilder {
 public:
  explicit CheckpointBuilder(int shards = 1) : data(static_cast<std::size_t>(shards)) {
    auto made = TemporaryFolder::make();
    EXPECT_TRUE(made);
    folder_.emplace_back(*std::move(made));
  }

  /// Bytes as an entry of these; they go into the file that has a number.
  BundleEntry& add(const std::string& key, int dtype, const std::vector<std::int64_t>& shape,
                   std::string_view contents, int shard = 0) {
    BundleEntry& entry = entries[key];
    entry.set_dtype(dtype);
    for (const std::int64_t size : shape) entry.mutable_shape()->add_dim()->set_size(size);
    std::string& file = data[static_cast<std::size_t>(shard)];
    file += "gap";  // alignment, as far as a reader is concerned
    entry.set_shard_id(shard);
    entry.set_offset(static_cast<std::int64_t>(file.size()));
    entry.set_size(static_cast<std::int64_t>(contents.size()));
    entry.set_crc32c(masked(crc32c(bytes_of_text(contents))));
    file += contents;
    return entry;
  }
  BundleEntry& floats(const std::string& key, const std::vector<std::int64_t>& shape,
                      const std::vector<float>& values, int shard = 0) {
    return add(key, 1, shape,
               {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)},
               shard);
  }
  BundleEntry& strings(const std::string& key, const std::vector<std::string>& values) {
    std::string stored;
    std::uint32_t crc = 0;
    for (const std::string& value : values) {
      stored += varint(value.size());
      crc = crc32c(bytes_of_text(fixed32(static_cast<std::uint32_t>(value.size()))), crc);
    }
    std::string rest = fixed32(masked(crc));
    for (const std::string& value : values) rest += value;
    BundleEntry& entry = add(key, 7, {static_cast<std::int64_t>(values.size())}, stored + rest);
    entry.set_crc32c(masked(crc32c(bytes_of_text(rest), crc)));
    return entry;
  }

  std::string index(char type = 0) const {
    BundleHeader written = header;
    if (!written.has_num_shards()) written.set_num_shards(static_cast<int>(data.size()));
    std::vector<std::pair<std::string, std::string>> table{{"", written.SerializeAsString()}};
    for (const auto& [key, entry] : entries) table.emplace_back(key, entry.SerializeAsString());
    return table_file({table_block(table_entries(table), type)});
  }
  std::string prefix() const { return folder_[0].file("variables"); }
  const std::string& write() {
    EXPECT_TRUE(write_file(prefix() + ".index", std::string_view(index())));
    for (std::size_t i = 0; i < data.size(); ++i) {
      EXPECT_TRUE(write_file(fmt::format("{}.data-{:05}-of-{:05}", prefix(), i, data.size()),
                             std::string_view(data[i])));
    }
    return prefix_ = prefix();
  }
  Expected<Checkpoint> open() { return Checkpoint::open(write()); }

  BundleHeader header;
  std::map<std::string, BundleEntry> entries;
  std::vector<std::string> data;

 private:
  std::vector<TemporaryFolder> folder_;
  std::string prefix_;
};

}  // namespace ingot::tensorflow
