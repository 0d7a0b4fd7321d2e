// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/aliases.h"

#include <algorithm>
#include <set>

#include "import/inputs.h"

namespace ingot::tensorflow {
namespace {

class Maker {
 public:
  Maker(MetaGraph& graph, const std::string& alias) : graph_(graph), alias_(alias) {
    for (const NodeDef& node : graph.graph_def().node()) names_.insert(node.name());
  }

  Expected<void> run(const FunctionDef& function) {
    const OpDef& op = function.signature();
    const auto& functions = graph_.object_graph_def().concrete_functions();
    const auto said = functions.find(op.name());
    const int bound = said == functions.end() ? 0 : said->second.bound_inputs_size();
    const int own = op.input_arg_size() - bound;
    if (own < 0)
      return fail(ErrorCode::invalid_model, "function '{}' has {} arguments, but is bound to {}",
                  op.name(), op.input_arg_size(), bound);
    SignatureDef signature;
    std::vector<std::string> operands;
    for (int i = 0; i < own; ++i) operands.push_back(add_argument(function, i, signature));
    for (int i = 0; i < bound; ++i) {
      INGOT_ASSIGN(std::string name, bound_to(said->second.bound_inputs(i)));
      operands.push_back(std::move(name));
    }
    NodeDef& call = add("StatefulPartitionedCall", alias_);
    for (const std::string& operand : operands) call.add_input(operand);
    (*call.mutable_attr())["f"].mutable_func()->set_name(op.name());
    for (int i = 0; i < op.output_arg_size(); ++i) {
      TensorInfo& output = (*signature.mutable_outputs())[fmt::format("output_{}", i)];
      output.set_name(fmt::format("{}:{}", call.name(), i));
    }
    (*graph_.mutable_signature_def())[alias_] = std::move(signature);
    return {};
  }

 private:
  NodeDef& add(const std::string& op, const std::string& name) {
    std::string unique = name;
    for (int i = 1; !names_.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
    NodeDef& node = *graph_.mutable_graph_def()->add_node();
    node.set_op(op);
    node.set_name(unique);
    return node;
  }

  std::string add_argument(const FunctionDef& function, int number, SignatureDef& signature) {
    const OpDef::ArgDef& argument = function.signature().input_arg(number);
    std::string name = argument.name();
    NodeDef& node = add("Placeholder", fmt::format("{}_{}", alias_, name));
    (*node.mutable_attr())["dtype"].set_type(argument.type());
    TensorShapeProto shape;
    shape.set_unknown_rank(true);
    const auto said = function.arg_attr().find(static_cast<std::uint32_t>(number));
    if (said != function.arg_attr().end()) {
      const auto& attributes = said->second.attr();
      const auto user = attributes.find("_user_specified_name");
      if (user != attributes.end() && !user->second.s().empty()) name = user->second.s();
      const auto shapes = attributes.find("_output_shapes");
      if (shapes != attributes.end() && shapes->second.list().shape_size() == 1)
        shape = shapes->second.list().shape(0);
    }
    *(*node.mutable_attr())["shape"].mutable_shape() = shape;
    if (signature.inputs().contains(name)) name = argument.name();
    TensorInfo& input = (*signature.mutable_inputs())[name];
    input.set_name(node.name() + ":0");
    input.set_dtype(argument.type());
    *input.mutable_tensor_shape() = shape;
    return node.name();
  }

  /// Which values variables have is found by the numbers of their objects.
  Expected<std::string> bound_to(int object) {
    const auto& objects = graph_.object_graph_def();
    if (object < 0 || object >= objects.nodes_size())
      return fail(ErrorCode::invalid_model, "'{}' is bound to object {}, of {}", alias_, object,
                  objects.nodes_size());
    const SavedObjectGraph::Object& what = objects.nodes(object);
    if (what.has_constant()) return what.constant().operation();
    if (!what.has_variable()) {
      return fail(ErrorCode::unsupported,
                  "function '{}' is bound to an object that is neither a variable nor a constant, "
                  "such as a table; save the model with a signature that does without it",
                  alias_);
    }
    NodeDef& handle = add("VarHandleOp", fmt::format("{}_variable_{}", alias_, object));
    (*handle.mutable_attr())["dtype"].set_type(what.variable().dtype());
    *(*handle.mutable_attr())["shape"].mutable_shape() = what.variable().shape();
    return handle.name();
  }

  MetaGraph& graph_;
  const std::string& alias_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<std::string> aliases_of(const MetaGraph& graph) {
  std::set<std::string> names;
  for (const auto& [function, alias] : graph.meta_info_def().function_aliases()) {
    if (is_utf8(alias)) names.insert(alias);
  }
  return {names.begin(), names.end()};
}

Expected<void> add_signature_of(MetaGraph& graph, const std::string& alias) {
  std::vector<std::string> functions;
  for (const auto& [function, name] : graph.meta_info_def().function_aliases()) {
    if (name == alias) functions.push_back(function);
  }
  std::sort(functions.begin(), functions.end());
  if (functions.size() != 1) {
    return fail(ErrorCode::invalid_argument,
                "'{}' stands for {} functions, one for each type of its arguments; save the one "
                "that is wanted as a signature",
                alias, functions.size());
  }
  for (const FunctionDef& function : graph.graph_def().library().function()) {
    if (function.signature().name() == functions[0]) return Maker(graph, alias).run(function);
  }
  return fail(ErrorCode::invalid_model, "'{}' stands for function '{}', which is not in the file",
              alias, functions[0]);
}

}  // namespace ingot::tensorflow
