// SPDX-License-Identifier: Apache-2.0
// ONNX's own cases, through the importer and the interpreter: ONNX's opinion of every op we claim.
// tests/conformance/must_pass.txt lists cases that must not become unsupported by accident,
// left_out.txt why the others are left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "import/import.h"
#include "import/onnx/tensor_file.h"
#include "ops/interpret.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;

struct Tolerance {
  double relative;
  double absolute;
};
constexpr Tolerance kSuite{1e-3, 1e-7};   // of ONNX's cases
constexpr Tolerance kModels{1e-4, 1e-5};  // of ../shared/models

fs::path shared_folder() {
  const char* shared = std::getenv("INGOT_SHARED");
  return shared != nullptr ? fs::path(shared) : fs::path(INGOT_SOURCE_DIR) / ".." / "shared";
}

Expected<NamedTensor> read_tensor(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return read_tensor_proto(std::as_bytes(std::span(text.data(), text.size())));
}

Expected<std::vector<NamedTensor>> read_all(const fs::path& folder, const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", prefix, i);
    if (!fs::exists(path)) return tensors;
    INGOT_ASSIGN(NamedTensor named, read_tensor(path));
    tensors.push_back(std::move(named));
  }
}

/// What differs, or nothing.
std::string compare(const Tensor& got, const Tensor& expected, Tolerance tolerance) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape()) {
    return fmt::format("{} instead of {}", str(got.type()), str(expected.type()));
  }
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const double a = got.as_double(i);
    const double b = expected.as_double(i);
    if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
    if (std::abs(a - b) <= tolerance.absolute + tolerance.relative * std::abs(b)) continue;
    return fmt::format("element {}: {} instead of {}", i, a, b);
  }
  return {};
}

/// Inputs named in `fixed` are part of the graph already.
Expected<void> run_data_set(const Graph& graph, const fs::path& folder, Tolerance tolerance,
                            const std::map<std::string, std::string>& fixed = {}) {
  INGOT_ASSIGN(std::vector<NamedTensor> named, read_all(folder, "input"));
  INGOT_ASSIGN(const std::vector<NamedTensor> expected, read_all(folder, "output"));
  std::vector<Tensor> inputs;
  for (NamedTensor& input : named) {
    if (!fixed.contains(input.name)) inputs.push_back(std::move(input.tensor));
  }
  if (inputs.size() != graph.inputs().size()) {
    return fail(ErrorCode::invalid_model, "{} inputs for {}", inputs.size(), graph.inputs().size());
  }
  INGOT_ASSIGN(const SymbolValues symbols, bind_symbols(graph, inputs));
  INGOT_ASSIGN(const std::vector<Tensor> outputs, interpret(graph, inputs, symbols));
  if (outputs.size() != expected.size()) {
    return fail(ErrorCode::mismatch, "{} outputs instead of {}", outputs.size(), expected.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string difference = compare(outputs[i], expected[i].tensor, tolerance);
    if (!difference.empty()) return fail(ErrorCode::mismatch, "output {}: {}", i, difference);
  }
  return {};
}

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) found.push_back(entry.path());
  }
  return found;
}

std::string list_of(const Tensor& tensor) {
  std::vector<std::string> numbers;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    numbers.push_back(is_integer(tensor.dtype()) ? fmt::format("{}", tensor.as_int64(i))
                                                 : fmt::format("{:.17g}", tensor.as_double(i)));
  }
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

/// Shapes and axes that a case feeds as inputs must be known when a model is compiled: they are
/// given as `--constant`, as a user would.
Expected<void> run_with_constants(const fs::path& folder) {
  for (const fs::path& data_set : data_sets(folder)) {
    INGOT_ASSIGN(const std::vector<NamedTensor> inputs, read_all(data_set, "input"));
    ImportOptions options;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& tensor = inputs[i].tensor;
      const bool shape = tensor.rank() == 1 && (i > 0 || is_integer(tensor.dtype()));
      if (tensor.rank() == 0 || shape) options.constants[inputs[i].name] = list_of(tensor);
    }
    INGOT_ASSIGN(const Graph graph, import_file((folder / "model.onnx").string(), options));
    INGOT_TRY(run_data_set(graph, data_set, kSuite, options.constants));
  }
  return {};
}

