// SPDX-License-Identifier: Apache-2.0
#include "mlprof.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "statistics.h"

namespace ingot::bench {
namespace {

/// `$NAME` and `${NAME}`, as far as the environment has them.
std::string expanded(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool braces = text.compare(at, 2, "${") == 0;
    const std::size_t begin = at + (braces ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const bool closed = !braces || (end < text.size() && text[end] == '}');
    const char* value = text[at] == '$' && end > begin && closed
                            ? std::getenv(text.substr(begin, end - begin).c_str())
                            : nullptr;
    if (value == nullptr) {
      out += text[at++];
      continue;
    }
    out += value;
    at = end + (braces ? 1 : 0);
  }
  return out;
}

/// Reads one YAML file; what is wrong ends as one Error with the line.
class YamlReader {
 public:
  explicit YamlReader(const std::string& path) : path_(path) {}

  Expected<MlprofModel> read(const YAML::Node& root) {
    MlprofModel model;
    if (!root.IsMap() || !root["model"]) return wrong(root, "no field 'model'");
    const YAML::Node fields = root["model"];
    if (!fields.IsMap()) return wrong(fields, "'model' must have fields");
    INGOT_ASSIGN(model.name, text(fields, "name", false));
    INGOT_ASSIGN(model.label, text(fields, "label", false));
    INGOT_ASSIGN(model.version, text(fields, "version", false));
    INGOT_ASSIGN(model.engine, text(fields, "inference_engine", true));
    const bool saved = model.engine == "tfaot";
    if (!saved && model.engine != "tf" && model.engine != "onnx")
      return wrong(fields["inference_engine"], fmt::format("'inference_engine' must be tf, onnx or "
                                                           "tfaot, not '{}'",
                                                           model.engine));
    INGOT_ASSIGN(const std::string file, text(fields, saved ? "saved_model" : "file", true));
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    model.file = (folder / expanded(file)).lexically_normal().string();
    if (saved) {
      INGOT_ASSIGN(model.serving_key, text(fields, "serving_key", false));
      const YAML::Node compilation = root["compilation"];
      if (compilation && compilation.IsMap() && compilation["batch_sizes"]) {
        INGOT_ASSIGN(model.batch_sizes, numbers(compilation["batch_sizes"], "batch_sizes"));
      }
      return model;
    }
    INGOT_ASSIGN(const std::vector<YAML::Node> inputs, list(fields, "inputs"));
    for (const YAML::Node& input : inputs) {
      MlprofModel::Input& added = model.inputs.emplace_back();
      INGOT_ASSIGN(added.name, text(input, "name", true));
      if (!input["shape"]) return wrong(input, "an input has no 'shape'");
      INGOT_ASSIGN(added.shape, numbers(input["shape"], "shape"));
    }
    INGOT_ASSIGN(const std::vector<YAML::Node> outputs, list(fields, "outputs"));
    for (const YAML::Node& output : outputs) {
      INGOT_ASSIGN(std::string name, text(output, "name", true));
      model.outputs.push_back(std::move(name));
    }
    return model;
  }

 private:
  Error wrong(const YAML::Node& at, const std::string& what) const {
    const int line = at.IsDefined() ? std::max(at.Mark().line + 1, 1) : 1;
    return fail(ErrorCode::invalid_argument, "{}:{}: {}", path_, line, what);
  }
  Expected<std::string> text(const YAML::Node& fields, const char* key, bool needed) const {
    const YAML::Node found = fields.IsMap() ? fields[key] : YAML::Node(YAML::NodeType::Undefined);
    if (!found || found.IsNull())
      return needed ? Expected<std::string>(wrong(fields, fmt::format("no field '{}'", key)))
                    : Expected<std::string>(std::string());
    if (!found.IsScalar()) return wrong(found, fmt::format("'{}' must be a text", key));
    return found.Scalar();
  }
  Expected<std::vector<YAML::Node>> list(const YAML::Node& fields, const char* key) const {
    const YAML::Node found = fields[key];
    if (!found || !found.IsSequence() || found.size() == 0)
      return wrong(found ? found : fields, fmt::format("'{}' must be a list of at least one", key));
    return std::vector<YAML::Node>(found.begin(), found.end());
  }
  Expected<std::vector<std::int64_t>> numbers(const YAML::Node& node, const char* key) const {
    std::vector<std::int64_t> all;
    if (!node.IsSequence()) return wrong(node, fmt::format("'{}' must be a list of sizes", key));
    for (const YAML::Node& size : node) {
      const std::string said = size.IsScalar() ? size.Scalar() : "";
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), number);
      if (error != std::errc() || end != said.data() + said.size() || number < 1)
        return wrong(size,
                     fmt::format("'{}' must hold whole numbers above 0, not '{}'", key, said));
      all.push_back(number);
    }
    return all;
  }

