// SPDX-License-Identifier: Apache-2.0
// Whole models, compiled and loaded as users do it: time of one call by batch size and CPU level.
// The dense models of ../shared/models where that folder is there, the digits example, and the
// network of the CMS study (32 inputs, 64, 25 layers of 128 with batch norm and SELU, 10 outputs,
// softmax; weights from a seed).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "call.h"
#include "compile.h"
#include "import/compose.h"
#include "ops/contract.h"
#include "tools/cases.h"

namespace ingot {
namespace {

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

/// Inputs of random numbers serve all of these.
constexpr const char* dense_models[] = {
    "trackdnn-ckf-2021", "trackdnn-swish-2020",   "ele-pfid-exteta1", "ele-pfid-lowpt-v1",
    "photon-pfid-eb",    "oiseeding-hb",          "emtf-displ-10",    "l1-tau-3layer",
    "ticl-supercls",     "deeptau-2018v2p5-inner"};

void add_all(const TemporaryFolder& folder) {
  add_model(study_network(25, 128), folder);
  add_model(import_file(INGOT_SOURCE_DIR "/examples/digits/digits.onnx", {}), folder);
  const char* given = std::getenv("INGOT_SHARED");
  const std::string shared = given != nullptr ? given : INGOT_SOURCE_DIR "/../shared";
  const Expected<std::vector<tools::Case>> cases = tools::find_cases(shared + "/models");
  if (!cases) {
    std::fprintf(stderr, "left out the shared models: %s\n", cases.error().message.c_str());
    return;
  }
  for (const tools::Case& one : *cases) {
    const bool dense = std::any_of(std::begin(dense_models), std::end(dense_models),
                                   [&](const char* name) { return one.name == name; });
    if (!dense) continue;
    CompileOptions options;
    options.import = one.import;
    options.import.name = one.name;
    std::replace(options.import.name.begin(), options.import.name.end(), '-', '_');
    add_model(import_for(one.model, options), folder);
  }
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
