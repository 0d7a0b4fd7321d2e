// SPDX-License-Identifier: Apache-2.0
#include "made_up_report.h"

#include <algorithm>
#include <cmath>

namespace ingot::bench {
namespace {

/// The same on every machine, unlike the standard library's distributions.
class Noise {
 public:
  explicit Noise(unsigned seed) : state_(seed * 2654435761u + 1) {}
  /// Between 0 and 1.
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }
  /// Around 1.
  double factor(double spread) { return std::exp(spread * (2 * next() - 1)); }

 private:
  std::uint64_t state_;
};

struct MadeUpModel {
  const char* name;
  double multiply_adds, weights;
};
constexpr MadeUpModel made_up_models[] = {
    {"deepjet-run3", 2.964e6, 1.077e6},
    {"particlenet-ak4-puppi-central", 443.1e6, 3.956e6},
    {"ff_25_256", 1.594e6, 6.505e6},
    {"l1-tau-3layer", 2.4e3, 10e3},
    {"emtf <displ> & \"10\"", 1.1e3, 4e3},
    {"ele-pfid-lowpt-v1", 3.1e3, 12e3},
    {"deepmet", 20.95e6, 22e3},
    {"nnvtx-pattern", 600, 500},
};

struct MadeUpEngine {
  const char *name, *version, *settings;
  double per_call, per_operation;  // us; times what the machine needs
  double cold;
};
constexpr MadeUpEngine made_up_engines[] = {
    {"ingot v4", "0.1.0", "one object for all sizes", 0.05, 1.25, 1.6},
    {"ingot v3", "0.1.0", "one object for all sizes", 0.05, 2.2, 1.5},
    {"ONNX Runtime", "1.31.0", "one thread, all optimisations, inputs and outputs bound", 2.4, 2.6,
     2.1},
    {"OpenVINO", "2026.4", "shapes fixed, LATENCY, f32, one stream", 5.8, 2.0, 2.4},
    {"IREE", "3.13.0", "shapes fixed, -O3, data tiling, host CPU", 1.1, 3.1, 1.9},
    {"XLA AOT", "2.21.0", "an object per N, znver5, vectors of 512 bits", 0.08, 1.7, 1.7},
    {"TensorFlow", "2.21.0", "C API, oneDNN, one thread", 13, 2.7, 3.0},
};

Figures figures_around(double median, Noise& noise, bool steady) {
  Figures figures;
  figures.median = median;
  figures.low = median * (1 - 0.03 * noise.next());
  figures.high = median * (1 + 0.09 * noise.next());
  figures.mean = median * (1 + 0.02 * noise.next());
  figures.deviation = median * 0.04;
  figures.least = figures.low * 0.99;
  figures.uncertainty = median * (steady ? 0.004 : 0.04);
  figures.samples = 101;
  figures.calls = 10100;
  figures.steady = steady;
  for (int i = 0; i < 21; ++i) figures.times.push_back(median * noise.factor(0.03));
  return figures;
}

Profile profile_of(const ModelReport& model, const Result& result, double events, Noise& noise) {
  constexpr const char* kinds[] = {"contract", "map", "reduce", "window", "move"};
  constexpr double peak = 273, level = 255;  // GFLOP/s, GB/s
  Profile profile{.engine = result.engine, .level = "L2"};
  profile.plain_us = result.hot->median;
  const std::size_t count = 3 + model.name.size() % 15;
  double weight = 0;
  for (std::size_t i = 0; i < count; ++i) weight += 1.0 / static_cast<double>(1 + i);
  for (std::size_t i = 0; i < count; ++i) {
    const double share = 1.0 / static_cast<double>(1 + i) / weight;
    KernelFigures kernel;
    kernel.kind = kinds[i % 5];
    kernel.name = fmt::format("block{}/{}_{}", i / 5, kernel.kind, i);
    kernel.source = fmt::format("model/block{0}/MatMul_{1}, model/block{0}/Selu_{1}", i / 5, i);
    const double operations = i % 5 == 4 ? 0
                                         : 2 * static_cast<double>(model.multiply_adds) * events *
                                               share * (i % 5 == 0 ? 1 : 0.02);
    kernel.operations = static_cast<std::uint64_t>(operations);
    kernel.weights_bytes = static_cast<std::uint64_t>(
        i % 5 == 0 ? static_cast<double>(model.weights_bytes) * share : 0);
    kernel.bytes = kernel.weights_bytes + static_cast<std::uint64_t>(events * 2000 * share) + 64;
    const double compute = operations / peak / 1000;
    const double load = static_cast<double>(kernel.bytes) / level / 1000;
    kernel.limit_us = std::max(compute, load);
    kernel.bound_by_bytes = load > compute;
    kernel.us = kernel.limit_us * (1.1 + 4 * noise.next() * noise.next()) + 0.005;
    profile.total_us += kernel.us;
    profile.kernels.push_back(std::move(kernel));
  }
  return profile;
}

Result result_of(const ModelReport& model, double events, const MadeUpEngine& engine, bool fails,
                 Noise& noise) {
  Result result{.engine = engine.name};
  if (fails) {
    result.error = "the op 'Log1p' <ai.onnx> is not known to it";
    return result;
  }
  const double needed = std::max(2 * static_cast<double>(model.multiply_adds) * events / 273e3,
                                 static_cast<double>(model.weights_bytes) / 255e3);
  const double median = (engine.per_call + engine.per_operation * needed) * noise.factor(0.25);
  result.load_ms = 0.1 + engine.per_call * 5;
  result.first_ms = median / 1000 * 3;
  result.hot = figures_around(median, noise, noise.next() > 0.05);
  result.cold = figures_around(median * engine.cold + 0.5, noise, true);
  result.agreement = engine.name == std::string("ingot v4") ? "reference" : "agrees";
  result.difference = 0.02;
  if (engine.name == std::string("OpenVINO")) result.note = "shapes fixed; from tf2onnx";
  return result;
}

}  // namespace

