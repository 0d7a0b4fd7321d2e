// SPDX-License-Identifier: Apache-2.0
// Keras' files as tests write them: whole ones give what a hand computes, and those that are
// damaged, contradictory or hostile are told what is wrong. Without HDF5 and libzip there is
// nothing to test but that a file is refused.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "import/import.h"
#include "ops/interpret.h"

#if defined(INGOT_HDF5) && defined(INGOT_LIBZIP)
#include "import/keras/file_builder.h"

namespace ingot::keras {
namespace {

using testing::HasSubstr;

std::string layer(const std::string& class_name, const std::string& name,
                  const std::string& settings, const std::string& calls = "") {
  return R"({"module": "keras.layers", "registered_name": null, "class_name": ")" + class_name +
         R"(", "name": ")" + name + R"(", "config": {"name": ")" + name + '"' +
         (settings.empty() ? "" : ", " + settings) + "}, \"inbound_nodes\": [" + calls + "]}";
}
std::string tensor(const std::string& name, int call = 0, int result = 0) {
  return R"({"class_name": "__keras_tensor__", "config": {"keras_history": [")" + name +
         fmt::format("\", {}, {}]}}}}", call, result);
}
std::string called(const std::string& arguments, const std::string& named = "") {
  return R"({"args": [)" + arguments + R"(], "kwargs": {)" + named + "}}";
}
const std::string input = layer("InputLayer", "x", R"("batch_shape": [null, 2])");

std::string sequential(const std::string& layers) {
  return R"({"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [)" +
         layers + "]}}";
}
std::string functional(const std::string& layers, const std::string& outputs = R"(["y", 0, 0])",
                       const std::string& inputs = R"(["x", 0, 0])") {
  return R"({"module": "keras.src.models.functional", "class_name": "Functional", "config":
            {"name": "m", "layers": [)" +
         layers + R"(], "input_layers": [)" + inputs + R"(], "output_layers": [)" + outputs + "]}}";
}
const std::string dense = layer("Dense", "y", R"("units": 3)", called(tensor("x")));

Bytes dense_weights(const Tensor& kernel = floats({2, 3}, {1, 2, 3, 4, 5, 6})) {
  Hdf5Builder file;
  file.tensor("layers/dense/vars/0", kernel);
  file.tensor("layers/dense/vars/1", floats({3}, {10, 20, 30}));
  return file.bytes();
}
Bytes dense_h5(const std::string& config, const std::vector<std::string>& names) {
  Hdf5Builder file;
  file.text("model_config", config);
  file.text("keras_version", "2.4.0");
  file.texts("model_weights/y", "weight_names", names);
  file.tensor("model_weights/y/y/kernel:0", floats({2, 3}, {1, 2, 3, 4, 5, 6}));
  file.tensor("model_weights/y/y/bias:0", floats({3}, {10, 20, 30}));
  return file.bytes();
}

/// What a model makes of [[1, 2]].
std::vector<float> results(const Bytes& file) {
  const Expected<Graph> graph = import_model(file, {});
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().message);
  if (!graph) return {};
  const auto outputs = interpret(*graph, std::vector{floats({1, 2}, {1, 2})}, {{"N", 1}});
  EXPECT_TRUE(outputs);
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < (*outputs)[0].elements(); ++i)
    numbers.push_back((*outputs)[0].at<float>(i));
  return numbers;
}

TEST(KerasFile, ModelsOfBothFormatsComputeTheSame) {
  const std::vector<float> expected{19, 32, 45};
  EXPECT_EQ(results(keras_file(functional(input + "," + dense), dense_weights())), expected);
  EXPECT_EQ(results(keras_file(sequential(input + "," + dense), dense_weights())), expected);
  const std::string old = R"({"class_name": "Model", "config": {"name": "m", "layers": [
      {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
       "config": {"name": "x", "batch_input_shape": [null, 2], "dtype": "float32"}},
      {"class_name": "Dense", "name": "y", "inbound_nodes": [[["x", 0, 0, {}]]],
       "config": {"name": "y", "units": 3, "activation": "linear"}}],
      "input_layers": [["x", 0, 0]], "output_layers": [["y", 0, 0]]}})";
  EXPECT_EQ(results(dense_h5(old, {"y/kernel:0", "y/bias:0"})), expected);
}

