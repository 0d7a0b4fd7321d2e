// SPDX-License-Identifier: Apache-2.0
// Names to indices.
#include "import/tensorflow/topology.h"

#include <charconv>

#include "import/inputs.h"
#include "import/tensorflow/graphdef.pb.h"

namespace ingot::tensorflow {
namespace {

/// Splits "name:k"; names themselves never hold a colon.
std::optional<std::pair<std::string_view, std::uint32_t>> split_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    if (text.empty()) return std::nullopt;
    return std::pair{text, 0U};
  }
  std::uint32_t output = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, output);
  if (colon == 0 || failure != std::errc() || stop != end) return std::nullopt;
  return std::pair{text.substr(0, colon), output};
}

}  // namespace

Expected<Topology> Topology::read(const GraphDef& graph) {
  Topology topology;
  const auto count = static_cast<std::size_t>(graph.node_size());
  topology.nodes_.resize(count);
  topology.by_name_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeDef& def = graph.node(static_cast<int>(i));
    topology.nodes_[i].def = &def;
    if (!is_utf8(def.name()) || !is_utf8(def.op())) {
      return fail(ErrorCode::invalid_model, "the name or op of node {} is not UTF-8", i);
    }
    if (!topology.by_name_.emplace(def.name(), static_cast<std::uint32_t>(i)).second) {
      return fail(ErrorCode::invalid_model, "two nodes are named '{}'", def.name());
    }
  }
  for (Entry& entry : topology.nodes_) {
    for (const std::string& text : entry.def->input()) {
      if (text.starts_with('^')) {
        const auto it = topology.by_name_.find(std::string_view(text).substr(1));
        if (it != topology.by_name_.end()) entry.controls.push_back(it->second);
        continue;
      }
      const auto name = split_name(text);
      if (!name || !is_utf8(text)) {
        return fail(ErrorCode::invalid_model, "node '{}' ({}): input {} is not a node's name",
                    entry.def->name(), entry.def->op(), entry.inputs.size());
      }
      const auto it = topology.by_name_.find(name->first);
      entry.inputs.push_back(it == topology.by_name_.end() ? Wire{UINT32_MAX, name->second}
                                                           : Wire{it->second, name->second});
    }
  }
  return topology;
}

std::string_view Topology::op(std::uint32_t index) const { return nodes_[index].def->op(); }

std::optional<Wire> Topology::find(std::string_view text) const {
  const auto name = split_name(text);
  if (!name) return std::nullopt;
  const auto it = by_name_.find(name->first);
  if (it == by_name_.end()) return std::nullopt;
  return Wire{it->second, name->second};
}

std::string Topology::describe(Wire wire) const {
  const std::string& name = node(wire.node).name();
  return wire.output == 0 ? name : fmt::format("{}:{}", name, wire.output);
}

Error Topology::missing_input(std::uint32_t index) const {
  const NodeDef& def = node(index);
  for (const std::string& text : def.input()) {
    if (!text.starts_with('^') && !find(text)) {
      return fail(ErrorCode::invalid_model, "node '{}' ({}): its input '{}' is not in the graph",
                  def.name(), def.op(), text);
    }
  }
  return fail(ErrorCode::invalid_model, "node '{}' ({}): an input is not in the graph", def.name(),
              def.op());
}

}  // namespace ingot::tensorflow
