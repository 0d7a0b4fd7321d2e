// SPDX-License-Identifier: Apache-2.0
// The nodes of a TensorFlow graph as a Graph of core ops: what frozen graphs and SavedModels share.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "import/import.h"
#include "import/tensorflow/signature.h"

namespace ingot::tensorflow {

class GraphDef;
class NodeDef;

/// The value of a variable, which one of its nodes (VarHandleOp, VariableV2) is asked for when an
/// output needs it. Errors of code `unsupported` become refusals of the node.
using VariableReader = std::function<Expected<Tensor>(const NodeDef& node)>;

/// With a reader of variables, what writes one is refused wherever it runs; without one, variables
/// are.
Expected<Graph> import_nodes(const GraphDef& file, const Ports& ports,
                             const VariableReader& variables, const ImportOptions& options,
                             Survey& survey);

/// Values that ports and options name, so that they may not change their meaning.
std::set<std::string> asked_for(const Ports& ports, const ImportOptions& options);

/// Nodes that are a variable, or its handle.
bool is_variable(std::string_view op);

}  // namespace ingot::tensorflow