TEST(KerasFile, ALayerThatIsCalledTwiceHasOneSetOfVariables) {
  const std::string twice = layer("Dense", "d", R"("units": 2, "use_bias": false)",
                                  called(tensor("x")) + "," + called(tensor("d")));
  Hdf5Builder file;
  file.tensor("layers/dense/vars/0", floats({2, 2}, {0, 1, 2, 0}));
  // x -> [4, 1] -> [2, 4]
  EXPECT_EQ(results(keras_file(functional(input + "," + twice, R"(["d", 1, 0])"), file.bytes())),
            (std::vector<float>{2, 4}));
}

TEST(KerasFile, InputsOutputsAndConstantsCanBeChosen) {
  const std::string two = layer("ReLU", "z", "", called(tensor("y")));
  const Bytes file =
      keras_file(functional(input + "," + dense + "," + two, R"(["z", 0, 0])"), dense_weights());
  ImportOptions options;
  options.outputs = {"y"};
  auto graph = import_model(file, options);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->outputs()[0].name, "y");
  options = {};
  options.inputs = {*parse_input_spec("y=f32[N, 5]")};
  graph = import_model(file, options);
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->inputs().size(), 1U);
  EXPECT_EQ(graph->value(graph->inputs()[0]).name, "y");
  options.inputs = {*parse_input_spec("nobody=f32[N, 5]")};
  graph = import_model(file, options);
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("the model has no such layer; its outputs are z"));
}

TEST(KerasFile, EveryLayerThatIsRefusedIsNamedInOneGo) {
  const std::string lambda = layer("Lambda", "f", "", called(tensor("x")));
  const std::string own =
      R"({"module": "mine", "registered_name": "mine>Squash", "class_name": "Squash", "name": "s",
          "config": {"name": "s"}, "inbound_nodes": [)" +
      called(tensor("x")) + "]}";
  const std::string sum =
      layer("Add", "y", "", called("[" + tensor("f") + "," + tensor("s") + "]"));
  Survey survey;
  ImportOptions options;
  options.survey = &survey;
  const auto graph = import_model(
      keras_file(functional(input + "," + lambda + "," + own + "," + sum), dense_weights()),
      options);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_THAT(graph.error().message, HasSubstr("Lambda (not in the file)"));
  EXPECT_THAT(graph.error().message, HasSubstr("mine>Squash (custom op)"));
  EXPECT_THAT(graph.error().message, HasSubstr("export a SavedModel"));
  EXPECT_EQ(survey.refusals.size(), 2U);
  EXPECT_EQ(survey.ops.at("Add").unseen, 1);
}

struct Bad {
  const char* name;
  Bytes file;
  ErrorCode code;
  std::vector<const char*> told;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

Bytes cut(Bytes bytes, std::size_t keep) {
  bytes.resize(bytes.size() * keep / 100);
  return bytes;
}
Bytes with_dense(const std::string& layers, const std::string& outputs = R"(["y", 0, 0])",
                 const std::string& inputs = R"(["x", 0, 0])") {
  return keras_file(functional(layers, outputs, inputs), dense_weights());
}
/// The same file with another first variable.
Bytes with_kernel(const std::function<void(Hdf5Builder&, const std::string&)>& write) {
  Hdf5Builder file;
  file.tensor("layers/dense/vars/1", floats({3}, {10, 20, 30}));
  write(file, "layers/dense/vars/0");
  return keras_file(functional(input + "," + dense), file.bytes());
}
Bytes nested(int depth) {
  std::string model = sequential(input);
  for (int i = 0; i < depth; ++i) model = sequential(input + "," + model);
  return keras_file(model, dense_weights());
}
Bytes claims_to_be_big() {
  Bytes zip = with_dense(input + "," + dense);
  // Uncompressed sizes, in all entries of the directory.
  for (std::size_t i = 0; i + 46 < zip.size(); ++i) {
    if (zip[i] == std::byte{'P'} && zip[i + 1] == std::byte{'K'} && zip[i + 2] == std::byte{1} &&
        zip[i + 3] == std::byte{2})
      for (std::size_t at = 24; at < 28; ++at) zip[i + at] = std::byte{0x7f};
  }
  return zip;
}

class BadFile : public testing::TestWithParam<Bad> {};

TEST_P(BadFile, IsToldWhatIsWrong) {
  const auto graph = import_model(GetParam().file, {});
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().code) << graph.error().message;
  for (const char* part : GetParam().told) EXPECT_THAT(graph.error().message, HasSubstr(part));
}

