// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/flatten.h"

#include <algorithm>
#include <charconv>

#include "import/inputs.h"
#include "import/saved_model/flattener.h"

namespace ingot::tensorflow {
namespace {

constexpr int most_nodes = 250'000;
constexpr std::size_t most_copied = std::size_t{256} << 20;

/// "node:output:k", "argument" or "argument:k".
struct Reference {
  std::string_view name, output;
  std::optional<std::size_t> number;
};

Reference read_reference(std::string_view text) {
  Reference reference;
  const std::size_t colon = std::min(text.find(':'), text.size());
  reference.name = text.substr(0, colon);
  text.remove_prefix(std::min(colon + 1, text.size()));
  const std::size_t second = text.rfind(':');
  const std::string_view last = second == std::string_view::npos ? text : text.substr(second + 1);
  std::size_t number = 0;
  const auto [stop, status] = std::from_chars(last.data(), last.data() + last.size(), number);
  if (!last.empty() && status == std::errc() && stop == last.data() + last.size())
    reference.number = number;
  if (second != std::string_view::npos) {
    reference.output = text.substr(0, second);
  } else if (!reference.number) {
    reference.output = text;
  }
  return reference;
}

bool is_call(std::string_view op) {
  return op == "PartitionedCall" || op == "StatefulPartitionedCall";
}
bool is_if(std::string_view op) { return op == "If" || op == "StatelessIf"; }
bool is_case(std::string_view op) { return op == "Case" || op == "StatelessCase"; }
bool is_while(std::string_view op) { return op == "While" || op == "StatelessWhile"; }

std::string wire(const std::string& node, std::size_t output) {
  return output == 0 ? node : fmt::format("{}:{}", node, output);
}

}  // namespace

Expected<Flat> flatten(GraphDef& graph, const MetaGraph::Info::OpList& ops,
                       const std::vector<std::string>& roots) {
  return Flattener(graph, ops).run(roots);
}

Expected<Flat> Flattener::run(const std::vector<std::string>& roots) {
  flat_.graph.mutable_versions()->CopyFrom(main_.versions());
  for (NodeDef& node : *main_.mutable_node()) {
    if (!is_utf8(node.name()))
      return fail(ErrorCode::invalid_model, "the name of a node is not UTF-8");
    if (!main_nodes_.emplace(node.name(), &node).second)
      return fail(ErrorCode::invalid_model, "two nodes are named '{}'", node.name());
  }
  Scope& all = scopes_.emplace_back();
  std::unordered_set<const NodeDef*> seen;
  std::vector<NodeDef*> needed;
  auto need = [&](std::string_view text) {
    const auto it = main_nodes_.find(text.substr(text.starts_with('^') ? 1 : 0, text.find(':')));
    if (it != main_nodes_.end() && seen.insert(it->second).second) needed.push_back(it->second);
  };
  for (const std::string& root : roots) need(root);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    for (const std::string& input : needed[i]->input()) need(input);
  }
  // In the file's order, by which inputs are told apart.
  for (NodeDef& node : *main_.mutable_node()) {
    if (seen.contains(&node)) INGOT_TRY(emit(all, node));
  }
  // What a scope calls is added behind it.
  for (next_ = 1; next_ < scopes_.size(); ++next_) INGOT_TRY(expand(scopes_[next_]));
  return std::move(flat_);
}

/// All that a function's results need, and what has to run besides.
Expected<void> Flattener::expand(const Scope& scope) {
  FunctionDef& def = *scope.function->def;
  std::unordered_set<const NodeDef*> seen;
  std::vector<const NodeDef*> needed;
  auto need = [&](std::string_view text) {
    const NodeDef* node = node_of(scope, text);
    if (node != nullptr && seen.insert(node).second) needed.push_back(node);
  };
  for (const auto& [name, from] : def.ret()) need(from);
  for (const auto& [name, from] : def.control_ret()) need(from);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    for (const std::string& input : needed[i]->input()) need(input);
  }
  for (NodeDef& node : *def.mutable_node_def()) {
    if (seen.contains(&node)) INGOT_TRY(emit(scope, node));
  }
  return {};
}

const NodeDef* Flattener::node_of(const Scope& scope, std::string_view text) const {
  if (text.starts_with('^')) text.remove_prefix(1);
  const auto it = scope.function->nodes.find(text.substr(0, text.find(':')));
  return it == scope.function->nodes.end() ? nullptr : it->second;
}

