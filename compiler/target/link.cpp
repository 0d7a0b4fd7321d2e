// SPDX-License-Identifier: Apache-2.0
// Shared objects through lld's library, in this process and without a file: lld opens what it reads
// and writes by name, and /proc/self/fd has names for memory and for pipes. Its output must not be
// a plain file: LLVM would then write a temporary one beside it and take the process' signal
// handlers to remove it.
#include <fcntl.h>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <mutex>
#include <new>
#include <system_error>

#include "target/target.h"

LLD_HAS_DRIVER(elf)

namespace ingot::target {
namespace {

/// A file descriptor of ours.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  std::string path() const { return fmt::format("/proc/self/fd/{}", number_); }

 private:
  int number_;
};

Error no_memory_file() {
  return fail(ErrorCode::io, "cannot make a file in memory to link with: {}", std::strerror(errno));
}

/// Memory that holds these bytes and can be opened by its path.
Expected<Descriptor> memory_file(std::span<const std::byte> bytes) {
  Descriptor file(::memfd_create("ingot", MFD_CLOEXEC));
  if (file.number() < 0) return no_memory_file();
  if (::access(file.path().c_str(), R_OK) != 0) {
    return fail(ErrorCode::io, "shared objects are linked through /proc/self/fd; mount /proc");
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return no_memory_file();
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return file;
}

/// What is written into a pipe until `done` can be read, which is after the last write: a child
/// that the process forks in the meantime may keep the pipe's other end open. Reads on when memory
/// runs out, because a writer waits for it.
std::vector<std::byte> drain(int pipe, int done) {
  std::vector<std::byte> bytes;
  bool complete = true;
  pollfd both[] = {{pipe, POLLIN, 0}, {done, POLLIN, 0}};
  while (true) {
    if (::poll(both, 2, -1) < 0) continue;  // a signal
    if ((both[0].revents & POLLIN) == 0) break;
    std::byte part[1 << 16];
    const ssize_t got = ::read(pipe, part, sizeof part);
    try {
      if (got > 0) bytes.insert(bytes.end(), part, part + got);
    } catch (const std::bad_alloc&) {
      complete = false;
    }
  }
  if (!complete) throw std::bad_alloc();
  return bytes;
}

/// Runs lld, which keeps its state in globals.
Expected<void> run_lld(std::span<const char* const> arguments) {
  static std::mutex mutex;
  static bool usable = true;
  const std::lock_guard lock(mutex);
  if (!usable) return fail(ErrorCode::internal, "lld crashed earlier in this process");
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const lld::Result result = lld::lldMain({arguments.data(), arguments.size()}, stream, stream,
                                          {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode == 0) return {};
  return fail(ErrorCode::internal, "lld cannot link the shared object: {}", messages);
}

}  // namespace

Expected<std::vector<std::byte>> link_shared(std::span<const std::span<const std::byte>> objects,
                                             std::span<const std::string> exports) {
  std::string versions = "{ global:\n";
  for (const std::string& symbol : exports) versions += fmt::format("\"{}\";\n", symbol);
  versions += "local: *; };\n";
  INGOT_ASSIGN(const Descriptor script, memory_file(std::as_bytes(std::span(versions))));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return no_memory_file();
  const Descriptor reading(ends[0]), writing(ends[1]);
  const Descriptor done(::eventfd(0, EFD_CLOEXEC));
  if (done.number() < 0) return no_memory_file();

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
                                     "--version-script=" + script.path(),
                                     "-o",
                                     writing.path()};
  std::vector<Descriptor> inputs;
  for (const std::span<const std::byte> object : objects) {
    INGOT_ASSIGN(Descriptor input, memory_file(object));
    arguments.push_back(input.path());
    inputs.push_back(std::move(input));
  }
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());

  // lld has a thread of its own, because what it makes per thread lives until the thread ends, and
  // because it waits for a reader when the pipe is full.
  std::future<Expected<void>> status;
  try {
    status = std::async(std::launch::async, [&] {
      struct Finish {
        int event;
        ~Finish() { (void)::eventfd_write(event, 1); }
      };
      const Finish finish{done.number()};
      return run_lld(pointers);
    });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::limit, "cannot start a thread to link in: {}", error.code().message());
  }
  std::vector<std::byte> linked = drain(reading.number(), done.number());
  INGOT_TRY(status.get());
  return linked;
}

}  // namespace ingot::target
