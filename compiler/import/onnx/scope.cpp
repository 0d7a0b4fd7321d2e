// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/scope.h"

namespace ingot::onnx {
namespace {

/// Every name that a node reads; branches read names of the graph around them. The parser bounds
/// the nesting.
void read_names(const NodeProto& node, std::unordered_set<std::string>& names) {
  names.insert(node.input().begin(), node.input().end());
  for (const AttributeProto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (const NodeProto& inner : attribute.g().node()) read_names(inner, names);
    for (const ValueInfoProto& output : attribute.g().output()) names.insert(output.name());
  }
}

}  // namespace

Liveness find_live(const NodeList& nodes, const std::vector<std::string>& wanted,
                   const std::unordered_set<std::string>& given) {
  Liveness live{std::vector<bool>(static_cast<std::size_t>(nodes.size())), {}};
  live.names.insert(wanted.begin(), wanted.end());
  for (int i = nodes.size() - 1; i >= 0; --i) {
    bool needed = false;
    for (const std::string& output : nodes[i].output()) {
      needed =
          needed || (!output.empty() && live.names.contains(output) && !given.contains(output));
    }
    live.nodes[static_cast<std::size_t>(i)] = needed;
    if (needed) read_names(nodes[i], live.names);
  }
  return live;
}

std::string domain_of(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

Opsets read_opsets(const google::protobuf::RepeatedPtrField<OperatorSetIdProto>& imports) {
  Opsets opsets;
  for (const OperatorSetIdProto& import_ : imports) {
    opsets[domain_of(import_.domain())] = import_.version();
  }
  return opsets;
}

}  // namespace ingot::onnx
