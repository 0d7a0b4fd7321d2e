// SPDX-License-Identifier: Apache-2.0
// ingot inspect: what is in a model file, or in a compiled model.
#include <ingot/load.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "bench/mlprof.h"
#include "help.h"
#include "ir/op.h"
#include "options.h"
#include "trace.h"

namespace ingot::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  std::string model, mlprof;
  bool trace = false;
  ModelFlags shared;
};

std::string size_text(double bytes) {
  if (bytes < 10000) return fmt::format("{:.0f} bytes", bytes);
  if (bytes < 1e7) return fmt::format("{:.1f} kB", bytes / 1e3);
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

/// What MLProf wants to know of a model, in a file that finds the model from its own folder.
Expected<int> write_mlprof(const Flags& flags, const Graph& graph) {
  namespace fs = std::filesystem;
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(flags.model));
  INGOT_ASSIGN(const ModelFormat format, recognise_format(bytes));
  if (format == ModelFormat::text)
    return fail(ErrorCode::invalid_argument, "{}: MLProf reads ONNX and GraphDefs alone",
                flags.model);
  const fs::path folder = fs::absolute(flags.mlprof).parent_path();
  const std::string file = fs::absolute(flags.model).lexically_relative(folder).string();
  INGOT_ASSIGN(const bench::MlprofModel model,
               bench::mlprof_model_of(graph, file, format == ModelFormat::onnx));
  INGOT_TRY(write_file(flags.mlprof, bench::to_yaml(model)));
  return 0;
}

Expected<int> inspect_graph(const Flags& flags, CompileOptions options) {
  INGOT_ASSIGN(const Graph graph, import_for(flags.model, options));
  if (!flags.mlprof.empty()) return write_mlprof(flags, graph);
  std::string text = fmt::format("model {}\n\n", graph.name);
  for (const ValueId input : graph.inputs()) {
    text += fmt::format("  in   {}  {}\n", graph.value(input).name, str(graph.type(input)));
  }
  for (const Output& output : graph.outputs()) {
    text += fmt::format("  out  {}  {}\n", output.name, str(graph.type(output.value)));
  }
  text += "\nsymbols\n";
  for (const Symbol& symbol : graph.symbols()) {
    text += fmt::format("  {} from {} to {}\n", symbol.name, symbol.range.lo, symbol.range.hi);
  }
  if (graph.symbols().empty()) text += "  none: all sizes are fixed\n";
  for (const Constraint& constraint : graph.constraints()) {
    const bool equal = constraint.relation == Constraint::Relation::equal;
    text += fmt::format("  {} {} {}, asked for by {}\n", constraint.left.str(),
                        equal ? "==" : ">=", constraint.right.str(), constraint.reason);
  }
  std::map<std::string_view, int> ops;
  for (const Node& node : graph.nodes()) ++ops[node.op->name];
  text += fmt::format("\nops: {} of {} kinds\n", graph.nodes().size(), ops.size());
  for (const auto& [name, count] : ops) text += fmt::format("  {:>5} {}\n", count, name);
  double bytes = 0, splats = 0;
  std::size_t numbers = 0;
  for (const Tensor& constant : graph.constants()) {
    if (constant.is_splat()) ++splats;
    bytes += static_cast<double>(constant.bytes().size());
    if (!constant.is_splat()) numbers += static_cast<std::size_t>(constant.elements());
  }
  text += fmt::format(
      "\nweights: {} numbers in {} constants, {}; {} more are one repeated number\n", numbers,
      graph.constants().size() - static_cast<std::size_t>(splats), size_text(bytes), splats);
  if (flags.trace) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    text.clear();
    std::fputs("\npasses\n", stdout);
    options.passes.trace = trace_to(stdout);
  }
  std::vector<passes::Applied> log;
  INGOT_TRY(passes::optimize(graph, options.passes, &log));
  text += fmt::format("\n{}\n", passes::summary(log));
  for (const auto& [pass, times] : fired(log))
    text += fmt::format("  {:>5} times {}\n", times, pass);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

