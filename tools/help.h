// SPDX-License-Identifier: Apache-2.0
// What --help says, and the same as a manual page and as completion of bash and zsh: all are made
// from the flags as the subcommands declare them, so none can fall behind.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ingot::tools {

struct Example {
  std::string command;  // as typed, without the prompt
  std::string gives;    // what it is good for
};

/// The text below a subcommand's flags in --help.
void explain(CLI::App& app, std::string_view text, const std::vector<Example>& examples);

/// How --help is laid out, of the program and of its subcommands.
void format_help(CLI::App& program);

/// A man page (section 1), in the man(7) macros.
std::string man_page(const CLI::App& program);

/// A script to be sourced by bash, or put where bash-completion looks.
std::string bash_completion(const CLI::App& program);

/// `_ingot`, for a folder of zsh's fpath.
std::string zsh_completion(const CLI::App& program);

}  // namespace ingot::tools
