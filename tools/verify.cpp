// SPDX-License-Identifier: Apache-2.0
// ingot verify: models against their reference outputs.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cases.h"
#include "compare.h"
#include "engine.h"
#include "options.h"

namespace ingot::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  std::vector<std::string> paths;
  std::string engine = "interpreter";
  bool json = false;
  ModelFlags shared;
  SizeFlags sizes;
};

struct Result {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string name;    // case/data set
  std::string reason;  // why not passed
};

class Verifier {
 public:
  explicit Verifier(const Flags& flags) : flags_(flags) {}

  Expected<int> run() {
    INGOT_ASSIGN(options_, flags_.shared.options());
    INGOT_ASSIGN(sizes_, flags_.sizes.values());
    for (const std::string& path : flags_.paths) {
      INGOT_ASSIGN(const std::vector<Case> cases, find_cases(path));
      for (const Case& one : cases) verify(one);
    }
    return report();
  }

 private:
  /// Engines to check: the interpreter, or one per ISA that was asked for.
  std::vector<std::string> variants() const {
    if (flags_.engine == "interpreter") return {"interpreter"};
    if (flags_.shared.isa.empty()) return {""};
    return split(flags_.shared.isa);
  }

  Expected<std::unique_ptr<Engine>> open(const Case& one, const std::string& variant) {
    if (!one.refused.empty()) return fail(ErrorCode::unsupported, "{}", one.refused);
    CompileOptions options = options_;
    options.import.inputs.insert(options.import.inputs.begin(), one.import.inputs.begin(),
                                 one.import.inputs.end());
    options.import.constants.insert(one.import.constants.begin(), one.import.constants.end());
    if (options.import.outputs.empty()) options.import.outputs = one.import.outputs;
    INGOT_ASSIGN(const Graph graph, import_for(one.model, options));
    if (variant == "interpreter") return make_interpreter(graph);
    return compile_and_load(graph, options, variant);
  }

  void verify(const Case& one) {
    for (const std::string& variant : variants()) {
      const std::string suffix = variant.empty() || variant == "interpreter" ? "" : " " + variant;
      Expected<std::unique_ptr<Engine>> engine = open(one, variant);
      for (const DataSet& set : one.data_sets) {
        Result result{Result::Kind::passed, one.name + "/" + set.name + suffix, {}};
        const Expected<void> outcome = engine ? check(**engine, set) : engine.error();
        if (!outcome) {
          const bool skipped = outcome.error().code == ErrorCode::unsupported;
          result.kind = skipped ? Result::Kind::skipped : Result::Kind::failed;
          result.reason = outcome.error().message;
        }
        results_.push_back(std::move(result));
      }
    }
  }

  Expected<void> check(Engine& engine, const DataSet& set) {
    std::vector<Tensor> inputs, expected;
    for (const std::string& file : set.inputs) {
      INGOT_ASSIGN(Tensor tensor, read_case_tensor(file));
      inputs.push_back(std::move(tensor));
    }
    for (const std::string& file : set.outputs) {
      INGOT_ASSIGN(Tensor tensor, read_case_tensor(file));
      expected.push_back(std::move(tensor));
    }
    INGOT_ASSIGN(const std::vector<Tensor> outputs, engine.run(inputs, sizes_));
    if (outputs.size() != expected.size()) {
      return fail(ErrorCode::mismatch, "{} outputs, {} expected", outputs.size(), expected.size());
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (const auto wrong = difference(outputs[i], expected[i], set.rtol, set.atol)) {
        return fail(ErrorCode::mismatch, "output '{}' {}", engine.outputs()[i].name, *wrong);
      }
    }
    return {};
  }

  int report() const {
    std::size_t passed = 0, failed = 0, skipped = 0;
    std::map<std::string, std::vector<std::string>> reasons;
    Json json = Json::array();
    for (const Result& result : results_) {
      if (result.kind == Result::Kind::passed) ++passed;
      if (result.kind == Result::Kind::failed) ++failed;
      if (result.kind == Result::Kind::skipped) ++skipped;
      const char* kind = result.kind == Result::Kind::passed   ? "passed"
                         : result.kind == Result::Kind::failed ? "failed"
                                                               : "skipped";
      json.push_back({{"case", result.name}, {"result", kind}, {"reason", result.reason}});
      if (flags_.json || result.kind == Result::Kind::passed) continue;
      if (result.kind == Result::Kind::skipped) {
        reasons[result.reason].push_back(result.name);
      } else {
        std::printf("FAILED %s: %s\n", result.name.c_str(), result.reason.c_str());
      }
    }
    if (flags_.json) {
      const Json all = {
          {"results", json}, {"passed", passed}, {"failed", failed}, {"skipped", skipped}};
      std::printf("%s\n", all.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
      for (const auto& [reason, names] : reasons) {
        for (const std::string& name : names) std::printf("skipped %s\n", name.c_str());
        std::printf("    because %s\n", reason.c_str());
      }
      std::printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    }
    return failed == 0 ? 0 : exit_status(ErrorCode::mismatch);
  }

  const Flags& flags_;
  CompileOptions options_;
  SymbolValues sizes_;
  std::vector<Result> results_;
};

}  // namespace

void add_verify(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("verify", "compare models with their reference outputs");
  app->add_option("paths", flags->paths,
                  "folders with a model.json or a model.onnx in them or below")
      ->required();
  app->add_option("--engine", flags->engine, "interpreter (default) or compiled")
      ->check(CLI::IsMember({"compiled", "interpreter"}));
  app->add_flag("--json", flags->json, "all results as JSON");
  flags->shared.add_import(*app);
  flags->shared.add_compile(*app);
  flags->sizes.add(*app);
  app->callback([flags, &run] { run = [flags] { return Verifier(*flags).run(); }; });
}

}  // namespace ingot::tools
