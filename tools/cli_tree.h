// SPDX-License-Identifier: Apache-2.0
// What help, man page and completions ask of the tree of flags.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ingot::tools {

std::vector<const CLI::App*> subcommands(const CLI::App& app);

/// Flags, not positionals; in the order of declaration.
std::vector<const CLI::Option*> flags(const CLI::App& app);

/// `--output` and `-o`: all spellings.
std::vector<std::string> spellings(const CLI::Option& option);

/// The name of what a flag wants (`NAME=VALUE`, `{v2,v3}`), empty for a switch.
std::string flag_value(const CLI::Option& option);

/// What a flag can be given, where that is a fixed set.
std::vector<std::string> choices(const CLI::Option& option);

}  // namespace ingot::tools
