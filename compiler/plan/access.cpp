// SPDX-License-Identifier: Apache-2.0
#include "plan/access.h"

#include <utility>

#include "ir/op.h"
#include "plan/storage.h"
#include "plan/strides.h"

namespace ingot::plan {
namespace {

std::optional<std::vector<Dim>> reshaped(const Shape& old, const Shape& shape, const Access& from) {
  if (from.kind == Access::Kind::memory && from.dense) return dense_strides(shape);
  return reshaped_strides(old, from.strides, shape);
}

std::vector<Dim> transposed(const Node& node, const Access& from) {
  std::vector<Dim> strides;
  for (const std::int64_t axis : node.attributes.get<std::vector<std::int64_t>>("perm"))
    strides.push_back(from.strides[static_cast<std::size_t>(axis)]);
  return strides;
}

std::vector<Dim> broadcast(const Shape& old, const Shape& shape, const Access& from) {
  std::vector<Dim> strides(shape.size(), 0);
  const std::size_t skip = shape.size() - old.size();
  for (std::size_t d = 0; d < old.size(); ++d) {
    if (!old[d].is(1)) strides[d + skip] = from.strides[d];
  }
  return strides;
}

/// Moves the offset to the first element of the slice.
std::vector<Dim> sliced(const Node& node, Access& from) {
  const Shape& start = node.attributes.get<Shape>("start");
  const auto& step = node.attributes.get<std::vector<std::int64_t>>("step");
  std::vector<Dim> strides;
  for (std::size_t d = 0; d < start.size(); ++d) {
    from.offset += start[d] * from.strides[d];
    strides.push_back(from.strides[d] * Dim(step[d]));
  }
  return strides;
}

}  // namespace

bool is_dense(const Shape& shape, const std::vector<Dim>& strides) {
  const std::vector<Dim> dense = dense_strides(shape);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (!shape[d].is(1) && strides[d] != dense[d]) return false;
  }
  return true;
}

Access memory_access(const Graph& graph, ValueId id) {
  return {Access::Kind::memory, id, 0, dense_strides(graph.type(id).shape), true};
}

Access constant_access(const Graph& graph, ValueId id) {
  const Tensor& constant = graph.constant(id);
  if (!constant.is_splat() && constant.elements() != 1) return memory_access(graph, id);
  return {Access::Kind::constant, id, 0, {}, true};
}

std::optional<Access> source_access(const Graph& graph, const Node& node) {
  if (node.op->name == "iota") {
    const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
    std::vector<Dim> strides(graph.type(node.outputs[0]).rank(), 0);
    strides[axis] = 1;
    return Access{Access::Kind::affine, {}, 0, std::move(strides), false};
  }
  const auto& sizes = node.attributes.get<std::vector<Dim>>("values");
  if (sizes.size() != 1) return std::nullopt;
  return Access{Access::Kind::dim, {}, sizes[0], {}, true};
}

std::optional<Access> moved(const Graph& graph, const Node& node, Access from) {
  const bool one_number = from.kind == Access::Kind::constant || from.kind == Access::Kind::dim;
  if (one_number) return from;
  const Shape& shape = graph.type(node.outputs[0]).shape;
  const Shape& old = graph.type(node.inputs[0]).shape;
  std::optional<std::vector<Dim>> strides;
  if (node.op->name == "reshape") {
    strides = reshaped(old, shape, from);
  } else if (node.op->name == "transpose") {
    strides = transposed(node, from);
  } else if (node.op->name == "broadcast") {
    strides = broadcast(old, shape, from);
  } else {
    strides = sliced(node, from);
  }
  if (!strides) return std::nullopt;
  from.strides = std::move(*strides);
  from.dense = from.kind == Access::Kind::memory && is_dense(shape, from.strides);
  return from;
}

}  // namespace ingot::plan
