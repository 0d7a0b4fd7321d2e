// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace ingot {

Expected<std::vector<std::byte>> read_file(const std::string& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    return fail(ErrorCode::io, "{}: is a folder, not a file", path);
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fail(ErrorCode::io, "{}: cannot be opened: {}", path, std::strerror(errno));
  const std::streamoff size = file.tellg();
  if (size < 0) return fail(ErrorCode::io, "{}: is not a plain file", path);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!file) return fail(ErrorCode::io, "{}: cannot be read", path);
  return bytes;
}

Expected<void> write_file(const std::string& path, std::span<const std::byte> bytes) {
  const std::string partial = fmt::format("{}.{}.partial", path, ::getpid());
  errno = 0;
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code status;
  if (file) std::filesystem::rename(partial, path, status);
  if (!file || status) {
    const std::string why = status ? status.message() : std::strerror(errno);
    std::filesystem::remove(partial, status);
    return fail(ErrorCode::io, "{}: cannot be written: {}", path, why);
  }
  return {};
}

Expected<PartFile> PartFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return fail(ErrorCode::io, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return fail(ErrorCode::io, "{}: is not a plain file", path);
  }
  return PartFile(path, descriptor, static_cast<std::uint64_t>(status.st_size));
}

PartFile::PartFile(PartFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(other.descriptor_), size_(other.size_) {
  other.descriptor_ = -1;
}

PartFile::~PartFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Expected<void> PartFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t count = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return fail(ErrorCode::io, "{}: cannot be read: {}", path_,
                  count == 0 ? "it ends early" : std::strerror(errno));
    }
    offset += static_cast<std::uint64_t>(count);
    to = to.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Expected<TemporaryFolder> TemporaryFolder::make() {
  std::error_code status;
  const std::filesystem::path base = std::filesystem::temp_directory_path(status);
  if (status) return fail(ErrorCode::io, "no temporary folder: {}; set TMPDIR", status.message());
  std::string name = (base / "ingot-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(ErrorCode::io, "{}: cannot be made: {}", name, std::strerror(errno));
  }
  return TemporaryFolder(std::move(name));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace ingot
