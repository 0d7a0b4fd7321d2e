// SPDX-License-Identifier: Apache-2.0
#include "import/keras/walk.h"

#include "import/keras/table.h"

namespace ingot::keras {
namespace {

constexpr std::size_t max_calls = 100000;
constexpr std::string_view usual_advice =
    "docs/keras-layers.md lists what can be read; or export a SavedModel, model.export(FOLDER), "
    "and give that folder";

}  // namespace

Expected<Flow> Walker::find(const Model& model, const std::vector<Flows>& results,
                            const Reference& reference) {
  const Flows& flows = results[model.calls_of[reference.layer][reference.call]];
  if (flows.size() == 1 && flows[0].blocked) return flows[0];
  if (reference.tensor < flows.size()) return flows[reference.tensor];
  return fail(ErrorCode::invalid_model, "model '{}' reads result {} of layer '{}', which has {}",
              model.layer->name, reference.tensor, model.at(reference.layer).name, flows.size());
}

Expected<std::vector<Flows>> Walker::walk(const Model& model, const std::vector<Reference>& wanted,
                                          const std::vector<std::pair<Reference, Flow>>& given,
                                          bool training, const std::string& path) {
  std::vector<Flows> results(model.calls.size());
  std::vector<Reference> there;
  for (const auto& [reference, flow] : given) {
    there.push_back(reference);
    results[model.calls_of[reference.layer][reference.call]] = {flow};
  }
  INGOT_ASSIGN(const std::vector<std::size_t> order, order_calls(model, wanted, there));
  for (const std::size_t place : order) {
    const LayerCall& called = model.calls[place];
    const Layer& layer = model.at(called.layer);
    auto resolve = [&](const Given& argument) -> Expected<Argument> {
      Argument resolved{{}, argument.list, argument.literal};
      for (const Reference& reference : argument.tensors) {
        INGOT_ASSIGN(Flow flow, find(model, results, reference));
        resolved.flows.push_back(flow);
      }
      return resolved;
    };
    Call call;
    call.training = training;
    for (const Given& argument : called.positional) {
      INGOT_ASSIGN(Argument resolved, resolve(argument));
      call.positional.push_back(std::move(resolved));
    }
    for (const auto& [name, argument] : called.named) {
      INGOT_ASSIGN(call.named[name], resolve(argument));
    }
    // What Keras 3 is told when it predicts counts more than what a call says.
    if (const auto said = call.named.find("training");
        keras2_ && said != call.named.end() && said->second.literal.is_boolean())
      call.training = said->second.literal.get<bool>();
    INGOT_ASSIGN(results[place], run(layer, call, path));
  }
  return results;
}

Expected<ValueId> Walker::read(const Variable& variable, const Layer& layer) {
  if (variable.place.empty()) {
    return fail(ErrorCode::invalid_model, "the file has no variable '{}' of it{}", variable.name,
                layer.path.empty() ? "" : fmt::format(" (in group '{}')", layer.path));
  }
  const auto known = read_.find(variable.place);
  if (known != read_.end()) return known->second;
  INGOT_ASSIGN(Tensor tensor, file_.tensor(variable.place));
  const ValueId value = graph_.add_constant(std::move(tensor));
  read_.emplace(variable.place, value);
  return value;
}

std::optional<Refusal> Walker::refused_by_table(const Layer& layer) {
  if (layer.row != nullptr && layer.row->read()) return std::nullopt;
  if (layer.row != nullptr)
    return Refusal{layer.row->kind,
                   {},
                   {},
                   {},
                   std::string(layer.row->reason),
                   std::string(layer.row->advice)};
  if (layer.operation)
    return Refusal{Refused::op,
                   {},
                   {},
                   {},
                   "it is a function of keras.ops that is not read from Keras' files",
                   "export a SavedModel, model.export(FOLDER), and give that folder"};
  return Refusal{Refused::custom_op,
                 {},
                 {},
                 {},
                 "it is not a standard layer of Keras, and what it computes is not in the file",
                 "export a SavedModel, model.export(FOLDER), and give that folder"};
}

void Walker::refuse(const Layer& layer, const std::string& path, Refusal refusal) {
  refusal.op = layer.class_name;
  refusal.node = layer.name;
  refusal.path = path;
  const bool general = refusal.kind == Refused::op || refusal.kind == Refused::attribute ||
                       refusal.kind == Refused::element_type;
  if (refusal.advice.empty() && general) refusal.advice = usual_advice;
  ++survey_.ops[layer.class_name].refused;
  survey_.refuse(std::move(refusal));
}

Expected<Flows> Walker::run(const Layer& layer, const Call& call, const std::string& path) {
  if (++calls_ > max_calls)
    return fail(ErrorCode::limit, "more than {} calls of layers", max_calls);
  const bool model = layer.row != nullptr && is_model(*layer.row);
  OpUse& use = survey_.ops[layer.class_name];
  if (!model) ++use.nodes;
  if (std::optional<Refusal> refusal = refused_by_table(layer)) {
    use.known = false;
    refuse(layer, path, *std::move(refusal));
    return Flows{Flow{{}, {}, true}};
  }
  bool blocked = false;
  auto look = [&](const Argument& argument) {
    for (const Flow& flow : argument.flows) blocked = blocked || flow.blocked;
  };
  for (const Argument& argument : call.positional) look(argument);
  for (const auto& [name, argument] : call.named) look(argument);
  if (blocked) {
    if (!model) ++use.unseen;
    if (model) skim(layer, path);
    return Flows{Flow{{}, {}, true}};
  }
  return model ? run_model(layer, call, path) : run_row(layer, call, path);
}

Expected<Flows> Walker::run_row(const Layer& layer, const Call& call, const std::string& path) {
  const Row& row = *layer.row;
  const Expected<Policy> policy = read_policy(layer.setting("dtype"));
  if (!policy) {
    refuse(layer, path, {Refused::element_type, {}, {}, {}, policy.error().message, {}});
    return Flows{Flow{{}, {}, true}};
  }
  LayerContext context(graph_, *this, layer, call, *policy, path);
  Flows flows = row.emit(context);
  std::vector<ValueId> values;
  for (const Flow& flow : flows) values.push_back(flow.value);
  if (const auto sound = context.results(values); !sound) {
    if (sound.error().code != ErrorCode::unsupported)
      return in_node(sound.error(), context.node_name(), layer.class_name);
    if (!context.blocked()) refuse(layer, path, context.refusal());
    return Flows{Flow{{}, {}, true}};
  }
  INGOT_CHECK(!flows.empty(), "layer '{}' was composed to nothing", layer.name);
  for (const Flow& flow : flows)
    INGOT_CHECK(flow.value.valid(), "a result of layer '{}' is missing", layer.name);
  if (row.mask == MaskRule::pass && !context.inputs().empty()) flows[0].mask = context.mask();
  return flows;
}

Expected<Flows> Walker::run_model(const Layer& layer, const Call& call, const std::string& path) {
  INGOT_ASSIGN(const Model model, read_model(layer, keras2_));
  Flows operands;
  for (const Argument& argument : call.positional)
    operands.insert(operands.end(), argument.flows.begin(), argument.flows.end());
  if (operands.size() != model.inputs.size())
    return fail(ErrorCode::invalid_model, "model '{}' has {} inputs, but is called with {}",
                layer.name, model.inputs.size(), operands.size());
  std::vector<std::pair<Reference, Flow>> given;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Composer composer(graph_, layer.name);
    const DType wanted = *model.inputs[i].described.dtype;
    operands[i].value = composer.cast(operands[i].value, wanted);
    INGOT_TRY(composer.result(operands[i].value));
    given.emplace_back(model.inputs[i].place, operands[i]);
  }
  std::vector<Reference> wanted;
  for (const ModelOutput& output : model.outputs) wanted.push_back(output.place);
  const std::string inner = path.empty() ? layer.name : path + "/" + layer.name;
  INGOT_ASSIGN(const std::vector<Flows> results, walk(model, wanted, given, call.training, inner));
  Flows flows;
  for (const Reference& reference : wanted) {
    INGOT_ASSIGN(const Flow flow, find(model, results, reference));
    flows.push_back(flow);
  }
  return flows;
}

void Walker::skim(const Layer& model, const std::string& path) {
  const std::string inner = path.empty() ? model.name : path + "/" + model.name;
  for (const Layer::Part& part : model.parts) {
    const Layer& layer = *part.layer;
    if (layer.row != nullptr && is_model(*layer.row)) {
      skim(layer, inner);
      continue;
    }
    OpUse& use = survey_.ops[layer.class_name];
    ++use.nodes;
    if (std::optional<Refusal> refusal = refused_by_table(layer)) {
      use.known = false;
      refuse(layer, inner, *std::move(refusal));
    } else {
      ++use.unseen;
    }
  }
}

}  // namespace ingot::keras
