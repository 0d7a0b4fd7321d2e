// SPDX-License-Identifier: Apache-2.0
// Names and what they stand for while an ONNX graph, a branch or a function is walked; and which
// nodes are worth walking.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "import/onnx/node.h"

namespace ingot::onnx {

/// A value, an absent optional operand (invalid, not blocked), or one that can't be computed
/// because something before it is unsupported (blocked).
struct Slot {
  ValueId value;
  bool blocked = false;
  Narrow narrow = Narrow::none;
};

using NodeList = google::protobuf::RepeatedPtrField<NodeProto>;
using Opsets = std::unordered_map<std::string, std::int64_t>;

struct Scope {
  Scope* parent = nullptr;  // of a branch: the graph around it
  /// Of what is repeated: a value of the graph around it, brought in.
  std::function<Expected<Slot>(const std::string& name)> outside = {};
  std::unordered_map<std::string, Slot> values;
  std::unordered_map<std::string, const TensorProto*> initializers;  // made constants on first use
  std::unordered_set<std::string> given;  // names inside that the user made inputs
  const AttributeBindings* bindings = nullptr;
  const Opsets* opsets = nullptr;
  const NodeList* nodes = nullptr;  // all, to tell a cycle from a name that nothing gives
  std::string prefix;               // of node names
  int depth = 0;
};

/// The nodes that contribute to what is wanted, and every name that is read.
struct Liveness {
  std::vector<int> nodes;  // places in the list, each after those it reads from
  std::unordered_set<std::string> names;
};

/// `given` are names that are known already: what computes them need not be. ONNX wants files in
/// topological order, but real ones are not always; where they are, their order is kept. Nodes on a
/// cycle come last.
Liveness find_live(const NodeList& nodes, const std::vector<std::string>& wanted,
                   const std::unordered_set<std::string>& given);

/// "" stands for the standard domain, as "ai.onnx" does.
std::string domain_of(const std::string& domain);
Opsets read_opsets(const google::protobuf::RepeatedPtrField<OperatorSetIdProto>& imports);

}  // namespace ingot::onnx
