// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/scope.h"

#include <functional>
#include <queue>

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
  std::unordered_multimap<std::string, int> producers;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].output()) {
      if (output.empty() || given.contains(output)) continue;
      // A second one is an error that the walk will find; more would only cost time.
      if (producers.count(output) < 2) producers.emplace(output, i);
    }
  }

  Liveness live{{}, {wanted.begin(), wanted.end()}};
  const auto count = static_cast<std::size_t>(nodes.size());
  std::vector<bool> needed(count);
  std::vector<int> unread(count);                // producers that a node waits for
  std::vector<std::vector<int>> readers(count);  // nodes that wait for it
  std::vector<int> pending;
  auto need = [&](const std::string& name, int reader) {
    const auto [begin, end] = producers.equal_range(name);
    for (auto it = begin; it != end; ++it) {
      const auto producer = static_cast<std::size_t>(it->second);
      if (reader >= 0) {
        readers[producer].push_back(reader);
        ++unread[static_cast<std::size_t>(reader)];
      }
      if (!needed[producer]) pending.push_back(it->second);
      needed[producer] = true;
    }
  };
  for (const std::string& name : wanted) need(name, -1);
  while (!pending.empty()) {
    const int node = pending.back();
    pending.pop_back();
    std::unordered_set<std::string> read;
    read_names(nodes[node], read);
    for (const std::string& name : read) need(name, node);
    live.names.merge(read);
  }

  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < count; ++i) {
    if (needed[i] && unread[i] == 0) ready.push(static_cast<int>(i));
  }
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    live.nodes.push_back(node);
    for (const int reader : readers[static_cast<std::size_t>(node)]) {
      if (--unread[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (needed[i] && unread[i] > 0) live.nodes.push_back(static_cast<int>(i));
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
