// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ingot::bench {

/// Bytes of the data or unified caches that the first core reads through, as the system says; what
/// many machines have where it does not say. (sysconf() asks the processor instead, which in a
/// virtual machine may answer for the whole socket.)
struct Caches {
  std::uint64_t l1 = 32 << 10, l2 = 512 << 10, l3 = 8 << 20;
};
Caches caches();

}  // namespace ingot::bench
