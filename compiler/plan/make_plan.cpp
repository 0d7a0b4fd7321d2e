// SPDX-License-Identifier: Apache-2.0
// The front door of planning: groups of nodes, then storage, then kernels.
#include "plan/arena.h"
#include "plan/cluster.h"
#include "plan/lower.h"
#include "plan/plan.h"
#include "plan/storage.h"

namespace ingot::plan {

Expected<Plan> make_plan(const Graph& graph) {
  Plan plan;
  plan.name = graph.name;
  plan.arithmetic = graph.arithmetic;
  plan.symbols = graph.symbols();
  plan.constraints = graph.constraints();

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
  plan.weights.resize((plan.weights.size() + 63) / 64 * 64);
  return plan;
}

}  // namespace ingot::plan
