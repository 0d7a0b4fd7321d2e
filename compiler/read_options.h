// SPDX-License-Identifier: Apache-2.0
// What users write for options, on the command line as in <ingot/compile.h>, is read here alone.
#pragma once

#include <ingot/compile.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compile.h"

namespace ingot {

/// Errors are those of one flag, whose name and text they begin with. What depends on the model is
/// found by compiling.
Expected<CompileOptions> read_options(const compiler::Options& written);

/// Splits at commas outside of brackets.
std::vector<std::string> split(std::string_view text);

/// NAME=VALUE and a size, as `flag` takes them.
Expected<std::pair<std::string, std::string>> read_pair(std::string_view flag,
                                                        const std::string& text);
Expected<std::int64_t> read_size(std::string_view flag, std::string_view text);

}  // namespace ingot
