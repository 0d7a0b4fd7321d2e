// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/walk.h"

#include <algorithm>

#include "import/inputs.h"

namespace ingot::onnx {
namespace {

std::string function_key(const std::string& domain, const std::string& name,
                         const std::string& overload) {
  return domain_of(domain) + '\n' + name + '\n' + overload;
}

/// Whether a node of the scope gives the value: then it is one that could not be ordered.
bool is_given_inside(const Scope& scope, const std::string& name) {
  if (scope.nodes == nullptr) return false;
  return std::any_of(scope.nodes->begin(), scope.nodes->end(), [&](const NodeProto& node) {
    return std::find(node.output().begin(), node.output().end(), name) != node.output().end();
  });
}

}  // namespace

Walker::Walker(Graph& graph, const ModelProto& model, ExternalFolder folder, Survey& survey)
    : graph_(graph), folder_(std::move(folder)), survey_(survey) {
  for (const FunctionProto& function : model.functions()) {
    functions_[function_key(function.domain(), function.name(), function.overload())] = &function;
  }
}

Walker::Walker(Graph& graph, const Walker& around)
    : graph_(graph),
      folder_(around.folder_),
      functions_(around.functions_),
      calling_(around.calling_),
      survey_(around.survey_),
      walked_(around.walked_) {}

const FunctionProto* Walker::find_function(const NodeProto& node) const {
  const auto found = functions_.find(function_key(node.domain(), node.op_type(), node.overload()));
  return found == functions_.end() ? nullptr : found->second;
}

Expected<Slot> Walker::find(Scope& scope, const std::string& name) {
  for (Scope* around = &scope; around != nullptr; around = around->parent) {
    if (const auto known = around->values.find(name); known != around->values.end()) {
      return known->second;
    }
    const auto stored = around->initializers.find(name);
    if (stored == around->initializers.end()) {
      if (!around->outside || is_given_inside(*around, name)) continue;
      INGOT_ASSIGN(const Slot slot, around->outside(name));
      around->values.emplace(name, slot);
      return slot;
    }
    Expected<Tensor> tensor = to_tensor(*stored->second, folder_);
    if (!tensor && tensor.error().code != ErrorCode::unsupported) return tensor.error();
    Slot slot{{}, !tensor, narrow_of(stored->second->data_type())};
    if (tensor) {
      slot.value = graph_.add_constant(*std::move(tensor));
    } else {
      const Expected<DType> dtype = to_dtype(stored->second->data_type());
      survey_.refuse({Refused::element_type,
                      "tensor",
                      name,
                      {},
                      dtype ? tensor.error().message : dtype.error().message,
                      {}});
    }
    around->values.emplace(name, slot);
    return slot;
  }
  for (const Scope* around = &scope; around != nullptr; around = around->parent) {
    for (const NodeProto& node : around->nodes != nullptr ? *around->nodes : NodeList()) {
      if (std::find(node.output().begin(), node.output().end(), name) == node.output().end())
        continue;
      return fail(
          ErrorCode::invalid_model,
          "value '{}' is computed only from itself: the graph has a cycle through node '{}'", name,
          own_name_of(node));
    }
  }
  return fail(ErrorCode::invalid_model,
              "value '{}' is never computed: no input, weight or node gives it", name);
}

Expected<void> Walker::walk(Scope& scope, const NodeList& nodes, const Liveness& live) {
  if (scope.depth > max_depth) {
    return fail(ErrorCode::limit, "functions and branches are nested deeper than {}", max_depth);
  }
  scope.nodes = &nodes;
  for (const int i : live.nodes) INGOT_TRY(walk_node(scope, nodes[i], live));
  return {};
}

Expected<void> Walker::walk_node(Scope& scope, const NodeProto& node, const Liveness& live) {
  if (++walked_ > max_nodes) {
    return fail(ErrorCode::limit, "more than {} nodes with all functions inlined", max_nodes);
  }
  const std::string own_name = own_name_of(node);
  Call call{node, scope.prefix + own_name, own_name, {}, {}, 0};
  auto in_context = [&](const Error& error) { return in_node(error, call.name, node.op_type()); };
  for (const std::string* text : {&node.name(), &node.op_type(), &node.domain()}) {
    if (!is_utf8(*text))
      return fail(ErrorCode::invalid_model,
                  "the name or op of a node is not UTF-8; export it again");
  }
  for (const std::string& input : node.input()) {
    if (input.empty()) {
      call.inputs.emplace_back();
      continue;
    }
    const Expected<Slot> slot = find(scope, input);
    if (!slot) return in_context(slot.error());
    call.inputs.push_back(*slot);
  }
  for (const std::string& output : node.output()) {
    call.used_outputs.push_back(!output.empty() && live.names.contains(output));
  }

  Expected<std::vector<Slot>> results = emit(scope, call);
  if (!results) return in_context(results.error());
  for (int i = 0; i < node.output_size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (!call.used_outputs[place]) continue;
    if (place >= results->size()) {
      const Refusal refusal{
          Refused::output, {}, {}, {}, fmt::format("its output {} is not supported", i), {}};
      refuse(scope, call, refusal);
      results->resize(place + 1, Slot{{}, true});
    }
    if (scope.given.contains(node.output(i))) continue;
    if (scope.initializers.contains(node.output(i))) {
      return in_context(fail(ErrorCode::invalid_model,
                             "value '{}' is computed, and stored as a weight too", node.output(i)));
    }
    if (!scope.values.emplace(node.output(i), (*results)[place]).second) {
      return in_context(
          fail(ErrorCode::invalid_model, "value '{}' is computed twice", node.output(i)));
    }
  }
  return {};
}

OnnxNode Walker::view(const Scope& scope, const Call& call) {
  std::vector<ValueId> inputs;
  std::vector<Narrow> narrow;
  for (const Slot& slot : call.inputs) {
    inputs.push_back(slot.value);
    narrow.push_back(slot.narrow);
  }
  return OnnxNode(graph_, call.proto, call.name, call.opset, std::move(inputs), std::move(narrow),
                  call.used_outputs, scope.bindings, folder_);
}

Expected<std::vector<Slot>> Walker::emit(Scope& scope, const Call& call) {
  const NodeProto& node = call.proto;
  if (const FunctionProto* function = find_function(node)) {
    return inline_function(scope, call, *function);
  }
  Call versioned = call;
  if (const std::string domain = domain_of(node.domain()); domain.empty()) {
    const auto opset = scope.opsets->find(domain);
    if (opset == scope.opsets->end()) {
      return fail(ErrorCode::invalid_model,
                  "the model does not say which opset it uses; it needs an opset_import of the "
                  "standard domain");
    }
    versioned.opset = opset->second;
  }
  OpUse& use = survey_.ops[op_key(node)];
  ++use.nodes;
  if (std::optional<Refusal> refusal = refused_by_table(node, versioned.opset)) {
    use.known = false;
    skim_branches(scope, call);
    return refuse(scope, call, *std::move(refusal));
  }
  if (const std::optional<int> since = first_opset_of_control_flow(node.op_type())) {
    use.since = *since;
    return control_flow(scope, versioned);
  }
  use.since = *first_opset(node.op_type());
  return emit_row(scope, versioned);
}

Expected<std::vector<Slot>> Walker::emit_row(Scope& scope, const Call& call) {
  const OpRow* row = find_row(call.proto.op_type(), call.opset);
  const std::size_t count = call.inputs.size();
  if (row->max_inputs >= 0 && count > static_cast<std::size_t>(row->max_inputs)) {
    return fail(ErrorCode::invalid_model, "{} inputs, at most {} wanted", count, row->max_inputs);
  }
  bool blocked = false;
  for (const Slot& slot : call.inputs) blocked = blocked || slot.blocked;
  if (blocked) return block(call);
  for (std::size_t i = 0; i < static_cast<std::size_t>(row->min_inputs); ++i) {
    if (i >= count || !call.inputs[i].value.valid()) {
      return fail(ErrorCode::invalid_model, "input {} is missing", i);
    }
  }

  OnnxNode node = view(scope, call);
  if (row->narrow == NarrowUse::move) node.set_result_narrow(node.narrow(0));
  for (std::size_t i = 0; i < count && row->narrow == NarrowUse::refuse; ++i) {
    if (const int bits = bits_of(node.narrow(i)); bits != 0)
      node.unsupported(Refused::element_type, "input {} has integers of {} bits", i, bits);
  }
  const Results emitted = row->emit(node);
  const Expected<std::vector<ValueId>> values = node.results(emitted.values);
  if (!values) {
    if (values.error().code != ErrorCode::unsupported) return values.error();
    return refuse(scope, call, node.refusal());
  }
  std::vector<Slot> slots;
  for (const ValueId value : *values) {
    INGOT_CHECK(value.valid(), "node '{}' was composed to nothing", call.name);
    slots.push_back({value, false, slots.empty() ? node.result_narrow() : Narrow::none});
  }
  return slots;
}

Expected<std::vector<Slot>> Walker::inline_function(Scope& scope, const Call& call,
                                                    const FunctionProto& function) {
  AttributeBindings bindings;
  for (const AttributeProto& attribute : function.attribute_proto()) {
    bindings[attribute.name()] = &attribute;
  }
  for (const AttributeProto& attribute : call.proto.attribute()) {
    const AttributeProto* given = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      if (scope.bindings == nullptr) continue;
      const auto bound = scope.bindings->find(attribute.ref_attr_name());
      if (bound == scope.bindings->end()) continue;
      given = bound->second;
    }
    bindings[attribute.name()] = given;
  }
  if (call.inputs.size() > static_cast<std::size_t>(function.input_size())) {
    return fail(ErrorCode::invalid_model, "{} inputs for a function of {}", call.inputs.size(),
                function.input_size());
  }

