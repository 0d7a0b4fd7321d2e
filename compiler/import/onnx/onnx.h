// SPDX-License-Identifier: Apache-2.0
// ONNX to Graph. Opsets 6 to 28 of the standard domain; functions that the model brings along are
// inlined, and If with a known condition is its branch.
#pragma once

#include <filesystem>

#include "import/import.h"

namespace ingot {

/// Called by import_model. `folder` is where external data may lie; empty: nowhere.
Expected<Graph> import_onnx(std::span<const std::byte> bytes, const ImportOptions& options,
                            const std::filesystem::path& folder, Survey& survey);

}  // namespace ingot
