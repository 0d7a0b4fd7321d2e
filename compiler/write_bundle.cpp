// SPDX-License-Identifier: Apache-2.0
#include "write_bundle.h"

#include <filesystem>

#include "base/file.h"

namespace ingot {
namespace {

/// As make reads a file's name. It has no way to write a colon or a backslash that misleads it.
std::string in_make(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == ' ' || c == '#') text += '\\';
    if (c == '$') text += '$';
    text += c;
  }
  return text;
}

}  // namespace

Expected<std::vector<WrittenFile>> write_bundle(const Bundle& bundle, const std::string& folder,
                                                compiler::Emit emit) {
  if (emit.shared && bundle.shared.empty()) {
    return fail(ErrorCode::invalid_argument,
                "'{}' was compiled without a shared object; ask for one when it is compiled",
                bundle.name);
  }
  std::error_code status;
  std::filesystem::create_directories(folder, status);
  if (status) return fail(ErrorCode::io, "{}: cannot be made: {}", folder, status.message());
  std::vector<WrittenFile> written;
  auto write = [&](std::string_view extension, auto&& bytes) -> Expected<void> {
    const std::filesystem::path path =
        std::filesystem::path(folder) / fmt::format("{}.{}", bundle.name, extension);
    written.push_back({path.string(), bytes.size()});
    return write_file(path.string(), bytes);
  };
  if (emit.object) INGOT_TRY(write("o", std::span<const std::byte>(bundle.object)));
  INGOT_TRY(write("h", std::string_view(bundle.header)));
  INGOT_TRY(write("json", std::string_view(bundle.manifest)));
  if (emit.shared) INGOT_TRY(write("so", std::span<const std::byte>(bundle.shared)));
  if (emit.plan) INGOT_TRY(write("plan", std::string_view(bundle.plan)));
  return written;
}

std::string make_rule(const std::vector<std::string>& made, const std::vector<std::string>& from) {
  std::string text;
  for (const std::string& path : made) text += (text.empty() ? "" : " ") + in_make(path);
  text += ':';
  for (const std::string& path : from) text += " \\\n  " + in_make(path);
  return text + "\n";
}

}  // namespace ingot
