// SPDX-License-Identifier: Apache-2.0
// An engine that has a model open and can be called: a variant of a compiled model, or a peer.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/tensor.h"

namespace ingot::bench {

/// One model at one size with its inputs in place. One thread at a time.
class Contender {
 public:
  virtual ~Contender() = default;

  /// One call as a user makes it: inputs stand in memory, and outputs can be read afterwards.
  virtual Expected<void> run() = 0;

  /// Of the last call, in the model's order.
  virtual Expected<std::vector<Tensor>> outputs() = 0;

  /// An engine that is timed by a tool of its own: microseconds of single calls, from about
  /// `seconds` of calling. Empty for all others.
  virtual Expected<std::vector<double>> measure(double seconds) {
    (void)seconds;
    return std::vector<double>();
  }

  /// From the engine's file to a model that can be called, and what a reader must know.
  double load_ms = 0;
  std::string note;
};

/// What a contender is opened with; outlives it.
struct Question {
  std::string model;  // file
  std::vector<std::string> input_names, output_names;
  std::vector<Tensor> inputs;        // dense, in the model's order
  std::vector<TensorType> outputs;   // of fixed shape; where data give sizes, their bounds
  std::vector<TensorType> declared;  // of the inputs, with symbols where the model has them
  std::vector<TensorType> declared_outputs;
  SymbolValues sizes;
  /// Placeholders that are no inputs, fixed to a value: ImportOptions::constants.
  std::map<std::string, std::string> constants;
};

class Engine {
 public:
  virtual ~Engine() = default;
  std::string name, version, settings;
  bool same_bits = false;  // its outputs have to be those of the interpreter to the bit
  virtual Expected<std::unique_ptr<Contender>> open(const Question& question) = 0;
};

}  // namespace ingot::bench
