// SPDX-License-Identifier: Apache-2.0
#include "import/keras/layer.h"

#include <algorithm>
#include <map>

#include "import/keras/table.h"

namespace ingot::keras {
namespace {

constexpr int max_depth = 40;  // of layers within layers
const Json nothing;

/// Own variables are numbered: those that are trained first, whatever order they were made in.
void place_own(Layer& layer, const VariableFile& file) {
  int number = 0;
  for (const bool trainable : {true, false}) {
    for (Variable& variable : layer.variables) {
      if (variable.trainable != trainable) continue;
      std::string place =
          fmt::format("{}{}vars/{}", layer.path, layer.path.empty() ? "" : "/", number++);
      if (file.has(place)) variable.place = std::move(place);
    }
  }
}

/// Variables in the order of Python's `layer.weights`. `frozen`: a layer around is not trained.
void collect(Layer& layer, bool frozen, std::vector<std::pair<Variable*, bool>>& all) {
  frozen = frozen || !layer.trainable;
  for (const bool trainable : {true, false}) {
    for (Variable& variable : layer.variables)
      if (variable.trainable == trainable) all.emplace_back(&variable, trainable && !frozen);
  }
  for (Layer::Part& part : layer.parts) collect(*part.layer, frozen, all);
}

Expected<void> place_list(Layer& layer, const VariableFile& file) {
  std::vector<std::pair<Variable*, bool>> all;
  collect(layer, false, all);
  std::stable_partition(all.begin(), all.end(), [](const auto& entry) { return entry.second; });
  const std::string group = "model_weights/" + layer.name;
  INGOT_ASSIGN(const auto names, file.texts(group, "weight_names"));
  if (!names && all.empty()) return {};
  if (!names) {
    return fail(ErrorCode::invalid_model,
                "layer '{}' ({}) has {} variables, but the file has no group '{}' with a list "
                "'weight_names'; save the model again",
                layer.name, layer.class_name, all.size(), group);
  }
  // What is not read is no concern: the layer is refused, or has variables for training alone.
  if (layer.row == nullptr || !layer.row->read()) return {};
  if (names->size() != all.size()) {
    return fail(ErrorCode::invalid_model,
                "layer '{}' ({}) has {} variables, but the file lists {}; save the model again",
                layer.name, layer.class_name, all.size(), names->size());
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i].first->place = group + "/" + (*names)[i];
  return {};
}

}  // namespace

const Layer* Layer::part(std::string_view attribute) const {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& part) { return part.attribute == attribute; });
  return found == parts.end() ? nullptr : found->layer.get();
}

const Variable* Layer::variable(std::string_view wanted) const {
  const auto found = std::find_if(variables.begin(), variables.end(),
                                  [&](const Variable& one) { return one.name == wanted; });
  return found == variables.end() ? nullptr : &*found;
}

bool Layer::flag(std::string_view key, bool otherwise) const {
  const Json& value = setting(key);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  return otherwise;
}

Layer& LayerBuilder::owner(std::string attribute) {
  auto layer = std::make_unique<Layer>();
  layer->name = attribute;
  layer->config = &nothing;
  layer->trainable = layer_.trainable;
  layer_.parts.push_back({std::move(attribute), std::move(layer)});
  return *layer_.parts.back().layer;
}

Expected<void> LayerBuilder::part(std::string attribute, const Json& serialized) {
  if (!serialized.is_object())
    return fail(ErrorCode::invalid_model, "layer '{}' ({}) does not say what its '{}' is",
                layer_.name, layer_.class_name, attribute);
  INGOT_ASSIGN(std::unique_ptr<Layer> layer, read_layer(serialized, depth_ + 1));
  layer_.parts.push_back({std::move(attribute), std::move(layer)});
  return {};
}

Expected<void> LayerBuilder::made_part(std::string attribute, Json serialized) {
  const auto made = std::make_shared<const Json>(std::move(serialized));
  INGOT_TRY(part(std::move(attribute), *made));
  layer_.parts.back().layer->made = made;
  return {};
}

Expected<void> LayerBuilder::parts(const std::string& attribute, const Json& list) {
  if (!list.is_array())
    return fail(ErrorCode::invalid_model, "{} '{}' has no list of '{}'", layer_.class_name,
                layer_.name, attribute);
  std::map<std::string, int> used;
  for (const Json& serialized : list) {
    INGOT_TRY(part(attribute, serialized));
    Layer::Part& added = layer_.parts.back();
    // Functions have no variables, and are not counted among the layers.
    if (added.layer->operation) continue;
    const std::string& full = added.layer->class_name;
    const std::string name = snake_case(full.substr(full.find('>') + 1));
    const int count = used[name]++;
    added.attribute += count == 0 ? "/" + name : fmt::format("/{}_{}", name, count);
  }
  return {};
}

Expected<std::unique_ptr<Layer>> read_layer(const Json& serialized, int depth) {
  if (depth > max_depth)
    return fail(ErrorCode::limit, "layers are nested deeper than {}", max_depth);
  auto layer = std::make_unique<Layer>();
  const ClassName name = class_of(serialized);
  layer->class_name = name.name;
  layer->config = &member(serialized, "config");
  // A .h5 file has no modules, and functions are called as layers are; those all say `trainable`.
  const bool unsaid =
      text_of(serialized, "module").empty() && !layer->config->contains("trainable");
  layer->operation = name.operation || (unsaid && find_row(name.name, true) != nullptr);
  layer->name = text_of(*layer->config, "name");
  if (layer->name.empty()) layer->name = text_of(serialized, "name");
  if (layer->class_name.empty())
    return fail(ErrorCode::invalid_model, "a layer{} has no class_name",
                layer->name.empty() ? "" : fmt::format(" '{}'", layer->name));
  layer->trainable = layer->flag("trainable", true);
  if (name.of_keras) layer->row = find_row(layer->class_name, layer->operation);
  if (layer->row != nullptr) layer->class_name = layer->row->name;
  if (layer->row != nullptr && layer->row->describe != nullptr) {
    LayerBuilder builder(*layer, depth);
    INGOT_TRY(layer->row->describe(builder));
  }
  return layer;
}

void place_variables(Layer& layer, const VariableFile& file) {
  place_own(layer, file);
  for (Layer::Part& part : layer.parts) {
    const std::string around = layer.path.empty() ? "" : layer.path + "/";
    std::string& path = part.layer->path;
    path = around + part.attribute;
    if (!file.has(path)) {
      // Older versions go by the names of private members.
      std::vector<std::string> others{around + "_" + part.attribute};
      if (part.attribute.starts_with("layers/"))
        others.push_back(around + "_layer_checkpoint_dependencies" + part.attribute.substr(6));
      const auto other = std::find_if(others.begin(), others.end(),
                                      [&](const std::string& one) { return file.has(one); });
      if (other != others.end()) path = *other;
    }
    place_variables(*part.layer, file);
  }
}

Expected<void> place_listed_variables(Layer& model, const VariableFile& file) {
  for (Layer::Part& part : model.parts) INGOT_TRY(place_list(*part.layer, file));
  return {};
}

}  // namespace ingot::keras