Expected<void> Flattener::emit(const Scope& scope, NodeDef& node) {
  const std::string& op = node.op();
  const bool named = functions_.find(op) != nullptr;
  if (!named && !is_call(op) && !is_if(op) && !is_case(op) && !is_while(op))
    return copy(scope, node);
  INGOT_ASSIGN(const Call call, read_call(scope, node));
  auto function = [&](const std::string& name) -> Expected<NameAttrList> {
    const AttrValue* value = find_attribute(call.attributes, name);
    if (value == nullptr || !value->has_func())
      return broken(scope, node, fmt::format("it has no function '{}'", name));
    return value->func();
  };
  if (named) {
    NameAttrList callee;
    callee.set_name(op);
    *callee.mutable_attr() = call.attributes;
    return this->call(call, callee);
  }
  if (is_call(op)) {
    INGOT_ASSIGN(const NameAttrList callee, function("f"));
    return this->call(call, callee);
  }
  if (is_if(op)) {
    INGOT_ASSIGN(const NameAttrList yes, function("then_branch"));
    INGOT_ASSIGN(const NameAttrList no, function("else_branch"));
    return branch(call, {no, yes});
  }
  if (is_while(op)) {
    INGOT_ASSIGN(const NameAttrList condition, function("cond"));
    INGOT_ASSIGN(const NameAttrList body, function("body"));
    return loop(call, condition, body);
  }
  const AttrValue* branches = find_attribute(call.attributes, "branches");
  if (branches == nullptr || branches->list().func_size() == 0)
    return broken(scope, node, "it has no branches");
  return branch(call, {branches->list().func().begin(), branches->list().func().end()});
}

Expected<void> Flattener::copy(const Scope& scope, NodeDef& node) {
  if (flat_.graph.node_size() >= most_nodes) {
    return fail(ErrorCode::limit, "with its functions inlined the graph has more than {} nodes",
                most_nodes);
  }
  NodeDef& flat = *flat_.graph.add_node();
  if (scope.function == nullptr) {
    flat.Swap(&node);
    // Its name is asked for still, by calls.
    node.set_name(flat.name());
    node.set_op(flat.op());
  } else {
    flat.set_name(scope.prefix + node.name());
    flat.set_op(node.op());
    flat_.places.emplace(flat.name(),
                         Flat::Place{scope.function->def->signature().name(), node.name()});
    Wires controls;
    for (const std::string& input : node.input()) {
      INGOT_ASSIGN(const Wires wires, resolve(scope, input));
      for (const std::string& wire : wires) {
        if (wire.starts_with('^')) {
          controls.push_back(wire);
        } else {
          flat.add_input(wire);
        }
      }
    }
    if (flat.input_size() == 0 && !scope.pivot.empty()) controls.push_back("^" + scope.pivot);
    for (const std::string& control : controls) flat.add_input(control);
    // Contents of constants are in memory once, however often a function is called.
    const auto moved = moved_.find(&node);
    AttrValue contents;
    const bool constant = node.op() == "Const" && moved == moved_.end();
    if (constant) contents.Swap(&(*node.mutable_attr())["value"]);
    INGOT_ASSIGN(*flat.mutable_attr(), substituted(scope, node));
    if (constant) {
      (*flat.mutable_attr())["value"].Swap(&contents);
      moved_.emplace(&node, &flat);
    } else if (moved != moved_.end()) {
      const AttrValue& value = moved->second->attr().at("value");
      INGOT_TRY(spend(value.ByteSizeLong()));
      (*flat.mutable_attr())["value"] = value;
    }
  }
  if (const OpDef* op = functions_.op(flat.op())) {
    for (const OpDef::AttrDef& attribute : op->attr()) {
      if (attribute.has_default_value() && !flat.attr().contains(attribute.name()))
        (*flat.mutable_attr())[attribute.name()] = attribute.default_value();
    }
  }
  return {};
}

Expected<Flattener::Call> Flattener::read_call(const Scope& scope, const NodeDef& node) {
  Call call{scope, node, {}, {}, {}, scope.prefix + node.name(), {}};
  INGOT_ASSIGN(call.attributes, substituted(scope, node));
  for (const std::string& input : node.input()) {
    INGOT_ASSIGN(const Wires wires, resolve(scope, input));
    for (const std::string& wire : wires)
      (wire.starts_with('^') ? call.controls : call.inputs).push_back(wire);
  }
  call.prefix = unique_prefix(scope, call.name);
  return call;
}

