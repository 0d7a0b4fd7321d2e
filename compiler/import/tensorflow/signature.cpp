// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/signature.h"

#include <algorithm>

#include "import/inputs.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

bool is_source(std::string_view op) { return is_placeholder(op) || op == "PlaceholderWithDefault"; }

/// Nodes that compute nothing a user could want.
bool is_no_output(std::string_view op) {
  return is_source(op) || is_switch(op) || op == "NoOp" || op == "Assert" || op == "Const" ||
         op == "Print" || op.ends_with("NextIteration");
}

Error no_such_value(const Topology& topology, std::string_view option, std::string_view text) {
  std::string known;
  for (std::uint32_t node = 0; node < topology.size(); ++node) {
    if (is_source(topology.op(node))) known += fmt::format(" '{}'", topology.node(node).name());
  }
  return fail(ErrorCode::invalid_argument, "{} {}: the graph has no such node; placeholders:{}",
              option, text, known.empty() ? " none" : known);
}

const AttrValue* find_attribute(const NodeDef& def, const std::string& name) {
  const auto it = def.attr().find(name);
  return it == def.attr().end() ? nullptr : &it->second;
}

std::optional<std::vector<FileDim>> file_shape(const TensorShapeProto& proto) {
  if (proto.unknown_rank()) return std::nullopt;
  std::vector<FileDim> shape;
  for (const auto& dim : proto.dim()) {
    if (dim.size() < 0) {
      shape.emplace_back(std::monostate{});
    } else {
      shape.emplace_back(dim.size());
    }
  }
  return shape;
}

/// What the file says of a value that becomes an input. `port`: its own name and type, or null.
FileInput describe_input(const Topology& topology, int producer, Wire wire, const Port* port) {
  // Graphs older than this state a scalar where they know nothing.
  constexpr int scalars_are_known = 24;
  const NodeDef& def = topology.node(wire.node);
  FileInput input{topology.describe(wire), std::nullopt, std::nullopt};
  const bool source = is_source(def.op());
  if (const AttrValue* dtype = find_attribute(def, "dtype"); dtype != nullptr && source) {
    input.dtype = dtype_from_file(dtype->type());
  }
  if (port != nullptr) {
    input.name = port->name;
    if (!input.dtype && port->dtype) input.dtype = dtype_from_file(*port->dtype);
    if (port->shape != nullptr) input.shape = file_shape(*port->shape);
  }
  if (const AttrValue* shape = find_attribute(def, "shape");
      shape != nullptr && source && !input.shape) {
    input.shape = file_shape(shape->shape());
    const bool scalar = input.shape && input.shape->empty();
    if (scalar && producer < scalars_are_known) input.shape = std::nullopt;
  }
  if (const AttrValue* shapes = find_attribute(def, "_output_shapes"); shapes && !input.shape) {
    const auto& list = shapes->list().shape();
    if (wire.output < static_cast<std::uint32_t>(list.size())) {
      input.shape = file_shape(list.Get(static_cast<int>(wire.output)));
    }
  }
  // A switch, such as Keras's learning phase.
  if (input.dtype == DType::boolean && !input.shape) input.shape.emplace();
  return input;
}

/// Values that nothing reads and that depend on a placeholder, in the file's order.
std::vector<Wire> default_outputs(const Topology& topology) {
  const std::size_t count = topology.size();
  std::vector<std::vector<std::uint32_t>> readers(count);
  std::vector<bool> read(count);
  std::vector<std::uint32_t> open;
  std::vector<bool> depends(count);
  for (std::uint32_t node = 0; node < count; ++node) {
    for (const Wire wire : topology.inputs(node)) {
      if (wire.node == UINT32_MAX) continue;
      readers[wire.node].push_back(node);
      read[wire.node] = true;
    }
    // Groups of nodes that only have to run are no readers; the condition of a branch has some.
    if (topology.op(node) != "NoOp") {
      for (const std::uint32_t control : topology.controls(node)) read[control] = true;
    }
    if (is_placeholder(topology.op(node))) {
      depends[node] = true;
      open.push_back(node);
    }
  }
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    for (const std::uint32_t reader : readers[node]) {
      if (depends[reader]) continue;
      depends[reader] = true;
      open.push_back(reader);
    }
  }
  std::vector<Wire> outputs;
  for (std::uint32_t node = 0; node < count; ++node) {
    if (depends[node] && !read[node] && !is_no_output(topology.op(node))) {
      outputs.push_back({node, 0});
    }
  }
  return outputs;
}

}  // namespace

ValueId Values::get(Wire wire) const {
  const auto it = given_.find(wire);
  if (it != given_.end()) return it->second;
  const auto values = of_node_.find(wire.node);
  return values != of_node_.end() && wire.output < values->second.size()
             ? values->second[wire.output]
             : ValueId{};
}

Given Signature::given() const {
  Given given;
  for (const Wire wire : inputs) given[wire] = std::nullopt;
  for (const auto& [wire, tensor] : constants) {
    std::optional<bool> truth;
    if (tensor.dtype() == DType::boolean && tensor.rank() == 0) truth = tensor.as_int64(0) != 0;
    given[wire] = truth;
  }
  return given;
}

namespace {

/// What an option names, or none.
std::optional<Wire> find_value(const Topology& topology, const std::vector<Port>& ports,
                               const std::string& text) {
  for (const Port& port : ports) {
    if (port.name == text) return topology.find(port.value);
  }
  return topology.find(text);
}

Error not_in_graph(const Port& port) {
  return fail(ErrorCode::invalid_model, "the signature's '{}' is '{}', which is not in the graph",
              port.name, port.value);
}

}  // namespace

