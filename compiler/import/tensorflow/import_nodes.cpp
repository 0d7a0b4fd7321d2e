// SPDX-License-Identifier: Apache-2.0
// Name inputs and outputs, select, translate node by node.
#include "import/tensorflow/import_nodes.h"

#include <algorithm>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/library.h"
#include "import/tensorflow/loops.h"
#include "import/tensorflow/topology.h"
#include "import/tensorflow/translate.h"

namespace ingot::tensorflow {
namespace {

/// A frozen graph does not say what its inputs and outputs are.
void warn_of_guesses(const Topology& topology, const Signature& signature,
                     const Selection& selection, Survey& survey) {
  if (signature.outputs_by_default) {
    std::string names;
    for (const Wire wire : signature.outputs)
      names += (names.empty() ? "" : ",") + topology.describe(wire);
    survey.warnings.push_back(
        {"guessed_outputs", names,
         fmt::format("the file does not name its outputs; taken are those that nothing reads: "
                     "--outputs {}",
                     names)});
  }
  for (const std::uint32_t node : selection.order) {
    if (topology.op(node) != "PlaceholderWithDefault") continue;
    const std::string& name = topology.node(node).name();
    survey.warnings.push_back(
        {"default_input", name,
         fmt::format("'{0}' is fixed to its default; --input {0} makes it an input", name)});
  }
}

/// Ops that change what a variable holds.
bool writes(std::string_view op) {
  static constexpr std::string_view beginnings[] = {
      "Assign",     "ResourceApply", "ResourceScatter", "ScatterUpdate",
      "ScatterAdd", "ScatterSub",    "ScatterNdUpdate", "ResourceStridedSliceAssign"};
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view begins) { return op.starts_with(begins); });
}

/// The variable that a handle comes from, through nodes that hand it on.
Wire source_of(const Topology& topology, Wire wire) {
  for (std::size_t steps = 0; steps < topology.size() && wire.node != UINT32_MAX; ++steps) {
    const std::string_view op = topology.op(wire.node);
    const std::vector<Wire>& inputs = topology.inputs(wire.node);
    const bool hands_on = op == "Identity" || is_switch(op) || is_enter(op) || is_merge(op);
    if (!hands_on || inputs.empty()) break;
    wire = inputs[0];
  }
  return wire;
}

void refuse_writes(const Topology& topology, const Selection& selection, Survey& survey) {
  for (const std::uint32_t node : selection.besides) {
    if (!writes(topology.op(node)) || topology.inputs(node).empty()) continue;
    const Wire variable = source_of(topology, topology.inputs(node)[0]);
    OpUse& use = survey.ops[std::string(topology.op(node))];
    ++use.nodes;
    ++use.refused;
    use.known = false;
    survey.refuse(
        {Refused::state,
         std::string(topology.op(node)),
         topology.node(node).name(),
         {},
         fmt::format("it writes variable '{}', and a compiled model has no state",
                     variable.node == UINT32_MAX ? "?" : topology.node(variable.node).name()),
         "export a function that returns the new value as an output, and give it back as "
         "an input"});
  }
}

Expected<void> read_variables(Graph& graph, const Topology& topology, const Selection& selection,
                              const VariableReader& variables, Values& values, Survey& survey) {
  for (const std::uint32_t node : selection.order) {
    if (!is_variable(topology.op(node))) continue;
    Expected<Tensor> tensor = variables(topology.node(node));
    if (tensor) {
      values.set(node, {graph.add_constant(*std::move(tensor))});
    } else if (tensor.error().code == ErrorCode::unsupported) {
      survey.refuse({Refused::element_type,
                     std::string(topology.op(node)),
                     topology.node(node).name(),
                     {},
                     tensor.error().message,
                     {}});
    } else {
      return tensor.error();
    }
  }
  return {};
}

Expected<void> read(const GraphDef& file, const Topology& topology, const Ports& ports,
                    const VariableReader& variables, const ImportOptions& options, Graph& graph,
                    Selection& selection, Survey& survey) {
  graph.name = options.name;
  graph.arithmetic = options.arithmetic;
  INGOT_ASSIGN(const Signature signature,
               read_signature(topology, file.versions().producer(), ports, options));
  INGOT_ASSIGN(selection, select_nodes(topology, signature.outputs, signature.given()));
  warn_of_guesses(topology, signature, selection, survey);
  if (variables) refuse_writes(topology, selection, survey);
  INGOT_ASSIGN(Values values,
               add_signature_inputs(graph, topology, signature, selection, options, survey));
  if (variables) INGOT_TRY(read_variables(graph, topology, selection, variables, values, survey));
  INGOT_TRY(translate(graph, topology, selection, Library(file), values, survey));
  return add_signature_outputs(graph, topology, signature, values);
}

/// The import ended early, or never began: what the table alone says of all nodes.
void skim(const Topology& topology, const Selection& selection, const Library& library,
          Survey& survey) {
  survey.ops.clear();
  auto one = [&](std::uint32_t node) {
    skim_node(topology.node(node), "", survey);
    if (!is_known(topology.op(node))) library.skim(topology.node(node), survey);
  };
  for (const std::uint32_t node : selection.order) one(node);
  if (!selection.order.empty()) return;
  for (std::uint32_t node = 0; node < topology.size(); ++node) one(node);
}

}  // namespace

Expected<Graph> import_nodes(const GraphDef& file, const Ports& ports,
                             const VariableReader& variables, const ImportOptions& options,
                             Survey& survey) {
  INGOT_ASSIGN(const Topology topology, Topology::read(file));
  Selection selection;
  Graph graph;
  const Expected<void> imported =
      read(file, topology, ports, variables, options, graph, selection, survey);
  survey.look_at(graph, static_cast<bool>(imported));
  if (imported) return graph;
  if (imported.error().code != ErrorCode::unsupported || !survey.refused())
    skim(topology, selection, Library(file), survey);
  return imported.error();
}

std::set<std::string> asked_for(const Ports& ports, const ImportOptions& options) {
  std::set<std::string> names(options.outputs.begin(), options.outputs.end());
  for (const InputSpec& spec : options.inputs) names.insert(spec.name);
  for (const auto& [name, unused] : options.constants) names.insert(name);
  for (const std::vector<Port>* side : {&ports.inputs, &ports.outputs}) {
    for (const Port& port : *side) names.insert(port.value);
  }
  return names;
}

bool is_variable(std::string_view op) {
  return op == "VarHandleOp" || op == "VariableV2" || op == "Variable";
}

}  // namespace ingot::tensorflow
