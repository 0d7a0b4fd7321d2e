// SPDX-License-Identifier: Apache-2.0
// The command-line program: one subcommand per job, a file for each. Only this folder prints.
#include <cstdio>
#include <new>

#include "help.h"
#include "options.h"
#include "revision.h"
#include "version.h"

namespace ingot::tools {
namespace {

#if defined(__clang__)
constexpr const char* compiler = "Clang " __clang_version__;
#else
constexpr const char* compiler = "GCC " __VERSION__;
#endif

std::string version() {
  return fmt::format("ingot {} (revision {}, {}; LLVM {})", project_version, INGOT_REVISION,
                     compiler, target::llvm_version());
}

void add_commands(CLI::App& program, Run& run) {
  add_bench(program, run);
  add_check(program, run);
  add_compile(program, run);
  add_inspect(program, run);
  add_run(program, run);
  add_study(program, run);
  add_verify(program, run);
  add_machine(program, run);
  add_reduce(program, run);
  add_report(program, run);
  add_completion(program, run);
  add_man(program, run);
}

std::string exit_statuses() {
  std::string text = "Exit status: 0 all went well";
#define INGOT_ERROR(code, status, when) text += fmt::format("\n  {:>2}  {}", status, when);
#include "base/error.def"
#undef INGOT_ERROR
  return text;
}

/// The command that a mistyped one was meant to be, if any begins alike.
std::string no_such_command(const CLI::App& program, std::string_view typed) {
  std::string names, meant;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
    if (meant.empty() && command->get_name().starts_with(typed.substr(0, 3)))
      meant = fmt::format("; did you mean {}?", command->get_name());
  }
  return fmt::format("no command '{}'{} There are {}", typed, meant.empty() ? "." : meant, names);
}

int main(int argc, char** argv) {
  CLI::App program("Casts a trained neural network into one object file and one header.", "ingot");
  program.set_version_flag("--version", version(), "print version, revision and LLVM's version");
  program.set_help_flag("-h,--help", "print this help");
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    const CLI::App* at = app->get_subcommands().empty() ? app : app->get_subcommands().front();
    return fmt::format("ingot: {}; see ingot{} --help\n", error.what(),
                       at == app ? "" : " " + at->get_name());
  });
  Run run;
  add_commands(program, run);
  format_help(program);
  explain(
      program,
      "A flag that is followed by ... may be given several times. ingot COMMAND --help has all\n"
      "flags of a command and examples of it.\n\n" +
          exit_statuses(),
      {{"ingot compile model.onnx -o out", "writes out/model.o, out/model.h, out/model.json"},
       {"ingot inspect model.onnx", "shows what is in a model, and what becomes of it"}});
  const auto named = [&](const CLI::App* app) { return app->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && program.get_subcommands(named).empty()) {
    std::fprintf(stderr, "ingot: %s\n", no_such_command(program, argv[1]).c_str());
    return exit_status(ErrorCode::invalid_argument);
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? 0 : exit_status(ErrorCode::invalid_argument);
  }
  try {
    const Expected<int> status = run();
    if (status) return *status;
    std::fprintf(stderr, "ingot: %s\n", status.error().message.c_str());
    return exit_status(status.error().code);
  } catch (const std::bad_alloc&) {
    std::fputs("ingot: out of memory; give smaller sizes with --size or --dim\n", stderr);
    return exit_status(ErrorCode::limit);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ingot: a bug in ingot, please report it: %s\n", error.what());
    return exit_status(ErrorCode::internal);
  }
}

}  // namespace
}  // namespace ingot::tools

int main(int argc, char** argv) { return ingot::tools::main(argc, argv); }