  if (std::find(calling_.begin(), calling_.end(), &function) != calling_.end()) {
    std::string chain;
    for (const FunctionProto* outer : calling_) chain += outer->name() + " > ";
    return fail(ErrorCode::invalid_model, "function '{}' calls itself: {}{}", function.name(),
                chain, function.name());
  }
  const Opsets opsets = read_opsets(function.opset_import());
  Scope inner;
  inner.bindings = &bindings;
  inner.opsets = opsets.empty() ? scope.opsets : &opsets;
  inner.prefix = call.name + "/";
  inner.depth = scope.depth + 1;
  for (int i = 0; i < function.input_size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    inner.values[function.input(i)] = place < call.inputs.size() ? call.inputs[place] : Slot{};
  }
  const std::vector<std::string> wanted(function.output().begin(), function.output().end());
  calling_.push_back(&function);
  INGOT_TRY(walk(inner, function.node(), find_live(function.node(), wanted, {})));
  calling_.pop_back();
  std::vector<Slot> results;
  for (std::size_t i = 0; i < wanted.size() && i < call.used_outputs.size(); ++i) {
    Slot slot{{}, true};
    if (call.used_outputs[i]) {
      INGOT_ASSIGN(slot, find(inner, wanted[i]));
    }
    results.push_back(slot);
  }
  return results;
}