Report made_up_report(unsigned seed) {
  Noise noise(seed);
  Report report;
  report.date = "2026-11-21T20:00:00Z";
  report.ingot_version = "0.1.0";
  report.machine = {.cpu = "Made-up CPU <x86>",
                    .date = "2026-11-20T20:00:00Z",
                    .cores = 2,
                    .peak_gflops = {{"v3", 136.5}, {"v4", 273}},
                    .levels = {{"L1", 48 << 10, 550},
                               {"L2", 1 << 20, 255},
                               {"L3", 32 << 20, 121},
                               {"memory", 256 << 20, 24}},
                    .call_ns = 1.2,
                    .clock_ns = 21};
  for (const MadeUpEngine& engine : made_up_engines)
    report.engines.push_back({engine.name, engine.version, engine.settings});
  for (int m = 0; m < 30; ++m) {
    const MadeUpModel& kind = made_up_models[m % std::size(made_up_models)];
    ModelReport model;
    model.name = m < static_cast<int>(std::size(made_up_models))
                     ? kind.name
                     : fmt::format("{}-{}", kind.name, m);
    model.file = fmt::format("models/{}/model.onnx", m);
    model.weights_bytes = static_cast<std::uint64_t>(kind.weights * (1 + m / 8));
    model.multiply_adds = static_cast<std::uint64_t>(kind.multiply_adds * (1 + m / 8));
    if (m == 29) {
      model.error =
          "somewhere/" + model.file +
          ": op 'Loop' cannot be compiled yet:\n  nodes "
          "'a/name/that/is/longer/than/a/phone/is/wide/and/has/no/place/to/break/it/anywhere'";
      report.models.push_back(std::move(model));
      continue;
    }
    for (const int events : {1, 16, 64}) {
      Run run{
          .sizes = {{"N", events}}, .events = events, .inputs = m % 2 == 0 ? "random" : "cases"};
      if (m % 3 == 0) run.sizes["n_pf"] = 50;
      for (const MadeUpEngine& engine : made_up_engines) {
        const bool fails =
            (m + static_cast<int>(engine.per_call * 10)) % 7 == 3 && run.results.size() > 1;
        run.results.push_back(result_of(model, events, engine, fails, noise));
      }
      if (m == 2)
        run.results[4].doubt = "1.6 times slower against the other peers than measured before";
      if (m == 3) run.results[5].agreement = "differs";
      if (m == 4) run.results[6].cold.reset();
      if (m % 2 == 0) run.profile = profile_of(model, run.results[0], events, noise);
      model.runs.push_back(std::move(run));
    }
    report.models.push_back(std::move(model));
  }
  return report;
}

}  // namespace ingot::bench
