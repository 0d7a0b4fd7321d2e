// SPDX-License-Identifier: Apache-2.0
#include "import/keras/model.h"

#include <algorithm>
#include <map>
#include <set>

#include "import/keras/table.h"

namespace ingot::keras {
namespace {

/// `[null, 27]`, as Keras 2 or 3 names it.
const Json& batch_shape(const Json& config) {
  const Json& shape = member(config, "batch_shape");
  return shape.is_null() ? member(config, "batch_input_shape") : shape;
}

Expected<std::vector<FileDim>> read_shape(const Json& list, const std::string& name) {
  std::vector<FileDim> shape;
  for (const Json& size : list) {
    if (size.is_null()) {
      shape.emplace_back(std::monostate());
    } else if (size.is_number_integer() && size.get<std::int64_t>() >= 0) {
      shape.emplace_back(size.get<std::int64_t>());
    } else {
      return fail(ErrorCode::invalid_model, "input '{}' has a size of {}", name, size.dump());
    }
  }
  return shape;
}

/// `config` is that of an InputLayer, or of a first layer that has a shape.
Expected<ModelInput> describe_input(const Json& config, std::string name, const Json& shape,
                                    Reference place) {
  ModelInput input{place, {std::move(name), DType::f32, std::nullopt}, {}};
  FileInput& described = input.described;
  if (shape.is_array()) {
    INGOT_ASSIGN(described.shape, read_shape(shape, described.name));
  }
  const Json& dtype = member(config, "dtype");
  const Expected<Policy> policy = read_policy(dtype);
  if (policy) described.dtype = policy->variable;
  if (!policy) input.refused = policy.error().message;
  for (const char* kind : {"sparse", "ragged"}) {
    if (member(config, kind) == true)
      input.refused = fmt::format("it is {}, not a plain tensor", kind);
  }
  return input;
}

/// Reads one model.
class Reader {
 public:
  Reader(const Layer& layer, bool keras2) : layer_(layer), keras2_(keras2) {
    model_.layer = &layer;
    model_.calls_of.resize(layer.parts.size());
  }
  Expected<Model> sequential();
  Expected<Model> functional();

 private:
  Expected<void> read_layer(std::size_t number, const Json& entry);
  Expected<LayerCall> read_call(std::size_t layer, const Json& node);
  Expected<LayerCall> read_old_call(std::size_t layer, const Json& node);
  Expected<Given> read_argument(const Json& json, bool old);
  Expected<void> collect(const Json& json, bool old, Given& given, bool& other);
  Expected<Reference> read_reference(const Json& triple, bool of_signature) const;
  bool is_reference(const Json& json) const;
  Expected<void> read_ports(std::string_view key, const Json& json, const std::string& name,
                            std::vector<std::pair<std::string, Reference>>& ports) const;
  Expected<void> check_references() const;
  Error broken(std::string_view what) const {
    return fail(ErrorCode::invalid_model, "model '{}': {}", layer_.name, what);
  }
  void add_call(LayerCall call) {
    std::vector<std::size_t>& all = model_.calls_of[call.layer];
    call.call = all.size();
    all.push_back(model_.calls.size());
    model_.calls.push_back(std::move(call));
  }

