// SPDX-License-Identifier: Apache-2.0
// LevelDB's doc/table_format.md, less what TensorFlow does not write: filters and other properties.
#include "import/saved_model/table.h"

#include <snappy.h>

#include <cstring>

#include "import/saved_model/crc32c.h"
#include "import/saved_model/varint.h"

namespace ingot::tensorflow {
namespace {

constexpr std::size_t footer_size = 48;
constexpr std::size_t trailer_size = 5;  // how the block is stored, and its checksum
constexpr std::uint64_t magic = 0xdb4775248b80fb57;
/// Keys and values may take this much more than the file: keys share beginnings, blocks compress.
constexpr std::size_t most_growth = 64;

template <class T>
T little_endian(const char* at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  return value;
}

struct Handle {
  std::uint64_t offset = 0, size = 0;
};

class TableReader {
 public:
  explicit TableReader(std::string_view file)
      : file_(file), budget_((file.size() + 1024) * most_growth) {}

  Expected<std::vector<TableEntry>> run() {
    if (file_.size() < footer_size)
      return fail(ErrorCode::invalid_model, "{} bytes hold no table; is the file cut off?",
                  file_.size());
    const std::string_view footer = file_.substr(file_.size() - footer_size);
    if (little_endian<std::uint64_t>(footer.data() + footer_size - 8) != magic) {
      return fail(ErrorCode::invalid_model,
                  "no table's number at the end of its {} bytes; is the file cut off?",
                  file_.size());
    }
    Varints numbers(footer);
    read_handle(numbers);  // of the index of properties, of which there are none
    const Handle index = read_handle(numbers);
    INGOT_ASSIGN(const std::string blocks, block(index));
    std::vector<TableEntry> entries;
    std::uint64_t after = 0;
    INGOT_TRY(each_entry(blocks, index, [&](std::string_view, std::string_view value) {
      Varints handle_numbers(value);
      const Handle handle = read_handle(handle_numbers);
      if (handle_numbers.failed() || handle.offset < after) {
        return Expected<void>(fail(ErrorCode::invalid_model,
                                   "the index block at byte {} lists blocks out of order",
                                   index.offset));
      }
      after = handle.offset + handle.size;
      return read_entries(handle, entries);
    }));
    return entries;
  }

 private:
  static Handle read_handle(Varints& numbers) {
    Handle handle;
    handle.offset = numbers.next();
    handle.size = numbers.next();
    return handle;
  }

  /// Contents of a block, unpacked.
  Expected<std::string> block(const Handle& at) {
    const std::size_t end = file_.size() - footer_size;
    if (at.offset > end || at.size > end - at.offset || end - at.offset - at.size < trailer_size) {
      return fail(ErrorCode::invalid_model,
                  "a block of {} bytes at byte {} reaches beyond the end of the file's {} bytes",
                  at.size, at.offset, file_.size());
    }
    const std::string_view stored = file_.substr(at.offset, at.size);
    const char* trailer = file_.data() + at.offset + at.size;
    const auto sum = little_endian<std::uint32_t>(trailer + 1);
    if (masked(crc32c(std::as_bytes(std::span(stored.data(), stored.size() + 1)))) != sum) {
      return fail(ErrorCode::invalid_model,
                  "the block at byte {} fails its checksum (CRC-32C); copy the file again",
                  at.offset);
    }
    constexpr char plain = 0, compressed = 1;
    if (*trailer == plain) return take(stored.size(), std::string(stored));
    if (*trailer != compressed) {
      return fail(ErrorCode::unsupported,
                  "the block at byte {} is compressed in a way ({}) that is "
                  "not snappy",
                  at.offset, static_cast<int>(*trailer));
    }
    // No element of the format makes more than 64 bytes of two.
    std::size_t size = 0;
    std::string whole;
    if (!snappy::GetUncompressedLength(stored.data(), stored.size(), &size) ||
        size / most_growth > stored.size() ||
        !snappy::Uncompress(stored.data(), stored.size(), &whole)) {
      return fail(ErrorCode::invalid_model, "the block at byte {} cannot be unpacked (snappy)",
                  at.offset);
    }
    return take(size, std::move(whole));
  }

  /// Its own bytes of the budget.
  template <class T>
  Expected<T> take(std::size_t bytes, T value) {
    if (bytes > budget_)
      return fail(ErrorCode::limit, "a table of {} bytes would take more than {} times its size",
                  file_.size(), most_growth);
    budget_ -= bytes;
    return value;
  }

  Expected<void> read_entries(const Handle& at, std::vector<TableEntry>& entries) {
    INGOT_ASSIGN(const std::string contents, block(at));
    return each_entry(
        contents, at, [&](std::string_view key, std::string_view value) -> Expected<void> {
          if (!entries.empty() && key <= entries.back().key)
            return fail(ErrorCode::invalid_model, "the block at byte {}: keys are out of order",
                        at.offset);
          INGOT_ASSIGN(TableEntry entry, take(key.size() + value.size() + sizeof(TableEntry),
                                              TableEntry{std::string(key), std::string(value)}));
          entries.push_back(std::move(entry));
          return {};
        });
  }

  /// Calls `use(key, value)` for each entry of a block. Where entries begin anew is not needed.
  template <class Use>
  Expected<void> each_entry(std::string_view contents, const Handle& at, Use&& use) {
    auto broken = [&] {
      return fail(ErrorCode::invalid_model, "the block at byte {} holds a broken entry", at.offset);
    };
    if (contents.size() < 4) return broken();
    const std::uint64_t restarts =
        little_endian<std::uint32_t>(contents.data() + contents.size() - 4);
    if (contents.size() / 4 < restarts + 1) return broken();
    contents.remove_suffix(4 * (static_cast<std::size_t>(restarts) + 1));
    std::string key;
    while (!contents.empty()) {
      Varints numbers(contents);
      const std::uint64_t shared = numbers.next(), own = numbers.next(), length = numbers.next();
      const std::string_view rest = numbers.rest();
      if (numbers.failed() || shared > key.size() || own > rest.size() ||
          length > rest.size() - own)
        return broken();
      key.resize(static_cast<std::size_t>(shared));
      key.append(rest.substr(0, static_cast<std::size_t>(own)));
      INGOT_TRY(
          use(key, rest.substr(static_cast<std::size_t>(own), static_cast<std::size_t>(length))));
      contents = rest.substr(static_cast<std::size_t>(own + length));
    }
    return {};
  }

  std::string_view file_;
  std::size_t budget_;
};

}  // namespace

Expected<std::vector<TableEntry>> read_table(std::span<const std::byte> file) {
  return TableReader({reinterpret_cast<const char*>(file.data()), file.size()}).run();
}

}  // namespace ingot::tensorflow