constexpr auto damaged = ErrorCode::invalid_model, impossible = ErrorCode::unsupported,
               too_much = ErrorCode::limit;

std::vector<Bad> bad_containers() {
  const Bytes whole = with_dense(input + "," + dense);
  const std::string model = functional(input + "," + dense);
  Hdf5Builder weights_alone, nothing;
  weights_alone.group("model_weights");
  nothing.group("a");
  return {
      {"zip_cut", cut(whole, 60), damaged, {"the zip archive is cut off or damaged"}},
      {"hdf5_cut", cut(dense_h5(model, {}), 60), damaged, {"the HDF5 file is cut off"}},
      {"weights_cut",
       keras_file(model, cut(dense_weights(), 60)),
       damaged,
       {"model.weights.h5 is cut off or damaged"}},
      {"weights_empty", keras_file(model, {}), damaged, {"model.weights.h5 is empty"}},
      {"big_claim", claims_to_be_big(), damaged, {"says it has"}},
      {"no_config", zip_of({{"a", {}}}), impossible, {"config.json", "torch.onnx.export"}},
      {"no_weights",
       zip_of({{"config.json", bytes_of(model)}}),
       impossible,
       {"no model.weights.h5"}},
      {"weights_alone", weights_alone.bytes(), impossible, {"the weights of a model and not"}},
      {"no_model", nothing.bytes(), impossible, {"no model of Keras"}},
      {"no_json", keras_file("{\"a\"", {}), damaged, {"config.json is no JSON"}},
      {"a_list", keras_file("[1]", {}), damaged, {"does not describe a model"}},
      {"not_utf8", keras_file("{\"\xff\": 1}", {}), damaged, {"not UTF-8"}},
      {"deep_json", keras_file(std::string(100000, '['), {}), too_much, {"nested deeper"}},
      {"deep_models", nested(60), too_much, {"layers are nested deeper than"}},
      {"no_class", keras_file("{}", dense_weights()), damaged, {"has no class_name"}},
      {"own_model",
       keras_file(R"({"class_name": "Mine", "config": {}})", dense_weights()),
       impossible,
       {"neither a Sequential nor a functional model"}},
  };
}

