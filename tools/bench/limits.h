// SPDX-License-Identifier: Apache-2.0
// Loops that show what a core can do at most, by CPU level. There are none but for x86-64 yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ingot::bench {

struct LimitLoops {
  std::string level;             // "v3"
  double operations_each_round;  // float32, two for a multiply-add
  void (*multiply_add)(std::int64_t rounds);
  /// Needs: `bytes` is a multiple of 512 and more than 0.
  void (*read)(const std::byte* from, std::size_t bytes);
};

/// Those that this CPU can run, best last.
std::vector<LimitLoops> limit_loops();

}  // namespace ingot::bench
