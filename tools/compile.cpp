// SPDX-License-Identifier: Apache-2.0
// ingot compile: a model file into NAME.o, NAME.h and NAME.json.
#include <cstdio>
#include <memory>

#include "base/file.h"
#include "help.h"
#include "options.h"
#include "progress.h"
#include "trace.h"
#include "write_bundle.h"

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

Expected<int> compile_model(const Flags& flags) {
  INGOT_ASSIGN(CompileOptions options, flags.shared.options());
  if (flags.trace) options.passes.trace = trace_to(stderr);
  if (!flags.stop_after.empty()) return print_stage(flags, options);
  compiler::Emit emit{.object = false};
  for (const std::string& kind : split(flags.emit)) {
    if (kind == "obj")
      emit.object = true;
    else if (kind == "so")
      emit.shared = options.shared = true;
    else if (kind == "plan")
      emit.plan = true;
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

  INGOT_ASSIGN(const std::vector<WrittenFile> written, write_bundle(bundle, flags.folder, emit));
  std::string said;
  std::vector<std::string> paths;
  for (const WrittenFile& file : written) {
    said += fmt::format("  {}  {} bytes\n", file.path, file.bytes);
    paths.push_back(file.path);
  }
  if (!flags.depfile.empty()) INGOT_TRY(write_file(flags.depfile, make_rule(paths, bundle.files)));
  std::fwrite(said.data(), 1, said.size(), stdout);
  return 0;
}

}  // namespace

void add_compile(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app =
      program.add_subcommand("compile", "write NAME.o, NAME.h and NAME.json for a model");
  app->add_option("MODEL", flags->model,
                  "ONNX, TensorFlow SavedModel or frozen graph, or Ingot's text form")
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