  const std::string& path_;
};

std::string safe_name(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ? c : '_';
  return out.empty() || out[0] == '.' ? "_" + out : out;
}

}  // namespace

Expected<MlprofModel> mlprof_model_from_yaml(const std::string& text, const std::string& path) {
  try {
    return YamlReader(path).read(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::invalid_argument, "{}:{}: {}", path, error.mark.line + 1, error.msg);
  }
}

std::string to_yaml(const MlprofModel& model) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "model" << YAML::Value << YAML::BeginMap;
  const auto field = [&](const char* key, const std::string& value) {
    if (!value.empty()) out << YAML::Key << key << YAML::Value << value;
  };
  field("name", model.name);
  field("label", model.label);
  if (!model.version.empty())
    out << YAML::Key << "version" << YAML::Value << YAML::DoubleQuoted << model.version;
  field("inference_engine", model.engine);
  field(model.engine == "tfaot" ? "saved_model" : "file", model.file);
  field("serving_key", model.serving_key);
  if (!model.inputs.empty()) {
    out << YAML::Key << "inputs" << YAML::Value << YAML::BeginSeq;
    for (const MlprofModel::Input& input : model.inputs)
      out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << input.name << YAML::Key
          << "shape" << YAML::Value << YAML::Flow << input.shape << YAML::EndMap;
    out << YAML::EndSeq << YAML::Key << "outputs" << YAML::Value << YAML::BeginSeq;
    for (const std::string& name : model.outputs)
      out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << name << YAML::EndMap;
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
  if (model.engine == "tfaot") {
    out << YAML::Key << "compilation" << YAML::Value << YAML::BeginMap;
    out << YAML::Key << "batch_sizes" << YAML::Value << YAML::Flow << model.batch_sizes;
    for (const char* flags : {"tf_xla_flags", "xla_flags"})
      out << YAML::Key << flags << YAML::Value << YAML::Flow << std::vector<std::string>();
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

ImportOptions import_options(const MlprofModel& model) {
  ImportOptions options;
  for (const MlprofModel::Input& input : model.inputs) {
    InputSpec& spec = options.inputs.emplace_back();
    spec.name = input.name;
    Shape shape = {Dim::symbol("N")};
    for (const std::int64_t size : input.shape) shape.emplace_back(size);
    spec.shape = std::move(shape);
  }
  options.outputs = model.outputs;
  return options;
}

Expected<MlprofModel> mlprof_model_of(const Graph& graph, const std::string& file, bool is_onnx) {
  MlprofModel model;
  model.name = model.label = graph.name;
  model.engine = is_onnx ? "onnx" : "tf";
  model.file = file;
  std::string batch;
  for (const ValueId id : graph.inputs()) {
    const Shape& shape = graph.type(id).shape;
    const std::string& name = graph.value(id).name;
    const auto refuse = [&](const std::string& why) {
      return fail(ErrorCode::unsupported, "MLProf has no input like '{}' of shape {}: {}", name,
                  str(shape), why);
    };
    const auto lead = shape.empty() ? std::nullopt : shape[0].symbol_name();
    if (!lead) return refuse("the batch size must lead");
    if (!batch.empty() && batch != *lead)
      return refuse(fmt::format("another input has {} events", batch));
    batch = *lead;
    MlprofModel::Input& input = model.inputs.emplace_back();
    input.name = name;
    for (std::size_t d = 1; d < shape.size(); ++d) {
      const std::optional<std::int64_t> size = shape[d].value();
      if (!size)
        return refuse(fmt::format("pin its other sizes, with --dim {}=..", shape[d].str()));
      input.shape.push_back(*size);
    }
  }
  for (const Output& output : graph.outputs()) model.outputs.push_back(output.name);
  return model;
}

std::vector<MlprofTimes> to_mlprof(const Report& report) {
  std::vector<MlprofTimes> all;
  for (const ModelReport& model : report.models) {
    std::map<std::string, std::map<std::int64_t, const Figures*>> engines;
    for (const Run& run : model.runs)
      for (const Result& result : run.results)
        if (result.hot && !result.hot->times.empty())
          engines[result.engine].try_emplace(run.events, &*result.hot);
    for (const auto& [engine, sizes] : engines) {
      MlprofTimes& times = all.emplace_back();
      times.model = safe_name(model.name);
      times.engine = safe_name(engine);
      times.file_name = "runtimes_bs";
      for (const auto& [events, figures] : sizes) {
        times.file_name += fmt::format("{}{}", times.text.empty() ? "" : "_", events);
        for (const double us : figures->times)
          times.text += fmt::format("{},{:.6g}\n", events, us / 1000);
      }
      times.file_name += ".csv";
    }
  }
  return all;
}

Expected<void> add_mlprof(Report& report, const std::string& model, const std::string& engine,
                          const std::string& text, const std::string& path) {
  std::map<std::int64_t, std::vector<double>> times;  // microseconds by batch size
  for (std::size_t at = 0, line = 1; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string row = text.substr(at, end - at);
    at = end + 1;
    if (!row.empty() && row.back() == '\r') row.pop_back();
    if (row.empty()) continue;
    // The batch size is a number of C++ streams, of type float: 1e+06 as well as 64.
    double size = 0, ms = 0;
    const char* const last = row.data() + row.size();
    const auto first = std::from_chars(row.data(), last, size);
    const bool comma = first.ec == std::errc() && first.ptr != last && *first.ptr == ',';
    const auto second = comma ? std::from_chars(first.ptr + 1, last, ms) : first;
    if (!comma || second.ec != std::errc() || second.ptr != last || !(size >= 1 && size < 1e15) ||
        size != std::floor(size) || !(ms >= 0 && std::isfinite(ms)))
      return fail(ErrorCode::invalid_argument,
                  "{}:{}: '{}' is not 'batch size,milliseconds' as MLProf writes it", path, line,
                  row.substr(0, 60));
    times[static_cast<std::int64_t>(size)].push_back(ms * 1000);
  }
  if (times.empty()) return fail(ErrorCode::invalid_argument, "{}: there are no times in it", path);
  const auto named = [](const auto& all, const std::string& name) {
    return std::find_if(all.begin(), all.end(),
                        [&](const auto& each) { return each.name == name; });
  };
  if (named(report.engines, engine) == report.engines.end())
    report.engines.push_back({engine, "", "measured by MLProf, from " + path});
  if (named(report.models, model) == report.models.end()) report.models.push_back({.name = model});
  ModelReport& into =
      report.models[static_cast<std::size_t>(named(report.models, model) - report.models.begin())];
  for (const auto& [events, all] : times) {
    Result result{.engine = engine, .agreement = "not compared"};
    result.note = "measured by MLProf";
    result.hot = figures_of(all, 1);
    result.hot->times = all;
    result.hot->steady = result.hot->uncertainty <= 0.01 * result.hot->median;
    bool added = false;
    for (Run& run : into.runs) {
      if (run.events != events) continue;
      run.results.push_back(result);
      added = true;
    }
    if (!added)
      into.runs.push_back(
          {.sizes = {{"N", events}}, .events = events, .inputs = "MLProf's", .results = {result}});
  }
  return {};
}

}  // namespace ingot::bench
