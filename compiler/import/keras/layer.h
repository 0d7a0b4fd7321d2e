// SPDX-License-Identifier: Apache-2.0
// The layers of a file as a tree: what each is called, which variables it has in which order, and
// the layers that it is made of. Keras' two formats say only in what order variables come, so the
// order is what a row of the table (table.h) tells, and where they lie follows from it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "import/keras/config.h"
#include "import/keras/hdf5.h"

namespace ingot::keras {

struct Row;

struct Variable {
  std::string name;
  bool trainable = true;
  std::string place;  // path of the dataset; empty: the file has none
};

struct Layer {
  std::string class_name, name;
  const Json* config = nullptr;  // of the document, which outlives the layer
  const Row* row = nullptr;      // null: no layer of Keras, or only the owner of variables
  bool operation = false;
  bool trainable = true;
  std::string path;  // in a .keras file
  std::vector<Variable> variables;
  struct Part {
    std::string attribute;  // of the Python object: `cell`, `forward_layer`, `layers/dense_1`
    std::unique_ptr<Layer> layer;
  };
  std::vector<Part> parts;
  std::shared_ptr<const Json> made;  // what `config` points into, where the document lacks it

  /// Null where there is none.
  const Layer* part(std::string_view attribute) const;
  const Variable* variable(std::string_view name) const;
  const Json& setting(std::string_view key) const { return member(*config, key); }
  /// What Python takes for true.
  bool flag(std::string_view key, bool otherwise) const;
};

/// Fills the variables and parts of one layer; what rows are given.
class LayerBuilder {
 public:
  LayerBuilder(Layer& layer, int depth) : layer_(layer), depth_(depth) {}
  const Layer& layer() const { return layer_; }
  const Json& setting(std::string_view key) const { return layer_.setting(key); }
  bool flag(std::string_view key, bool otherwise) const { return layer_.flag(key, otherwise); }

  void own(std::string name, bool trainable = true) {
    layer_.variables.push_back({std::move(name), trainable, {}});
  }
  /// A layer that only owns variables: one of Keras' own, within another.
  Layer& owner(std::string attribute);
  /// A layer as the file describes it. Errors: invalid_model.
  Expected<void> part(std::string attribute, const Json& serialized);
  /// The same of a description that is not in the file as it is.
  Expected<void> made_part(std::string attribute, Json serialized);
  /// The layers of a model, or the cells of a stack: parts `attribute/dense`, `attribute/dense_1`,
  /// ..
  Expected<void> parts(const std::string& attribute, const Json& list);

 private:
  Layer& layer_;
  int depth_;
};

/// Reads `{"class_name": .., "config": ..}` and all layers in it. Errors: invalid_model; limit.
Expected<std::unique_ptr<Layer>> read_layer(const Json& serialized, int depth = 0);

/// Finds where all variables lie in `model.weights.h5` of a .keras file. What is missing there is
/// told when it is read.
void place_variables(Layer& model, const VariableFile& weights);
/// The same of a .h5 file, whose top layers each have a list. Errors: invalid_model where a list is
/// longer or shorter than the layer says.
Expected<void> place_listed_variables(Layer& model, const VariableFile& file);

}  // namespace ingot::keras