Expected<Signature> read_signature(const Topology& topology, int producer, const Ports& ports,
                                   const ImportOptions& options) {
  Signature signature;
  signature.producer = producer;
  for (const Port& port : ports.inputs) {
    const std::optional<Wire> wire = topology.find(port.value);
    if (!wire) return not_in_graph(port);
    signature.ports.emplace(*wire, port);
  }
  for (const auto& [text, value] : options.constants) {
    const std::optional<Wire> wire = find_value(topology, ports.inputs, text);
    if (!wire) return no_such_value(topology, "--constant", text);
    const auto port = signature.ports.find(*wire);
    const FileInput input = describe_input(topology, producer, *wire,
                                           port == signature.ports.end() ? nullptr : &port->second);
    INGOT_ASSIGN(Tensor tensor, parse_constant(input, value));
    signature.constants.emplace(*wire, std::move(tensor));
  }
  for (const InputSpec& spec : options.inputs) {
    const std::optional<Wire> wire = find_value(topology, ports.inputs, spec.name);
    if (!wire) return no_such_value(topology, "--input", spec.name);
    if (signature.constants.contains(*wire)) {
      return fail(ErrorCode::invalid_argument, "'{}' is named by --input and by --constant",
                  spec.name);
    }
    if (std::find(signature.inputs.begin(), signature.inputs.end(), *wire) !=
        signature.inputs.end()) {
      return fail(ErrorCode::invalid_argument, "--input {} is given twice", spec.name);
    }
    signature.inputs.push_back(*wire);
  }
  for (const Port& port : ports.inputs) {
    const Wire wire = *topology.find(port.value);
    if (!signature.constants.contains(wire) &&
        std::find(signature.inputs.begin(), signature.inputs.end(), wire) == signature.inputs.end())
      signature.inputs.push_back(wire);
  }
  for (const std::string& text : options.outputs) {
    const std::optional<Wire> wire = find_value(topology, ports.outputs, text);
    if (!wire) return no_such_value(topology, "--outputs", text);
    signature.outputs.push_back(*wire);
    if (!ports.outputs.empty()) signature.output_names.push_back(text);
  }
  if (signature.outputs.empty()) {
    for (const Port& port : ports.outputs) {
      const std::optional<Wire> wire = topology.find(port.value);
      if (!wire) return not_in_graph(port);
      signature.outputs.push_back(*wire);
      signature.output_names.push_back(port.name);
    }
  }
  if (signature.outputs.empty()) {
    signature.outputs = default_outputs(topology);
    signature.outputs_by_default = true;
    if (signature.outputs.empty()) {
      return fail(ErrorCode::invalid_argument,
                  "no value of the graph depends on a placeholder and is read by nothing; name the "
                  "outputs with --outputs");
    }
  }
  return signature;
}

Expected<Values> add_signature_inputs(Graph& graph, const Topology& topology,
                                      const Signature& signature, const Selection& selection,
                                      const ImportOptions& options, Survey& survey) {
  std::vector<Wire> wanted = signature.inputs;
  for (const std::uint32_t node : selection.order) {
    if (is_placeholder(topology.op(node))) wanted.push_back({node, 0});
  }
  // In the order of the signature, or where there is none, of the file.
  if (signature.ports.empty()) std::sort(wanted.begin(), wanted.end());
  std::vector<Wire> wires;
  std::vector<FileInput> inputs;
  for (const Wire wire : wanted) {
    const auto port = signature.ports.find(wire);
    FileInput input = describe_input(topology, signature.producer, wire,
                                     port == signature.ports.end() ? nullptr : &port->second);
    const AttrValue* dtype = find_attribute(topology.node(wire.node), "dtype");
    if (!input.dtype && dtype != nullptr && is_source(topology.op(wire.node))) {
      const std::string type = dtype_name(dtype->type());
      const Refused kind = type == "string" ? Refused::strings : Refused::element_type;
      survey.refuse({kind,
                     "input",
                     input.name,
                     {},
                     fmt::format("element type {} is not supported", type),
                     {}});
      continue;
    }
    wires.push_back(wire);
    inputs.push_back(std::move(input));
  }
  INGOT_ASSIGN(const std::vector<ValueId> added, add_inputs(graph, inputs, options));
  Values values;
  for (std::size_t i = 0; i < wires.size(); ++i) values.give(wires[i], added[i]);
  for (const auto& [wire, tensor] : signature.constants) {
    values.give(wire, graph.add_constant(tensor));
  }
  return values;
}

Expected<void> add_signature_outputs(Graph& graph, const Topology& topology,
                                     const Signature& signature, const Values& values) {
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const Wire wire = signature.outputs[i];
    const std::size_t count =
        signature.outputs_by_default ? std::max<std::size_t>(values.count(wire.node), 1) : 1;
    for (std::uint32_t k = 0; k < count; ++k) {
      const Wire output{wire.node, wire.output + k};
      const ValueId value = values.get(output);
      if (!value.valid()) {
        return fail(ErrorCode::unsupported, "output '{}': node '{}' ({}) has no such output here",
                    topology.describe(output), topology.node(wire.node).name(),
                    topology.op(wire.node));
      }
      graph.add_output(
          signature.output_names.empty() ? topology.describe(output) : signature.output_names[i],
          value);
    }
  }
  return {};
}

}  // namespace ingot::tensorflow
