// SPDX-License-Identifier: Apache-2.0
// What `ingot bench` found: the one form that its table, JSON, CSV and HTML are made of. JSON holds
// all of it and is read back, so that pages can be made again and of several reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/dim.h"
#include "machine.h"

namespace ingot::bench {

/// Of the samples of one engine; microseconds per call.
struct Figures {
  double median = 0;
  double low = 0, high = 0;  // the 16th and 84th percentile
  double mean = 0, deviation = 0;
  double least = 0;
  double uncertainty = 0;  // half the width of the median's 95 % confidence interval
  std::int64_t samples = 0;
  std::int64_t calls = 0;  // in all samples
  bool steady = false;     // the uncertainty came below what was asked for before time was up
  /// Some or all of the samples, in the order in which they were taken; may be empty.
  std::vector<double> times;
};

/// One kernel of a compiled model in a probed call; of all its blocks together.
struct KernelFigures {
  std::string name, kind, source;              // `source`: the model file's nodes that it computes
  double us = 0;                               // median over calls
  std::uint64_t operations = 0;                // a multiply-add counts two
  std::uint64_t bytes = 0, weights_bytes = 0;  // read and written; of those the weights
  /// What this machine needs at least: operations at peak, or the kernel's weights from the level
  /// of the memory hierarchy that holds all weights and the rest from the first, whichever is more.
  double limit_us = 0;
  bool bound_by_bytes = false;
};

struct Profile {
  std::string engine, level;  // `level`: where weights come from in a hot call: "L2"
  double total_us = 0;        // of a probed call
  double plain_us = 0;        // of the same call without a probe
  std::vector<KernelFigures> kernels;
};

/// One engine on one model at one size.
struct Result {
  std::string engine;
  std::string error;    // why there is nothing else, if so
  double load_ms = 0;   // from the file that the engine is given to a model that can be called
  double first_ms = 0;  // the first call
  std::optional<Figures> hot, cold;
  std::string agreement;  // "reference", "agrees", "differs", or why it was not compared
  double difference = 0;  // largest |a - b| / (1e-4 * max |b| of that output + 1e-6), b: reference
  std::string note;       // what a reader must know: "shapes fixed", "from tf2onnx"
  std::string doubt;      // why these figures are not to be trusted yet, if so
};

struct Run {
  SymbolValues sizes;
  std::int64_t events = 1;  // the value of the symbol that leads the inputs
  std::string inputs;       // "cases", "random", "files"
  std::vector<Result> results;
  std::optional<Profile> profile;
};

struct ModelReport {
  std::string name, file;
  std::uint64_t weights_bytes = 0;
  std::uint64_t multiply_adds = 0;  // of one event, in products and convolutions; 0: not known
  std::vector<Run> runs;
  std::string error;  // why there are no runs, if so
};

struct EngineReport {
  std::string name, version;
  std::string settings;  // one line: what was chosen for it, and why
};

struct Report {
  std::string date;  // ISO 8601, UTC
  std::string ingot_version;
  Machine machine;
  int threads = 1;
  std::vector<EngineReport> engines;
  std::vector<ModelReport> models;
};

std::string to_json(const Report& report);
Expected<Report> report_from_json(const std::string& text, const std::string& path);

/// One line per model, sizes, engine and mode (hot or cold), with a header line.
std::string to_csv(const Report& report);

/// The page: one file that needs no network.
std::string to_html(const Report& report);

/// For a terminal: a table per model.
std::string to_table(const Report& report);

}  // namespace ingot::bench
