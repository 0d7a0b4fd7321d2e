// SPDX-License-Identifier: Apache-2.0
// A program of others, run to its end in bounded time.
#pragma once

#include <string>
#include <vector>

#include "base/expected.h"

namespace ingot::bench {

/// Errors: io when it cannot be started or does not end in `seconds` (it and what it started are
/// killed then); runtime when it fails, with the last line that it wrote to stderr. Its stdout goes
/// nowhere.
Expected<void> run_child(const std::vector<std::string>& command, double seconds);

}  // namespace ingot::bench
