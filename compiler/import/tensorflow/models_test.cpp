// SPDX-License-Identifier: Apache-2.0
// Real frozen graphs and SavedModels against what TensorFlow answered, through the interpreter;
// where the reference data is there (INGOT_SHARED, or ../shared beside the sources).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "import/onnx/tensor_file.h"
#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path shared_folder() {
  const char* shared = std::getenv("INGOT_SHARED");
  return shared != nullptr ? fs::path(shared) : fs::path(INGOT_SOURCE_DIR) / "../shared";
}

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Tensor read_tensor(const fs::path& path) {
  const std::string bytes = read_bytes(path);
  Expected<NamedTensor> tensor = read_tensor_proto(std::as_bytes(std::span(bytes)));
  if (!tensor) {
    ADD_FAILURE() << path << ": " << tensor.error().message;
    return {};
  }
  return std::move(tensor->tensor);
}

ImportOptions options_of(const Json& model) {
  ImportOptions options;
  for (const Json& input : model["inputs"]) {
    InputSpec spec{input["name"], dtype_from_name(std::string(input["dtype"])), Shape{}};
    for (const Json& dim : input["shape"]) {
      spec.shape->push_back(dim.is_string() ? Dim::symbol(dim) : Dim(dim.get<std::int64_t>()));
    }
    options.inputs.push_back(std::move(spec));
  }
  for (const Json& output : model["outputs"]) options.outputs.push_back(output["name"]);
  for (const auto& [name, value] : model["constants"].items())
    options.constants[name] = value.dump();
  return options;
}

void expect_close(const Tensor& got, const Tensor& expected, double rtol, double atol) {
  ASSERT_EQ(got.shape(), expected.shape());
  ASSERT_EQ(got.dtype(), expected.dtype());
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const double a = got.as_double(i);
    const double b = expected.as_double(i);
    const bool same = a == b || (std::isnan(a) && std::isnan(b));
    ASSERT_TRUE(same || std::abs(a - b) <= atol + rtol * std::abs(b))
        << "element " << i << ": " << a << " instead of " << b;
  }
}

void expect_agreement(const Graph& graph, const Json& model, const fs::path& folder) {
  for (const Json& set : model["data_sets"]) {
    const fs::path data = folder / std::string(set["folder"]);
    SCOPED_TRACE(data.string());
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < model["inputs"].size(); ++i) {
      inputs.push_back(read_tensor(data / fmt::format("input_{}.pb", i)));
    }
    const Expected<SymbolValues> symbols = bind_symbols(graph, inputs);
    ASSERT_TRUE(symbols) << symbols.error().message;
    const Expected<std::vector<Tensor>> outputs = interpret(graph, inputs, *symbols);
    ASSERT_TRUE(outputs) << outputs.error().message;
    ASSERT_EQ(outputs->size(), model["outputs"].size());
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      expect_close((*outputs)[i], read_tensor(data / fmt::format("output_{}.pb", i)), set["rtol"],
                   set["atol"]);
    }
  }
}

class TensorflowModel : public ::testing::TestWithParam<const char*> {};

TEST_P(TensorflowModel, AgreesWithTensorflow) {
  const fs::path folder = shared_folder() / "models" / GetParam();
  if (!fs::exists(folder)) GTEST_SKIP() << "no reference data at " << folder;
  const Json model = Json::parse(read_bytes(folder / "model.json"));
  const std::string bytes = read_bytes(folder / std::string(model["file"]));
  Survey survey;
  Expected<Graph> graph =
      import_graphdef(std::as_bytes(std::span(bytes)), options_of(model), survey);
  ASSERT_TRUE(graph) << graph.error().message;
  const Expected<void> merged = merge_symbols(*graph);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(graph->symbols().size(), 1U);
  EXPECT_TRUE(graph->constraints().empty());

  expect_agreement(*graph, model, folder);
}

class SavedModelOf : public ::testing::TestWithParam<const char*> {};

TEST_P(SavedModelOf, AgreesWithTensorflow) {
  const fs::path folder = shared_folder() / "saved-models" / GetParam();
  if (!fs::exists(folder)) GTEST_SKIP() << "no reference data at " << folder;
  const Json model = Json::parse(read_bytes(folder / "model.json"));
  const Json signatures = model.value("signatures", Json::array({model}));
  for (const Json& signature : signatures) {
    ImportOptions options;
    options.tag = model["tag"];
    options.signature = signature["signature"];
    for (const Json& input : signature["inputs"]) options.inputs.push_back({input["name"], {}, {}});
    for (const Json& output : signature["outputs"]) options.outputs.push_back(output["name"]);
    const Expected<Graph> graph =
        import_file((folder / std::string(model["file"])).string(), options);
    ASSERT_TRUE(graph) << graph.error().message;
    expect_agreement(*graph, signature, folder);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shared, TensorflowModel,
    ::testing::Values("trackdnn-ckf-2021", "trackdnn-swish-2020", "ele-pfid-exteta1",
                      "ele-pfid-lowpt-v1", "photon-pfid-eb", "oiseeding-hb", "emtf-displ-10",
                      "l1-tau-3layer", "deeptau-2018v2p5-inner", "deeptau-2018v2p5-outer",
                      "displaced-regional", "deeptau-2017v2p6-core", "deeptau-2017v2p6-inner",
                      "deeptau-2018v2p5-core", "deepmet", "deepcore-2017", "dt-occupancy-cnn",
                      "hgcal-encoder-2e", "hgcal-decoder-2e", "nnvtx-pattern", "ticl-energy-id-tf"),
    [](const auto& test) {
      std::string name = test.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

INSTANTIATE_TEST_SUITE_P(Shared, SavedModelOf,
                         ::testing::Values("keras2-lstm", "keras3-conv1d-causal", "keras3-conv2d",
                                           "keras3-dense-bn-selu", "keras3-masked-lstm",
                                           "keras3-mha-block", "keras3-mixed-float16",
                                           "keras3-multi-io", "keras3-normalization-lambda",
                                           "keras3-rnn", "module-sharded-20mb",
                                           "module-snappy-index", "module-three-signatures",
                                           "tf1-ref-variables", "tf1-resource-variables",
                                           "tfaot-simple"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace ingot::tensorflow
