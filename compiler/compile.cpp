// SPDX-License-Identifier: Apache-2.0
// The whole compiler on one screen: import, passes, plan, target, write.
#include "compile.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>

#include "describe.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "plan/check.h"
#include "plan/print.h"
#include "write/write.h"

namespace ingot {
namespace {

void begin(const CompileOptions& options, std::string_view what) {
  if (options.progress) options.progress(what);
}

/// Everything that is known once machine code exists.
struct Compiled {
  plan::Plan plan;
  plan::Text text;
  write::Interface interface;
  target::Object object;
};

/// Graphs, and the weights in them, are gone before there is an object with the same weights.
Expected<plan::Plan> make_plan(Graph imported, const CompileOptions& options,
                               std::vector<passes::Applied>& log) {
  begin(options, "passes");
  INGOT_ASSIGN(const Graph graph, passes::optimize(imported, options.passes, &log));
  imported = {};
  begin(options, "plan");
  INGOT_ASSIGN(plan::Plan plan, plan::make_plan(graph, options.plan));
  begin(options, "self-test");
  INGOT_ASSIGN(plan.self_test, make_self_test(graph));
  return plan;
}

Expected<Compiled> generate(Graph imported, const CompileOptions& options,
                            const std::string& source, bool want_text) {
  Compiled result;
  std::vector<passes::Applied> log;
  INGOT_ASSIGN(result.plan, make_plan(std::move(imported), options, log));
  result.text = plan::print(result.plan);
  result.interface = describe(result.plan, result.text, log, options, source);

  target::Options target;
  target.isa_levels = options.isa_levels;
  target.instrument = options.instrument;
  target.kernel_lines = result.text.kernel_lines;
  target.want_llvm_text = target.want_assembly_text = want_text;
  begin(options, "machine code");
  INGOT_ASSIGN(result.object,
               target::generate(result.plan, write::make_descriptor(result.interface), target));
  return result;
}

/// Bugs of ours end here, as errors, and so does a machine that is too small.
template <class Function>
auto guarded(Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limit,
                "out of memory; see the sizes with ingot inspect, and bound symbols with --dim");
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, "{}; please report it with the model", error.what());
  }
}

Expected<std::vector<std::byte>> link(const write::Interface& model, const target::Object& object) {
  const std::string symbol = write::descriptor_symbol(model);
  INGOT_ASSIGN(const target::Object list,
               target::generate_constant(write::make_model_list({&symbol, 1})));
  const std::span<const std::byte> objects[] = {object.elf, list.elf};
  const std::string exports[] = {symbol, "ingot_models"};
  return target::link_shared(objects, exports);
}

ImportOptions import_options(const std::filesystem::path& model, const CompileOptions& options) {
  ImportOptions import = options.import;
  if (import.name.empty()) {
    std::set<std::string> taken;
    // A folder may be written with a slash at its end.
    const std::filesystem::path file = model.has_filename() ? model : model.parent_path();
    import.name = write::make_identifier(file.stem().string(), taken);
  }
  const bool strict = std::count(options.isa_levels.begin(), options.isa_levels.end(), 2) != 0;
  if (strict) import.arithmetic = Arithmetic::strict;
  return import;
}

Expected<Graph> checked(Expected<Graph> imported, const CompileOptions& options) {
  if (imported && options.passes.check) INGOT_TRY(options.passes.check(*imported, "import"));
  return imported;
}

}  // namespace

Expected<Graph> import_for(const std::string& model_path, const CompileOptions& options) {
  begin(options, "import");
  return guarded([&] {
    return checked(import_file(model_path, import_options(model_path, options)), options);
  });
}

void verify_each(CompileOptions& options) {
  options.passes.check = [](const Graph& graph, std::string_view after) -> Expected<void> {
    if (const auto sound = verify(graph); !sound)
      return fail(ErrorCode::internal, "after {}: {}", after, sound.error().message);
    const std::string text = print(graph, {.constants_in_full = true});
    const auto again = parse_graph(text);
    if (!again) {
      return fail(ErrorCode::internal, "after {}: the graph does not read back: {}", after,
                  again.error().message);
    }
    if (print(*again, {.constants_in_full = true}) != text)
      return fail(ErrorCode::internal, "after {}: the graph reads back as another one", after);
    return {};
  };
  options.plan.check = [](const plan::Plan& plan, std::string_view step) -> Expected<void> {
    const auto sound = plan::check_plan(plan);
    if (sound) return {};
    return fail(ErrorCode::internal, "after planning {}: {}", step, sound.error().message);
  };
}

Expected<Bundle> compile_graph(Graph graph, const CompileOptions& options,
                               const std::string& source) {
  return guarded([&]() -> Expected<Bundle> {
    INGOT_ASSIGN(Compiled compiled, generate(std::move(graph), options, source, false));
    INGOT_ASSIGN(write::Texts texts, write::write_texts(compiled.interface));
    Bundle bundle;
    bundle.name = compiled.interface.name;
    bundle.header = std::move(texts.header);
    bundle.manifest = std::move(texts.manifest);
    bundle.plan = std::move(compiled.text.text);
    if (options.shared) {
      begin(options, "linking");
      INGOT_ASSIGN(bundle.shared, link(compiled.interface, compiled.object));
    }
    bundle.object = std::move(compiled.object.elf);
    return bundle;
  });
}

Expected<Bundle> compile(const std::string& model_path, const CompileOptions& options) {
  CompileOptions noted = options;
  std::vector<std::string> files;
  noted.import.on_read = [&](const std::string& path) {
    if (std::find(files.begin(), files.end(), path) == files.end()) files.push_back(path);
  };
  INGOT_ASSIGN(Graph graph, import_for(model_path, noted));
  INGOT_ASSIGN(Bundle bundle, compile_graph(std::move(graph), options,
                                            std::filesystem::path(model_path).filename().string()));
  bundle.files = std::move(files);
  return bundle;
}

Expected<Bundle> compile_bytes(std::span<const std::byte> model, const std::string& source,
                               const CompileOptions& options) {
  begin(options, "import");
  INGOT_ASSIGN(Graph graph, guarded([&] {
                 return checked(import_model(model, import_options(source, options)), options);
               }));
  return compile_graph(std::move(graph), options,
                       std::filesystem::path(source).filename().string());
}

Expected<std::string> compile_until(const std::string& model_path, const CompileOptions& options,
                                    Stage stage) {
  INGOT_ASSIGN(const Graph imported, import_for(model_path, options));
  if (stage == Stage::import) return print(imported);
  return guarded([&]() -> Expected<std::string> {
    INGOT_ASSIGN(const Graph graph, passes::optimize(imported, options.passes));
    if (stage == Stage::passes) return print(graph);
    INGOT_ASSIGN(const plan::Plan plan, plan::make_plan(graph, options.plan));
    if (stage == Stage::plan) return plan::print(plan).text;
    INGOT_ASSIGN(
        const Compiled compiled,
        generate(imported, options, std::filesystem::path(model_path).filename().string(), true));
    return stage == Stage::llvm ? compiled.object.llvm_text : compiled.object.assembly_text;
  });
}

}  // namespace ingot
