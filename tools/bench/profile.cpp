// SPDX-License-Identifier: Apache-2.0
// What each kernel of a compiled model takes, by its probe, and what the machine would need at
// least.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "clock.h"
#include "compiled.h"
#include "ir/dim.h"
#include "statistics.h"

namespace ingot::bench {
namespace {

using Json = nlohmann::json;

/// Sums up one call, block by block, without what reading the clock takes.
struct Watch {
  std::vector<double> seconds;  // by kernel
  double began = 0, clock = 0;

  static std::int32_t see(void* user, const ingot_probe_event* event) {
    const double now = seconds_now();
    auto& self = *static_cast<Watch*>(user);
    if (event->phase == INGOT_BEGIN) {
      self.began = seconds_now();
    } else {
      self.seconds[event->kernel] += now - self.began - self.clock;
    }
    return 0;
  }
};

/// Weights in bytes that each kernel reads, by its name, from the manifest.
std::map<std::string, std::uint64_t> weights_of(const ingot_model& model) {
  std::map<std::string, std::uint64_t> bytes;
  const Json manifest = Json::parse(model.manifest, nullptr, false);
  if (manifest.is_discarded()) return bytes;
  const Json weights = manifest.value("weights", Json::object());
  for (const Json& constant : weights.value("constants", Json::array()))
    bytes[constant.value("name", "")] += constant.value("bytes", std::uint64_t{0});
  return bytes;
}

/// Of a text in the symbols; 0 where there is none.
std::uint64_t value_of(const char* text, const SymbolValues& sizes) {
  const Expected<Dim> dim = Dim::parse(text);
  const Expected<std::int64_t> value = dim ? dim->evaluate(sizes) : Expected<std::int64_t>(0);
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

/// The first level that holds so many bytes; null if the machine's limits are not known.
const Machine::Level* level_for(const Machine& machine, std::uint64_t bytes) {
  for (const Machine::Level& level : machine.levels)
    if (bytes <= level.bytes) return &level;
  return machine.levels.empty() ? nullptr : &machine.levels.back();
}

double microseconds_of(std::uint64_t bytes, const Machine::Level* level) {
  return level == nullptr || level->read_gb_s <= 0
             ? 0
             : static_cast<double>(bytes) / level->read_gb_s * 1e-3;
}

}  // namespace

void set_limit(KernelFigures& kernel, double peak_gflops, const Machine::Level* weights,
               const Machine::Level* others) {
  const std::uint64_t moved = kernel.bytes - std::min(kernel.bytes, kernel.weights_bytes);
  const double by_bytes =
      microseconds_of(kernel.weights_bytes, weights) + microseconds_of(moved, others);
  const double by_operations =
      peak_gflops > 0 ? static_cast<double>(kernel.operations) / peak_gflops * 1e-3 : 0;
  kernel.bound_by_bytes = by_bytes > by_operations;
  kernel.limit_us = std::max(by_bytes, by_operations);
}

Expected<Profile> CompiledContender::profile(const Machine& machine, double seconds) {
  const ingot_model& model = *model_.descriptor();
  INGOT_TRY(run());
  const SymbolValues sizes = true_sizes();

  Profile profile;
  profile.engine = "ingot-" + variant_;
  const Machine::Level* level = level_for(machine, model.weights_bytes);
  if (level != nullptr) profile.level = level->name;
  const auto peak = machine.peak_gflops.find(variant_);
  const std::map<std::string, std::uint64_t> weights = weights_of(model);
  for (std::uint32_t i = 0; i < model.kernels.count; ++i) {
    const auto& kernel = *static_cast<const ingot_kernel*>(ingot_item(&model.kernels, i));
    KernelFigures figures{kernel.name, kernel.kind, kernel.source};
    figures.operations = value_of(kernel.flops, sizes);
    figures.bytes = value_of(kernel.bytes, sizes);
    if (const auto found = weights.find(kernel.name); found != weights.end())
      figures.weights_bytes = found->second;
    set_limit(figures, peak == machine.peak_gflops.end() ? 0 : peak->second, level,
              machine.levels.empty() ? nullptr : machine.levels.data());
    profile.kernels.push_back(std::move(figures));
  }

  Watch watch;
  watch.clock = machine.clock_ns * 1e-9;
  ingot_call probed = call_;
  ingot::Options options;
  options.probe = Watch::see;
  options.probe_user = &watch;
  add_options(probed, options);
  std::vector<std::vector<double>> kernels(model.kernels.count);
  std::vector<double> plain, total;
  const double end = seconds_now() + seconds;
  for (int i = 0; i < 15 || seconds_now() < end; ++i) {
    // A warm call before each, and not one alone: the plain and the probed entry are different
    // code.
    for (ingot_call* call : {&call_, &probed}) {
      for (const bool counts : {false, true}) {
        watch.seconds.assign(model.kernels.count, 0);
        const double begin = seconds_now();
        INGOT_TRY(expected(model_.run(*call)));
        const double took = (seconds_now() - begin - watch.clock) * 1e6;
        if (!counts) continue;
        (call == &call_ ? plain : total).push_back(took);
        if (call == &call_) continue;
        for (std::size_t k = 0; k < kernels.size(); ++k)
          kernels[k].push_back(watch.seconds[k] * 1e6);
      }
    }
    if (i == 20000) break;  // of a model of nanoseconds
  }
  profile.plain_us = figures_of(plain, 1).median;
  profile.total_us = figures_of(total, 1).median;
  for (std::size_t k = 0; k < kernels.size(); ++k)
    profile.kernels[k].us = std::max(0.0, figures_of(kernels[k], 1).median);
  return profile;
}

}  // namespace ingot::bench
