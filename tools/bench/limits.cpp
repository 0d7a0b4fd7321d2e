// SPDX-License-Identifier: Apache-2.0
// In assembly, so that what is measured is the core and no compiler.
#include "limits.h"

#include <ingot/cpu.h>

namespace ingot::bench {

#if defined(__x86_64__)
namespace {

#define INGOT_CLOBBERED                                                                           \
  "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
      "xmm10", "xmm11", "xmm15"

/// Twelve chains: a multiply-add takes four or five cycles, and two begin in a cycle. They are of
/// zeros, which no core is slow with.
constexpr double chains = 12;
#define INGOT_ZERO(i) "vpxor %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n\t"
#define INGOT_FMA(reg, i) "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg #i "\n\t"
#define INGOT_MULTIPLY_ADD(reg)                                                                    \
  asm volatile(INGOT_ZERO(0) INGOT_ZERO(1) INGOT_ZERO(2) INGOT_ZERO(3) INGOT_ZERO(4) INGOT_ZERO(5) \
                   INGOT_ZERO(6) INGOT_ZERO(7) INGOT_ZERO(8) INGOT_ZERO(9) INGOT_ZERO(10)          \
                       INGOT_ZERO(11) INGOT_ZERO(15) "1:\n\t" INGOT_FMA(reg, 0) INGOT_FMA(reg, 1)  \
                           INGOT_FMA(reg, 2) INGOT_FMA(reg, 3) INGOT_FMA(reg, 4) INGOT_FMA(reg, 5) \
                               INGOT_FMA(reg, 6) INGOT_FMA(reg, 7) INGOT_FMA(reg, 8)               \
                                   INGOT_FMA(reg, 9) INGOT_FMA(reg, 10)                            \
                                       INGOT_FMA(reg, 11) "dec %0\n\tjnz 1b"                       \
               : "+r"(rounds)                                                                      \
               :                                                                                   \
               : INGOT_CLOBBERED)

void multiply_add_v3(std::int64_t rounds) { INGOT_MULTIPLY_ADD("ymm"); }
void multiply_add_v4(std::int64_t rounds) { INGOT_MULTIPLY_ADD("zmm"); }

/// Whole registers, eight at a time.
void read_v3(const std::byte* from, std::size_t bytes) {
  const std::byte* end = from + bytes;
  asm volatile(
      "1:\n\t"
      "vmovaps 0(%0), %%ymm0\n\tvmovaps 32(%0), %%ymm1\n\t"
      "vmovaps 64(%0), %%ymm2\n\tvmovaps 96(%0), %%ymm3\n\t"
      "vmovaps 128(%0), %%ymm4\n\tvmovaps 160(%0), %%ymm5\n\t"
      "vmovaps 192(%0), %%ymm6\n\tvmovaps 224(%0), %%ymm7\n\t"
      "add $256, %0\n\tcmp %1, %0\n\tjb 1b"
      : "+r"(from)
      : "r"(end)
      : INGOT_CLOBBERED);
}

void read_v4(const std::byte* from, std::size_t bytes) {
  const std::byte* end = from + bytes;
  asm volatile(
      "1:\n\t"
      "vmovaps 0(%0), %%zmm0\n\tvmovaps 64(%0), %%zmm1\n\t"
      "vmovaps 128(%0), %%zmm2\n\tvmovaps 192(%0), %%zmm3\n\t"
      "vmovaps 256(%0), %%zmm4\n\tvmovaps 320(%0), %%zmm5\n\t"
      "vmovaps 384(%0), %%zmm6\n\tvmovaps 448(%0), %%zmm7\n\t"
      "add $512, %0\n\tcmp %1, %0\n\tjb 1b"
      : "+r"(from)
      : "r"(end)
      : INGOT_CLOBBERED);
}

}  // namespace

std::vector<LimitLoops> limit_loops() {
  std::vector<LimitLoops> loops;
  const unsigned level = detect_cpu().level;
  if (level >= 3) loops.push_back({"v3", chains * 8 * 2, multiply_add_v3, read_v3});
  if (level >= 4) loops.push_back({"v4", chains * 16 * 2, multiply_add_v4, read_v4});
  return loops;
}

#else

std::vector<LimitLoops> limit_loops() { return {}; }

#endif

}  // namespace ingot::bench
