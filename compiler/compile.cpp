// SPDX-License-Identifier: Apache-2.0
// The whole compiler on one screen: import, passes, plan, target, write.
#include "compile.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>

#include "describe.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "make_plans.h"
#include "plan/check.h"
#include "write/write.h"

namespace ingot {
namespace {

void begin(const CompileOptions& options, std::string_view what) {
  if (options.progress) options.progress(what);
}

/// Everything that is known once machine code exists.
struct Compiled {
  plan::Text text;
  std::vector<write::Interface> models;
  target::Object object;
};

Expected<Compiled> generate(const std::string& name, const std::vector<Source>& sources,
                            const CompileOptions& options, bool want_text) {
  INGOT_ASSIGN(PlannedObject object, make_plans(name, sources, options, true));
  const ObjectFacts facts{name, provenance(object.text, object.weights, options),
                          object.weights.size()};
  Compiled result;
  std::vector<target::Program> programs;
  for (PlannedModel& model : object.models) {
    result.models.push_back(describe(model, facts, options));
    programs.push_back({model.plans.whole, model.plans.pinned, std::move(model.kernel_lines),
                        write::make_descriptor(result.models.back())});
  }
  target::Options target;
  target.isa_levels = options.isa_levels;
  target.instrument = options.instrument;
  target.want_llvm_text = target.want_assembly_text = want_text;
  begin(options, "machine code");
  INGOT_ASSIGN(result.object, target::generate(name, programs, object.weights, target));
  result.text = std::move(object.text);
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

Expected<std::vector<std::byte>> link(const Compiled& compiled) {
  std::vector<std::string> exports;
  for (const write::Interface& model : compiled.models)
    exports.push_back(write::descriptor_symbol(model));
  INGOT_ASSIGN(const target::Object list,
               target::generate_constant(write::make_model_list(exports)));
  const std::span<const std::byte> objects[] = {compiled.object.elf, list.elf};
  exports.emplace_back("ingot_models");
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

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::vector<Source> sources_of(const std::string& path, const CompileOptions& options) {
  if (options.signatures.empty()) return {file_source(path, options)};
  return signature_sources(path, options.signatures, options);
}

}  // namespace

Expected<Graph> import_for(const std::string& model_path, const CompileOptions& options) {
  if (!options.signatures.empty()) {
    return fail(ErrorCode::invalid_argument, "--signature {}: one signature is wanted here",
                fmt::join(options.signatures, ","));
  }
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

Source file_source(const std::string& path, const CompileOptions& options) {
  return {"", "", [path, options]() -> Expected<Imported> {
            CompileOptions one = options;
            one.signatures.clear();
            Survey survey;
            if (one.import.survey == nullptr) one.import.survey = &survey;
            INGOT_ASSIGN(Graph graph, import_for(path, one));
            return Imported{std::move(graph), file_name(path), one.import.survey->signature};
          }};
}

std::vector<Source> signature_sources(const std::string& path,
                                      const std::vector<std::string>& signatures,
                                      const CompileOptions& options) {
  std::vector<Source> sources;
  for (const std::string& signature : signatures) {
    CompileOptions one = options;
    one.import.signature = signature;
    sources.push_back(file_source(path, one));
    sources.back().entry = signature;
    sources.back().label = "--signature " + signature;
  }
  return sources;
}

Expected<Bundle> compile_sources(const std::string& name, const std::vector<Source>& sources,
                                 const CompileOptions& options) {
  return guarded([&]() -> Expected<Bundle> {
    INGOT_ASSIGN(Compiled compiled, generate(name, sources, options, false));
    INGOT_ASSIGN(write::Texts texts, write::write_texts(name, compiled.models));
    Bundle bundle;
    bundle.name = name;
    bundle.header = std::move(texts.header);
    bundle.manifest = std::move(texts.manifest);
    bundle.plan = std::move(compiled.text.text);
    if (options.shared) {
      begin(options, "linking");
      INGOT_ASSIGN(bundle.shared, link(compiled));
    }
    bundle.object = std::move(compiled.object.elf);
    return bundle;
  });
}

Expected<Bundle> compile_graph(Graph graph, const CompileOptions& options,
                               const std::string& source) {
  const std::string name = graph.name;
  return compile_sources(name, {{"", "", [&] { return Imported{std::move(graph), source, ""}; }}},
                         options);
}

Expected<Bundle> compile(const std::string& model_path, const CompileOptions& options) {
  CompileOptions noted = options;
  std::vector<std::string> files;
  noted.import.on_read = [&](const std::string& path) {
    if (std::find(files.begin(), files.end(), path) == files.end()) files.push_back(path);
  };
  INGOT_ASSIGN(Bundle bundle, compile_sources(import_options(model_path, options).name,
                                              sources_of(model_path, noted), options));
  bundle.files = std::move(files);
  return bundle;
}

Expected<Bundle> compile_bytes(std::span<const std::byte> model, const std::string& source,
                               const CompileOptions& options) {
  begin(options, "import");
  INGOT_ASSIGN(Graph graph, guarded([&] {
                 return checked(import_model(model, import_options(source, options)), options);
               }));
  return compile_graph(std::move(graph), options, file_name(source));
}

Expected<std::string> compile_until(const std::string& model_path, const CompileOptions& options,
                                    Stage stage) {
  const std::vector<Source> sources = sources_of(model_path, options);
  return guarded([&]() -> Expected<std::string> {
    std::string text;
    if (stage == Stage::import || stage == Stage::passes) {
      for (const Source& source : sources) {
        INGOT_ASSIGN(const Imported imported, source.read());
        if (!text.empty()) text += "\n";
        if (stage == Stage::import) {
          text += print(imported.graph);
        } else {
          INGOT_ASSIGN(const Graph graph, passes::optimize(imported.graph, options.passes));
          text += print(graph);
        }
      }
      return text;
    }
    const std::string name = import_options(model_path, options).name;
    if (stage == Stage::plan) {
      INGOT_ASSIGN(PlannedObject object, make_plans(name, sources, options, false));
      return std::move(object.text.text);
    }
    INGOT_ASSIGN(Compiled compiled, generate(name, sources, options, true));
    return std::move(stage == Stage::llvm ? compiled.object.llvm_text
                                          : compiled.object.assembly_text);
  });
}

}  // namespace ingot
