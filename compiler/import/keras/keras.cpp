// SPDX-License-Identifier: Apache-2.0
#include "import/keras/keras.h"

#include <algorithm>
#include <charconv>

#include "import/inputs.h"
#include "import/keras/document.h"
#include "import/keras/table.h"
#include "import/keras/walk.h"

namespace ingot {
namespace keras {
namespace {

class Importer {
 public:
  Importer(const Document& document, const Layer& layer, const ImportOptions& options,
           Survey& survey)
      : document_(document),
        layer_(layer),
        options_(options),
        survey_(survey),
        walker_(graph_, *document.variables, document.keras2, survey) {
    graph_.arithmetic = options.arithmetic;
    graph_.name = layer.name;
  }
  Expected<Graph> run();

 private:
  Expected<void> import();
  Expected<Reference> find(const std::string& name, std::string_view option) const;
  Expected<void> choose_outputs();
  Expected<void> find_inner_inputs();
  Expected<void> bind_inputs();
  std::string layer_names() const;

  const Document& document_;
  const Layer& layer_;
  const ImportOptions& options_;
  Survey& survey_;
  Graph graph_;
  Walker walker_;
  Model model_;
  std::vector<ModelOutput> outputs_;
  std::vector<std::pair<Reference, Flow>> given_;
  std::vector<std::pair<Reference, FileInput>> inner_;
  bool walked_ = false;
};

std::string Importer::layer_names() const {
  std::string names;
  for (const ModelOutput& output : model_.outputs)
    names += (names.empty() ? "" : ", ") + output.name;
  return names;
}

/// A result by the model's own name for it, by its layer's name, or as `layer:1`.
Expected<Reference> Importer::find(const std::string& name, std::string_view option) const {
  for (const ModelOutput& output : model_.outputs)
    if (output.name == name) return output.place;
  std::string layer = name;
  std::size_t tensor = 0;
  if (const std::size_t colon = name.rfind(':'); colon != std::string::npos) {
    const char* end = name.data() + name.size();
    const auto [stop, status] = std::from_chars(name.data() + colon + 1, end, tensor);
    if (status == std::errc() && stop == end) layer = name.substr(0, colon);
  }
  const std::optional<std::size_t> found = model_.find(layer);
  if (!found || model_.calls_of[*found].empty()) {
    return fail(ErrorCode::invalid_argument,
                "{} {}: the model has no such layer; its outputs are {}", option, name,
                layer_names());
  }
  return Reference{*found, 0, tensor};
}

Expected<void> Importer::choose_outputs() {
  if (options_.outputs.empty()) outputs_ = model_.outputs;
  for (const std::string& name : options_.outputs) {
    INGOT_ASSIGN(const Reference place, find(name, "--outputs"));
    outputs_.push_back({name, place});
  }
  return {};
}

/// Names in --input that are layers inside the model.
Expected<void> Importer::find_inner_inputs() {
  for (const InputSpec& spec : options_.inputs) {
    const bool listed =
        std::any_of(model_.inputs.begin(), model_.inputs.end(), [&](const ModelInput& input) {
          return find_spec(options_, input.described.name) == &spec;
        });
    if (listed) continue;
    INGOT_ASSIGN(Reference place, find(spec.name, "--input"));
    if (place.tensor != 0)
      return fail(ErrorCode::invalid_argument, "--input {}: only a layer's first result can be one",
                  spec.name);
    inner_.push_back({place, {spec.name, {}, {}}});
  }
  return {};
}

Expected<void> Importer::bind_inputs() {
  // With an inner value as input, what came before it is no longer part of the signature.
  std::vector<Reference> wanted, cut;
  for (const ModelOutput& output : outputs_) wanted.push_back(output.place);
  for (const auto& [place, described] : inner_) cut.push_back(place);
  INGOT_ASSIGN(const std::vector<std::size_t> live, order_calls(model_, wanted, cut));
  std::vector<FileInput> inputs;
  std::vector<Reference> places;
  for (const auto& [place, described] : inner_) {
    inputs.push_back(described);
    places.push_back(place);
  }
  for (const ModelInput& input : model_.inputs) {
    const std::string& name = input.described.name;
    const std::size_t place = model_.calls_of[input.place.layer][input.place.call];
    const bool is_live = std::find(live.begin(), live.end(), place) != live.end();
    if (input.refused) {
      if (is_live) survey_.refuse({Refused::no_tensor, "input", name, {}, *input.refused, {}});
      given_.push_back({input.place, {{}, {}, true}});
    } else if (const auto fixed = options_.constants.find(name);
               fixed != options_.constants.end()) {
      INGOT_ASSIGN(Tensor tensor, parse_constant(input.described, fixed->second));
      given_.push_back({input.place, {graph_.add_constant(std::move(tensor)), {}}});
    } else if (inner_.empty() || is_live || find_spec(options_, name) != nullptr) {
      inputs.push_back(input.described);
      places.push_back(input.place);
    }
  }
  for (const auto& [name, value] : options_.constants) {
    const bool known =
        std::any_of(model_.inputs.begin(), model_.inputs.end(),
                    [&](const ModelInput& one) { return one.described.name == name; });
    if (!known)
      return fail(ErrorCode::invalid_argument, "--constant {}: the model has no such input", name);
  }
  INGOT_ASSIGN(const std::vector<ValueId> values, add_inputs(graph_, inputs, options_));
  for (std::size_t i = 0; i < values.size(); ++i) given_.push_back({places[i], {values[i], {}}});
  return {};
}

Expected<void> Importer::import() {
  if (layer_.row == nullptr || !is_model(*layer_.row)) {
    survey_.ops[layer_.class_name] = {1, 1, 0, false};
    survey_.refuse(
        {Refused::custom_op,
         layer_.class_name,
         layer_.name,
         {},
         "the file describes neither a Sequential nor a functional model, so that what it computes "
         "is not in the file",
         "export a SavedModel, model.export(FOLDER), and give that folder"});
    return survey_.error();
  }
  INGOT_ASSIGN(model_, read_model(layer_, document_.keras2));
  INGOT_TRY(choose_outputs());
  INGOT_TRY(find_inner_inputs());
  INGOT_TRY(bind_inputs());
  std::vector<Reference> wanted;
  for (const ModelOutput& output : outputs_) wanted.push_back(output.place);
  walked_ = true;
  INGOT_ASSIGN(const std::vector<Flows> results, walker_.walk(model_, wanted, given_, false, ""));
  std::vector<Output> outputs;
  for (const ModelOutput& output : outputs_) {
    INGOT_ASSIGN(const Flow flow, Walker::find(model_, results, output.place));
    outputs.push_back({output.name, flow.value});
  }
  if (survey_.refused()) return survey_.error();
  for (Output& output : outputs) graph_.add_output(std::move(output.name), output.value);
  return {};
}

Expected<Graph> Importer::run() {
  const Expected<void> imported = import();
  survey_.look_at(graph_, static_cast<bool>(imported));
  if (imported) return std::move(graph_);
  if (!walked_ && !survey_.refused()) walker_.skim(layer_, "");
  return imported.error();
}

}  // namespace

Expected<Graph> import_document(const Document& document, const ImportOptions& options,
                                Survey& survey) {
  survey.format = document.format;
  INGOT_ASSIGN(const std::unique_ptr<Layer> layer, read_layer(document.config));
  if (document.listed) {
    INGOT_TRY(place_listed_variables(*layer, *document.variables));
  } else {
    place_variables(*layer, *document.variables);
  }
  return Importer(document, *layer, options, survey).run();
}

}  // namespace keras

Expected<Graph> import_keras(std::span<const std::byte> bytes, const ImportOptions& options,
                             Survey& survey) {
  INGOT_ASSIGN(const keras::Document document, keras::read_document(bytes));
  return keras::import_document(document, options, survey);
}

}  // namespace ingot
