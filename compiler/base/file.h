// SPDX-License-Identifier: Apache-2.0
// Whole files in and out, with errors as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace ingot {

Expected<std::vector<std::byte>> read_file(const std::string& path);

/// Writes beside the target and renames, so that nobody ever sees half a file.
Expected<void> write_file(const std::string& path, std::span<const std::byte> bytes);
inline Expected<void> write_file(const std::string& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text)));
}

/// A file of which parts are read, at any place, as they are needed.
class PartFile {
 public:
  static Expected<PartFile> open(const std::string& path);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();
  std::uint64_t size() const { return size_; }
  /// All of `to`, from byte `offset` on; the file must reach that far.
  Expected<void> read(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  PartFile(std::string path, int descriptor, std::uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  std::string path_;
  int descriptor_;
  std::uint64_t size_;
};

/// A folder of one's own under the system's temporary folder, removed with all that is in it.
class TemporaryFolder {
 public:
  static Expected<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace ingot