std::vector<Bad> bad_graphs() {
  auto with = [](const std::string& layers, const std::string& outputs = R"(["y", 0, 0])",
                 const std::string& inputs = R"(["x", 0, 0])") {
    return with_dense(input + "," + layers, outputs, inputs);
  };
  auto calls = [](const std::string& node) { return layer("Dense", "y", R"("units": 3)", node); };
  const std::string circle = layer("ReLU", "a", "", called(tensor("b"))) + "," +
                             layer("ReLU", "b", "", called(tensor("a")));
  return {
      {"nobody", with(calls(called(tensor("nobody")))), damaged, {"no layer 'nobody'"}},
      {"circle", with(circle, R"(["b", 0, 0])"), damaged, {"a circle of layers"}},
      {"itself", with(calls(called(tensor("y")))), damaged, {"a circle of layers"}},
      {"call_9", with(calls(called(tensor("x", 9)))), damaged, {"reads call 9 of layer 'x'"}},
      {"call_negative", with(calls(called(tensor("x", -1)))), damaged, {"no result of a layer"}},
      {"result_9", with(calls(called(tensor("x", 0, 9)))), damaged, {"reads result 9 of layer"}},
      {"two_names", with(dense + "," + dense), damaged, {"two layers are called 'y'"}},
      {"no_calls", with(calls("")), damaged, {"call 0 of a layer with 0"}},
      {"a_number", with(calls("7")), damaged, {"neither a list nor an object"}},
      {"no_outputs", with(dense, ""), damaged, {"it has no outputs"}},
      {"dense_input", with(dense, R"(["y", 0, 0])", R"(["y", 0, 0])"), damaged, {"no InputLayer"}},
      {"same_input",
       with(dense, R"(["y", 0, 0])", R"(["x", 0, 0], ["x", 0, 0])"),
       damaged,
       {"listed twice"}},
      {"damaged_outputs", with(dense, "7"), damaged, {"output_layers is damaged"}},
      {"wrong_setting",
       with(layer("Reshape", "y", R"("target_shape": ["a"])", called(tensor("x")))),
       damaged,
       {"whole numbers wanted", "node 'y' (Reshape)"}},
      {"no_tensor", with(calls(called("3"))), damaged, {"called without a tensor"}},
      {"quantized",
       with(layer("Dense", "y",
                  R"("dtype": {"class_name": "QuantizedDTypePolicy", "config": {"name": "x"}})",
                  called(tensor("x")))),
       impossible,
       {"its weights are quantized"}},
      {"training",
       dense_h5(functional(input + "," +
                           layer("Dropout", "y", R"("rate": 0.5)",
                                 called(tensor("x"), R"("training": true)"))),
                {}),
       impossible,
       {"training=True"}},
      {"stateful",
       with(layer("LSTM", "y", R"("units": 2, "stateful": true)", called(tensor("x")))),
       impossible,
       {"it keeps its states from call to call"}},
      {"python_activation",
       with(layer("Dense", "y", R"("units": 3, "activation": {"class_name": "__lambda__"})",
                  called(tensor("x")))),
       impossible,
       {"a Python function"}},
  };
}

std::vector<Bad> bad_variables() {
  using Builder = Hdf5Builder;
  auto scalar_space = [](std::vector<hsize_t> sizes) {
    return H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
  };
  const std::string model = functional(input + "," + dense);
  return {
      {"missing",
       with_kernel([](Builder&, const std::string&) {}),
       damaged,
       {"no variable 'kernel'", "layers/dense"}},
      {"a_group",
       with_kernel([](Builder& f, const std::string& p) { f.group(p); }),
       damaged,
       {"is a group, not numbers"}},
      {"rank_1",
       with_kernel([](Builder& f, const std::string& p) { f.tensor(p, floats({6}, {})); }),
       damaged,
       {"'kernel' has 1 axes, 2 wanted"}},
      {"other_size",
       with_kernel([](Builder& f, const std::string& p) { f.tensor(p, floats({5, 3}, {})); }),
       damaged,
       {"node 'y' (Dense)"}},
      {"never_written",
       with_kernel([&](Builder& f, const std::string& p) {
         f.dataset(p, scalar_space({2, 3}), H5P_DEFAULT, nullptr);
       }),
       damaged,
       {"should hold 24 bytes, but 0 are stored"}},
      {"huge",
       with_kernel([&](Builder& f, const std::string& p) {
         const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t chunk[] = {16, 16};
         H5Pset_chunk(chunked, 2, chunk);
         f.dataset(p, scalar_space({1U << 20, 1U << 20}), chunked, nullptr);
         H5Pclose(chunked);
       }),
       damaged,
       {"bytes, but 0 are stored"}},
      {"absurd",
       with_kernel([&](Builder& f, const std::string& p) {
         const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t chunk[] = {16, 16};
         H5Pset_chunk(chunked, 2, chunk);
         f.dataset(p, scalar_space({hsize_t{1} << 40, hsize_t{1} << 20}), chunked, nullptr);
         H5Pclose(chunked);
       }),
       too_much,
       {}},
      {"outside",
       with_kernel([&](Builder& f, const std::string& p) {
         const hid_t away = H5Pcreate(H5P_DATASET_CREATE);
         H5Pset_external(away, "elsewhere.bin", 0, 24);
         f.dataset(p, scalar_space({2, 3}), away, nullptr);
         H5Pclose(away);
       }),
       impossible,
       {"lies in another file"}},
      {"linked",
       with_kernel([](Builder& f, const std::string& p) {
         f.group("layers/dense/vars");
         H5Lcreate_external("elsewhere.h5", "/", f.file(), p.c_str(), H5P_DEFAULT, H5P_DEFAULT);
       }),
       damaged,
       {"no variable 'kernel'"}},
      {"words",
       with_kernel([&](Builder& f, const std::string& p) {
         const hid_t word = H5Tcopy(H5T_C_S1);
         H5Tset_size(word, 4);
         f.dataset(p, scalar_space({2, 3}), H5P_DEFAULT, "012345678901234567890123", word);
         H5Tclose(word);
       }),
       impossible,
       {"elements that are no numbers"}},
      {"list_short",
       dense_h5(model, {"y/kernel:0"}),
       damaged,
       {"2 variables, but the file lists 1"}},
      {"list_wrong", dense_h5(model, {"y/kernel:0", "z"}), damaged, {"has no 'model_weights/y/z'"}},
      {"list_up", dense_h5(model, {"y/kernel:0", "../../y"}), damaged, {"has no"}},
  };
}

