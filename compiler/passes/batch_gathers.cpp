// SPDX-License-Identifier: Apache-2.0
#include "passes/batch_gathers.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ops/index.h"
#include "ops/places.h"
#include "passes/match.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;

/// A gather along the joined axes [batch, size] of `data`, at places of the second that belong to
/// the coordinate along axis `along` of all indices, of shape `indices`.
struct Joined {
  ValueId data;
  std::size_t axis;  // of the batch, in data
  ValueId places;
  Shape indices;
  std::size_t along;
};

/// The axis of `shape` whose coordinate, times `size`, the value is.
std::optional<std::size_t> row_of(const Graph& graph, ValueId value, const Shape& shape,
                                  const Dim& size) {
  const std::optional<ops::Affine> affine = ops::affine_of(graph, value);
  if (!affine || !affine->offset.is(0)) return std::nullopt;
  std::optional<std::size_t> found;
  for (std::size_t d = 0; d < affine->strides.size(); ++d) {
    if (affine->strides[d].is(0)) continue;
    if (found || affine->strides[d] != size) return std::nullopt;
    found = d + shape.size() - affine->strides.size();
  }
  return found;
}

std::optional<Joined> as_joined(const Graph& graph, const Node& node) {
  if (node.op->name != "gather" || ops::batch_axes(node.attributes) != 0) return std::nullopt;
  const Node* merge = made_by(graph, node.inputs[0], "reshape");
  if (merge == nullptr) return std::nullopt;
  const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
  const Shape& whole = graph.type(node.inputs[0]).shape;
  Joined joined{merge->inputs[0], axis, {}, {}, 0};
  const Shape& apart = graph.type(joined.data).shape;
  const auto end = static_cast<std::ptrdiff_t>(axis);
  if (apart.size() != whole.size() + 1 ||
      !std::equal(apart.begin(), apart.begin() + end, whole.begin()) ||
      !std::equal(apart.begin() + end + 2, apart.end(), whole.begin() + end + 1)) {
    return std::nullopt;
  }
  const Dim &rows = apart[axis], &size = apart[axis + 1];

  // Neither a reshape nor a wider type changes which index comes when, and what it is.
  const Node* sum = graph.producer(node.inputs[1]);
  while (sum != nullptr && (sum->op->name == "reshape" || sum->op->name == "cast")) {
    if (!is_integer(graph.type(sum->inputs[0]).dtype)) return std::nullopt;
    sum = graph.producer(sum->inputs[0]);
  }
  if (sum == nullptr || sum->op->name != "add" || !ops::bounds_of(graph, node.inputs[1]))
    return std::nullopt;
  joined.indices = graph.type(sum->outputs[0]).shape;
  for (const std::size_t side : {0U, 1U}) {
    const std::optional<std::size_t> along = row_of(graph, sum->inputs[side], joined.indices, size);
    joined.places = sum->inputs[1 - side];
    if (!along || joined.indices[*along] != rows || !ops::are_places(graph, joined.places, size))
      continue;
    joined.along = *along;
    return joined;
  }
  return std::nullopt;
}

Expected<ValueId> transposed(Graph& graph, ValueId x, const Integers& perm,
                             const std::string& name) {
  if (std::is_sorted(perm.begin(), perm.end())) return x;
  return graph.add("transpose", {x}, {{"perm", perm}}, name);
}

/// The axes of a value of `rank`, one of them in front.
Integers in_front(std::size_t rank, std::size_t axis) {
  Integers perm{static_cast<std::int64_t>(axis)};
  for (std::size_t d = 0; d < rank; ++d) {
    if (d != axis) perm.push_back(static_cast<std::int64_t>(d));
  }
  return perm;
}

Expected<ValueId> build(Rebuilder& rebuilder, const Node& node, const Joined& joined) {
  Graph& graph = rebuilder.graph();
  ValueId data = rebuilder.map(joined.data), places = rebuilder.map(joined.places);
  const std::size_t rank = graph.type(data).rank(), count = joined.indices.size();
  if (graph.type(places).shape != joined.indices) {
    INGOT_ASSIGN(places, graph.add("broadcast", {places}, {{"shape", joined.indices}}, node.name));
  }
  INGOT_ASSIGN(data, transposed(graph, data, in_front(rank, joined.axis), node.name));
  INGOT_ASSIGN(places, transposed(graph, places, in_front(count, joined.along), node.name));
  INGOT_ASSIGN(ValueId result, graph.add("gather", {data, places},
                                         {{"axis", static_cast<std::int64_t>(joined.axis) + 1},
                                          {"batch", std::int64_t{1}}},
                                         node.name));
  // From [batch, before.., other indices.., behind..] to [before.., indices.., behind..].
  Integers back;
  for (std::size_t d = 0; d < joined.axis; ++d) back.push_back(static_cast<std::int64_t>(d) + 1);
  std::size_t next = joined.axis + 1;
  for (std::size_t d = 0; d < count; ++d)
    back.push_back(d == joined.along ? 0 : static_cast<std::int64_t>(next++));
  while (back.size() < graph.type(result).rank()) back.push_back(static_cast<std::int64_t>(next++));
  INGOT_ASSIGN(result, transposed(graph, result, back, node.name));
  const Shape& shape = rebuilder.old().type(node.outputs[0]).shape;
  if (graph.type(result).shape == shape) return result;
  return graph.add("reshape", {result}, {{"shape", shape}}, node.name);
}

/// What counts from the end where it is negative, and never is.
bool wraps_nothing(const Graph& graph, const Node& node) {
  if (node.op->name != "where") return false;
  const Node* below = made_by(graph, node.inputs[0], "lt");
  const ValueId index = node.inputs[2];
  if (below == nullptr || below->inputs[0] != index || !is_all(graph, below->inputs[1], 0) ||
      graph.type(index) != graph.type(node.outputs[0])) {
    return false;
  }
  const std::optional<ops::Bounds> bounds = ops::bounds_of(graph, index);
  return bounds && bounds->least.bounds(graph.symbol_ranges()).lo >= 0;
}

}  // namespace

Expected<Graph> batch_gathers(const Graph& graph, Report& report) {
  return rebuild(graph,
                 [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
                   if (wraps_nothing(graph, node) && report.fire())
                     return std::vector{rebuilder.map(node.inputs[2])};
                   const std::optional<Joined> joined = as_joined(graph, node);
                   if (!joined || !report.fire()) return rebuilder.copy(node);
                   INGOT_ASSIGN(const ValueId result, build(rebuilder, node, *joined));
                   return std::vector{result};
                 });
}

}  // namespace ingot::passes
