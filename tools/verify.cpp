// SPDX-License-Identifier: Apache-2.0
// ingot verify: models against their reference outputs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cases.h"
#include "compare.h"
#include "engine.h"
#include "help.h"
#include "ops/explain.h"
#include "options.h"
#include "passes/pass.h"
#include "progress.h"

namespace ingot::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  std::vector<std::string> paths;
  std::string engine = "interpreter";
  bool json = false, explain = false;
  ModelFlags shared;
  SizeFlags sizes;
};

struct Result {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string name;    // case/data set
  std::string reason;  // why not passed
  std::vector<CrossedEdge> explained;
  std::vector<std::string> bound;  // inputs that became constants
  std::optional<Worst> worst;      // of all outputs, once there are some
};

/// A model to check and the graph that it was made from.
struct Subject {
  std::unique_ptr<Engine> engine;
  Graph graph;
  std::map<std::string, std::string> fixed;  // inputs of the data set that became constants
};

struct Data {
  std::vector<Tensor> inputs, expected;
};

Json to_json(const CrossedEdge& edge) {
  return {{"op", edge.op},           {"node", edge.node},
          {"element", edge.element}, {"float32", edge.in_float32},
          {"float64", edge.exact},   {"threshold", edge.threshold},
          {"gap", edge.gap},         {"bound", edge.bound}};
}

class Verifier {
 public:
  explicit Verifier(const Flags& flags) : flags_(flags) {}

