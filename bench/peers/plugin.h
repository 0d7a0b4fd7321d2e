// SPDX-License-Identifier: Apache-2.0
// What the plug-ins share: a class with a constructor, run() and output() that throw becomes the
// functions of peer.h, which do not.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "peer.h"

namespace peer {

/// Element types as <ingot/abi.h> numbers them.
enum DType : std::int32_t {
  f32 = 1,
  f64 = 2,
  f16 = 3,
  bf16 = 4,
  i8 = 5,
  i16 = 6,
  i32 = 7,
  i64 = 8,
  u8 = 9,
  u16 = 10,
  u32 = 11,
  u64 = 12,
  boolean = 13,
};

inline std::uint64_t bytes_of(std::int32_t dtype) {
  constexpr std::uint64_t sizes[] = {0, 4, 8, 2, 2, 1, 2, 4, 8, 1, 2, 4, 8, 1};
  if (dtype < f32 || dtype > boolean) throw std::runtime_error("an element type without a name");
  return sizes[dtype];
}

inline std::uint64_t bytes_of(const ingot_peer_tensor& tensor) {
  std::uint64_t bytes = bytes_of(tensor.dtype);
  for (std::uint32_t d = 0; d < tensor.rank; ++d)
    bytes *= static_cast<std::uint64_t>(tensor.shape[d]);
  return bytes;
}

/// Memory as a user of a fast engine would give it: aligned to a cache line.
struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;
inline Memory allocate(std::uint64_t bytes) {
  Memory memory(std::aligned_alloc(64, (bytes + 64) / 64 * 64));
  if (!memory) throw std::bad_alloc();
  return memory;
}

inline void explain(const std::exception& failure, char* error, std::size_t error_bytes) {
  if (error_bytes > 0) std::snprintf(error, error_bytes, "%s", failure.what());
}

template <class Session>
void* open(const ingot_peer_model* model, char* error, std::size_t error_bytes) {
  try {
    return new Session(*model, nlohmann::json::parse(model->settings));
  } catch (const std::exception& failure) {
    explain(failure, error, error_bytes);
    return nullptr;
  }
}

template <class Session>
int run(void* session, char* error, std::size_t error_bytes) {
  try {
    static_cast<Session*>(session)->run();
    return 0;
  } catch (const std::exception& failure) {
    explain(failure, error, error_bytes);
    return 1;
  }
}

template <class Session>
int output(void* session, std::uint32_t i, ingot_peer_tensor* tensor) {
  try {
    *tensor = static_cast<Session*>(session)->output(i);
    return 0;
  } catch (const std::exception&) {
    return 1;
  }
}

template <class Session>
void close(void* session) {
  delete static_cast<Session*>(session);
}

template <class Session>
constexpr ingot_peer plugin(const char* name) {
  return {1, name, open<Session>, run<Session>, output<Session>, close<Session>, nullptr};
}

}  // namespace peer