Expected<void> run_case(const fs::path& folder) {
  Survey survey;
  ImportOptions options;
  options.survey = &survey;
  const Expected<Graph> graph = import_file((folder / "model.onnx").string(), options);
  if (!graph) {
    const bool asks_for_constants =
        std::any_of(survey.refusals.begin(), survey.refusals.end(), [](const Refusal& refusal) {
          return refusal.kind == Refused::constant_operand || refusal.op == "If";
        });
    return asks_for_constants ? run_with_constants(folder) : graph.error();
  }
  for (const fs::path& data_set : data_sets(folder)) {
    INGOT_TRY(run_data_set(*graph, data_set, kSuite));
  }
  return {};
}

std::set<std::string> read_list(const fs::path& path) {
  std::ifstream file(path);
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') names.insert(line);
  }
  return names;
}

/// The first thing that stands in the way of a case: a refusal lists all, each on a line of its own
/// below the first.
std::string reason_of(const std::string& message) {
  std::istringstream lines(message);
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  const std::size_t begin = second.find_first_not_of(' ');
  return begin == std::string::npos ? first : second.substr(begin);
}

/// One line a reason, with the number of cases; what most are left out for comes first.
std::string list_of_reasons(const std::map<std::string, int>& reasons) {
  std::vector<std::pair<int, std::string>> sorted;
  for (const auto& [reason, cases] : reasons) sorted.emplace_back(-cases, reason);
  std::sort(sorted.begin(), sorted.end());
  std::string text =
      "# Why ONNX cases are left out: how many, the first thing in their way. INGOT_BLESS=1\n"
      "# rewrites this list; the others are in must_pass.txt.\n";
  for (const auto& [cases, reason] : sorted) text += fmt::format("{:3} {}\n", -cases, reason);
  return text;
}

TEST(Onnx, Conformance) {
  const fs::path root = shared_folder() / "onnx-cases";
  if (!fs::exists(root)) GTEST_SKIP() << "no ../shared/onnx-cases";
  const fs::path list = fs::path(INGOT_SOURCE_DIR) / "tests/conformance/must_pass.txt";
  std::set<std::string> must_pass = read_list(list);
  std::set<std::string> passed;
  std::string refused;
  std::map<std::string, int> reasons;
  int skipped = 0;
  for (const char* suite : {"node", "simple", "pytorch-converted", "pytorch-operator"}) {
    std::vector<fs::path> folders;
    for (const fs::directory_entry& entry : fs::directory_iterator(root / suite)) {
      if (fs::exists(entry.path() / "model.onnx")) folders.push_back(entry.path());
    }
    std::sort(folders.begin(), folders.end());
    for (const fs::path& folder : folders) {
      const std::string name = fmt::format("{}/{}", suite, folder.filename().string());
      const Expected<void> result = run_case(folder);
      if (result) {
        passed.insert(name);
      } else if (result.error().code == ErrorCode::unsupported) {
        ++skipped;
        ++reasons[reason_of(result.error().message)];
        refused += fmt::format("{}: {}\n", name, result.error().message);
      } else {
        ADD_FAILURE() << name << ": " << result.error().message;
      }
    }
  }
  const fs::path left_out = fs::path(INGOT_SOURCE_DIR) / "tests/conformance/left_out.txt";
  const std::string why = list_of_reasons(reasons);
  if (std::getenv("INGOT_BLESS") != nullptr) {
    std::ofstream(left_out) << why;
    std::ofstream file(list);
    file << "# ONNX cases that use only ops which Ingot has; INGOT_BLESS=1 rewrites this list.\n";
    for (const std::string& name : passed) file << name << '\n';
    must_pass = passed;
  }
  for (const std::string& name : must_pass)
    EXPECT_TRUE(passed.contains(name)) << name << " no longer passes";
  std::stringstream known;
  known << std::ifstream(left_out).rdbuf();
  EXPECT_EQ(known.str(), why) << left_out << " is not true any more: INGOT_BLESS=1 rewrites it";
  RecordProperty("passed", static_cast<int>(passed.size()));
  RecordProperty("skipped", skipped);
  if (const char* path = std::getenv("INGOT_REFUSED")) std::ofstream(path) << refused;
}

TEST(Onnx, ModelAgreesWithOnnxRuntime) {
  const fs::path folder = shared_folder() / "models" / "ticl-supercls";
  if (!fs::exists(folder)) GTEST_SKIP() << "no ../shared/models";
  const Expected<Graph> graph = import_file((folder / "model.onnx").string(), {});
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->inputs().size(), 1U);
  EXPECT_EQ(str(graph->type(graph->inputs()[0])), "f32[batch_size, 17]");
  for (const fs::path& data_set : data_sets(folder)) {
    const Expected<void> result = run_data_set(*graph, data_set, kModels);
    EXPECT_TRUE(result) << data_set << ": " << result.error().message;
  }
}

}  // namespace
}  // namespace ingot
