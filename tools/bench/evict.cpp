// SPDX-License-Identifier: Apache-2.0
#include "evict.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "caches.h"

namespace ingot::bench {
namespace {

constexpr std::size_t line = 64;
constexpr std::size_t code_bytes = std::size_t{2} << 20;  // more than a second-level cache

/// A jump to the next line in each line, and a return in the last: every line is fetched, and every
/// one has a branch to be remembered. Nothing where this is not x86-64.
bool write_code(std::byte* to) {
#if defined(__x86_64__)
  constexpr unsigned char jump[] = {0xE9, line - 5, 0, 0, 0}, ret = 0xC3;
  for (std::size_t at = 0; at + line < code_bytes; at += line)
    std::memcpy(to + at, jump, sizeof jump);
  std::memcpy(to + code_bytes - line, &ret, 1);
  return mprotect(to, code_bytes, PROT_READ | PROT_EXEC) == 0;
#else
  static_cast<void>(to);
  return false;
#endif
}

}  // namespace

void Evictor::Unmap::operator()(std::byte* memory) const { munmap(memory, bytes); }

Evictor::Mapping Evictor::map(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return {memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory), {bytes}};
}

Expected<Evictor> Evictor::make() {
  Evictor evictor;
  evictor.data_ = map(std::min<std::size_t>(2 * caches().l3, std::size_t{256} << 20));
  if (evictor.data_ == nullptr) {
    return fail(ErrorCode::limit,
                "no memory of twice the last-level cache to empty the caches with; leave cold "
                "calls out with --no-cold");
  }
  evictor.code_ = map(code_bytes);
  // A system that lets nobody make code keeps its instruction cache warm, no more.
  if (evictor.code_ != nullptr && !write_code(evictor.code_.get())) evictor.code_.reset();
  return evictor;
}

void Evictor::run() {
  volatile std::byte* data = data_.get();
  const std::size_t bytes = data_.get_deleter().bytes;
  for (std::size_t at = 0; at < bytes; at += line) data[at] = data[at] ^ std::byte{1};
  if (code_ == nullptr) return;
  void (*code)() = nullptr;
  std::byte* address = code_.get();
  std::memcpy(&code, &address, sizeof code);
  code();
}

}  // namespace ingot::bench
