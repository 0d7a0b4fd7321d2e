// SPDX-License-Identifier: Apache-2.0
// The command-line program: one subcommand per job, a file for each. Only this folder prints.
#include <cstdio>

#include "options.h"
#include "version.h"

int main(int argc, char** argv) {
  CLI::App program("Ingot casts a trained network into one object file and one header.", "ingot");
  program.set_version_flag("--version", std::string("ingot ") + ingot::project_version);
  program.require_subcommand(1);
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("ingot: {}; see ingot --help\n", error.what());
  });
  ingot::tools::Run run;
  ingot::tools::add_compile(program, run);
  ingot::tools::add_inspect(program, run);
  ingot::tools::add_run(program, run);
  ingot::tools::add_verify(program, run);
  const auto named = [&](const CLI::App* app) { return app->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && program.get_subcommands(named).empty()) {
    std::fprintf(stderr, "ingot: no subcommand '%s'; there are compile, inspect, run and verify\n",
                 argv[1]);
    return ingot::exit_status(ingot::ErrorCode::invalid_argument);
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? 0 : ingot::exit_status(ingot::ErrorCode::invalid_argument);
  }
  try {
    const ingot::Expected<int> status = run();
    if (status) return *status;
    std::fprintf(stderr, "ingot: %s\n", status.error().message.c_str());
    return ingot::exit_status(status.error().code);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ingot: a bug in ingot, please report it: %s\n", error.what());
    return ingot::exit_status(ingot::ErrorCode::internal);
  }
}
