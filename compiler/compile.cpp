// SPDX-License-Identifier: Apache-2.0
// The whole compiler on one screen: import, passes, plan, target, write.
#include "compile.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <new>
#include <set>

#include "describe.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "plan/check.h"
#include "plan/pin.h"
#include "plan/print.h"
#include "write/write.h"

namespace ingot {
namespace {

void begin(const CompileOptions& options, std::string_view what) {
  if (options.progress) options.progress(what);
}

/// Everything that is known once machine code exists.
struct Compiled {
  plan::Text text;
  write::Interface interface;
  target::Object object;
};

Expected<plan::Plans> plan_all(const Graph& graph, const CompileOptions& options) {
  plan::Plans plans;
  INGOT_ASSIGN(plans.whole, plan::make_plan(graph, options.plan));
  // Those with the most pins first, else as given.
  std::multimap<std::size_t, const SymbolValues*, std::greater<>> variants;
  for (const SymbolValues& pins : options.variants) variants.emplace(pins.size(), &pins);
  for (const auto& [count, pins] : variants) {
    INGOT_ASSIGN(const Graph pinned, plan::pin(graph, plans.whole, *pins));
    if (options.passes.check) INGOT_TRY(options.passes.check(pinned, "pinning"));
    INGOT_ASSIGN(plan::Plan plan, plan::make_pinned_plan(pinned, plans.whole, *pins, options.plan));
    plans.pinned.push_back(std::move(plan));
  }
  plan::share_weights(plans);
  return plans;
}

/// A self-test of the model, and one for each set of pins whose sizes the interpreter, which is
/// slow, has done with in some seconds.
Expected<void> add_self_tests(const Graph& graph, plan::Plans& plans) {
  INGOT_ASSIGN(plans.whole.self_test, make_self_test(graph));
  for (plan::Plan& plan : plans.pinned) {
    Graph held = graph;
    for (const std::uint32_t i : plan::pins_of(plan))
      held.declare_symbol(plan.symbols[i].name, plan.symbols[i].range);
    INGOT_ASSIGN(plan.self_test, make_self_test(held, 0x1p22));
  }
  return {};
}

/// One after the other, each with the weights of all.
plan::Text print_all(plan::Plans& plans) {
  plan::Text all = plan::print(plans.whole);
  for (plan::Plan& plan : plans.pinned) {
    const auto lines = static_cast<unsigned>(std::count(all.text.begin(), all.text.end(), '\n'));
    std::swap(plan.weights, plans.whole.weights);
    const plan::Text text = plan::print(plan);
    std::swap(plan.weights, plans.whole.weights);
    all.text += "\n" + text.text;
    for (const unsigned line : text.kernel_lines) all.kernel_lines.push_back(lines + 1 + line);
  }
  return all;
}

/// Graphs, and the weights in them, are gone before there is an object with the same weights.
Expected<plan::Plans> make_plans(Graph imported, const CompileOptions& options,
                                 std::vector<passes::Applied>& log) {
  begin(options, "passes");
  INGOT_ASSIGN(const Graph graph, passes::optimize(imported, options.passes, &log));
  imported = {};
  begin(options, "plan");
  INGOT_ASSIGN(plan::Plans plans, plan_all(graph, options));
  begin(options, "self-test");
  INGOT_TRY(add_self_tests(graph, plans));
  return plans;
}

Expected<Compiled> generate(Graph imported, const CompileOptions& options,
                            const std::string& source, bool want_text) {
  Compiled result;
  std::vector<passes::Applied> log;
  INGOT_ASSIGN(plan::Plans plans, make_plans(std::move(imported), options, log));
  result.text = print_all(plans);
  result.interface = describe(plans, result.text, log, options, source);

  target::Options target;
  target.isa_levels = options.isa_levels;
  target.instrument = options.instrument;
  target.kernel_lines = result.text.kernel_lines;
  target.pinned = plans.pinned;
  target.want_llvm_text = target.want_assembly_text = want_text;
  begin(options, "machine code");
  INGOT_ASSIGN(result.object,
               target::generate(plans.whole, write::make_descriptor(result.interface), target));
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
    if (stage == Stage::plan) {
      INGOT_ASSIGN(plan::Plans plans, plan_all(graph, options));
      return print_all(plans).text;
    }
    INGOT_ASSIGN(
        const Compiled compiled,
        generate(imported, options, std::filesystem::path(model_path).filename().string(), true));
    return stage == Stage::llvm ? compiled.object.llvm_text : compiled.object.assembly_text;
  });
}

}  // namespace ingot
