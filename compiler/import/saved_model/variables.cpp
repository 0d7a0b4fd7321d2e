// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/variables.h"

#include <charconv>
#include <filesystem>
#include <unordered_map>

#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

const AttrValue* find_attribute(const NodeDef& node, const std::string& name) {
  const auto it = node.attr().find(name);
  return it == node.attr().end() ? nullptr : &it->second;
}

std::string_view node_name(std::string_view input) {
  if (input.starts_with('^')) input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

std::size_t output_number(std::string_view input) {
  const std::size_t colon = input.find(':');
  std::size_t number = 0;
  if (colon != std::string_view::npos)
    std::from_chars(input.data() + colon + 1, input.data() + input.size(), number);
  return number;
}

/// "4 8 0,2:-": the sizes of the whole, then start and length of the part along each axis.
Expected<TensorSlice> read_slice(std::string_view text) {
  TensorSlice slice;
  text.remove_prefix(std::min(text.size(), text.rfind(' ') + 1));
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find(':'));
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    TensorSlice::Extent& extent = *slice.add_extent();
    if (part == "-") continue;
    std::int64_t start = 0, length = 0;
    const char* last = part.data() + part.size();
    const auto first = std::from_chars(part.data(), last, start);
    if (first.ec != std::errc() || first.ptr == last || *first.ptr != ',' ||
        std::from_chars(first.ptr + 1, last, length).ptr != last)
      return fail(ErrorCode::invalid_model, "'{}' names no part of a variable", part);
    extent.set_start(start);
    extent.set_length(length);
  }
  return slice;
}

}  // namespace

Variables::Variables(const MetaGraph& model, std::string prefix,
                     std::function<void(const std::string&)> on_read)
    : prefix_(std::move(prefix)), on_read_(std::move(on_read)) {
  bind_objects(model);
  bind_restored(model.graph_def());
}

void Variables::bind_objects(const MetaGraph& model) {
  const auto& functions = model.object_graph_def().concrete_functions();
  for (const NodeDef& node : model.graph_def().node()) {
    const AttrValue* callee = find_attribute(node, "f");
    if (callee == nullptr) continue;
    const auto function = functions.find(callee->func().name());
    if (function == functions.end()) continue;
    std::vector<std::string_view> inputs;
    for (const std::string& input : node.input()) {
      if (!input.starts_with('^')) inputs.push_back(node_name(input));
    }
    // What a function is bound to comes after its own arguments.
    const auto& bound = function->second.bound_inputs();
    const auto count = static_cast<std::size_t>(bound.size());
    for (std::size_t i = 0; i < count && count <= inputs.size(); ++i)
      objects_.emplace(inputs[inputs.size() - count + i], bound.Get(static_cast<int>(i)));
  }
}

/// Assign and AssignVariableOp of what RestoreV2 read, of whatever saver: they all agree.
void Variables::bind_restored(const GraphDef& graph) {
  std::unordered_map<std::string_view, const NodeDef*> nodes;
  for (const NodeDef& node : graph.node()) nodes.emplace(node.name(), &node);
  auto strings = [&](const std::string& input) -> const AttrValue* {
    const auto it = nodes.find(node_name(input));
    return it == nodes.end() ? nullptr : find_attribute(*it->second, "value");
  };
  for (const NodeDef& node : graph.node()) {
    if ((node.op() != "Assign" && node.op() != "AssignVariableOp") || node.input_size() < 2)
      continue;
    std::string_view from = node.input(1);
    auto source = nodes.find(node_name(from));
    for (int steps = 0; steps < 4 && source != nodes.end() && source->second->op() == "Identity" &&
                        source->second->input_size() > 0;
         ++steps) {
      from = source->second->input(0);
      source = nodes.find(node_name(from));
    }
    if (source == nodes.end() || source->second->op() != "RestoreV2" ||
        source->second->input_size() < 3)
      continue;
    const AttrValue* keys = strings(source->second->input(1));
    const AttrValue* slices = strings(source->second->input(2));
    const auto number = static_cast<int>(std::min<std::size_t>(output_number(from), INT32_MAX));
    if (keys == nullptr || number >= keys->tensor().string_val_size()) continue;
    Place place{keys->tensor().string_val(number), {}};
    if (slices != nullptr && number < slices->tensor().string_val_size())
      place.slice = slices->tensor().string_val(number);
    places_.emplace(node_name(node.input(0)), std::move(place));
  }
}

