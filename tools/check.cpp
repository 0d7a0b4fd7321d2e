// SPDX-License-Identifier: Apache-2.0
// ingot check: whether a model can be compiled; if not, everything that stands in the way.
#include "check.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "help.h"
#include "options.h"

namespace ingot::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  std::string model;
  bool json = false;
  ModelFlags shared;
};

std::string_view supported(const OpUse& use) {
  if (!use.known) return "no";
  return use.refused > 0 ? "partly" : "yes";
}

std::string count(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string table(const Survey& survey) {
  std::size_t width = 9;
  bool opsets = false;
  for (const auto& [op, use] : survey.ops) {
    width = std::max(width, op.size());
    opsets = opsets || use.since > 0;
  }
  std::string text = fmt::format("{:<{}} | nodes | supported{}\n", "Operation", width,
                                 opsets ? " | since opset" : "");
  text += fmt::format("{:-<{}}-|-------|----------{}\n", "", width, opsets ? "-|------------" : "");
  for (const auto& [op, use] : survey.ops) {
    std::string word = use.known ? std::string(supported(use)) : "NO";
    if (use.known && use.refused > 0) word = fmt::format("not {}", use.refused);
    text += fmt::format("{:<{}} | {:>5} | ", op, width, use.nodes);
    text += !opsets          ? word
            : use.since == 0 ? fmt::format("{:<9} |", word)
                             : fmt::format("{:<9} | {}", word, use.since);
    text += '\n';
  }
  return text;
}

/// The last line: what cmsml_check_aot_compatibility ends with.
std::string verdict(const CheckReport& report) {
  const Survey& survey = report.survey;
  if (report.compiles()) return "compatible: this model can be compiled\n";
  std::string bad;
  std::size_t ops = 0;
  for (const auto& [op, use] : survey.ops) {
    if (use.refused == 0) continue;
    bad += (bad.empty() ? "" : ", ") + op;
    ++ops;
  }
  if (ops == 0) return "not compatible\n";
  return fmt::format("not compatible, {}: {}\n", count(ops, "incompatible op"), bad);
}

std::string to_text(const CheckReport& report, const std::string& model) {
  const Survey& survey = report.survey;
  if (survey.format.empty()) return {};
  std::string text = fmt::format("{}: {}\n\n", model, survey.format);
  text += table(survey);
  if (survey.refused()) {
    text += fmt::format("\n{} cannot be compiled yet\n{}\n", count(survey.refusals.size(), "thing"),
                        explain_refusals(survey.refusals, survey.refusals.size()));
  }
  if (const auto unseen = static_cast<std::size_t>(survey.unseen()); unseen > 0) {
    text += fmt::format("\n{} not looked at{}: the {} supported, types and attributes may not be\n",
                        unseen == 1 ? "1 more node was" : fmt::format("{} more nodes were", unseen),
                        report.error  ? ""
                        : unseen == 1 ? ", as it hangs on these"
                                      : ", as they hang on these",
                        unseen == 1 ? "op is" : "ops are");
  }
  for (std::size_t i = 0; i < survey.warnings.size(); ++i)
    text += fmt::format("{}  {}\n", i == 0 ? "\nwarnings\n" : "", survey.warnings[i].message);
  return text + '\n' + verdict(report);
}

Json to_json(const CheckReport& report, const std::string& model) {
  const Survey& survey = report.survey;
  Json ops = Json::array();
  for (const auto& [op, use] : survey.ops) {
    ops.push_back({{"op", op},
                   {"nodes", use.nodes},
                   {"supported", supported(use)},
                   {"since_opset", use.since > 0 ? Json(use.since) : Json()},
                   {"refused", use.refused},
                   {"not_looked_at", use.unseen}});
  }
  Json refused = Json::array();
  for (const Refusal& refusal : survey.refusals) {
    refused.push_back({{"op", refusal.op},
                       {"node", refusal.node},
                       {"path", refusal.path},
                       {"function", refusal.function},
                       {"kind", name(refusal.kind)},
                       {"reason", refusal.reason},
                       {"advice", refusal.advice}});
  }
  Json inputs = Json::array();
  for (const Survey::Input& input : survey.inputs)
    inputs.push_back({{"name", input.name}, {"type", str(input.type)}});
  Json warnings = Json::array();
  for (const Warning& warning : survey.warnings) {
    warnings.push_back(
        {{"kind", warning.kind}, {"subject", warning.subject}, {"message", warning.message}});
  }
  Json error;
  if (report.error)
    error = {{"code", name(report.error->code)}, {"message", report.error->message}};
  return {{"model", model},
          {"format", survey.format},
          {"compiles", report.compiles()},
          {"status", report.status()},
          {"error", error},
          {"inputs", inputs},
          {"ops", ops},
          {"refused", refused},
          {"not_looked_at", survey.unseen()},
          {"warnings", warnings}};
}

void write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // what follows goes to standard error
}

std::string dumped(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Several signatures of a SavedModel: each, then a line for each. The exit status is the worst.
Expected<int> check_signatures(const Flags& flags, CompileOptions options,
                               const std::vector<std::string>& names) {
  Json json = {{"model", flags.model}, {"signatures", Json::object()}};
  std::string last;
  int worst = 0;
  options.signatures.clear();
  for (const std::string& name : names) {
    options.import.signature = name;
    const CheckReport report = check(flags.model, options);
    worst = std::max(worst, report.status());
    const std::string model = fmt::format("{} --signature {}", flags.model, name);
    json["signatures"][name] = to_json(report, flags.model);
    if (!flags.json) write(to_text(report, model) + '\n');
    last +=
        fmt::format("{}: {}", name, report.error ? report.error->message + '\n' : verdict(report));
  }
  write(flags.json ? dumped(json) : last);
  return worst;
}

Expected<int> check_model(const Flags& flags) {
  INGOT_ASSIGN(const CompileOptions options, flags.shared.options());
  if (!options.signatures.empty()) return check_signatures(flags, options, options.signatures);
  if (options.import.signature.empty()) {
    const auto names = signatures_of(flags.model, options.import);
    if (names && names->size() > 1) return check_signatures(flags, options, *names);
  }
  const CheckReport report = check(flags.model, options);
  write(flags.json ? dumped(to_json(report, flags.model)) : to_text(report, flags.model));
  if (report.error && !flags.json) return *report.error;
  return report.status();
}

}  // namespace

void add_check(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand(
      "check", "say whether a model can be compiled; if not, everything that stands in the way");
  app->add_option("MODEL", flags->model,
                  "ONNX, TensorFlow SavedModel or frozen graph, or Ingot's text form")
      ->required();
  app->add_flag("--json", flags->json, "the report as JSON");
  flags->shared.add_import(*app);
  explain(
      *app,
      "Lists the ops of a model, and all nodes that cannot be compiled, each with the reason and\n"
      "what to do. Exit status: 0 it compiles, 4 something is not supported.",
      {{"ingot check digits.onnx", "whether it compiles, and what ops it has"},
       {"ingot check digits.onnx --json", "the same for a program to read"}});
  app->callback([flags, &run] { run = [flags] { return check_model(*flags); }; });
}

}  // namespace ingot::tools