  const Layer& layer_;
  bool keras2_;
  Model model_;
  std::map<std::string, std::size_t, std::less<>> names_;
};

bool is_input(const Layer& layer) {
  return layer.row != nullptr && layer.row->name == "InputLayer";
}

Expected<Model> Reader::sequential() {
  if (layer_.parts.empty()) return broken("it has no layers");
  const Json& own = *layer_.config;
  std::size_t first = 0;
  Reference last;
  if (is_input(model_.at(0))) {
    const Layer& input = model_.at(0);
    INGOT_ASSIGN(ModelInput described,
                 describe_input(*input.config, input.name, batch_shape(*input.config), {0, 0, 0}));
    model_.inputs.push_back(std::move(described));
    add_call({0});
    first = 1;
  } else {
    // The place of an input that has no layer is one behind the last.
    const Json& config = *model_.at(0).config;
    last.layer = layer_.parts.size();
    model_.calls_of.emplace_back();
    const Json* shape = &batch_shape(config);
    if (!shape->is_array()) shape = &member(own, "build_input_shape");
    INGOT_ASSIGN(ModelInput described,
                 describe_input(config, model_.at(0).name + "_input", *shape, last));
    model_.inputs.push_back(std::move(described));
    add_call({last.layer});
  }
  for (std::size_t i = first; i < layer_.parts.size(); ++i) {
    LayerCall call{i};
    call.positional.push_back({{last}, false, {}});
    add_call(std::move(call));
    last = {i, 0, 0};
  }
  model_.outputs.push_back({model_.at(layer_.parts.size() - 1).name, last});
  return std::move(model_);
}

/// Whether it is `["dense", 0, 0]`, with what Keras 2 adds or without.
bool Reader::is_reference(const Json& json) const {
  return json.is_array() && json.size() >= 3 && json.size() <= 4 && json[0].is_string() &&
         json[1].is_number_integer() && json[2].is_number_integer() &&
         names_.contains(json[0].get<std::string>());
}

Expected<Reference> Reader::read_reference(const Json& triple, bool of_signature) const {
  const auto bad = [&] { return broken(fmt::format("{} is no result of a layer", triple.dump())); };
  if (!triple.is_array() || triple.size() < 3 || !triple[0].is_string() ||
      !triple[1].is_number_integer() || !triple[2].is_number_integer())
    return bad();
  const auto layer = names_.find(triple[0].get<std::string>());
  if (layer == names_.end())
    return broken(fmt::format("it has no layer '{}'", triple[0].get<std::string>()));
  auto call = triple[1].get<std::int64_t>();
  const auto tensor = triple[2].get<std::int64_t>();
  // A model has a call of its own, from when it was built, which is not in the file.
  const Layer& called = model_.at(layer->second);
  const bool counts = called.row != nullptr && is_model(*called.row) &&
                      (keras2_ || (of_signature && called.row->name == "Functional"));
  if (counts && call > 0) --call;
  if (call < 0 || tensor < 0) return bad();
  return Reference{layer->second, static_cast<std::size_t>(call), static_cast<std::size_t>(tensor)};
}

/// `old`: of Keras 2, where a tensor is a list.
Expected<void> Reader::collect(const Json& json, bool old, Given& given, bool& other) {
  if (old ? is_reference(json) : text_of(json, "class_name") == "__keras_tensor__") {
    const Json& triple = old ? json : member(member(json, "config"), "keras_history");
    INGOT_ASSIGN(const Reference reference, read_reference(triple, false));
    given.tensors.push_back(reference);
  } else if (json.is_array() || (json.is_object() && !json.contains("class_name"))) {
    for (const Json& inside : json) INGOT_TRY(collect(inside, old, given, other));
  } else if (!json.is_null()) {
    other = true;
  }
  return {};
}

Expected<Given> Reader::read_argument(const Json& json, bool old) {
  Given given;
  bool other = false;
  INGOT_TRY(collect(json, old, given, other));
  if (given.tensors.empty()) given.literal = json;
  if (!given.tensors.empty() && other) given.literal = json;  // both: the row may refuse it
  given.list = old ? !is_reference(json) : !json.is_object() || !json.contains("class_name");
  return given;
}

/// `[["a", 0, 0, {}], ["b", 0, 0, {}]]`, or one of these alone.
Expected<LayerCall> Reader::read_old_call(std::size_t layer, const Json& node) {
  LayerCall call{layer};
  Given first;
  const bool alone = !node.empty() && node[0].is_string();
  std::vector<const Json*> entries;
  if (alone) entries.push_back(&node);
  if (!alone)
    for (const Json& entry : node) entries.push_back(&entry);
  for (const Json* entry : entries) {
    if (!entry->is_array() || entry->size() < 3) return broken("a call of a layer is no list");
    if ((*entry)[0] == "_CONSTANT_VALUE") {
      first.literal = (*entry)[2];
    } else {
      INGOT_ASSIGN(const Reference reference, read_reference(*entry, false));
      first.tensors.push_back(reference);
    }
    if (entry->size() < 4 || !(*entry)[3].is_object()) continue;
    for (const auto& [name, value] : (*entry)[3].items()) {
      INGOT_ASSIGN(call.named[name], read_argument(value, true));
    }
  }
  first.list = entries.size() > 1;
  call.positional.push_back(std::move(first));
  return call;
}

Expected<LayerCall> Reader::read_call(std::size_t layer, const Json& node) {
  if (node.is_array()) return read_old_call(layer, node);
  if (!node.is_object()) return broken("a call of a layer is neither a list nor an object");
  LayerCall call{layer};
  const bool old = !node.contains("args");
  if (old) {  // Keras 2 with operands by name
    INGOT_ASSIGN(Given given, read_argument(node, true));
    call.positional.push_back(std::move(given));
    return call;
  }
  for (const Json& argument : member(node, "args")) {
    INGOT_ASSIGN(Given given, read_argument(argument, false));
    call.positional.push_back(std::move(given));
  }
  const Json& named = member(node, "kwargs");
  if (!named.is_object()) return call;
  for (const auto& [name, value] : named.items()) {
    INGOT_ASSIGN(call.named[name], read_argument(value, false));
  }
  return call;
}

Expected<void> Reader::read_layer(std::size_t number, const Json& entry) {
  const Json& nodes = member(entry, "inbound_nodes");
  if (!nodes.is_array()) return broken(fmt::format("layer {} has no inbound_nodes", number));
  if (is_input(model_.at(number))) {
    add_call({number});
    return {};
  }
  for (const Json& node : nodes) {
    INGOT_ASSIGN(LayerCall call, read_call(number, node));
    add_call(std::move(call));
  }
  return {};
}

/// One reference, a list of them, or of names: whatever structure Python had.
Expected<void> Reader::read_ports(std::string_view key, const Json& json, const std::string& name,
                                  std::vector<std::pair<std::string, Reference>>& ports) const {
  if (is_reference(json)) {
    INGOT_ASSIGN(const Reference reference, read_reference(json, true));
    ports.emplace_back(name, reference);
  } else if (json.is_object()) {
    for (const auto& [inner, value] : json.items()) INGOT_TRY(read_ports(key, value, inner, ports));
  } else if (json.is_array()) {
    for (const Json& value : json) INGOT_TRY(read_ports(key, value, name, ports));
  } else {
    return broken(fmt::format("{} is damaged", key));
  }
  return {};
}

Expected<void> Reader::check_references() const {
  for (const LayerCall& call : model_.calls) {
    auto check = [&](const Given& given) -> Expected<void> {
      for (const Reference& to : given.tensors) {
        if (to.call >= model_.calls_of[to.layer].size())
          return broken(fmt::format("layer '{}' reads call {} of layer '{}', which has {}",
                                    model_.at(call.layer).name, to.call, model_.at(to.layer).name,
                                    model_.calls_of[to.layer].size()));
      }
      return {};
    };
    for (const Given& given : call.positional) INGOT_TRY(check(given));
    for (const auto& [name, given] : call.named) INGOT_TRY(check(given));
  }
  for (const ModelOutput& output : model_.outputs) {
    if (output.place.call >= model_.calls_of[output.place.layer].size())
      return broken(fmt::format("its output '{}' is call {} of a layer with {}", output.name,
                                output.place.call, model_.calls_of[output.place.layer].size()));
  }
  return {};
}

Expected<Model> Reader::functional() {
  const Json& entries = layer_.setting("layers");
  for (std::size_t i = 0; i < layer_.parts.size(); ++i) {
    // The entry has the name that calls go by.
    std::string name = text_of(entries[i], "name");
    if (name.empty()) name = model_.at(i).name;
    if (!names_.emplace(std::move(name), i).second)
      return broken(fmt::format("two layers are called '{}'", model_.at(i).name));
  }
  for (std::size_t i = 0; i < layer_.parts.size(); ++i) INGOT_TRY(read_layer(i, entries[i]));

  std::vector<std::pair<std::string, Reference>> inputs, outputs;
  INGOT_TRY(read_ports("input_layers", layer_.setting("input_layers"), "", inputs));
  INGOT_TRY(read_ports("output_layers", layer_.setting("output_layers"), "", outputs));
  std::set<std::size_t> seen;
  for (const auto& [key, place] : inputs) {
    const Layer& input = model_.at(place.layer);
    if (!is_input(input)) return broken(fmt::format("its input '{}' is no InputLayer", input.name));
    if (!seen.insert(place.layer).second)
      return broken(fmt::format("its input '{}' is listed twice", input.name));
    INGOT_ASSIGN(ModelInput described,
                 describe_input(*input.config, input.name, batch_shape(*input.config), place));
    model_.inputs.push_back(std::move(described));
  }
  std::set<std::string> used;
  std::map<std::string, int> count;
  for (const auto& [key, place] : outputs) {
    // As Keras names them: a layer's name, numbered where it gives several.
    const std::string base = key.empty() ? model_.at(place.layer).name : key;
    std::string name = base;
    while (!used.insert(name).second) name = fmt::format("{}_{}", base, ++count[base]);
    model_.outputs.push_back({std::move(name), place});
  }
  if (model_.outputs.empty()) return broken("it has no outputs");
  INGOT_TRY(check_references());
  return std::move(model_);
}

}  // namespace

std::optional<std::size_t> Model::find(std::string_view name) const {
  for (std::size_t i = 0; i < layer->parts.size(); ++i)
    if (layer->parts[i].layer->name == name) return i;
  return std::nullopt;
}

Expected<Model> read_model(const Layer& layer, bool keras2) {
  Reader reader(layer, keras2);
  return layer.row->name == "Sequential" ? reader.sequential() : reader.functional();
}

Expected<std::vector<std::size_t>> order_calls(const Model& model,
                                               const std::vector<Reference>& wanted,
                                               const std::vector<Reference>& given) {
  enum class State : std::uint8_t { unseen, open, done };
  std::vector<State> states(model.calls.size(), State::unseen);
  auto place_of = [&](const Reference& to) { return model.calls_of[to.layer][to.call]; };
  for (const Reference& reference : given) states[place_of(reference)] = State::done;
  std::vector<std::size_t> order, stack;
  for (const Reference& reference : wanted) stack.push_back(place_of(reference));
  std::reverse(stack.begin(), stack.end());
  while (!stack.empty()) {
    const std::size_t place = stack.back();
    if (states[place] != State::unseen) {
      stack.pop_back();
      if (states[place] == State::open) order.push_back(place);
      states[place] = State::done;
      continue;
    }
    states[place] = State::open;
    const LayerCall& call = model.calls[place];
    Expected<void> fine;
    auto need = [&](const Given& argument) {
      for (const Reference& to : argument.tensors) {
        const std::size_t other = place_of(to);
        if (states[other] == State::open)
          fine = fail(ErrorCode::invalid_model,
                      "model '{}' has a circle of layers, through layer '{}'", model.layer->name,
                      model.at(to.layer).name);
        if (states[other] == State::unseen) stack.push_back(other);
      }
    };
    for (const auto& [name, argument] : call.named) need(argument);
    for (std::size_t i = call.positional.size(); i-- > 0;) need(call.positional[i]);
    INGOT_TRY(fine);
  }
  return order;
}

}  // namespace ingot::keras
