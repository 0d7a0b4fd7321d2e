// SPDX-License-Identifier: Apache-2.0
// The whole compiler as a function: a model file in, an object, a header and a manifest out.
#pragma once

#include <ingot/compile.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/import.h"
#include "passes/pass.h"
#include "plan/plan.h"
#include "target/target.h"

namespace ingot {

struct CompileOptions {
  ImportOptions import;  // `name` empty: the model file's name
  passes::Options passes;
  plan::PlanOptions plan;
  /// Of a SavedModel, those that become models of one object; instead of `import.signature`.
  std::vector<std::string> signatures;
  /// Sizes for which there is code of its own beside the general one.
  std::vector<SymbolValues> variants;
  /// x86-64 levels. With 2 among them the whole model is strict: multiply and add apart, on all.
  std::vector<int> isa_levels{4, 3};
  bool shared = false;  // also link NAME.so
  target::Instrument instrument = target::Instrument::none;
  /// Told what begins, in words for a user, by the thread that compiles.
  std::function<void(std::string_view)> progress;
};

/// What `ingot compile` writes, as bytes. The same model and options give the same bytes.
using Bundle = compiler::Compiled;

/// Thread-safe. Errors are those of the stages; a bug of ours is an error of code `internal`.
Expected<Bundle> compile(const std::string& model_path, const CompileOptions& options);

/// An imported model and where it came from.
struct Imported {
  Graph graph;
  std::string source;     // the model file's name without folders
  std::string signature;  // of a SavedModel
};

/// A model of an object, imported when its turn comes.
struct Source {
  std::string entry;  // any text: its name among the object's models; empty if it is the only one
  std::string label;  // in front of what is wrong with it, if it has an entry
  std::function<Expected<Imported>()> read;
};

/// The model in a file.
Source file_source(const std::string& path, const CompileOptions& options);

/// Each of these signatures of a SavedModel.
std::vector<Source> signature_sources(const std::string& path,
                                      const std::vector<std::string>& signatures,
                                      const CompileOptions& options);

/// Several models, or one, as an object of this name with one header: what is equal of their
/// weights is there once.
Expected<Bundle> compile_sources(const std::string& name, const std::vector<Source>& sources,
                                 const CompileOptions& options);

/// The same for a model in memory, of which `source` is the file's name.
Expected<Bundle> compile_bytes(std::span<const std::byte> model, const std::string& source,
                               const CompileOptions& options);

/// The same for a graph that is already imported; `source` is the model file's name without
/// folders.
Expected<Bundle> compile_graph(Graph graph, const CompileOptions& options,
                               const std::string& source);

enum class Stage { import, passes, plan, llvm, assembly };

/// What a stage makes of the model, as text.
Expected<std::string> compile_until(const std::string& model_path, const CompileOptions& options,
                                    Stage stage);

/// Imports a model for these options: the name from the file, strict arithmetic where they ask for
/// it. Of several signatures it takes none.
Expected<Graph> import_for(const std::string& model_path, const CompileOptions& options);

/// Has options check the graph after import and after each pass, and the plan after each step of
/// planning: by the verifiers, and that a graph reads back from its text. A failure is an error of
/// code `internal` that names the pass or step. Takes about twice the time.
void verify_each(CompileOptions& options);

}  // namespace ingot
