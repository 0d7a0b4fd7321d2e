// SPDX-License-Identifier: Apache-2.0
// What the plug-ins share: a class with a constructor, run() and output() that throw becomes the
// functions of peer.h, which do not.
#pragma once

#include <ingot/self_test.h>
#include <array>
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

/// What an engine calls an element type. `types`: by its number in <ingot/abi.h>, from 0 on.
template <class T, std::size_t count>
T element_type(const std::array<T, count>& types, std::int32_t dtype) {
  if (dtype < 1 || static_cast<std::size_t>(dtype) >= count || types[dtype] == T{})
    throw std::runtime_error("an element type that the engine does not have");
  return types[dtype];
}

inline std::uint64_t bytes_of(const ingot_peer_tensor& tensor) {
  std::uint64_t bytes = ingot::element_bytes(tensor.dtype);
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
