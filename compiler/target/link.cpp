// SPDX-License-Identifier: Apache-2.0
// Shared objects through lld's library, in this process.
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>

#include <mutex>

#include "base/file.h"
#include "target/target.h"

LLD_HAS_DRIVER(elf)

namespace ingot::target {

Expected<std::vector<std::byte>> link_shared(std::span<const std::span<const std::byte>> objects,
                                             std::span<const std::string> exports) {
  INGOT_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  const std::string output = folder.file("model.so");
  const std::string script = folder.file("exports");
  std::string versions = "{ global:\n";
  for (const std::string& symbol : exports) versions += fmt::format("\"{}\";\n", symbol);
  versions += "local: *; };\n";
  INGOT_TRY(write_file(script, versions));

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
