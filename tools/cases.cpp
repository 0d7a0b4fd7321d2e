// SPDX-License-Identifier: Apache-2.0
#include "cases.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace ingot::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Expected<Json> read_json(const fs::path& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path.string()));
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  Json json = Json::parse(text, text + bytes.size(), nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return fail(ErrorCode::invalid_argument, "{}: not a JSON object", path.string());
  }
  return json;
}

/// input_0.pb, input_1.pb, ... as far as they go.
std::vector<std::string> numbered(const fs::path& folder, std::string_view stem) {
  std::vector<std::string> files;
  for (int i = 0;; ++i) {
    const fs::path file = folder / fmt::format("{}_{}.pb", stem, i);
    if (!fs::exists(file)) return files;
    files.push_back(file.string());
  }
}

DataSet read_data_set(const fs::path& folder) {
  DataSet set;
  set.name = folder.filename().string();
  set.inputs = numbered(folder, "input");
  set.outputs = numbered(folder, "output");
  return set;
}

std::vector<fs::path> sorted_folders(const fs::path& path) {
  std::vector<fs::path> folders;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, status)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Expected<InputSpec> read_spec(const Json& tensor) {
  InputSpec spec;
  spec.name = tensor.at("name").get<std::string>();
  spec.dtype = dtype_from_name(tensor.at("dtype").get<std::string>());
  Shape shape;
  for (const Json& size : tensor.at("shape")) {
    if (size.is_string()) {
      INGOT_ASSIGN(Dim dim, Dim::parse(size.get<std::string>()));
      shape.push_back(std::move(dim));
    } else {
      shape.emplace_back(size.get<std::int64_t>());
    }
  }
  spec.shape = std::move(shape);
  return spec;
}

void read_data_sets(const fs::path& folder, const Json& sets, Case& result) {
  for (const Json& set : sets) {
    DataSet data = read_data_set(folder / set.at("folder").get<std::string>());
    data.rtol = set.at("rtol").get<double>();
    data.atol = set.at("atol").get<double>();
    result.data_sets.push_back(std::move(data));
  }
}

/// A signature of a SavedModel. It knows its inputs and outputs, but sorts them.
void read_signature(const fs::path& folder, const Json& json, Case& result) {
  result.import.signature = json.value("signature", "");
  for (const Json& input : json.at("inputs"))
    result.import.inputs.push_back({input.at("name").get<std::string>(), {}, {}});
  for (const Json& output : json.at("outputs"))
    result.import.outputs.push_back(output.at("name").get<std::string>());
  read_data_sets(folder, json.at("data_sets"), result);
}

/// One case, or one for each signature.
Expected<std::vector<Case>> read_model(const fs::path& folder) {
  INGOT_ASSIGN(const Json json, read_json(folder / "model.json"));
  try {
    Case result;
    result.name = folder.filename().string();
    result.model = (folder / json.at("file").get<std::string>()).string();
    const std::string format = json.at("format").get<std::string>();
    const bool named = format == "savedmodel" || format == "keras" || format == "h5";
    if (format != "onnx" && format != "graphdef" && !named) {
      result.refused = fmt::format("format {} cannot be read yet", format);
    }
    // A frozen graph carries no signature; an ONNX model its own.
    if (format == "graphdef") {
      for (const Json& input : json.at("inputs")) {
        INGOT_ASSIGN(InputSpec spec, read_spec(input));
        result.import.inputs.push_back(std::move(spec));
      }
      for (const Json& output : json.at("outputs")) {
        result.import.outputs.push_back(output.at("name").get<std::string>());
      }
    }
    const Json constants = json.value("constants", Json::object());
    for (const auto& [name, value] : constants.items()) {
      result.import.constants[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    result.import.tag = json.value("tag", "");
    if (json.contains("signatures")) {
      std::vector<Case> cases;
      for (const Json& signature : json.at("signatures")) {
        cases.push_back(result);
        read_signature(folder, signature, cases.back());
        cases.back().name += "." + cases.back().import.signature;
      }
      return cases;
    }
    if (named) {
      read_signature(folder, json, result);
    } else {
      read_data_sets(folder, json.at("data_sets"), result);
    }
    return std::vector<Case>{std::move(result)};
  } catch (const Json::exception& error) {
    // Without the library's number of the error in brackets.
    const std::string_view what = error.what();
    const std::size_t end = what.find("] ");
    return fail(ErrorCode::invalid_argument, "{}: {}", (folder / "model.json").string(),
                end == std::string_view::npos ? what : what.substr(end + 2));
  }
}

Expected<Case> read_onnx_case(const fs::path& folder) {
  Case result;
  result.name = folder.filename().string();
  result.model = (folder / "model.onnx").string();
  double rtol = 1e-3, atol = 1e-7;
  if (fs::exists(folder / "data.json")) {
    INGOT_ASSIGN(const Json json, read_json(folder / "data.json"));
    if (json.contains("rtol") && json["rtol"].is_number()) rtol = json["rtol"].get<double>();
    if (json.contains("atol") && json["atol"].is_number()) atol = json["atol"].get<double>();
  }
  for (const fs::path& set : sorted_folders(folder)) {
    if (!set.filename().string().starts_with("test_data_set_")) continue;
    DataSet data = read_data_set(set);
    data.rtol = rtol;
    data.atol = atol;
    result.data_sets.push_back(std::move(data));
  }
  return result;
}

/// Networks whose weights are made by ConstantOfShape, so that they fit into a repository.
void find_light(const fs::path& folder, std::vector<Case>& cases) {
  std::vector<fs::path> models;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, status)) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  for (const fs::path& model : models) {
    DataSet set;
    set.name = "ramp";
    set.ramp = true;
    set.outputs = numbered(folder, model.stem().string() + "_output");
    if (set.outputs.empty()) continue;
    Case found;
    found.name = model.stem().string();
    found.model = model.string();
    found.data_sets.push_back(std::move(set));
    cases.push_back(std::move(found));
  }
}

