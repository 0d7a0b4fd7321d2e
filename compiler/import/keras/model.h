// SPDX-License-Identifier: Apache-2.0
// A model's layers and which of their results go where: Sequential and Functional, in the forms of
// Keras 2 and 3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/inputs.h"
#include "import/keras/layer.h"

namespace ingot::keras {

/// Result `tensor` of call `call` of a layer.
struct Reference {
  std::size_t layer = 0, call = 0, tensor = 0;
};

/// An argument as the file has it: tensors in the order of its lists, or a plain value.
struct Given {
  std::vector<Reference> tensors;
  bool list = false;
  Json literal;
};

struct LayerCall {
  std::size_t layer = 0, call = 0;
  std::vector<Given> positional;
  std::map<std::string, Given, std::less<>> named;
};

struct ModelInput {
  Reference place;
  FileInput described;
  std::optional<std::string> refused;  // why it can't be an input
};

struct ModelOutput {
  std::string name;
  Reference place;
};

/// The parts of `layer` stand for its layers, in the same order.
struct Model {
  const Layer* layer = nullptr;
  std::vector<ModelInput> inputs;
  std::vector<ModelOutput> outputs;
  std::vector<LayerCall> calls;
  /// By layer, the places of its calls among `calls`.
  std::vector<std::vector<std::size_t>> calls_of;

  const Layer& at(std::size_t i) const { return *layer->parts[i].layer; }
  std::optional<std::size_t> find(std::string_view name) const;
};

/// Errors: invalid_model where the file contradicts itself, unsupported for models that were never
/// built, so that nobody knows their inputs.
Expected<Model> read_model(const Layer& layer, bool keras2);

/// The calls that some results need, each after those that it needs itself. `given`: results that
/// come from elsewhere. Errors: invalid_model for circles.
Expected<std::vector<std::size_t>> order_calls(const Model& model,
                                               const std::vector<Reference>& wanted,
                                               const std::vector<Reference>& given);

}  // namespace ingot::keras
