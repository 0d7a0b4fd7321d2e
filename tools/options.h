// SPDX-License-Identifier: Apache-2.0
// Flags that several subcommands have, with one meaning everywhere.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "compile.h"
#include "read_options.h"

namespace ingot::tools {

/// As typed; options() reads them.
struct ModelFlags : compiler::Options {
  bool verify_each = false;

  /// --input --constant --outputs --dim --tag --signature
  void add_import(CLI::App& app);
  /// --name --isa --instrument --variant, and those of passes
  void add_compile(CLI::App& app);
  /// --disable-pass --pass-limit --verify-each
  void add_passes(CLI::App& app);
  Expected<CompileOptions> options() const;
};

/// `N=4`, several times or with commas.
struct SizeFlags {
  std::vector<std::string> sizes;
  void add(CLI::App& app);
  Expected<SymbolValues> values() const;
};

/// Each subcommand adds itself to the program and sets `run` when it is chosen: the exit status, or
/// why it failed.
using Run = std::function<Expected<int>()>;
void add_bench(CLI::App& program, Run& run);
void add_check(CLI::App& program, Run& run);
void add_compile(CLI::App& program, Run& run);
void add_inspect(CLI::App& program, Run& run);
void add_run(CLI::App& program, Run& run);
void add_study(CLI::App& program, Run& run);
void add_verify(CLI::App& program, Run& run);
void add_machine(CLI::App& program, Run& run);
void add_reduce(CLI::App& program, Run& run);
void add_report(CLI::App& program, Run& run);
void add_completion(CLI::App& program, Run& run);
void add_man(CLI::App& program, Run& run);

}  // namespace ingot::tools