Expected<void> Flattener::call(const Call& call, const NameAttrList& callee) {
  INGOT_ASSIGN(const Results results,
               enter(call, callee, call.prefix, call.inputs, call.scope.pivot));
  add_result(call, results.values, results.controls);
  return {};
}

Expected<Flattener::Results> Flattener::enter(const Call& call, const NameAttrList& callee,
                                              const std::string& prefix, const Wires& arguments,
                                              const std::string& pivot) {
  const Function* function = functions_.find(callee.name());
  if (function == nullptr) {
    return broken(call.scope, call.node,
                  fmt::format("it calls '{}', which is not in the library", callee.name()));
  }
  std::string chain = callee.name();
  for (const Scope* scope = &call.scope; scope != nullptr && scope->function != nullptr;
       scope = scope->caller) {
    chain = fmt::format("{} -> {}", scope->function->def->signature().name(), chain);
    if (scope->function == function) {
      return fail(ErrorCode::invalid_model,
                  "function '{}' calls itself: {}; a model that recurses cannot be compiled",
                  callee.name(), chain);
    }
  }
  Scope& scope = scopes_.emplace_back();
  scope.function = function;
  scope.caller = &call.scope;
  scope.prefix = prefix;
  scope.path = call.scope.path.empty() ? callee.name()
                                       : fmt::format("{}/{}", call.scope.path, callee.name());
  scope.attributes = callee.attr();
  scope.pivot = pivot;
  const OpDef& signature = function->def->signature();
  std::size_t used = 0;
  for (const OpDef::ArgDef& argument : signature.input_arg()) {
    const auto count = functions_.count(argument, signature, scope.attributes, {});
    if (!count || *count > arguments.size() - used) {
      return broken(call.scope, call.node,
                    fmt::format("function '{}' wants more than its {} operands", callee.name(),
                                arguments.size()));
    }
    const auto first = arguments.begin() + static_cast<std::ptrdiff_t>(used);
    scope.arguments.emplace_back(first, first + static_cast<std::ptrdiff_t>(*count));
    used += *count;
  }
  if (used != arguments.size()) {
    return broken(call.scope, call.node,
                  fmt::format("function '{}' wants {} operands, not {}", callee.name(), used,
                              arguments.size()));
  }
  Results results;
  for (const OpDef::ArgDef& output : signature.output_arg()) {
    const auto from = function->def->ret().find(output.name());
    if (from == function->def->ret().end()) {
      return broken(call.scope, call.node,
                    fmt::format("function '{}' does not say what its output '{}' is", callee.name(),
                                output.name()));
    }
    INGOT_ASSIGN(const Wires wires, resolve(scope, from->second));
    results.values.insert(results.values.end(), wires.begin(), wires.end());
  }
  for (const auto& [name, node] : function->def->control_ret()) {
    if (node_of(scope, node) != nullptr) results.controls.push_back("^" + scope.prefix + node);
  }
  std::sort(results.controls.begin(), results.controls.end());
  return results;
}

Expected<Wires> Flattener::resolve(const Scope& scope, const std::string& text) const {
  if (scope.function == nullptr) return Wires{text};
  const Function& function = *scope.function;
  auto missing = [&] {
    return fail(ErrorCode::invalid_model, "function '{}': '{}' is read, and is not in it",
                function.def->signature().name(), text);
  };
  if (!is_utf8(text)) return fail(ErrorCode::invalid_model, "the name of a value is not UTF-8");
  if (text.starts_with('^')) {
    const std::string name = text.substr(1);
    if (function.nodes.contains(name)) return Wires{"^" + scope.prefix + name};
    const auto argument = function.arguments.find(name);
    if (argument == function.arguments.end()) return missing();
    Wires wires;
    for (const std::string& wire : scope.arguments[argument->second])
      wires.push_back("^" + wire.substr(0, wire.find(':')));
    return wires;
  }
  const Reference reference = read_reference(text);
  if (const auto argument = function.arguments.find(reference.name);
      argument != function.arguments.end() && reference.output.empty()) {
    const Wires& wires = scope.arguments[argument->second];
    if (!reference.number) return wires;
    if (*reference.number >= wires.size()) return missing();
    return Wires{wires[*reference.number]};
  }
  const auto node = function.nodes.find(reference.name);
  if (node == function.nodes.end() || reference.output.empty()) return missing();
  const auto outputs = functions_.outputs(*node->second, reference.output, scope.attributes);
  if (!outputs || (reference.number && *reference.number >= outputs->count && outputs->count != 1))
    return missing();
  const std::string name = scope.prefix + node->second->name();
  if (reference.number) return Wires{wire(name, outputs->first + *reference.number)};
  Wires wires;
  for (std::size_t i = 0; i < outputs->count; ++i) wires.push_back(wire(name, outputs->first + i));
  return wires;
}

