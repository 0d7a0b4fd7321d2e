// SPDX-License-Identifier: Apache-2.0
#include "import/keras/zip.h"

#ifdef INGOT_LIBZIP

#include <zip.h>

#include <memory>

namespace ingot::keras {
namespace {

using Bytes = std::vector<std::byte>;

/// What deflate can make of one byte, at most.
constexpr std::uint64_t most_expansion = 1100;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

Error broken(std::string_view why) {
  return fail(ErrorCode::invalid_model,
              "the zip archive is cut off or damaged ({}); copy or save it again", why);
}

Expected<std::optional<Bytes>> read(zip_t* archive, const std::string& name, std::size_t whole) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_stat(archive, name.c_str(), 0, &status) != 0) return std::optional<Bytes>{};
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_ENCRYPTION_METHOD;
  if ((status.valid & needed) != needed || status.comp_size > whole)
    return broken(fmt::format("{} has no size that could be true", name));
  if (status.encryption_method != ZIP_EM_NONE)
    return fail(ErrorCode::unsupported, "{} is locked with a password; save it without", name);
  if (status.size / most_expansion > status.comp_size)
    return broken(fmt::format("{} says it has {} bytes, but {} are stored", name, status.size,
                              status.comp_size));
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen(archive, name.c_str(), 0));
  if (!file) return broken(fmt::format("{}: {}", name, zip_strerror(archive)));
  Bytes bytes(status.size);
  std::uint64_t place = 0;
  // One byte more than there should be: its checksum is looked at where a file ends.
  std::byte beyond;
  while (true) {
    const bool end = place == bytes.size();
    const zip_int64_t count =
        zip_fread(file.get(), end ? &beyond : bytes.data() + place, end ? 1 : bytes.size() - place);
    if (count < 0) return broken(fmt::format("{}: {}", name, zip_file_strerror(file.get())));
    if (count == 0) break;
    place += static_cast<std::uint64_t>(count);
    if (place > bytes.size()) break;
  }
  if (place != bytes.size())
    return broken(fmt::format("{} should have {} bytes", name, bytes.size()));
  return std::optional(std::move(bytes));
}

}  // namespace

Expected<std::vector<std::optional<Bytes>>> unzip(std::span<const std::byte> archive,
                                                  const std::vector<std::string>& names) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(archive.data(), archive.size(), 0, &error);
  std::unique_ptr<zip_t, Discard> open(
      source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!open) {
    const std::string why = zip_error_strerror(&error);
    if (source != nullptr) zip_source_free(source);
    zip_error_fini(&error);
    return broken(why == "Not a zip archive" ? "it has no end-of-directory record" : why);
  }
  zip_error_fini(&error);
  std::vector<std::optional<Bytes>> files;
  for (const std::string& name : names) {
    INGOT_ASSIGN(std::optional<Bytes> file, read(open.get(), name, archive.size()));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace ingot::keras

#else

namespace ingot::keras {

Expected<std::vector<std::optional<std::vector<std::byte>>>> unzip(
    std::span<const std::byte>, const std::vector<std::string>&) {
  return fail(ErrorCode::unsupported,
              "this is a zip archive, and this Ingot was built without libzip; install libzip-dev "
              "and build Ingot again, or export the model as a SavedModel");
}

}  // namespace ingot::keras

#endif
