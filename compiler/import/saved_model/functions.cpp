// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/functions.h"

#include <algorithm>

namespace ingot::tensorflow {
namespace {

constexpr std::size_t most_values = 65536;  // of one argument

/// Outputs of ops that give several, for graphs without their definitions; of other ops there is
/// one.
struct Known {
  std::string_view op;
  std::string_view outputs[3];
};
constexpr Known known[] = {
    {"TopKV2", {"values", "indices"}},
    {"TopK", {"values", "indices"}},
    {"FusedBatchNorm", {"y", "batch_mean", "batch_variance"}},
    {"FusedBatchNormV2", {"y", "batch_mean", "batch_variance"}},
    {"FusedBatchNormV3", {"y", "batch_mean", "batch_variance"}},
    {"Unique", {"y", "idx"}},
    {"UniqueV2", {"y", "idx"}},
    {"UniqueWithCounts", {"y", "idx", "count"}},
    {"Switch", {"output_false", "output_true"}},
    {"Merge", {"output", "value_index"}},
    {"TensorArrayV3", {"handle", "flow"}},
    {"MaxPoolWithArgmax", {"output", "argmax"}},
    {"ListDiff", {"out", "idx"}},
};

}  // namespace

Functions::Functions(GraphDef& graph, const MetaGraph::Info::OpList& ops) {
  for (const OpDef& op : ops.op()) ops_.emplace(op.name(), &op);
  for (FunctionDef& def : *graph.mutable_library()->mutable_function()) {
    Function function{&def, {}, {}};
    for (NodeDef& node : *def.mutable_node_def()) function.nodes.emplace(node.name(), &node);
    for (int i = 0; i < def.signature().input_arg_size(); ++i) {
      function.arguments.emplace(def.signature().input_arg(i).name(), static_cast<std::size_t>(i));
    }
    ops_.emplace(def.signature().name(), &def.signature());
    functions_.emplace(def.signature().name(), std::move(function));
  }
}

const Function* Functions::find(std::string_view name) const {
  const auto it = functions_.find(std::string(name));
  return it == functions_.end() ? nullptr : &it->second;
}

const OpDef* Functions::op(std::string_view name) const {
  const auto it = ops_.find(name);
  return it == ops_.end() ? nullptr : it->second;
}

std::optional<std::size_t> Functions::count(const OpDef::ArgDef& argument, const OpDef& op,
                                            const Attributes& attributes,
                                            const Attributes& outer) const {
  if (argument.number_attr().empty() && argument.type_list_attr().empty()) return 1;
  const std::string& name =
      argument.number_attr().empty() ? argument.type_list_attr() : argument.number_attr();
  const AttrValue* value = find_attribute(attributes, name);
  for (const OpDef::AttrDef& attribute : op.attr()) {
    if (value == nullptr && attribute.name() == name && attribute.has_default_value())
      value = &attribute.default_value();
  }
  if (value != nullptr && value->has_placeholder())
    value = find_attribute(outer, value->placeholder());
  if (value == nullptr) return std::nullopt;
  if (argument.number_attr().empty()) return static_cast<std::size_t>(value->list().type_size());
  if (value->i() < 0 || static_cast<std::uint64_t>(value->i()) > most_values) return std::nullopt;
  return static_cast<std::size_t>(value->i());
}

std::optional<Functions::Outputs> Functions::outputs(const NodeDef& node, std::string_view name,
                                                     const Attributes& outer) const {
  const OpDef* op = this->op(node.op());
  if (op == nullptr) {
    const auto* row = std::find_if(std::begin(known), std::end(known),
                                   [&](const Known& each) { return each.op == node.op(); });
    if (row == std::end(known)) return Outputs{0, 1};
    for (std::size_t i = 0; i < std::size(row->outputs); ++i) {
      if (row->outputs[i] == name) return Outputs{i, 1};
    }
    return std::nullopt;
  }
  Outputs place{0, 0};
  for (const OpDef::ArgDef& output : op->output_arg()) {
    const std::optional<std::size_t> values = count(output, *op, node.attr(), outer);
    if (!values) return std::nullopt;
    place.count = *values;
    if (output.name() == name) return place;
    place.first += *values;
  }
  return std::nullopt;
}

const AttrValue* find_attribute(const Attributes& attributes, const std::string& name) {
  const auto it = attributes.find(name);
  return it == attributes.end() ? nullptr : &it->second;
}

}  // namespace ingot::tensorflow
