// SPDX-License-Identifier: Apache-2.0
// Figures of peers that somebody took with care, on whatever machine: an engine that does worse
// against the others than it did there has the wrong settings, until that is understood.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "report.h"

namespace ingot::bench {

/// Microseconds of a call, by engine: `onnxruntime`, `openvino`, `iree`, `xla`, `tensorflow`.
using Times = std::map<std::string, double>;

struct Notes {
  double peak_gflops = 0;  // of the machine that they were taken on; 0: not said
  std::map<std::pair<std::int64_t, std::string>, Times> times;  // by events and name of the model
};

/// The tables of ../shared/notes/peers.md: a line `N = 16`, then a table with a column per engine;
/// and the number before `GFLOP/s`. What is not such a table is passed over.
Notes read_notes(std::string_view text);

/// Of the file in ../shared beside `start` or a folder above it; empty if there is none.
Notes find_notes(const std::string& start = ".");

/// Per engine of `times` that is more than 1.3 times worse, against the median of the others, than
/// in `noted`, a line that says so. Engines that one of them lacks are left out. On a machine whose
/// peak is `slower` times lower, an engine whose calls cost little loses up to that factor where
/// those of the others are mostly the cost of calling, and is not doubted for it.
std::map<std::string, std::string> doubts(const Times& times, const Times& noted,
                                          double slower = 1);

/// Fills `doubt` of the results of a run on a machine of that peak.
void mark_doubts(const Notes& notes, const std::string& model, double peak_gflops, Run& run);

}  // namespace ingot::bench
