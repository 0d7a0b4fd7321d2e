// SPDX-License-Identifier: Apache-2.0
// Which values of a GraphDef are a model's inputs, fixed inputs and outputs: what the user says,
// and what the graph itself shows.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "import/import.h"
#include "import/tensorflow/topology.h"
#include "ir/tensor.h"

namespace ingot::tensorflow {

class TensorShapeProto;

/// The values of nodes while they are translated, by node and output.
class Values {
 public:
  void give(Wire wire, ValueId value) { given_[wire] = value; }
  void set(std::uint32_t node, std::vector<ValueId> values) { of_node_[node] = std::move(values); }
  /// Invalid where there is none.
  ValueId get(Wire wire) const;
  /// How many outputs of a node have one.
  std::size_t count(std::uint32_t node) const {
    const auto it = of_node_.find(node);
    return it == of_node_.end() ? 0 : it->second.size();
  }

 private:
  std::map<Wire, ValueId> given_;
  /// Not by index: each turn and branch has its own, of few nodes.
  std::unordered_map<std::uint32_t, std::vector<ValueId>> of_node_;
};

/// An input or output that has a name of its own.
struct Port {
  std::string name;
  std::string value;  // "node:k"
  std::optional<int> dtype = {};
  const TensorShapeProto* shape = nullptr;  // null: as the node says
};
/// What a file says of its inputs and outputs; a frozen graph says nothing.
struct Ports {
  std::vector<Port> inputs, outputs;
};

struct Signature {
  int producer = 0;            // version of the graph's format
  std::vector<Wire> inputs;    // those that options name, then those that the file does
  std::map<Wire, Port> ports;  // of inputs that the file names
  std::map<Wire, Tensor> constants;
  std::vector<Wire> outputs;
  std::vector<std::string> output_names;  // parallel; empty: as the graph calls them
  bool outputs_by_default = false;        // then a node stands for all its outputs

  Given given() const;
};

/// Options may name ports, by their names, and any values of the graph. Errors: invalid_argument
/// for options that name neither, or when nothing can be an output; invalid_model for ports that
/// are no values of the graph.
Expected<Signature> read_signature(const Topology& topology, int producer, const Ports& ports,
                                   const ImportOptions& options);

/// An input of an element type that is not ours is refused in the survey, and has no value.
Expected<Values> add_signature_inputs(Graph& graph, const Topology& topology,
                                      const Signature& signature, const Selection& selection,
                                      const ImportOptions& options, Survey& survey);

Expected<void> add_signature_outputs(Graph& graph, const Topology& topology,
                                     const Signature& signature, const Values& values);

}  // namespace ingot::tensorflow