Expected<Attributes> Flattener::substituted(const Scope& scope, const NodeDef& node) {
  INGOT_TRY(spend(node.ByteSizeLong()));
  Attributes attributes = node.attr();
  for (auto& [name, value] : attributes) INGOT_TRY(substitute(scope, node, value));
  return attributes;
}

Expected<void> Flattener::substitute(const Scope& scope, const NodeDef& node,
                                     AttrValue& value) const {
  auto nested = [&](NameAttrList& function) -> Expected<void> {
    for (auto& [name, inner] : *function.mutable_attr()) {
      if (inner.has_placeholder()) INGOT_TRY(substitute(scope, node, inner));
    }
    return {};
  };
  if (value.has_func()) return nested(*value.mutable_func());
  if (value.has_list()) {
    for (NameAttrList& function : *value.mutable_list()->mutable_func())
      INGOT_TRY(nested(function));
  }
  if (!value.has_placeholder()) return {};
  const AttrValue* given = find_attribute(scope.attributes, value.placeholder());
  if (given == nullptr) {
    return broken(scope, node,
                  fmt::format("attribute '{}' is not given where its function is called",
                              value.placeholder()));
  }
  const AttrValue copy = *given;
  value = copy;
  return {};
}

/// One that no node of the scope has a name with: a node `a` that calls may stand beside `a/b`.
std::string Flattener::unique_prefix(const Scope& scope, const std::string& name) const {
  std::string prefix = name + "/";
  auto taken = [&](std::string_view node) {
    return scope.prefix.size() + node.size() > prefix.size() &&
           (scope.prefix + std::string(node)).starts_with(prefix);
  };
  for (int i = 1;; ++i) {
    bool is_taken = false;
    if (scope.function == nullptr) {
      for (const auto& [node, unused] : main_nodes_) is_taken = is_taken || taken(node);
    } else {
      for (const auto& [node, unused] : scope.function->nodes) is_taken = is_taken || taken(node);
    }
    if (!is_taken) return prefix;
    prefix = fmt::format("{}_{}/", name, i);
  }
}

NodeDef& Flattener::add(const std::string& op, const std::string& name, const Wires& inputs,
                        const Wires& controls) {
  NodeDef& node = *flat_.graph.add_node();
  node.set_name(name);
  node.set_op(op);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& control : controls) node.add_input(control);
  return node;
}

void Flattener::add_result(const Call& call, const Wires& values, const Wires& controls) {
  NodeDef& node = add("IdentityN", call.name, values, call.controls);
  for (const std::string& control : controls) node.add_input(control);
  if (const AttrValue* shapes = find_attribute(call.attributes, "_output_shapes"))
    (*node.mutable_attr())["_output_shapes"] = *shapes;
  if (call.scope.function != nullptr)
    flat_.places.emplace(
        call.name, Flat::Place{call.scope.function->def->signature().name(), call.node.name()});
}

Expected<void> Flattener::spend(std::size_t bytes) {
  copied_ += bytes;
  if (copied_ <= most_copied && scopes_.size() < most_nodes) return {};
  return fail(ErrorCode::limit,
              "with its functions inlined the graph becomes too large: more than {} MB",
              most_copied >> 20);
}

Error Flattener::broken(const Scope& scope, const NodeDef& node, std::string_view what) const {
  const std::string in = scope.path.empty() ? "" : fmt::format(" in {}", scope.path);
  return fail(ErrorCode::invalid_model, "node '{}' ({}){}: {}", node.name(), node.op(), in, what);
}

}  // namespace ingot::tensorflow
