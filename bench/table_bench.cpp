// SPDX-License-Identifier: Apache-2.0
// One line for each model of ../shared/models that compiles: what the compiler makes of it (nodes,
// kernels, workspace, bytes, seconds, peak memory) and how long a call takes, beside the best peer
// of ../shared/notes/peers.md, which was measured on another machine.
//
//   table_bench [NAME...]      only the models whose name contains one of these
#include <elf.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/file.h"
#include "call.h"
#include "compile.h"
#include "passes/pass.h"
#include "tools/cases.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Bytes of an object that a program loads: those of all sections that take memory.
std::uint64_t loadable_bytes(const std::vector<std::byte>& object) {
  Elf64_Ehdr header{};
  if (object.size() < sizeof header) return 0;
  std::memcpy(&header, object.data(), sizeof header);
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section{};
    const std::size_t at = header.e_shoff + i * sizeof section;
    if (at + sizeof section > object.size()) return 0;
    std::memcpy(&section, object.data() + at, sizeof section);
    if ((section.sh_flags & SHF_ALLOC) != 0) sum += section.sh_size;
  }
  return sum;
}

struct Built {
  double seconds = 0, peak_mb = 0;
  std::string failure;
};

/// Compiles in a process of its own, so that time and peak memory are those of this model alone.
Built build(const tools::Case& one, const CompileOptions& options, const std::string& object,
            const std::string& so) {
  const std::string log = so + ".failure";
  const pid_t child = fork();
  if (child == 0) {
    const Expected<Bundle> bundle = compile(one.model, options);
    if (!bundle) {
      std::ofstream(log) << bundle.error().message;
      _exit(1);
    }
    _exit(write_file(object, bundle->object) && write_file(so, bundle->shared) ? 0 : 1);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  Built built;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  built.seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  built.peak_mb = static_cast<double>(usage.ru_maxrss) / 1024;
  if (status != 0) {
    std::getline(std::ifstream(log), built.failure);
    if (built.failure.empty()) built.failure = fmt::format("the compiler ended with {}", status);
  }
  return built;
}

/// Medians of both calls, which take turns so that a noisy machine hurts both alike.
std::vector<double> microseconds(std::vector<Call*> calls) {
  constexpr int turns = 15;
  constexpr double turn_seconds = 0.02;
  std::vector<std::vector<double>> samples(calls.size());
  std::vector<std::int64_t> times(calls.size(), 1);
  for (std::size_t c = 0; c < calls.size(); ++c) {
    if (calls[c] == nullptr || calls[c]->run() != 0) {
      calls[c] = nullptr;
      continue;
    }
    const auto begin = Clock::now();
    calls[c]->run();
    const double once = std::chrono::duration<double>(Clock::now() - begin).count();
    times[c] = std::max<std::int64_t>(1, static_cast<std::int64_t>(turn_seconds / (once + 1e-9)));
  }
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t c = 0; c < calls.size(); ++c) {
      if (calls[c] == nullptr) continue;
      const auto begin = Clock::now();
      for (std::int64_t i = 0; i < times[c]; ++i) calls[c]->run();
      const double all = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
      samples[c].push_back(all / static_cast<double>(times[c]));
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& of_one : samples) {
    std::sort(of_one.begin(), of_one.end());
    medians.push_back(of_one.empty() ? -1 : of_one[of_one.size() / 2]);
  }
  return medians;
}

std::string number(double value) {
  if (value < 0) return "-";
  if (value < 10) return fmt::format("{:.2f}", value);
  return fmt::format("{:.{}f}", value, value < 100 ? 1 : 0);
}

/// "best" by model, from the tables under "N = 1" and "N = 16".
std::map<std::string, std::string> best_peers(const fs::path& notes, const std::string& title) {
  std::map<std::string, std::string> best;
  std::ifstream file(notes);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("N = ")) inside = line == title;
    if (line.starts_with("Dense stacks")) inside = false;
    if (!inside || !line.starts_with("| ")) continue;
    std::vector<std::string> cells;
    std::stringstream cut(line);
    for (std::string cell; std::getline(cut, cell, '|');) {
      const std::size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
      cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
    }
    if (cells.size() > 9) best[cells[1]] = cells[9];
  }
  return best;
}

