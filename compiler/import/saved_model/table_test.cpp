// SPDX-License-Identifier: Apache-2.0
// Tables, sound and damaged.
#include "import/saved_model/table.h"

#include "import/saved_model/checkpoint_builder.h"

namespace ingot::tensorflow {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries read(const std::string& file) {
  const auto table = read_table(bytes_of_text(file));
  if (!table) ADD_FAILURE() << table.error().message;
  Entries entries;
  if (!table) return entries;
  for (const TableEntry& entry : *table) entries.emplace_back(entry.key, entry.value);
  return entries;
}

std::string error_of(const std::string& file) {
  const auto table = read_table(bytes_of_text(file));
  return table ? "none" : table.error().message;
}

// RFC 3720, B.4, and what TensorFlow's own test of masking says.
TEST(SavedModelTable, ChecksumsAreCastagnolis) {
  EXPECT_EQ(crc32c(bytes_of_text(std::string(32, '\0'))), 0x8a9136aaU);
  EXPECT_EQ(crc32c(bytes_of_text(std::string(32, '\xff'))), 0x62a8ab43U);
  EXPECT_EQ(crc32c(bytes_of_text("world"), crc32c(bytes_of_text("hello "))),
            crc32c(bytes_of_text("hello world")));
  EXPECT_EQ(masked(0), 0xa282ead8U);
}

TEST(SavedModelTable, EntriesOfSeveralBlocks) {
  const Entries first{{"", "header"}, {"layer/a", "1"}, {"layer/b", ""}}, second{{"m", "22"}};
  Entries all = first;
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_EQ(
      read(table_file({table_block(table_entries(first)), table_block(table_entries(second))})),
      all);
  EXPECT_EQ(read(table_file({table_block(table_entries(first), 1)})), first);
  EXPECT_EQ(read(table_file({})), Entries{});
}

TEST(SavedModelTable, DamageIsSaidWithItsPlace) {
  const std::string sound = table_file({table_block(table_entries({{"a", "value"}}))});
  EXPECT_EQ(error_of(sound.substr(0, 20)), "20 bytes hold no table; is the file cut off?");
  EXPECT_EQ(error_of(sound.substr(0, sound.size() - 1)),
            fmt::format("no table's number at the end of its {} bytes; is the file cut off?",
                        sound.size() - 1));
  std::string changed = sound;
  changed[4] ^= 1;
  EXPECT_EQ(error_of(changed),
            "the block at byte 0 fails its checksum (CRC-32C); copy the file again");
  // Every single byte, but for what fills the footer, is guarded.
  for (std::size_t i = 0; i + 48 < sound.size(); ++i) {
    changed = sound;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    EXPECT_NE(error_of(changed), "none") << i;
  }
}

TEST(SavedModelTable, BlocksThatLie) {
  const std::string end = fixed32(0) + fixed32(1);
  auto one = [](const std::string& payload) {
    return error_of(table_file({table_block(payload)}));
  };
  const std::string broken = "the block at byte 0 holds a broken entry";
  EXPECT_EQ(one("ab"), broken);                                  // no end
  EXPECT_EQ(one(fixed32(0) + fixed32(1000)), broken);            // more restarts than bytes
  EXPECT_EQ(one("\x05\x01\x01xy" + end), broken);                // shares what is not there
  EXPECT_EQ(one(std::string("\0\x7f\x01xy", 5) + end), broken);  // a key beyond the block
  EXPECT_EQ(one(std::string("\0\x01\x7fxy", 5) + end), broken);  // a value beyond it
  EXPECT_EQ(one(std::string("\0\x01", 2) + std::string(11, '\xff') + end), broken);
  EXPECT_EQ(one(table_entries({{"b", ""}, {"a", ""}})),
            "the block at byte 0: keys are out of order");
  EXPECT_EQ(one(table_entries({{"a", ""}, {"a", ""}})),
            "the block at byte 0: keys are out of order");

  std::string odd = table_entries({{"a", ""}});
  EXPECT_EQ(error_of(table_file({table_block(odd, 4)})),
            "the block at byte 0 is compressed in a way (4) that is not snappy");
  // Snappy that says it becomes 4 GB.
  odd = "\xff\xff\xff\xff\x0f";
  odd += '\1';
  EXPECT_EQ(error_of(table_file({odd + fixed32(masked(crc32c(bytes_of_text(odd))))})),
            "the block at byte 0 cannot be unpacked (snappy)");
}

TEST(SavedModelTable, NoMoreMemoryThanTheFileExplains) {
  // 20,000 keys, each of them 60,000 bytes that it shares with the one before it, and one more.
  std::string text = varint(0) + varint(60000) + varint(0) + std::string(60000, 'a');
  for (std::size_t i = 0; i < 20000; ++i) text += varint(60000 + i) + varint(1) + varint(0) + "a";
  const auto table =
      read_table(bytes_of_text(table_file({table_block(text + fixed32(0) + fixed32(1))})));
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace ingot::tensorflow
