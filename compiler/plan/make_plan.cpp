// SPDX-License-Identifier: Apache-2.0
// The front door of planning: groups of nodes, then storage, then kernels.
#include <algorithm>
#include <map>
#include <set>

#include "plan/arena.h"
#include "plan/blocks.h"
#include "plan/cluster.h"
#include "plan/forks.h"
#include "plan/inner_blocks.h"
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

/// Blocks of one row, in each of which blocks of an inner axis run; none where that can't be, or
/// does not help.
Expected<std::optional<Plan>> plan_long_rows(const Graph& graph, const Plan& whole,
                                             std::int64_t budget) {
  Graph row = graph;
  if (!whole.blocks.empty()) {
    INGOT_TRY(row.substitute(*whole.blocks[0].extent.symbol_name(), 1));
  }
  INGOT_ASSIGN(std::optional<InnerBlocks> inner, block_inner_axis(row));
  if (!inner) return std::optional<Plan>();
  Plan plan = std::move(inner->plan);
  plan.symbols = whole.symbols;
  plan.independent = whole.independent;
  plan.constraints = whole.constraints;
  make_nested_blocks(plan, whole, inner->block, budget);
  const bool better =
      larger(plan.workspace_bytes, whole.workspace_bytes, plan.ranges()) == whole.workspace_bytes;
  return better ? std::optional(std::move(plan)) : std::nullopt;
}

}  // namespace

Expected<void> lower_nodes(const Graph& graph, const std::string& apart,
                           const Surroundings& surroundings, Ports ports, Plan& plan) {
  INGOT_ASSIGN(const Clusters clusters, cluster(graph, apart, surroundings));
  INGOT_ASSIGN(Storage storage, Storage::make(graph, clusters, std::move(ports), plan));
  for (std::size_t g = 0; g < clusters.groups.size(); ++g)
    INGOT_TRY(lower_group(graph, clusters, storage, g, plan));
  return {};
}

Expected<Plan> lower_graph(const Graph& graph, const std::string& apart) {
  Plan plan;
  plan.name = graph.name;
  plan.arithmetic = graph.arithmetic;
  plan.symbols = graph.symbols();
  plan.constraints = graph.constraints();
  Ports ports;
  auto add = [&](Buffer::Kind kind, std::vector<Location>& locations, std::vector<Plan::Port>& all,
                 const std::string& name, const TensorType& type) {
    const auto id = static_cast<BufferId>(plan.buffers.size());
    const auto index = static_cast<std::uint32_t>(all.size());
    plan.buffers.push_back({kind, type.dtype, type.shape, index, 0, name});
    locations.push_back(dense_location(id, type.shape));
    all.push_back({name, type, id});
  };
  for (const ValueId input : graph.inputs())
    add(Buffer::Kind::input, ports.inputs, plan.inputs, graph.value(input).name, graph.type(input));
  for (const Output& output : graph.outputs())
    add(Buffer::Kind::output, ports.outputs, plan.outputs, output.name, graph.type(output.value));
  // So that weights are not copied while they become more.
  std::size_t room = 0;
  for (const Tensor& constant : graph.constants()) room += constant.bytes().size() + 4096;
  plan.weights.reserve(room);
  INGOT_TRY(lower_nodes(graph, apart, {}, std::move(ports), plan));
  plan.weights.resize((plan.weights.size() + 63) / 64 * 64);
  for (const Buffer& buffer : plan.buffers) {
    for (const Dim& size : buffer.shape) {
      if (!at_most(size, plan.symbols).overflowed()) continue;
      return fail(ErrorCode::unsupported, "nothing bounds {}, a size of '{}' that depends on data",
                  size.str(), buffer.name);
    }
  }
  return plan;
}

Expected<Plan> make_plan(const Graph& graph, const PlanOptions& options) {
  const auto check = [&](const Plan& plan, std::string_view step) -> Expected<void> {
    return options.check ? options.check(plan, step) : Expected<void>();
  };
  INGOT_ASSIGN(Plan plan, lower_graph(graph, ""));
  INGOT_TRY(check(plan, "kernels"));
  for (const Symbol& symbol : plan.symbols) {
    const Rows rows = find_rows(graph, Dim::symbol(symbol.name));
    plan.independent.push_back(rows.independent() && !constrained(graph, symbol.name) &&
                               !symbol.measured());
  }
  if (options.block_bytes == 0) {
    place_in_arena(plan);
  } else {
    make_blocks(plan, options.block_bytes);
  }
  INGOT_TRY(check(plan, "blocks and arena"));
  const bool loops = std::any_of(plan.blocks.begin(), plan.blocks.end(),
                                 [](const Block& block) { return block.loop; });
  if (options.block_bytes > 0 && !loops && !plan.measures() &&
      bytes_at(plan, 1) > options.block_bytes) {
    INGOT_ASSIGN(std::optional<Plan> nested, plan_long_rows(graph, plan, options.block_bytes));
    if (nested) plan = *std::move(nested);
    INGOT_TRY(check(plan, "blocks of long rows"));
  }
  if (options.part_work > 0 && !plan.measures()) make_forks(plan, options.part_work);
  make_names_unique(plan);
  INGOT_TRY(check(plan, "forks and names"));
  return plan;
}

}  // namespace ingot::plan
