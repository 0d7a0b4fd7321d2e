// SPDX-License-Identifier: Apache-2.0
// Files of a zip archive in memory, through libzip, which a build may lack.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"

namespace ingot::keras {

/// The files asked for, in that order; none for one that is not in the archive. Nothing is written
/// anywhere, whatever names the archive has. Errors: invalid_model for a damaged archive, or one
/// that says it holds more than could be packed into it; unsupported for a locked one.
Expected<std::vector<std::optional<std::vector<std::byte>>>> unzip(
    std::span<const std::byte> archive, const std::vector<std::string>& names);

}  // namespace ingot::keras
