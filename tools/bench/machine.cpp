// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "base/file.h"
#include "caches.h"
#include "clock.h"
#include "limits.h"

namespace ingot::bench {
namespace {

namespace fs = std::filesystem;

/// Seconds of `once`, the least of many tries: a limit is what nothing disturbed.
template <class Once>
double least_seconds(const Once& once) {
  constexpr int tries = 25;
  double least = 1e9;
  for (int i = 0; i < tries; ++i) {
    const double begin = seconds_now();
    once();
    least = std::min(least, seconds_now() - begin);
  }
  return least;
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

/// Reads a buffer again and again that fills a good part of a level and is too large for the one
/// before it.
double read_gb_s(const LimitLoops& loops, std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes / 4096 * 4096, 4096);
  const std::unique_ptr<std::byte, void (*)(void*)> buffer(
      static_cast<std::byte*>(std::aligned_alloc(4096, bytes)), [](void* p) { std::free(p); });
  if (buffer == nullptr) return 0;
  std::fill_n(buffer.get(), bytes, std::byte{0});
  const auto rounds = std::max<std::size_t>(1, (std::size_t{8} << 20) / bytes);
  const double seconds = least_seconds([&] {
    for (std::size_t i = 0; i < rounds; ++i) loops.read(buffer.get(), bytes);
  });
  return static_cast<double>(bytes * rounds) / seconds * 1e-9;
}

void nothing() {}

}  // namespace

Machine measure_machine() {
  Machine machine;
  machine.cpu = cpu_name();
  machine.date = date_now();
  machine.cores = std::thread::hardware_concurrency();
  const std::vector<LimitLoops> all = limit_loops();
  for (const LimitLoops& loops : all) {
    constexpr std::int64_t rounds = 200'000;
    const double seconds = least_seconds([&] { loops.multiply_add(rounds); });
    machine.peak_gflops[loops.level] =
        loops.operations_each_round * static_cast<double>(rounds) / seconds * 1e-9;
  }
  const auto [l1, l2, l3] = caches();
  const std::uint64_t memory = std::clamp<std::uint64_t>(4 * l3, 64 << 20, 512 << 20);
  machine.levels = {{"L1", l1}, {"L2", l2}, {"L3", l3}, {"memory", memory}};
  for (Machine::Level& level : machine.levels) {
    // Three quarters: the rest is for what else is there, and a shared cache is never ours alone.
    const std::uint64_t bytes = level.name == "L3" ? std::max(2 * l2, l3 / 4) : level.bytes / 4 * 3;
    for (const LimitLoops& loops : all)
      level.read_gb_s = std::max(level.read_gb_s, read_gb_s(loops, bytes));
  }
  constexpr int calls = 100'000;
  void (*volatile callee)() = nothing;
  machine.call_ns = 1e9 / calls * least_seconds([&] {
                      for (int i = 0; i < calls; ++i) callee();
                    });
  machine.clock_ns = 1e9 / calls * least_seconds([&] {
                       for (int i = 0; i < calls; ++i) static_cast<void>(seconds_now());
                     });
  return machine;
}

std::string machine_file() {
  if (const char* given = std::getenv("INGOT_MACHINE")) return given;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"))
    return fs::path(cache) / "ingot/machine.json";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : "/tmp") / ".cache/ingot/machine.json";
}

Expected<void> keep_machine(const Machine& machine) {
  const fs::path path = machine_file();
  std::error_code status;
  fs::create_directories(path.parent_path(), status);
  const std::string text = to_json(machine);
  return write_file(path.string(), text);
}

Expected<Machine> kept_machine() {
  const std::string path = machine_file();
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  INGOT_ASSIGN(
      Machine machine,
      machine_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  if (machine.cpu == cpu_name() && machine.cores == std::thread::hardware_concurrency())
    return machine;
  return fail(ErrorCode::invalid_argument, "{}: the limits of another machine", path);
}

Machine this_machine() {
  if (Expected<Machine> kept = kept_machine()) return std::move(*kept);
  Machine machine = measure_machine();
  // Where it cannot be kept it is measured again the next time.
  static_cast<void>(keep_machine(machine));
  return machine;
}

}  // namespace ingot::bench