Scope Walker::inner_scope(const Scope& scope, const Call& call, const GraphProto& body) {
  Scope inner;
  inner.bindings = scope.bindings;
  inner.opsets = scope.opsets;
  inner.prefix = call.name + "/";
  inner.depth = scope.depth + 1;
  for (const TensorProto& tensor : body.initializer()) inner.initializers[tensor.name()] = &tensor;
  return inner;
}

Expected<std::vector<Slot>> Walker::walk_body(Scope& inner, const GraphProto& body) {
  std::vector<std::string> wanted;
  for (const ValueInfoProto& output : body.output()) wanted.push_back(output.name());
  std::unordered_set<std::string> given;
  for (const auto& [name, slot] : inner.values) given.insert(name);
  INGOT_TRY(walk(inner, body.node(), find_live(body.node(), wanted, given)));
  std::vector<Slot> results;
  for (const std::string& name : wanted) {
    INGOT_ASSIGN(const Slot slot, find(inner, name));
    results.push_back(slot);
  }
  return results;
}

Expected<std::vector<Slot>> Walker::inline_branch(Scope& scope, const Call& call) {
  OnnxNode node = view(scope, call);
  const auto condition = node.known_integers(0, "condition");
  if (condition->size() != 1)
    return fail(ErrorCode::invalid_model, "its condition has {} elements", condition->size());
  const GraphProto* branch = node.subgraph((*condition)[0] != 0 ? "then_branch" : "else_branch");
  if (branch == nullptr) return fail(ErrorCode::invalid_model, "a branch is missing");
  Scope inner = inner_scope(scope, call, *branch);
  inner.parent = &scope;
  return walk_body(inner, *branch);
}

}  // namespace ingot::onnx
