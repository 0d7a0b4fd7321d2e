// SPDX-License-Identifier: Apache-2.0
// Models with reference inputs and outputs, as folders: ours with a model.json, and ONNX's own
// backend test cases with a model.onnx.
#pragma once

#include <string>
#include <vector>

#include "import/import.h"

namespace ingot::tools {

struct DataSet {
  std::string name;                          // of its folder
  std::vector<std::string> inputs, outputs;  // files, in the model's order
  double rtol = 1e-3, atol = 1e-7;           // ONNX's own, unless the case says otherwise
};

struct Case {
  std::string name;
  std::string model;     // file
  ImportOptions import;  // what a user would say of it
  std::string refused;   // why it cannot be tried, if so
  std::vector<DataSet> data_sets;
};

/// All cases in a folder and below, sorted by name; a folder without any is an error.
Expected<std::vector<Case>> find_cases(const std::string& path);

/// A serialized TensorProto.
Expected<Tensor> read_case_tensor(const std::string& path);

}  // namespace ingot::tools