Expected<Checkpoint*> Variables::checkpoint() {
  if (checkpoint_) return &*checkpoint_;
  std::error_code status;
  if (!std::filesystem::exists(prefix_ + ".index", status)) {
    return fail(ErrorCode::invalid_model,
                "{}.index: this file is missing, and variables are in it; copy the whole folder",
                prefix_);
  }
  INGOT_ASSIGN(Checkpoint opened, Checkpoint::open(prefix_, on_read_));
  checkpoint_.emplace(std::move(opened));
  const std::string objects = "_CHECKPOINTABLE_OBJECT_GRAPH";
  if (objects_.empty() || checkpoint_->find(objects) == nullptr) return &*checkpoint_;
  INGOT_ASSIGN(const std::vector<std::string> texts, checkpoint_->strings(objects));
  TrackableObjectGraph graph;
  if (texts.size() != 1 || !graph.ParseFromString(texts[0]))
    return fail(ErrorCode::invalid_model, "{}.index: its graph of objects cannot be read", prefix_);
  for (int i = 0; i < graph.nodes_size(); ++i) {
    for (const auto& attribute : graph.nodes(i).attributes()) {
      if (attribute.name() == "VARIABLE_VALUE") keys_.emplace(i, attribute.checkpoint_key());
    }
  }
  return &*checkpoint_;
}

/// Once the checkpoint is open.
Expected<Variables::Place> Variables::place(const NodeDef& node) {
  if (const auto object = objects_.find(node.name()); object != objects_.end()) {
    const auto key = keys_.find(object->second);
    if (key != keys_.end()) return Place{key->second, {}};
  }
  const auto place = places_.find(node.name());
  if (place != places_.end()) return place->second;
  return fail(
      ErrorCode::invalid_model,
      "variable '{}' is used, and no tensor of {}.index is its value (the nearest: {}); save "
      "the model again, with the variable as an attribute of what is saved",
      node.name(), prefix_, checkpoint_->nearest(node.name()));
}

Expected<Tensor> Variables::read(const NodeDef& node) {
  INGOT_ASSIGN(Checkpoint * checkpoint, this->checkpoint());
  INGOT_ASSIGN(const Place place, this->place(node));
  auto of_variable = [&](const Error& error) {
    return Error{error.code, fmt::format("variable '{}': {}", node.name(), error.message)};
  };
  const BundleEntry* entry = checkpoint->find(place.key);
  const AttrValue* shape = find_attribute(node, "shape");
  const AttrValue* dtype = find_attribute(node, "dtype");
  // What is not there is read all the same, for the error.
  if (entry != nullptr && dtype != nullptr && dtype->type() % 100 != entry->dtype()) {
    return of_variable(
        fail(ErrorCode::invalid_model, "it is {} in the graph, but '{}' is {} in {}.index",
             dtype_name(dtype->type()), place.key, dtype_name(entry->dtype()), prefix_));
  }
  Expected<Tensor> tensor = Error{ErrorCode::internal, {}};
  if (place.slice.empty()) {
    tensor = checkpoint->tensor(place.key);
  } else {
    const auto slice = read_slice(place.slice);
    if (!slice) return of_variable(slice.error());
    tensor = checkpoint->part(place.key, *slice);
  }
  if (!tensor) return of_variable(tensor.error());
  if (shape == nullptr || shape->shape().unknown_rank()) return tensor;
  bool fits = static_cast<std::size_t>(shape->shape().dim_size()) == tensor->rank();
  std::vector<std::string> wanted;
  for (int d = 0; d < shape->shape().dim_size(); ++d) {
    const std::int64_t size = shape->shape().dim(d).size();
    wanted.push_back(size < 0 ? "?" : fmt::format("{}", size));
    fits = fits && (size < 0 || tensor->shape()[static_cast<std::size_t>(d)] == size);
  }
  if (fits) return tensor;
  return of_variable(fail(ErrorCode::invalid_model,
                          "its shape is [{}] in the graph, but that of '{}' is [{}] in {}.index",
                          fmt::join(wanted, ", "), place.key, fmt::join(tensor->shape(), ", "),
                          prefix_));
}

}  // namespace ingot::tensorflow
