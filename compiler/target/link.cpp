// SPDX-License-Identifier: Apache-2.0
// Shared objects through lld's library, in this process.
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <system_error>

#include "target/target.h"

LLD_HAS_DRIVER(elf)

namespace ingot::target {
namespace {

namespace fs = std::filesystem;

/// A folder that vanishes with its files.
class TemporaryFolder {
 public:
  static Expected<TemporaryFolder> make() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    if (error) return fail(ErrorCode::io, "no folder for temporary files: {}", error.message());
    std::string pattern = (parent / "ingot-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(ErrorCode::io, "cannot make a folder in {}; is it writable and not full",
                  parent.string());
    }
    return TemporaryFolder(pattern);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Expected<void> write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) return fail(ErrorCode::io, "cannot write {}", path);
  return {};
}

Expected<std::vector<std::byte>> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fail(ErrorCode::io, "cannot read {}", path);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) return fail(ErrorCode::io, "cannot read {}", path);
  return bytes;
}

}  // namespace

Expected<std::vector<std::byte>> link_shared(std::span<const std::span<const std::byte>> objects,
                                             std::span<const std::string> exports) {
  INGOT_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  const std::string output = folder.file("model.so");
  const std::string script = folder.file("exports");
  std::string versions = "{ global:\n";
  for (const std::string& symbol : exports) versions += fmt::format("\"{}\";\n", symbol);
  versions += "local: *; };\n";
  INGOT_TRY(write_file(script, std::as_bytes(std::span(versions))));

  std::vector<std::string> arguments{"ld.lld",
                                     "-shared",
                                     "--build-id=none",
                                     "--threads=1",
                                     "--hash-style=gnu",
                                     "-z",
                                     "relro",
                                     "-z",
                                     "now",
                                     "-z",
                                     "noexecstack",
                                     "--version-script=" + script,
                                     "-o",
                                     output};
  for (std::size_t i = 0; i < objects.size(); ++i) {
    arguments.push_back(folder.file(fmt::format("{}.o", i)));
    INGOT_TRY(write_file(arguments.back(), objects[i]));
  }
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());

  // lld keeps its state in globals.
  static std::mutex mutex;
  static bool usable = true;
  std::string messages;
  int status = 0;
  {
    const std::lock_guard lock(mutex);
    if (!usable) return fail(ErrorCode::internal, "lld crashed earlier in this process");
    llvm::raw_string_ostream stream(messages);
    const lld::Result result =
        lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
    usable = result.canRunAgain;
    status = result.retCode;
  }
  if (status != 0) {
    return fail(ErrorCode::internal, "lld cannot link the shared object: {}", messages);
  }
  return read_file(output);
}

}  // namespace ingot::target
