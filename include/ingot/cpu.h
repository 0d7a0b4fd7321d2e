// SPDX-License-Identifier: Apache-2.0
// What the machine can run, asked of the CPU itself: generated headers and the loader choose a
// model's variant with it. Part of every generated header.
#ifndef INGOT_CPU_1
#define INGOT_CPU_1

#include <cstdint>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <ingot/abi.h>

namespace ingot {
inline namespace face_1 {

struct Cpu {
  std::int32_t architecture = 0;  // ingot_architecture, or 0 for one that Ingot does not know
  std::uint32_t level = 0;        // as in ingot_variant
};

/// The CPU that this thread runs on, as far as the operating system saves its registers. Takes
/// around a microsecond, and tens of them in some virtual machines.
inline Cpu detect_cpu() noexcept {
  Cpu cpu;
#if defined(__x86_64__)
  cpu.architecture = ::ingot_abi_1_0::INGOT_X86_64;
  const auto has_all = [](unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; };
  unsigned a = 0, b = 0, c = 0, d = 0;
  __cpuid(0, a, b, c, d);
  const unsigned last_leaf = a;
  __cpuid(1, a, b, c, d);
  const unsigned features = c;
  __cpuid(0x80000001U, a, b, c, d);
  const unsigned extended = c;
  unsigned structured = 0;
  if (last_leaf >= 7) {
    __cpuid_count(7, 0, a, b, c, d);
    structured = b;
  }
  cpu.level = 1;
  // sse3 ssse3 cx16 sse4.1 sse4.2 popcnt, and lahf
  if (!has_all(features, 0x00982201U) || !has_all(extended, 1U)) return cpu;
  cpu.level = 2;
  // fma movbe osxsave avx f16c; lzcnt; bmi1 avx2 bmi2
  if (!has_all(features, 0x38401000U) || !has_all(extended, 0x20U) ||
      !has_all(structured, 0x128U)) {
    return cpu;
  }
  unsigned saved = 0, saved_high = 0;
  __asm__ volatile("xgetbv" : "=a"(saved), "=d"(saved_high) : "c"(0));
  if (!has_all(saved, 0x6U)) return cpu;  // xmm ymm
  cpu.level = 3;
  // avx512 f, dq, cd, bw, vl; opmask and both halves of zmm
  if (!has_all(structured, 0xD0030000U) || !has_all(saved, 0xE6U)) return cpu;
  cpu.level = 4;
#elif defined(__aarch64__)
  cpu.architecture = ::ingot_abi_1_0::INGOT_AARCH64;
  cpu.level = 80;
#endif
  return cpu;
}

/// Can `variant` run on `cpu`? Features beyond a level are not known to this version.
inline bool can_run(const Cpu& cpu, const ::ingot_abi_1_0::ingot_variant& variant) noexcept {
  return variant.device == ::ingot_abi_1_0::INGOT_CPU && variant.architecture == cpu.architecture &&
         variant.level <= cpu.level && variant.features[0] == '\0';
}

}  // namespace face_1
}  // namespace ingot
#endif
