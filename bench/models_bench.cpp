// SPDX-License-Identifier: Apache-2.0
// Whole models, compiled and loaded as users do it: time of one call by batch size and CPU level.
// The dense models of ../shared/models where that folder is there, the digits example, and the
// network of the CMS study (32 inputs, 64, 25 layers of 128 with batch norm and SELU, 10 outputs,
// softmax; weights from a seed).
#include <benchmark/benchmark.h>
#include <ingot/self_test.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "compile.h"
#include "import/compose.h"
#include "ops/contract.h"
#include "runtime/load.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;

/// Numbers in [-1, 1) times `scale`.
Tensor seeded(std::vector<std::int64_t> shape, double scale, std::uint64_t& next) {
  Tensor tensor(DType::f32, std::move(shape));
  const auto count = static_cast<std::size_t>(tensor.elements());
  self_test_fill(INGOT_F32, 1, next, tensor.mutable_bytes().data(), count);
  next += count;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    tensor.set(i, static_cast<float>(tensor.at<float>(i) * scale));
  }
  return tensor;
}

Expected<Graph> study_network(int layers, std::int64_t width) {
  Graph graph;
  graph.name = fmt::format("ff_{}_{}", layers, width);
  graph.declare_symbol("N", {0, 2147483647});
  Composer compose(graph, "dense");
  std::uint64_t next = 0;
  ValueId x = graph.add_input("x", {DType::f32, {Dim::symbol("N"), 32}});
  std::int64_t k = 32;
  auto dense = [&](std::int64_t n) -> Expected<ValueId> {
    const ValueId weights =
        graph.add_constant(seeded({k, n}, std::sqrt(3.0 / static_cast<double>(k)), next));
    const ValueId bias = graph.add_constant(seeded({n}, 0.1, next));
    const std::int64_t chains = ops::matmul_chains(graph.type(x), graph.type(weights));
    k = n;
    return graph.add("matmul", {x, weights, bias}, {{"chains", chains}},
                     fmt::format("dense_{}", next));
  };
  for (int layer = 0; layer <= layers; ++layer) {
    INGOT_ASSIGN(const ValueId product, dense(layer == 0 ? 64 : width));
    auto channels = [&](double centre) {
      Tensor tensor = seeded({k}, 0.1, next);
      for (std::int64_t i = 0; i < k; ++i)
        tensor.set(i, static_cast<float>(tensor.at<float>(i) + centre));
      return graph.add_constant(std::move(tensor));
    };
    const ValueId scale = channels(1), shift = channels(0), mean = channels(0),
                  variance = channels(1);
    x = compose.selu(compose.batch_norm(product, scale, shift, mean, variance, 1e-3, 1));
  }
  INGOT_ASSIGN(x, dense(10));
  INGOT_ASSIGN(x, compose.result(compose.softmax(x, 1)));
  graph.add_output("y", x);
  return graph;
}

/// A loaded model with tensors for one batch size.
class Call {
 public:
  Call(const std::string& so, const char* variant, std::int64_t n) {
    model_ = LoadedModel::load(so.c_str(), nullptr, variant);
    if (!model_.ok()) return;
    const ingot_model& model = *model_.descriptor();
    symbols_.assign(model.symbols.count, n);
    std::vector<std::int64_t> dims(256);
    model.shapes(symbols_.data(), model.symbols.count, dims.data());
    std::size_t next_dim = 0;
    for (const ingot_array* table : {&model.inputs, &model.outputs}) {
      for (std::uint32_t i = 0; i < table->count; ++i) {
        const auto& info = *static_cast<const ingot_tensor_info*>(ingot_item(table, i));
        std::size_t count = 1;
        for (std::uint32_t d = 0; d < info.dims.count; ++d)
          count *= static_cast<std::size_t>(dims[next_dim++]);
        data_.emplace_back(count * element_bytes(info.dtype) + 64);
        self_test_fill(info.dtype, 1, data_.size() * 1000003, data_.back().data(), count);
        ingot_tensor tensor{};
        tensor.data = data_.back().data();
        tensor.bytes = count * element_bytes(info.dtype);
        tensor.dtype = info.dtype;
        tensor.rank = info.dims.count;
        tensors_.push_back(tensor);
      }
    }
    std::uint64_t bytes = 0;
    model.workspace_bytes(symbols_.data(), model.symbols.count, 1, &bytes);
    workspace_.resize(bytes);
    call_ = make_call({symbols_.data(), symbols_.size()}, {tensors_.data(), model.inputs.count},
                      {tensors_.data() + model.inputs.count, model.outputs.count},
                      {workspace_.data(), workspace_.size()});
  }
  bool ok() const { return model_.ok(); }
  std::int32_t run() { return model_.variant()->run(&call_); }

