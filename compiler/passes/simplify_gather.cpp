// SPDX-License-Identifier: Apache-2.0
#include "passes/simplify_gather.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ops/index.h"
#include "passes/match.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;

struct Gather {
  std::size_t axis;
  std::int64_t size;  // of the axis
  Integers indices;   // all within it
};

/// A gather of known indices from an axis of known size; wrong indices stay the call's error.
std::optional<Gather> as_gather(const Graph& graph, const Node& node) {
  if (node.op->name != "gather" || !graph.is_constant(node.inputs[1])) return std::nullopt;
  if (ops::batch_axes(node.attributes) != 0) return std::nullopt;
  const Tensor indices = graph.constant(node.inputs[1]).dense();
  const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
  const std::optional<std::int64_t> size = graph.type(node.inputs[0]).shape[axis].value();
  if (!size || indices.elements() == 0) return std::nullopt;
  Gather gather{axis, *size, indices.as_int64s()};
  const bool inside = std::all_of(gather.indices.begin(), gather.indices.end(),
                                  [&](std::int64_t i) { return i >= 0 && i < *size; });
  return inside ? std::optional(std::move(gather)) : std::nullopt;
}

/// The step from each index to the next, if it is the same everywhere.
std::optional<std::int64_t> regular_step(const Integers& indices) {
  if (indices.size() == 1) return 1;
  const std::int64_t step = indices[1] - indices[0];
  for (std::size_t i = 1; i < indices.size(); ++i) {
    if (indices[i] - indices[i - 1] != step) return std::nullopt;
  }
  return step;
}

Expected<ValueId> as_slice(Graph& graph, ValueId x, const Gather& gather, std::int64_t step,
                           const Shape& result, const std::string& name) {
  Shape sizes = graph.type(x).shape;
  Shape starts(sizes.size());
  Integers steps(sizes.size(), 1);
  const auto count = static_cast<std::int64_t>(gather.indices.size());
  starts[gather.axis] = gather.indices[0];
  sizes[gather.axis] = step == 0 ? 1 : count;
  steps[gather.axis] = step == 0 ? 1 : step;
  INGOT_ASSIGN(
      x, graph.add("slice", {x}, {{"start", starts}, {"size", sizes}, {"step", steps}}, name));
  if (step == 0) {
    sizes[gather.axis] = count;
    INGOT_ASSIGN(x, graph.add("broadcast", {x}, {{"shape", sizes}}, name));
  }
  if (graph.type(x).shape == result) return x;
  return graph.add("reshape", {x}, {{"shape", result}}, name);
}

Expected<std::optional<ValueId>> simplify(Rebuilder& rebuilder, const Node& node) {
  const Graph& old = rebuilder.old();
  Graph& graph = rebuilder.graph();
  const std::optional<Gather> gather = as_gather(old, node);
  if (!gather) return std::optional<ValueId>();
  const ValueId data = rebuilder.map(node.inputs[0]);
  if (const std::optional<std::int64_t> step = regular_step(gather->indices)) {
    INGOT_ASSIGN(const ValueId slice,
                 as_slice(graph, data, *gather, *step, old.type(node.outputs[0]).shape, node.name));
    return std::optional(slice);
  }
  const Node* inner = made_by(old, node.inputs[0], "gather");
  const std::optional<Gather> first = inner != nullptr ? as_gather(old, *inner) : std::nullopt;
  const bool joins = first && first->axis == gather->axis && old.type(inner->inputs[1]).rank() == 1;
  if (!joins) return std::optional<ValueId>();
  Integers indices;
  for (const std::int64_t i : gather->indices)
    indices.push_back(first->indices[static_cast<std::size_t>(i)]);
  const Tensor both = Tensor::from_int64(indices).reshaped(old.constant(node.inputs[1]).shape());
  INGOT_ASSIGN(const ValueId joined,
               graph.add("gather", {rebuilder.map(inner->inputs[0]), graph.add_constant(both)},
                         node.attributes, node.name));
  return std::optional(joined);
}

}  // namespace

Expected<Graph> simplify_gather(const Graph& graph, Report& report) {
  return rebuild(graph,
                 [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
                   INGOT_ASSIGN(const std::optional<ValueId> simple, simplify(rebuilder, node));
                   if (!simple || !report.fire()) return rebuilder.copy(node);
                   return std::vector{*simple};
                 });
}

}  // namespace ingot::passes
