// SPDX-License-Identifier: Apache-2.0
// The front door of planning: groups of nodes, then storage, then kernels.
#include <algorithm>
#include <map>
#include <set>

#include "plan/arena.h"
#include "plan/cluster.h"
#include "plan/lower.h"
#include "plan/plan.h"
#include "plan/rows.h"
#include "plan/storage.h"

namespace ingot::plan {

namespace {

void make_names_unique(Plan& plan) {
  std::map<std::string, int> times;
  for (const Kernel& kernel : plan.kernels) times.emplace(kernel.name, 0);
  for (Kernel& kernel : plan.kernels) {
    int& seen = times[kernel.name];
    if (++seen == 1) continue;
    std::string name;
    do {
      name = fmt::format("{}_{}", kernel.name, seen);
    } while (times.count(name) != 0 && ++seen > 0);
    times.emplace(name, 1);
    kernel.name = std::move(name);
  }
}

/// What asks for a number of rows is not met by every part of them.
bool constrained(const Graph& graph, const std::string& symbol) {
  return std::any_of(graph.constraints().begin(), graph.constraints().end(),
                     [&](const Constraint& constraint) {
                       std::set<std::string> symbols;
                       constraint.left.collect_symbols(symbols);
                       constraint.right.collect_symbols(symbols);
                       return symbols.count(symbol) != 0;
                     });
}

}  // namespace

Expected<Plan> make_plan(const Graph& graph) {
  Plan plan;
  plan.name = graph.name;
  plan.arithmetic = graph.arithmetic;
  plan.symbols = graph.symbols();
  plan.constraints = graph.constraints();
  for (const Symbol& symbol : plan.symbols) {
    const Rows rows = find_rows(graph, Dim::symbol(symbol.name));
    plan.independent.push_back(rows.independent() && !constrained(graph, symbol.name));
  }

  INGOT_ASSIGN(const Clusters clusters, cluster(graph));
  INGOT_ASSIGN(Storage storage, Storage::make(graph, clusters, plan));
  for (const ValueId input : graph.inputs()) {
    plan.inputs.push_back(
        {graph.value(input).name, graph.type(input), storage.location(input).buffer});
  }
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Output& output = graph.outputs()[i];
    plan.outputs.push_back({output.name, graph.type(output.value), storage.output_buffer(i)});
  }
  const SymbolRanges ranges = graph.symbol_ranges();
  Dim workspace = plan.workspace_bytes;
  for (std::size_t g = 0; g < clusters.groups.size(); ++g) {
    INGOT_ASSIGN(const Dim needed, lower_group(graph, clusters, storage, g, plan));
    workspace = larger(workspace, needed, ranges);
  }
  plan.workspace_bytes = workspace;
  make_names_unique(plan);
  plan.weights.resize((plan.weights.size() + 63) / 64 * 64);
  return plan;
}

}  // namespace ingot::plan