std::string name_of(const testing::TestParamInfo<Bad>& test) { return test.param.name; }
INSTANTIATE_TEST_SUITE_P(Containers, BadFile, testing::ValuesIn(bad_containers()), name_of);
INSTANTIATE_TEST_SUITE_P(Graphs, BadFile, testing::ValuesIn(bad_graphs()), name_of);
INSTANTIATE_TEST_SUITE_P(Variables, BadFile, testing::ValuesIn(bad_variables()), name_of);

TEST(KerasFile, NoPartOfAFileIsTakenForTheWhole) {
  const Bytes zip = with_dense(input + "," + dense);
  for (std::size_t size = 0; size < zip.size(); size += 7)
    EXPECT_FALSE(import_model(std::span(zip).first(size), {})) << size;
}

/// What ../shared/bad-models says of each, where it is.
TEST(KerasFile, SharedDamagedFilesAreToldWhatIsWrong) {
  const char* shared = std::getenv("INGOT_SHARED");
  const std::filesystem::path folder =
      (shared != nullptr ? std::filesystem::path(shared)
                         : std::filesystem::path(INGOT_SOURCE_DIR) / "../shared") /
      "bad-models";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no damaged models at " << folder;
  const std::tuple<const char*, ErrorCode, const char*> expected[] = {
      {"h5-damaged/model.h5", damaged, "cut off or damaged (HDF5: truncated file"},
      {"keras-custom-layer/model.keras", impossible, "Own>Squash"},
      {"keras-zip-damaged/model.keras", damaged, "no end-of-directory record"},
  };
  for (const auto& [file, code, told] : expected) {
    const auto graph = import_file((folder / file).string(), {});
    ASSERT_FALSE(graph) << file;
    EXPECT_EQ(graph.error().code, code) << graph.error().message;
    EXPECT_THAT(graph.error().message, HasSubstr(told));
  }
}

}  // namespace
}  // namespace ingot::keras

#else

TEST(KerasFile, IsRefusedWithWhatToInstall) {
  const char hdf5[] = "\x89HDF\r\n\x1a\n....";
  const auto graph = ingot::import_model(std::as_bytes(std::span(hdf5)), {});
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, testing::HasSubstr("libhdf5-dev"));
}

#endif