 private:
  LoadedModel model_;
  std::vector<std::int64_t> symbols_;
  std::vector<std::vector<std::byte>> data_;
  std::vector<ingot_tensor> tensors_;
  std::vector<std::byte> workspace_;
  ingot_call call_{};
};

void add_model(const Expected<Graph>& graph, const TemporaryFolder& folder) {
  if (!graph) {
    std::fprintf(stderr, "left out: %s\n", graph.error().message.c_str());
    return;
  }
  CompileOptions options;
  options.shared = true;
  const Expected<Bundle> bundle = compile_graph(*graph, options, graph->name);
  if (!bundle) {
    std::fprintf(stderr, "left out %s: %s\n", graph->name.c_str(), bundle.error().message.c_str());
    return;
  }
  const std::string so = folder.file(bundle->name + ".so");
  if (!write_file(so, bundle->shared)) return;
  for (const char* variant : {"v3", "v4"}) {
    for (const std::int64_t n : {1, 16, 64, 1024}) {
      auto call = std::make_shared<Call>(so, variant, n);
      if (!call->ok()) continue;
      const std::string label = fmt::format("{}/{}/{}", bundle->name, variant, n);
      benchmark::RegisterBenchmark(label.c_str(), [call, n](benchmark::State& state) {
        std::int32_t status = 0;
        for (auto _ : state) status |= call->run();
        if (status != 0) state.SkipWithError("the call failed");
        state.counters["us_per_row"] = benchmark::Counter(
            static_cast<double>(n) * 1e-6,
            benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
      })->Unit(benchmark::kMicrosecond);
    }
  }
}

struct Known {
  const char* name;
  std::vector<std::pair<const char*, std::vector<std::int64_t>>> inputs;  // without the batch
  const char* output;
};

/// What model.json says of the frozen graphs.
const Known kGraphs[] = {
    {"trackdnn-ckf-2021", {{"x", {29}}, {"y", {1}}}, "Identity"},
    {"trackdnn-swish-2020", {{"x", {29}}, {"y", {1}}}, "Identity"},
    {"ele-pfid-exteta1", {{"FirstLayer_input", {28}}}, "Identity"},
    {"ele-pfid-lowpt-v1", {{"FirstLayer_input", {24}}}, "Identity"},
    {"photon-pfid-eb", {{"FirstLayer_input", {11}}}, "Identity"},
    {"oiseeding-hb", {{"dnn_ForSeparateHB_0_input", {26}}}, "Identity"},
    {"emtf-displ-10", {{"input1", {23}}}, "Identity"},
    {"l1-tau-3layer", {{"input_1", {80}}}, "dense_4/Sigmoid"},
    {"deeptau-2018v2p5-inner",
     {{"input_inner_egamma", {1, 1, 86}},
      {"input_inner_muon", {1, 1, 64}},
      {"input_inner_hadrons", {1, 1, 38}}},
     "Identity"},
};

void add_all(const TemporaryFolder& folder) {
  add_model(study_network(25, 128), folder);
  add_model(import_file(INGOT_SOURCE_DIR "/examples/digits/digits.onnx", {}), folder);
  const char* given = std::getenv("INGOT_SHARED");
  const fs::path models =
      fs::path(given != nullptr ? given : INGOT_SOURCE_DIR "/../shared") / "models";
  if (!fs::exists(models)) {
    std::fprintf(stderr, "left out the models of %s: no such folder\n", models.c_str());
    return;
  }
  for (const Known& known : kGraphs) {
    ImportOptions options;
    options.name = known.name;
    for (char& c : options.name) c = c == '-' ? '_' : c;
    for (const auto& [name, sizes] : known.inputs) {
      Shape shape{Dim::symbol("N")};
      shape.insert(shape.end(), sizes.begin(), sizes.end());
      options.inputs.push_back({name, DType::f32, shape});
    }
    options.outputs = {known.output};
    add_model(import_file((models / known.name / "graph.pb").string(), options), folder);
  }
  ImportOptions options;
  options.name = "ticl_supercls";
  add_model(import_file((models / "ticl-supercls/model.onnx").string(), options), folder);
}

}  // namespace
}  // namespace ingot

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const ingot::Expected<ingot::TemporaryFolder> folder = ingot::TemporaryFolder::make();
  if (!folder) return 1;
  ingot::add_all(*folder);
  benchmark::RunSpecifiedBenchmarks();
}
