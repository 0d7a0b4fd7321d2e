// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/walk.h"

#include <algorithm>

namespace ingot::onnx {
namespace {

constexpr int max_depth = 32;                // of functions and branches in one another
constexpr std::int64_t max_nodes = 1 << 20;  // after inlining: functions can multiply

std::string function_key(const std::string& domain, const std::string& name,
                         const std::string& overload) {
  return domain_of(domain) + '\n' + name + '\n' + overload;
}

}  // namespace

Walker::Walker(Graph& graph, const ModelProto& model, ExternalFolder folder)
    : graph_(graph), folder_(std::move(folder)) {
  for (const FunctionProto& function : model.functions()) {
    functions_[function_key(function.domain(), function.name(), function.overload())] = &function;
  }
}

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
    if (stored == around->initializers.end()) continue;
    Expected<Tensor> tensor = to_tensor(*stored->second, folder_);
    if (!tensor && tensor.error().code != ErrorCode::unsupported) return tensor.error();
    Slot slot{{}, !tensor};
    if (tensor) {
      slot.value = graph_.add_constant(*std::move(tensor));
    } else {
      report(tensor.error().message);
    }
    around->values.emplace(name, slot);
    return slot;
  }
  return fail(ErrorCode::invalid_model, "value '{}' is never computed, or only from itself", name);
}

Expected<void> Walker::walk(Scope& scope, const NodeList& nodes, const Liveness& live) {
  if (scope.depth > max_depth) {
    return fail(ErrorCode::limit, "functions and branches are nested deeper than {}", max_depth);
  }
  for (const int i : live.nodes) INGOT_TRY(walk_node(scope, nodes[i], live));
  return {};
}

Expected<void> Walker::walk_node(Scope& scope, const NodeProto& node, const Liveness& live) {
  if (++walked_ > max_nodes) {
    return fail(ErrorCode::limit, "more than {} nodes with all functions inlined", max_nodes);
  }
  const std::string own_name = !node.name().empty()     ? node.name()
                               : node.output_size() > 0 ? node.output(0)
                                                        : std::string();
  Call call{node, scope.prefix + own_name, {}, {}, 0};
  auto in_context = [&](const Error& error) {
    if (error.message.starts_with("node '")) return error;
    return Error{error.code,
                 fmt::format("node '{}' ({}): {}", call.name, node.op_type(), error.message)};
  };
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
      report(fmt::format("node '{}' ({}): its output {} is not supported", call.name,
                         node.op_type(), i));
      results->resize(place + 1, Slot{{}, true});
    }
    if (scope.given.contains(node.output(i))) continue;
    if (!scope.values.emplace(node.output(i), (*results)[place]).second) {
      return in_context(
          fail(ErrorCode::invalid_model, "value '{}' is computed twice", node.output(i)));
    }
  }
  return {};
}

std::vector<Slot> Walker::refuse(const Call& call, std::string_view reason) {
  report(fmt::format("node '{}' ({}): {}", call.name, call.proto.op_type(), reason));
  return std::vector<Slot>(call.used_outputs.size(), Slot{{}, true});
}

OnnxNode Walker::view(const Scope& scope, const Call& call) {
  std::vector<ValueId> inputs;
  for (const Slot& slot : call.inputs) inputs.push_back(slot.value);
  return OnnxNode(graph_, call.proto, call.name, call.opset, std::move(inputs), call.used_outputs,
                  scope.bindings, folder_);
}

Expected<std::vector<Slot>> Walker::emit(Scope& scope, const Call& call) {
  const NodeProto& node = call.proto;
  if (const FunctionProto* function = find_function(node)) {
    return inline_function(scope, call, *function);
  }
  const std::string domain = domain_of(node.domain());
  if (!domain.empty()) {
    return refuse(call, fmt::format("ops of the domain '{}' are not supported", domain));
  }
  const auto opset = scope.opsets->find(domain);
  if (opset == scope.opsets->end()) {
    return fail(ErrorCode::invalid_model, "the model does not say which opset it uses");
  }
  Call versioned = call;
  versioned.opset = opset->second;
  return node.op_type() == "If" ? inline_branch(scope, versioned) : emit_row(scope, versioned);
}

Expected<std::vector<Slot>> Walker::emit_row(Scope& scope, const Call& call) {
  const std::string& op_type = call.proto.op_type();
  const OpRow* row = find_row(op_type, call.opset);
  if (row == nullptr) {
    const std::optional<int> since = first_opset(op_type);
    if (!since) return refuse(call, "this op is not supported yet");
    return refuse(call, fmt::format("not supported in opset {}, but from {} to {}", call.opset,
                                    *since, newest_opset));
  }
  const std::size_t count = call.inputs.size();
  if (row->max_inputs >= 0 && count > static_cast<std::size_t>(row->max_inputs)) {
    return fail(ErrorCode::invalid_model, "{} inputs, at most {} wanted", count, row->max_inputs);
  }
  bool blocked = false;
  for (const Slot& slot : call.inputs) blocked = blocked || slot.blocked;
  if (blocked) return std::vector<Slot>(call.used_outputs.size(), Slot{{}, true});
  for (std::size_t i = 0; i < static_cast<std::size_t>(row->min_inputs); ++i) {
    if (i >= count || !call.inputs[i].value.valid()) {
      return fail(ErrorCode::invalid_model, "input {} is missing", i);
    }
  }

  OnnxNode node = view(scope, call);
  const Results emitted = row->emit(node);
  const Expected<std::vector<ValueId>> values = node.results(emitted.values);
  if (!values) {
    if (values.error().code != ErrorCode::unsupported) return values.error();
    return refuse(call, values.error().message);
  }
  std::vector<Slot> slots;
  for (const ValueId value : *values) {
    INGOT_CHECK(value.valid(), "node '{}' was composed to nothing", call.name);
    slots.push_back({value, false});
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
  INGOT_TRY(walk(inner, function.node(), find_live(function.node(), wanted, {})));
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

Expected<std::vector<Slot>> Walker::inline_branch(Scope& scope, const Call& call) {
  if (call.inputs.size() != 1) return fail(ErrorCode::invalid_model, "If takes one input");
  if (call.inputs[0].blocked) return std::vector<Slot>(call.used_outputs.size(), Slot{{}, true});
  OnnxNode node = view(scope, call);
  const auto condition = node.known_integers(0, "condition");
  if (!condition || condition->size() != 1) {
    return refuse(call,
                  "its condition depends on data; only one that is known when the model is "
                  "compiled is supported");
  }
  const GraphProto* branch = node.subgraph((*condition)[0] != 0 ? "then_branch" : "else_branch");
  if (branch == nullptr) return fail(ErrorCode::invalid_model, "a branch is missing");

  Scope inner;
  inner.parent = &scope;
  inner.bindings = scope.bindings;
  inner.opsets = scope.opsets;
  inner.prefix = call.name + "/";
  inner.depth = scope.depth + 1;
  for (const TensorProto& tensor : branch->initializer())
    inner.initializers[tensor.name()] = &tensor;
  std::vector<std::string> wanted;
  for (const ValueInfoProto& output : branch->output()) wanted.push_back(output.name());
  INGOT_TRY(walk(inner, branch->node(), find_live(branch->node(), wanted, {})));
  std::vector<Slot> results;
  for (const std::string& name : wanted) {
    INGOT_ASSIGN(const Slot slot, find(inner, name));
    results.push_back(slot);
  }
  return results;
}

}  // namespace ingot::onnx
