// SPDX-License-Identifier: Apache-2.0
// LevelDB's table format, in which TensorFlow keeps the index of a checkpoint: sorted keys with a
// value each, in blocks that may be compressed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"

namespace ingot::tensorflow {

struct TableEntry {
  std::string key, value;
};

/// All entries, by ascending key. Errors: invalid_model for what breaks the format, with the
/// offset; limit for a table that would take far more memory than its file.
Expected<std::vector<TableEntry>> read_table(std::span<const std::byte> file);

}  // namespace ingot::tensorflow
