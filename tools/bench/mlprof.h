// SPDX-License-Identifier: Apache-2.0
// The files of MLProf (github.com/cms-ml/MLProf), so that its models can be measured here, its
// measurements shown beside ours, and ours beside its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "import/import.h"
#include "report.h"

namespace ingot::bench {

/// What MLProf is told of a model, in YAML.
struct MlprofModel {
  struct Input {
    std::string name;
    std::vector<std::int64_t> shape;  // without the batch size, which leads
  };
  std::string name, label, version;  // as in the file; may be empty
  std::string engine;                // "tf", "onnx" or "tfaot"
  std::string file;                  // the model, or the folder of a SavedModel ("tfaot")
  std::string serving_key;           // of a SavedModel
  std::vector<Input> inputs;         // none of a SavedModel, which knows its own
  std::vector<std::string> outputs;
  std::vector<std::int64_t> batch_sizes;  // that "tfaot" compiles; may be empty
};

/// `path` is the file's: the model's file is found from its folder, and may begin with a variable
/// of the environment (`$MLP_BASE`).
Expected<MlprofModel> mlprof_model_from_yaml(const std::string& text, const std::string& path);

/// `file` is written as it is.
std::string to_yaml(const MlprofModel& model);

/// What a user would say of the model to `ingot compile`.
ImportOptions import_options(const MlprofModel& model);

/// Of an imported model; an error if it has sizes that MLProf cannot know: symbols besides one that
/// leads all inputs.
Expected<MlprofModel> mlprof_model_of(const Graph& graph, const std::string& file, bool is_onnx);

/// A csv of MLProf's MergeRuntimes: a line `batch size,milliseconds` per time that was kept, no
/// header.
struct MlprofTimes {
  std::string model, engine;
  std::string file_name;  // as MLProf's: runtimes_bs1_16_64.csv
  std::string text;
};

/// Of all models and engines whose hot times were kept one by one.
std::vector<MlprofTimes> to_mlprof(const Report& report);

/// Adds the times to the model's runs of so many events, or as runs of their own, as hot times of
/// `engine`. An error says which line is damaged.
Expected<void> add_mlprof(Report& report, const std::string& model, const std::string& engine,
                          const std::string& text, const std::string& path);

}  // namespace ingot::bench
