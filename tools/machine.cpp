// SPDX-License-Identifier: Apache-2.0
// ingot machine: the limits of this machine, which reports hold figures against.
#include "bench/machine.h"

#include <cstdio>
#include <memory>

#include "help.h"
#include "options.h"
#include "progress.h"

namespace ingot::tools {
namespace {

struct Flags {
  bool again = false, json = false;
};

std::string bytes_text(std::uint64_t bytes) {
  return bytes < (std::uint64_t{1} << 20) ? fmt::format("{} KiB", bytes >> 10)
                                          : fmt::format("{} MiB", bytes >> 20);
}

Expected<int> show_machine(const Flags& flags) {
  bench::Machine machine;
  {
    Progress progress;
    progress.now("measuring this machine");
    if (flags.again) {
      machine = bench::measure_machine();
      INGOT_TRY(bench::keep_machine(machine));
    } else {
      machine = bench::this_machine();
    }
  }
  if (flags.json) {
    std::printf("%s\n", bench::to_json(machine).c_str());
    return 0;
  }
  std::string text = fmt::format("{}, {} cores; one core, measured {}\n\n", machine.cpu,
                                 machine.cores, machine.date);
  for (const auto& [level, gflops] : machine.peak_gflops)
    text += fmt::format("  float32 multiply-adds, {}  {:8.1f} GFLOP/s\n", level, gflops);
  for (const bench::Machine::Level& level : machine.levels)
    text += fmt::format("  reading {:7} {:>8}     {:8.1f} GB/s\n", level.name,
                        bytes_text(level.bytes), level.read_gb_s);
  text += fmt::format("  calling a function           {:8.1f} ns\n", machine.call_ns);
  text += fmt::format("  reading the clock            {:8.1f} ns\n\n", machine.clock_ns);
  text += fmt::format("kept in {}; measure again with --again\n", bench::machine_file());
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace

void add_machine(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("machine", "show what one core of this machine can do");
  app->add_flag("--again", flags->again, "measure, even if that was done before");
  app->add_flag("--json", flags->json, "print as JSON");
  explain(*app,
          "The most that a core multiplies and reads, which ingot bench --profile holds kernels "
          "against.\n"
          "Measured once and kept in a file (INGOT_MACHINE, else ingot/machine.json in the "
          "cache folder).",
          {{"ingot machine", "peak, bandwidth of each cache, cost of a call"},
           {"ingot machine --again --json", "measures again, for a program to read"}});
  app->callback([flags, &run] { run = [flags] { return show_machine(*flags); }; });
}

}  // namespace ingot::tools
