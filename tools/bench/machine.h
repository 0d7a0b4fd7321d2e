// SPDX-License-Identifier: Apache-2.0
// The limits of this machine's cores, measured once and kept in a small file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/expected.h"

namespace ingot::bench {

struct Machine {
  struct Level {
    std::string name;         // "L1", "L2", "L3", "memory"
    std::uint64_t bytes = 0;  // of one core's cache, or of the buffer that stood for memory
    double read_gb_s = 0;     // 1e9 bytes a second, one core
  };
  std::string cpu;   // as /proc/cpuinfo names it
  std::string date;  // ISO 8601, UTC
  unsigned cores = 0;
  std::map<std::string, double> peak_gflops;  // by CPU level, "v3": two operations per multiply-add
  std::vector<Level> levels;                  // fastest first
  double call_ns = 0;                         // an indirect call of an empty function
  double clock_ns = 0;                        // reading the clock once
};

/// Takes some seconds.
Machine measure_machine();

std::string to_json(const Machine& machine);
Expected<Machine> machine_from_json(const std::string& text, const std::string& path);

/// INGOT_MACHINE, else ingot/machine.json in the user's cache folder.
std::string machine_file();

/// To and from machine_file(). Reading it fails where its limits are not those of this CPU.
Expected<void> keep_machine(const Machine& machine);
Expected<Machine> kept_machine();

/// What is kept, else measured now and kept where that can be.
Machine this_machine();

}  // namespace ingot::bench
