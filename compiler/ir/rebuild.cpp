// SPDX-License-Identifier: Apache-2.0
#include "ir/rebuild.h"

#include <algorithm>
#include <set>

namespace ingot {

Rebuilder::Rebuilder(const Graph& old) : old_(old), mapped_(old.value_count()) {
  new_.name = old.name;
  new_.arithmetic = old.arithmetic;
  for (const ValueId input : old.inputs()) {
    mapped_[input.index] = new_.add_input(old.value(input).name, old.type(input));
  }
}

ValueId Rebuilder::map(ValueId old_value) {
  ValueId& mapped = mapped_[old_value.index];
  if (!mapped.valid()) {
    INGOT_CHECK(old_.is_constant(old_value), "value %{} is used before it is rebuilt",
                old_value.index);
    mapped = new_.add_constant(old_.constant(old_value));
  }
  return mapped;
}

std::vector<ValueId> Rebuilder::map_all(const std::vector<ValueId>& old_values) {
  std::vector<ValueId> result;
  result.reserve(old_values.size());
  for (const ValueId value : old_values) result.push_back(map(value));
  return result;
}

Expected<std::vector<ValueId>> Rebuilder::copy(const Node& node) {
  return new_.add_node(*node.op, map_all(node.inputs), node.attributes, node.name);
}

namespace {

/// What an output depends on.
struct Live {
  std::vector<bool> values;
  std::set<std::string> symbols;  // that live values, nodes or the graphs within them mention
};

void collect(const Node& node, std::set<std::string>& symbols) {
  for (const auto& [key, attribute] : node.attributes.entries()) {
    if (const auto* dims = std::get_if<std::vector<Dim>>(&attribute)) {
      for (const Dim& dim : *dims) dim.collect_symbols(symbols);
    }
    if (const auto* body = std::get_if<Subgraph>(&attribute)) {
      for (const Symbol& symbol : (*body)->symbols()) symbols.insert(symbol.name);
    }
  }
}

Live find_live(const Graph& graph) {
  Live live{std::vector<bool>(graph.value_count()), {}};
  auto need = [&](ValueId value) {
    live.values[value.index] = true;
    for (const Dim& dim : graph.type(value).shape) dim.collect_symbols(live.symbols);
  };
  for (const Output& output : graph.outputs()) need(output.value);
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    bool needed = false;
    for (const ValueId output : node->outputs) needed = needed || live.values[output.index];
    // A size is needed by whatever has it, and not as a number only.
    if (const auto symbol = measured_by(*node)) needed = needed || live.symbols.count(*symbol) != 0;
    if (!needed) continue;
    collect(*node, live.symbols);
    for (const ValueId output : node->outputs) need(output);
    for (const ValueId input : node->inputs) need(input);
  }
  return live;
}

bool has_dead_nodes(const Graph& graph) {
  const Live live = find_live(graph);
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    return !live.values[node.outputs.front().index];
  });
}

}  // namespace

Expected<Graph> rebuild(
    const Graph& graph,
    const std::function<Expected<std::vector<ValueId>>(Rebuilder&, const Node&)>& rewrite) {
  const Live live = find_live(graph);
  Rebuilder rebuilder(graph);
  std::vector<Symbol> gone;
  for (const Symbol& symbol : graph.symbols()) {
    if (symbol.measured() && live.symbols.count(symbol.name) == 0) {
      gone.push_back(symbol);
    } else {
      rebuilder.graph().declare_symbol(symbol);
    }
  }
  for (const Constraint& constraint : graph.constraints()) {
    if (depends_on_data(constraint.left - constraint.right, gone)) continue;
    INGOT_TRY(rebuilder.graph().require(constraint));
  }
  for (const Node& node : graph.nodes()) {
    if (!live.values[node.outputs.front().index]) continue;
    INGOT_ASSIGN(const std::vector<ValueId> results, rewrite(rebuilder, node));
    INGOT_CHECK(results.size() == node.outputs.size(), "rewriting '{}' gave {} results",
                graph.describe(node), results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      rebuilder.mapped_[node.outputs[i].index] = results[i];
    }
  }
  for (const Output& output : graph.outputs()) {
    rebuilder.graph().add_output(output.name, rebuilder.map(output.value));
  }
  // A rewrite leaves behind what it has built and not used.
  if (has_dead_nodes(rebuilder.new_)) {
    return rebuild(rebuilder.new_,
                   [](Rebuilder& again, const Node& node) { return again.copy(node); });
  }
  return std::move(rebuilder.new_);
}

Expected<Graph> change_bodies(const Graph& graph,
                              const std::function<Expected<Graph>(const Graph&)>& change) {
  const auto has_body = [](const Attributes::Entry& entry) {
    return std::holds_alternative<Subgraph>(entry.second);
  };
  const bool any = std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    const auto& entries = node.attributes.entries();
    return std::any_of(entries.begin(), entries.end(), has_body);
  });
  if (!any) return graph;
  return rebuild(graph,
                 [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
                   Attributes attributes = node.attributes;
                   for (auto& [key, attribute] : attributes.entries()) {
                     auto* body = std::get_if<Subgraph>(&attribute);
                     if (body == nullptr) continue;
                     INGOT_ASSIGN(Graph changed, change(**body));
                     body->graph = std::make_shared<const Graph>(std::move(changed));
                   }
                   return rebuilder.graph().add_node(*node.op, rebuilder.map_all(node.inputs),
                                                     std::move(attributes), node.name);
                 });
}

}  // namespace ingot