std::string field(const Json& object, const char* key) {
  if (!object.contains(key)) return "";
  const Json& value = object[key];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string shape_text(const Json& shape) {
  std::string text;
  for (const Json& size : shape) {
    text += (text.empty() ? "" : ", ") + (size.is_string() ? size.get<std::string>() : size.dump());
  }
  return text;
}

Expected<Json> read_manifest(const std::string& path, std::string_view text) {
  Json manifest = Json::parse(text, nullptr, false);
  if (manifest.is_discarded() || field(manifest, "format") != "ingot manifest")
    return fail(ErrorCode::invalid_argument, "{}: not a manifest that ingot compile wrote", path);
  return manifest;
}

/// Of one model.
Expected<int> inspect_model(const std::string& path, const Json& model) {
  for (const char* part : {"inputs", "outputs", "symbols", "variants", "kernels"}) {
    if (!model.contains(part) || !model[part].is_array()) {
      return fail(ErrorCode::invalid_argument,
                  "{}: a manifest without '{}'; it was changed or written by another version, "
                  "compile the model again",
                  path, part);
    }
  }
  std::string text = fmt::format(
      "compiled model {} from {}{}, ingot {}, ABI {}, arithmetic {}\n  hash {}\n\n",
      field(model, "name"), field(model, "source"),
      field(model, "signature").empty() ? "" : ", signature " + field(model, "signature"),
      field(model, "ingot_version"), field(model, "abi"), field(model, "arithmetic"),
      field(model, "hash"));
  for (const char* side : {"inputs", "outputs"}) {
    for (const Json& tensor : model.value(side, Json::array())) {
      text += fmt::format("  {:4} {}  {}[{}]\n", side == std::string_view("inputs") ? "in" : "out",
                          field(tensor, "name"), field(tensor, "dtype"),
                          shape_text(tensor.value("shape", Json::array())));
    }
  }
  text += "\nsymbols\n";
  for (const Json& symbol : model.value("symbols", Json::array())) {
    text += fmt::format("  {} from {} to {}\n", field(symbol, "name"), field(symbol, "lo"),
                        field(symbol, "hi"));
  }
  for (const Json& constraint : model.value("constraints", Json::array())) {
    text += fmt::format("  {}\n",
                        constraint.is_string() ? constraint.get<std::string>() : constraint.dump());
  }
  text += "\nvariants:";
  for (const Json& variant : model.value("variants", Json::array()))
    text += " " + field(variant, "name");
  text += fmt::format("\nworkspace: {} bytes\n", field(model, "workspace_bytes"));
  for (const Json& size : model.value("workspaces", Json::array())) {
    const double bytes = size.value("bytes", 0.0), least = size.value("least", 0.0);
    text +=
        fmt::format("  of {} {}: {} bytes, {:.2f} of the {} that are alive at once\n",
                    field(size, "rows"), field(size, "rows") == "1" ? "row" : "rows",
                    field(size, "bytes"), least > 0 ? bytes / least : 1.0, field(size, "least"));
  }
  for (const Json& block : model.value("blocks", Json::array())) {
    text +=
        fmt::format("  kernels {} to {} in blocks of {} of {} rows\n", field(block, "first_kernel"),
                    field(block, "last_kernel"), field(block, "size"), field(block, "rows"));
  }
  for (const Json& fork : model.value("forks", Json::array())) {
    std::string parts;
    for (const Json& part : fork) {
      parts += fmt::format("{} {} to {}", parts.empty() ? "" : ",", field(part, "first_kernel"),
                           field(part, "last_kernel"));
    }
    text +=
        fmt::format("  branches for threads in calls that rows don't split: kernels{}\n", parts);
  }
  const Json weights = model.value("weights", Json::object());
  text += fmt::format("weights: {} bytes in one section\n", field(weights, "bytes"));
  for (const Json& constant : weights.value("constants", Json::array())) {
    text += fmt::format("  at {:>8}  {:>8} bytes  {} {}  {}\n", field(constant, "offset"),
                        field(constant, "bytes"), field(constant, "shape"),
                        field(constant, "packing"), field(constant, "name"));
  }
  text += "\nkernels (operations; bytes read and written)\n";
  int id = 0;
  for (const Json& kernel : model.value("kernels", Json::array())) {
    text += fmt::format("  {:>3} {:8} {}  ({}; {})\n", id++, field(kernel, "kind"),
                        field(kernel, "name"), field(kernel, "flops"), field(kernel, "bytes"));
  }
  text += "\nbuffers in the workspace\n";
  for (const Json& buffer : model.value("buffers", Json::array())) {
    text += fmt::format("  at {}: {} bytes, {}{} {}, kernels {} to {}\n", field(buffer, "offset"),
                        field(buffer, "bytes"), field(buffer, "dtype"), field(buffer, "shape"),
                        field(buffer, "name"), field(buffer, "first_kernel"),
                        field(buffer, "last_kernel"));
  }
  text += "\npasses\n";
  for (const Json& pass : model.value("passes", Json::array())) {
    text += fmt::format("  {:16} {:13} fired {} times, {} nodes to {}\n", field(pass, "name"),
                        field(pass, "numerics"), field(pass, "times"), field(pass, "nodes_before"),
                        field(pass, "nodes_after"));
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

/// The manifests of a compiled object's models, from NAME.json or NAME.so.
Expected<std::vector<Json>> manifests_of(const std::string& path) {
  std::vector<Json> models;
  if (path.ends_with(".json")) {
    INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
    INGOT_ASSIGN(Json manifest,
                 read_manifest(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    if (!manifest.contains("models")) return std::vector<Json>{std::move(manifest)};
    for (Json& model : manifest["models"]) models.push_back(std::move(model));
    if (models.empty()) return fail(ErrorCode::invalid_argument, "{}: it lists no model", path);
    return models;
  }
  const LoadedModel file = LoadedModel::load(path.c_str());
  if (file.descriptor() == nullptr) return fail(ErrorCode::io, "{}", file.error().c_str());
  for (std::uint32_t i = 0; i < file.model_count(); ++i) {
    INGOT_ASSIGN(Json manifest, read_manifest(path, file.model(i).manifest));
    models.push_back(std::move(manifest));
  }
  return models;
}

Expected<int> inspect_compiled(const Flags& flags) {
  INGOT_ASSIGN(std::vector<Json> models, manifests_of(flags.model));
  const std::vector<std::string> wanted = split(flags.shared.signature);
  for (const std::string& name : wanted) {
    if (std::none_of(models.begin(), models.end(),
                     [&](const Json& model) { return field(model, "signature") == name; })) {
      return fail(ErrorCode::invalid_argument, "--signature {}: {} has no model of that signature",
                  name, flags.model);
    }
  }
  std::erase_if(models, [&](const Json& model) {
    return !wanted.empty() &&
           std::find(wanted.begin(), wanted.end(), field(model, "signature")) == wanted.end();
  });
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (i > 0) std::fputs("\n", stdout);
    INGOT_TRY(inspect_model(flags.model, models[i]));
  }
  return 0;
}

Expected<int> inspect(const Flags& flags) {
  const std::string extension = std::filesystem::path(flags.model).extension().string();
  if (extension == ".json" || extension == ".so") return inspect_compiled(flags);
  INGOT_ASSIGN(CompileOptions options, flags.shared.options());
  if (options.signatures.empty() || !flags.mlprof.empty()) return inspect_graph(flags, options);
  for (const std::string& signature : std::exchange(options.signatures, {})) {
    options.import.signature = signature;
    fmt::print("signature {}: ", signature);
    std::fflush(stdout);
    INGOT_TRY(inspect_graph(flags, options));
    std::fputs("\n", stdout);
  }
  return 0;
}

}  // namespace

void add_inspect(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app =
      program.add_subcommand("inspect", "show what is in a model file or a compiled model");
  app->add_option("MODEL", flags->model, "a model file, NAME.json or NAME.so")->required();
  app->add_flag("--trace-passes", flags->trace, "show what each pass does to a model file");
  app->add_option("--mlprof", flags->mlprof,
                  "write what MLProf is told of a model file, and no more")
      ->type_name("FILE");
  flags->shared.add_import(*app);
  flags->shared.add_passes(*app);
  explain(
      *app,
      "Of a model file: inputs, outputs, sizes, ops, weights, and what each pass makes of it. Of "
      "a\n"
      "compiled model, by its NAME.json or NAME.so: kernels, buffers and the workspace formula.",
      {{"ingot inspect digits.onnx", "what is in the file"},
       {"ingot inspect out/digits.json", "what was made of it"}});
  app->callback([flags, &run] { run = [flags] { return inspect(*flags); }; });
}

}  // namespace ingot::tools
