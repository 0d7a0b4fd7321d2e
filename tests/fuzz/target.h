// SPDX-License-Identifier: Apache-2.0
// A target: a function that takes any bytes and ends the program only if something is wrong. In a
// libFuzzer program it is the one that is fuzzed; in fuzz_inputs (inputs.cpp) one of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace ingot::fuzz {

using Bytes = std::span<const std::uint8_t>;
using Target = void (*)(Bytes);

/// Always true.
bool add_target(const char* name, Target target);

[[noreturn]] inline void stop(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

}  // namespace ingot::fuzz

#ifdef INGOT_LIBFUZZER
#define INGOT_FUZZ_TARGET(name, function)                                             \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    function({data, size});                                                           \
    return 0;                                                                         \
  }
#else
#define INGOT_FUZZ_TARGET(name, function) \
  [[maybe_unused]] static const bool name##_is_there = ingot::fuzz::add_target(#name, function);
#endif