  Expected<int> run() {
    INGOT_ASSIGN(options_, flags_.shared.options());
    INGOT_ASSIGN(sizes_, flags_.sizes.values());
    for (const std::string& path : flags_.paths) {
      INGOT_ASSIGN(cases_, find_cases(path));
      std::erase_if(cases_, [&](const Case& one) { return !is_wanted(one); });
      objects_.clear();
      INGOT_TRY(check_signatures(path));
      Progress progress;
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        progress.now(fmt::format("{} of {}, {}", i + 1, cases_.size(), cases_[i].name));
        verify(cases_[i]);
      }
    }
    return report();
  }

 private:
  /// What to check: an interpreter, or the compiled code of each ISA that was asked for.
  std::vector<std::string> variants() const {
    if (flags_.engine != "compiled") return {""};
    if (flags_.shared.isa.empty()) return {""};
    return split(flags_.shared.isa);
  }

  /// A case that names its signature is one of those that were asked for, if any were.
  bool is_wanted(const Case& one) const {
    if (one.import.signature.empty() || flags_.shared.signature.empty()) return true;
    const std::vector<std::string> names = split(flags_.shared.signature);
    return std::find(names.begin(), names.end(), one.import.signature) != names.end();
  }

  Expected<void> check_signatures(const std::string& path) const {
    const auto none = [&](const std::string& name) {
      return fail(ErrorCode::invalid_argument, "--signature {}: no case in {} has it", name, path);
    };
    if (cases_.empty()) return none(flags_.shared.signature);
    for (const std::string& name : options_.signatures) {
      if (std::none_of(cases_.begin(), cases_.end(),
                       [&](const Case& one) { return one.import.signature == name; }))
        return none(name);
    }
    return {};
  }

  CompileOptions options_for(const Case& one) const {
    CompileOptions options = options_;
    options.signatures.clear();
    options.import.inputs.insert(options.import.inputs.begin(), one.import.inputs.begin(),
                                 one.import.inputs.end());
    options.import.constants.insert(one.import.constants.begin(), one.import.constants.end());
    if (options.import.outputs.empty()) options.import.outputs = one.import.outputs;
    if (options.import.tag.empty()) options.import.tag = one.import.tag;
    if (options.import.signature.empty()) options.import.signature = one.import.signature;
    return options;
  }

  /// Where several signatures were asked for, their code is that of one object.
  Expected<const Bundle*> together(const Case& one) {
    if (const auto made = objects_.find(one.model); made != objects_.end()) return &made->second;
    std::vector<Source> sources;
    for (const Case& other : cases_) {
      if (other.model != one.model || other.import.signature.empty()) continue;
      const std::string& signature = other.import.signature;
      sources.push_back(signature_sources(one.model, {signature}, options_for(other)).front());
    }
    CompileOptions options = options_;
    options.shared = true;
    INGOT_ASSIGN(Bundle bundle, compile_sources("verified", sources, options));
    return &objects_.emplace(one.model, std::move(bundle)).first->second;
  }

  Expected<std::unique_ptr<Engine>> compiled(const Case& one, const Graph& graph,
                                             const CompileOptions& options,
                                             const std::string& variant) {
    if (options_.signatures.empty() || one.import.signature.empty())
      return compile_and_load(graph, options, variant);
    INGOT_ASSIGN(const Bundle* bundle, together(one));
    return load_compiled(*bundle, variant, one.import.signature);
  }

  Expected<Subject> open(const Case& one, const std::string& variant) {
    if (!one.refused.empty()) return fail(ErrorCode::unsupported, "{}", one.refused);
    CompileOptions options = options_for(one);
    Subject subject;
    Expected<Graph> graph = import_for(one.model, options);
    if (!graph && graph.error().code == ErrorCode::unsupported && one.data_sets.size() == 1) {
      if (std::optional<Graph> again = bind_inputs(one, options, subject))
        graph = *std::move(again);
    }
    if (!graph) return graph.error();
    subject.graph = *std::move(graph);
    INGOT_ASSIGN(subject.engine,
                 flags_.engine == "interpreter" ? make_interpreter(subject.graph, options.passes)
                 : flags_.engine == "plan"      ? make_plan_interpreter(subject.graph, options)
                                                : compiled(one, subject.graph, options, variant));
    return subject;
  }

  /// Imports the model with small inputs of its only data set as constants: those without which it
  /// cannot be imported, and no others, so that the rest of them are inputs still.
  static std::optional<Graph> bind_inputs(const Case& one, CompileOptions& options,
                                          Subject& subject) {
    const auto small = small_inputs(one.data_sets[0]);
    if (!small || small->empty()) return std::nullopt;
    std::map<std::string, std::string>& constants = options.import.constants;
    for (const auto& [name, value] : *small) {
      if (constants.emplace(name, value).second) subject.fixed.emplace(name, value);
    }
    Expected<Graph> graph = import_for(one.model, options);
    for (const auto& [name, value] : *small) {
      if (!graph || !subject.fixed.contains(name)) continue;
      constants.erase(name);
      if (Expected<Graph> without = import_for(one.model, options)) {
        subject.fixed.erase(name);
        graph = std::move(without);
      } else {
        constants.emplace(name, value);
      }
    }
    if (graph) return *std::move(graph);
    for (const auto& [name, value] : subject.fixed) constants.erase(name);
    subject.fixed.clear();
    return std::nullopt;
  }

  void verify(const Case& one) {
    for (const std::string& variant : variants()) {
      const std::string suffix = variant.empty() ? "" : " " + variant;
      Expected<Subject> subject = open(one, variant);
      if (one.data_sets.empty())
        results_.push_back(
            Result{Result::Kind::skipped, one.name + suffix, "it has no data sets", {}, {}, {}});
      for (const DataSet& set : one.data_sets) {
        Result result{Result::Kind::passed, one.name + "/" + set.name + suffix, {}, {}, {}, {}};
        if (subject) {
          for (const auto& [name, value] : subject->fixed) result.bound.push_back(name);
        }
        const Expected<void> outcome = subject ? check(*subject, set, result) : subject.error();
        if (!outcome) {
          const bool skipped = outcome.error().code == ErrorCode::unsupported;
          result.kind = skipped ? Result::Kind::skipped : Result::Kind::failed;
          result.reason = outcome.error().message;
        }
        results_.push_back(std::move(result));
      }
    }
  }

  static Expected<Data> read(const DataSet& set, const Subject& subject) {
    Data data;
    if (set.ramp) {
      for (const Port& port : subject.engine->inputs()) {
        INGOT_ASSIGN(Tensor tensor, ramp(port.type));
        data.inputs.push_back(std::move(tensor));
      }
    }
    for (const std::string& file : set.inputs) {
      INGOT_ASSIGN(NamedTensor input, read_case_tensor(file));
      if (!subject.fixed.contains(input.name)) data.inputs.push_back(std::move(input.tensor));
    }
    for (const std::string& file : set.outputs) {
      INGOT_ASSIGN(NamedTensor output, read_case_tensor(file));
      data.expected.push_back(std::move(output.tensor));
    }
    return data;
  }

  Expected<void> check(const Subject& subject, const DataSet& set, Result& result) const {
    INGOT_ASSIGN(const Data data, read(set, subject));
    if (const std::size_t wanted = subject.engine->inputs().size(); data.inputs.size() != wanted) {
      return fail(
          ErrorCode::invalid_argument,
          "{} inputs in the data set, the model has {}; the files are input_0.pb, input_1.pb, ..",
          data.inputs.size(), wanted);
    }
    INGOT_ASSIGN(const std::vector<Tensor> outputs, subject.engine->run(data.inputs, sizes_));
    if (outputs.size() != data.expected.size()) {
      return fail(
          ErrorCode::mismatch,
          "the model has {} outputs, the data set {}; the files are output_0.pb, output_1.pb, ..",
          outputs.size(), data.expected.size());
    }
    result.worst.emplace();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Worst one = worst(outputs[i], data.expected[i], set.rtol, set.atol);
      if (one.of_tolerance > result.worst->of_tolerance) result.worst = one;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto wrong = difference(outputs[i], data.expected[i], set.rtol, set.atol);
      if (!wrong) continue;
      const Error error =
          fail(ErrorCode::mismatch, "output '{}' {}", subject.engine->outputs()[i].name, *wrong);
      if (!flags_.explain) return error;
      INGOT_ASSIGN(Explanation explanation, explain(subject, set, data, outputs));
      if (explanation.crossed.empty())
        return fail(error.code, "{}; not explained: {}", error.message, explanation.why_not);
      result.explained = std::move(explanation.crossed);
      return {};
    }
    return {};
  }

  Expected<Explanation> explain(const Subject& subject, const DataSet& set, const Data& data,
                                std::span<const Tensor> outputs) const {
    INGOT_ASSIGN(const Graph graph, passes::optimize(subject.graph, options_.passes));
    auto distance = [&](std::span<const Tensor> results) {
      double sum = 0;
      for (std::size_t i = 0; i < results.size(); ++i)
        sum += disagreement(results[i], data.expected[i], set.rtol, set.atol);
      return sum;
    };
    INGOT_ASSIGN(const SymbolValues symbols, subject.engine->bind(data.inputs, sizes_));
    return explain_mismatch(graph, data.inputs, symbols, outputs, distance);
  }

  int report() const {
    std::size_t passed = 0, failed = 0, skipped = 0, explained = 0, bound = 0;
    std::map<std::string, std::vector<std::string>> reasons;
    Json json = Json::array();
    for (const Result& result : results_) {
      if (result.kind == Result::Kind::passed) {
        ++passed;
        if (!result.bound.empty()) ++bound;
      }
      if (result.kind == Result::Kind::failed) ++failed;
      if (result.kind == Result::Kind::skipped) ++skipped;
      const char* kind = result.kind == Result::Kind::passed   ? "passed"
                         : result.kind == Result::Kind::failed ? "failed"
                                                               : "skipped";
      json.push_back({{"case", result.name}, {"result", kind}, {"reason", result.reason}});
      if (!result.bound.empty()) json.back()["bound"] = result.bound;
      if (result.worst && std::isfinite(result.worst->of_tolerance)) {
        json.back()["worst"] = {{"error", result.worst->error},
                                {"of_tolerance", result.worst->of_tolerance}};
      }
      if (!result.explained.empty()) {
        ++explained;
        Json& edges = json.back()["explained"] = Json::array();
        for (const CrossedEdge& edge : result.explained) edges.push_back(to_json(edge));
        if (!flags_.json) print_explained(result);
      }
      if (flags_.json || result.kind == Result::Kind::passed) continue;
      if (result.kind == Result::Kind::skipped) {
        reasons[result.reason].push_back(result.name);
      } else {
        std::printf("FAILED %s: %s\n", result.name.c_str(), result.reason.c_str());
      }
    }
    if (flags_.json) {
      const Json all = {{"results", json},  {"passed", passed},   {"bound", bound},
                        {"failed", failed}, {"skipped", skipped}, {"explained", explained}};
      std::printf("%s\n", all.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
      for (const auto& [reason, names] : reasons) {
        for (const std::string& name : names) std::printf("skipped %s\n", name.c_str());
        std::printf("    because %s\n", reason.c_str());
      }
      if (explained > 0) {
        std::printf(
            "%zu of these explained: rounding decides on which side of a threshold they are\n",
            explained);
      }
      std::string apart;
      if (bound > 0) apart = fmt::format(" ({} with inputs bound as constants)", bound);
      std::printf("%zu passed%s, %zu failed, %zu skipped\n", passed, apart.c_str(), failed,
                  skipped);
    }
    return failed == 0 ? 0 : exit_status(ErrorCode::mismatch);
  }

  /// The first few: behind a crossed edge there may be thousands.
  static void print_explained(const Result& result) {
    constexpr std::size_t most_shown = 8;
    const std::size_t count = result.explained.size();
    std::printf("explained %s\n", result.name.c_str());
    for (std::size_t i = 0; i < std::min(count, most_shown); ++i)
      std::printf("    %s\n", result.explained[i].str().c_str());
    if (count > most_shown) std::printf("    and %zu more\n", count - most_shown);
  }

  const Flags& flags_;
  CompileOptions options_;
  SymbolValues sizes_;
  std::vector<Case> cases_;                // of the path at hand
  std::map<std::string, Bundle> objects_;  // by model, of several signatures
  std::vector<Result> results_;
};

}  // namespace

void add_verify(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("verify", "compare models with their reference outputs");
  app->add_option("PATH", flags->paths,
                  "folders with a model.json or a model.onnx in them or below")
      ->required();
  app->add_option("--engine", flags->engine, "what computes (default: interpreter)")
      ->check(CLI::IsMember({"compiled", "interpreter", "plan"}));
  app->add_flag("--explain", flags->explain,
                "excuse what rounding explains: an op that jumps, at its threshold");
  app->add_flag("--json", flags->json, "all results as JSON");
  flags->shared.add_import(*app);
  flags->shared.add_compile(*app);
  flags->sizes.add(*app);
  explain(*app,
          "A folder holds a model and data sets of inputs and expected outputs, as ONNX's own "
          "cases do.\n"
          "Failures are listed with their worst element, what was skipped with the reason.",
          {{"ingot verify models --engine compiled --isa v3,v4", "checks the code of both levels"},
           {"ingot verify models --explain --json",
            "says which mismatches rounding alone decides; results for a program to read"}});
  app->callback([flags, &run] { run = [flags] { return Verifier(*flags).run(); }; });
}

}  // namespace ingot::tools