std::string peer(const std::map<std::string, std::string>& best, const std::string& name) {
  const auto found = best.find(name);
  return found == best.end() ? "-" : found->second;
}

int run(const std::vector<std::string>& wanted) {
  const char* given = std::getenv("INGOT_SHARED");
  const fs::path shared = given != nullptr ? given : INGOT_SOURCE_DIR "/../shared";
  const Expected<std::vector<tools::Case>> cases = tools::find_cases((shared / "models").string());
  const Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!cases || !folder) {
    std::fprintf(stderr, "%s\n", (!cases ? cases.error() : folder.error()).message.c_str());
    return 1;
  }
  const auto peers_1 = best_peers(shared / "notes/peers.md", "N = 1");
  const auto peers_16 = best_peers(shared / "notes/peers.md", "N = 16");
  std::printf(
      "| Model | nodes | kernels | workspace kB, N = 1 / 64 | weights kB | loadable kB per ISA "
      "beside "
      "them | compile s | peak MB | us, N = 1: v4 / v3 | best peer | us, N = 16: v4 / v3 | best "
      "peer "
      "|\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const tools::Case& one : *cases) {
    const bool asked = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](auto& part) {
                         return one.name.find(part) != std::string::npos;
                       });
    if (!asked) continue;
    CompileOptions options;
    options.import = one.import;
    options.shared = true;
    const std::string object = folder->file(one.name + ".o"), so = folder->file(one.name + ".so");
    const Built built =
        one.refused.empty() ? build(one, options, object, so) : Built{0, 0, one.refused};
    if (!built.failure.empty()) {
      std::fprintf(stderr, "left out %s: %s\n", one.name.c_str(), built.failure.c_str());
      continue;
    }
    std::size_t before = 0, after = 0;
    if (const Expected<Graph> graph = import_for(one.model, options)) {
      before = graph->nodes().size();
      if (const Expected<Graph> better = passes::optimize(*graph)) after = better->nodes().size();
    }
    std::vector<Tensor> rows;
    if (!one.data_sets.empty()) {
      for (const std::string& file : one.data_sets[0].inputs) {
        Expected<NamedTensor> read = tools::read_case_tensor(file);
        rows.push_back(read ? std::move(read->tensor) : Tensor());
      }
    }
    std::vector<std::unique_ptr<Call>> calls;
    for (const std::int64_t n : {1, 16})
      for (const char* isa : {"v4", "v3"})
        calls.push_back(std::make_unique<Call>(so, isa, n, rows));
    Call large(so, "v3", 64, rows);
    if (!large.ok()) continue;
    std::vector<Call*> usable;
    for (const auto& call : calls) usable.push_back(call->ok() ? call.get() : nullptr);
    const std::vector<double> us = microseconds(usable);
    const ingot_model& model = large.model();
    const Expected<std::vector<std::byte>> bytes = read_file(object);
    const double beside =
        bytes ? static_cast<double>(loadable_bytes(*bytes) - model.weights_bytes) : 0;
    std::printf(
        "| %s | %zu to %zu | %u | %.1f / %.1f | %.0f | %.0f | %.1f | %.0f | %s / %s | %s | %s "
        "/ %s | %s |\n",
        one.name.c_str(), before, after, model.kernels.count,
        static_cast<double>(calls[1]->workspace_bytes()) / 1e3,
        static_cast<double>(large.workspace_bytes()) / 1e3,
        static_cast<double>(model.weights_bytes) / 1e3,
        beside / 1e3 / static_cast<double>(options.isa_levels.size()), built.seconds, built.peak_mb,
        number(us[0]).c_str(), number(us[1]).c_str(), peer(peers_1, one.name).c_str(),
        number(us[2]).c_str(), number(us[3]).c_str(), peer(peers_16, one.name).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace ingot

int main(int argc, char** argv) {
  std::vector<std::string> wanted;
  // ./dev bench gives all programs Google Benchmark's flags.
  for (int i = 1; i < argc; ++i)
    if (!std::string(argv[i]).starts_with("--benchmark")) wanted.emplace_back(argv[i]);
  return ingot::run(wanted);
}
