// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <limits>

namespace ingot::tools {

void ModelFlags::add_import(CLI::App& app) {
  app.add_option(
         "--input", inputs,
         "an input's type; may name an inner value, which becomes one; inputs come in this order")
      ->type_name("NAME=DTYPE[N,27]")
      ->take_all();
  app.add_option("--constant", constants, "fix an input to a number, true, false or [1,2]")
      ->type_name("NAME=VALUE")
      ->take_all();
  app.add_option("--outputs", outputs, "compute these instead of the model's outputs")
      ->type_name("A,B")
      ->take_all();
  app.add_option("--dim", dims, "pin a size when compiling, or bound it")
      ->type_name("N=4|N=1:64")
      ->take_all();
  app.add_option("--tag", tag, "which graph of a SavedModel (default serve)")->type_name("A,B");
  app.add_option(
         "--signature", signature,
         "which signature of a SavedModel (default serving_default); several become models of "
         "one object")
      ->type_name("A,B");
}

void ModelFlags::add_compile(CLI::App& app) {
  app.add_option("--name", name, "name of the model: of its files, namespace and symbols")
      ->type_name("NAME");
  app.add_option("--isa", isa,
                 "x86-64 levels to have code for, of which the best is chosen at run time "
                 "(default v3,v4); with v2 all are strict")
      ->type_name("LEVELS");
  app.add_option("--instrument", instrument, "compile with LLVM's sanitizer")
      ->check(CLI::IsMember({"thread", "address"}));
  app.add_option("--variant", variants,
                 "code of its own for calls of these sizes, beside the general code; may be given "
                 "several times")
      ->type_name("N=1,M=50")
      ->take_all();
  add_passes(app);
}

void ModelFlags::add_passes(CLI::App& app) {
  app.add_option("--disable-pass", disabled_passes, "leave a pass out")
      ->type_name("PASS")
      ->take_all();
  app.add_option("--pass-limit", pass_limit,
                 "make only the first K rewrites, to find a wrong one by halves")
      ->type_name("K")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()));
  app.add_flag("--verify-each", verify_each,
               "check the graph after each pass and the plan after each step of planning");
}

Expected<CompileOptions> ModelFlags::options() const {
  INGOT_ASSIGN(CompileOptions options, read_options(*this));
  if (verify_each) ingot::verify_each(options);
  return options;
}

void SizeFlags::add(CLI::App& app) {
  app.add_option("--size", sizes, "the value of a size in this call")->type_name("N=4")->take_all();
}

Expected<SymbolValues> SizeFlags::values() const {
  SymbolValues values;
  for (const std::string& text : sizes) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(const auto pair, read_pair("--size", part));
      INGOT_ASSIGN(values[pair.first], read_size("--size " + part, pair.second));
    }
  }
  return values;
}

}  // namespace ingot::tools
