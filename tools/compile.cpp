// SPDX-License-Identifier: Apache-2.0
// ingot compile: a model file into NAME.o, NAME.h and NAME.json.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "help.h"
#include "options.h"
#include "progress.h"
#include "trace.h"

namespace ingot::tools {
namespace {

struct Flags {
  std::string model, folder = ".", emit = "obj", stop_after, depfile;
  bool trace = false;
  ModelFlags shared;
};

Expected<int> print_stage(const Flags& flags, const CompileOptions& options) {
  Stage stage = Stage::import;
  if (flags.stop_after == "passes") stage = Stage::passes;
  if (flags.stop_after == "plan") stage = Stage::plan;
  if (flags.stop_after == "llvm") stage = Stage::llvm;
  if (flags.stop_after == "asm") stage = Stage::assembly;
  INGOT_ASSIGN(const std::string text, compile_until(flags.model, options, stage));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

/// A rule of make: these files are made from those.
std::string make_rule(const std::vector<std::string>& made, const std::vector<std::string>& from) {
  const auto add = [](std::string& text, const std::string& path) {
    for (const char c : path) {
      if (c == ' ' || c == '#') text += '\\';
      if (c == '$') text += '$';
      text += c;
    }
  };
  std::string text;
  for (const std::string& path : made) {
    if (!text.empty()) text += ' ';
    add(text, path);
  }
  text += ':';
  for (const std::string& path : from) {
    text += " \\\n  ";
    add(text, path);
  }
  return text + "\n";
}

Expected<int> compile_model(const Flags& flags) {
  INGOT_ASSIGN(CompileOptions options, flags.shared.options());
  if (flags.trace) options.passes.trace = trace_to(stderr);
  if (!flags.stop_after.empty()) return print_stage(flags, options);
  bool object = false, plan = false;
  for (const std::string& kind : split(flags.emit)) {
    if (kind == "obj")
      object = true;
    else if (kind == "so")
      options.shared = true;
    else if (kind == "plan")
      plan = true;
    else
      return fail(ErrorCode::invalid_argument, "--emit {}: one or more of obj, so, plan wanted",
                  kind);
  }
  Expected<Bundle> compiled = [&] {
    Progress progress;
    options.progress = [&](std::string_view what) { progress.now(what); };
    return compile(flags.model, options);
  }();
  INGOT_ASSIGN(const Bundle bundle, std::move(compiled));

  std::error_code status;
  std::filesystem::create_directories(flags.folder, status);
  if (status) return fail(ErrorCode::io, "{}: cannot be made: {}", flags.folder, status.message());
  const std::string stem = (std::filesystem::path(flags.folder) / bundle.name).string();
  std::string said;
  std::vector<std::string> written;
  auto write = [&](std::string_view extension, auto&& bytes) -> Expected<void> {
    written.push_back(fmt::format("{}.{}", stem, extension));
    INGOT_TRY(write_file(written.back(), bytes));
    said += fmt::format("  {}  {} bytes\n", written.back(), bytes.size());
    return {};
  };
  if (object) INGOT_TRY(write("o", std::span<const std::byte>(bundle.object)));
  INGOT_TRY(write("h", std::string_view(bundle.header)));
  INGOT_TRY(write("json", std::string_view(bundle.manifest)));
  if (options.shared) INGOT_TRY(write("so", std::span<const std::byte>(bundle.shared)));
  if (plan) INGOT_TRY(write("plan", std::string_view(bundle.plan)));
  if (!flags.depfile.empty())
    INGOT_TRY(write_file(flags.depfile, make_rule(written, bundle.files)));
  std::fwrite(said.data(), 1, said.size(), stdout);
  return 0;
}

}  // namespace

void add_compile(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app =
      program.add_subcommand("compile", "write NAME.o, NAME.h and NAME.json for a model");
  app->add_option("MODEL", flags->model, "ONNX, frozen TensorFlow graph, or Ingot's text form")
      ->required();
  app->add_option("-o,--output", flags->folder, "folder to write to (default: here)")
      ->type_name("FOLDER");
  app->add_option("--emit", flags->emit,
                  "which of NAME.o, NAME.so and NAME.plan to write (default obj); NAME.h and "
                  "NAME.json always are")
      ->type_name("obj,so,plan");
  app->add_option("--stop-after", flags->stop_after,
                  "print what a stage makes of the model, write nothing")
      ->check(CLI::IsMember({"import", "passes", "plan", "llvm", "asm"}));
  app->add_option("--depfile", flags->depfile,
                  "write a rule of make that says what the files were made from")
      ->type_name("FILE");
  app->add_flag("--trace-passes", flags->trace, "say on standard error what each pass did");
  flags->shared.add_import(*app);
  flags->shared.add_compile(*app);
  explain(
      *app,
      "NAME.o and NAME.h are all that a C++17 program needs: it includes the header and links the\n"
      "object. One object serves every batch size. NAME.json says what is in them.",
      {{"ingot compile digits.onnx -o out --name digits",
        "writes out/digits.o, out/digits.h and out/digits.json"},
       {"ingot compile digits.onnx -o out --dim N=1:64 --isa v3 --emit obj,so",
        "batches of 1 to 64 only, code for AVX2 only, and out/digits.so for programs that load"}});
  app->callback([flags, &run] { run = [flags] { return compile_model(*flags); }; });
}

}  // namespace ingot::tools