Expected<void> find(const fs::path& path, std::vector<Case>& cases) {
  if (fs::exists(path / "model.json")) {
    INGOT_ASSIGN(std::vector<Case> found, read_model(path));
    cases.insert(cases.end(), found.begin(), found.end());
    return {};
  }
  if (fs::exists(path / "model.onnx")) {
    INGOT_ASSIGN(Case found, read_onnx_case(path));
    cases.push_back(std::move(found));
    return {};
  }
  find_light(path, cases);
  for (const fs::path& folder : sorted_folders(path)) INGOT_TRY(find(folder, cases));
  return {};
}

}  // namespace

Expected<std::vector<Case>> find_cases(const std::string& path) {
  std::error_code status;
  if (!fs::is_directory(path, status)) {
    return fail(ErrorCode::io,
                "{}: not a folder; give one with a model.json or a model.onnx in it or below",
                path);
  }
  std::vector<Case> cases;
  // With a slash at the end the last component would be empty.
  const std::string trimmed =
      path.size() > 1 && path.back() == '/' ? path.substr(0, path.size() - 1) : path;
  INGOT_TRY(find(trimmed, cases));
  if (cases.empty()) {
    return fail(ErrorCode::invalid_argument, "{}: no model.json and no model.onnx in it or below",
                path);
  }
  return cases;
}

Expected<Tensor> ramp(const TensorType& type) {
  const auto shape = static_shape(type.shape);
  if (!shape || (type.dtype != DType::f32 && type.dtype != DType::f64))
    return fail(ErrorCode::unsupported, "no ramp for an input of type {}", str(type));
  Tensor tensor(type.dtype, *shape);
  const auto count = static_cast<double>(tensor.elements());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    const double value = static_cast<double>(i) / count;
    if (type.dtype == DType::f32) {
      tensor.set(i, static_cast<float>(value));
    } else {
      tensor.set(i, value);
    }
  }
  return tensor;
}

Expected<NamedTensor> read_case_tensor(const std::string& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  Expected<NamedTensor> tensor = read_tensor_proto(bytes);
  if (!tensor) return fail(tensor.error().code, "{}: {}", path, tensor.error().message);
  return tensor;
}

Expected<std::map<std::string, std::string>> small_inputs(const DataSet& set) {
  constexpr std::int64_t most = 64;
  std::map<std::string, std::string> constants;
  for (std::size_t i = 0; i < set.inputs.size(); ++i) {
    INGOT_ASSIGN(const NamedTensor input, read_case_tensor(set.inputs[i]));
    const Tensor& tensor = input.tensor;
    // The first input is what the op works on, unless it is a shape or a bound.
    const bool shape = tensor.rank() == 1 && (i > 0 || is_integer(tensor.dtype()));
    if (input.name.empty() || tensor.elements() > most || (tensor.rank() > 0 && !shape)) continue;
    std::vector<std::string> numbers;
    for (std::int64_t k = 0; k < tensor.elements(); ++k) {
      numbers.push_back(is_float(tensor.dtype()) ? fmt::format("{:.17g}", tensor.as_double(k))
                                                 : fmt::format("{}", tensor.as_int64(k)));
    }
    constants[input.name] = fmt::format("[{}]", fmt::join(numbers, ", "));
  }
  return constants;
}

}  // namespace ingot::tools
