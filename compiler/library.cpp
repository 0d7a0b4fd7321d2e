// SPDX-License-Identifier: Apache-2.0
// <ingot/compile.h>: the compiler's own functions behind types that need nothing of it.
#include <ingot/compile.h>

#include <new>

#include "compile.h"
#include "read_options.h"
#include "version.h"
#include "write_bundle.h"

namespace ingot::compiler {
namespace {

#define INGOT_ERROR(code, exit, when) static_assert(static_cast<int>(Code::code) == (exit));
#include "base/error.def"
#undef INGOT_ERROR

/// A Result of what `function` gives as an Expected. Nothing gets past it: an Error whose text is
/// short needs no memory.
template <class T, class Function>
Result<T> result_of(Function&& function) noexcept {
  try {
    Expected<T> expected = function();
    if (expected) return *std::move(expected);
    const ingot::Error& error = expected.error();
    return Error{static_cast<Code>(ingot::exit_status(error.code)), error.message};
  } catch (const std::bad_alloc&) {
    return Error{Code::limit, "out of memory"};
  } catch (const std::exception& error) {
    try {
      return Error{Code::internal, error.what()};
    } catch (...) {
      return Error{Code::internal, "a bug in Ingot"};
    }
  }
}

}  // namespace

const char* version() noexcept { return project_version; }

Result<Compiled> compile_file(const std::string& path, const Options& options) noexcept {
  return result_of<Compiled>([&]() -> Expected<Compiled> {
    INGOT_ASSIGN(const CompileOptions read, read_options(options));
    return compile(path, read);
  });
}

Result<Compiled> compile_bytes(Span<const std::byte> model, const std::string& source,
                               const Options& options) noexcept {
  return result_of<Compiled>([&]() -> Expected<Compiled> {
    INGOT_ASSIGN(const CompileOptions read, read_options(options));
    return ingot::compile_bytes({model.data(), model.size()}, source, read);
  });
}

Result<std::vector<std::string>> write_files(const Compiled& model, const std::string& folder,
                                             Emit emit) noexcept {
  using Paths = std::vector<std::string>;
  return result_of<Paths>([&]() -> Expected<Paths> {
    INGOT_ASSIGN(const std::vector<WrittenFile> written, write_bundle(model, folder, emit));
    Paths paths;
    for (const WrittenFile& file : written) paths.push_back(file.path);
    return paths;
  });
}

Result<std::string> make_rule(const std::vector<std::string>& made,
                              const Compiled& model) noexcept {
  return result_of<std::string>(
      [&]() -> Expected<std::string> { return ingot::make_rule(made, model.files); });
}

}  // namespace ingot::compiler
