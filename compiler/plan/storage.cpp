// SPDX-License-Identifier: Apache-2.0
#include "plan/storage.h"

#include <algorithm>

#include "ir/op.h"

namespace ingot::plan {
namespace {

BufferId add_weights(const Tensor& tensor, std::string name, Plan& plan) {
  plan.weights.resize((plan.weights.size() + 63) / 64 * 64);
  const auto offset = static_cast<std::int64_t>(plan.weights.size());
  plan.weights.insert(plan.weights.end(), tensor.bytes().begin(), tensor.bytes().end());
  const TensorType type = tensor.type();
  plan.buffers.push_back(
      {Buffer::Kind::weights, type.dtype, type.shape, 0, offset, std::move(name)});
  return static_cast<BufferId>(plan.buffers.size() - 1);
}

std::string value_name(const Graph& graph, ValueId value) {
  const Node* producer = graph.producer(value);
  return producer != nullptr ? graph.describe(*producer) : graph.value(value).name;
}

}  // namespace

std::vector<Dim> dense_strides(const Shape& shape) {
  std::vector<Dim> strides(shape.size());
  Dim stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

Location dense_location(BufferId buffer, const Shape& shape) {
  return {buffer, 0, dense_strides(shape)};
}

Expected<Storage> Storage::make(const Graph& graph, const Clusters& clusters, Ports ports,
                                Plan& plan) {
  Storage storage;
  storage.locations_.resize(graph.value_count());
  storage.known_.assign(graph.value_count(), false);
  storage.outputs_ = std::move(ports.outputs);
  auto place = [&](ValueId value, Location location) {
    storage.locations_[value.index] = std::move(location);
    storage.known_[value.index] = true;
  };
  for (std::uint32_t i = 0; i < graph.inputs().size(); ++i)
    place(graph.inputs()[i], std::move(ports.inputs[i]));
  std::vector<bool> copied(graph.outputs().size());
  for (const Group& group : clusters.groups) {
    if (group.copied.valid() && !group.into.valid()) copied[group.number] = true;
  }
  for (std::uint32_t i = 0; i < graph.outputs().size(); ++i) {
    if (!copied[i]) place(graph.outputs()[i].value, storage.outputs_[i]);
  }

  auto allocate = [&](ValueId value) {
    const TensorType& type = graph.type(value);
    plan.buffers.push_back(
        {Buffer::Kind::arena, type.dtype, type.shape, 0, 0, value_name(graph, value)});
    place(value, dense_location(static_cast<BufferId>(plan.buffers.size() - 1), type.shape));
  };
  // The whole stands before its parts do: one of them may itself be a concatenation.
  for (auto last = clusters.concats.rbegin(); last != clusters.concats.rend(); ++last) {
    const NodeId concat = *last;
    const ValueId value = graph.node(concat).outputs[0];
    if (!storage.known_[value.index]) allocate(value);
    const auto axis =
        static_cast<std::size_t>(graph.node(concat).attributes.get<std::int64_t>("axis"));
    Location part = storage.locations_[value.index];
    for (const ValueId input : graph.node(concat).inputs) {
      // A part that stands here twice is computed in its first place and copied to the others.
      if (clusters.part_of[input.index] == concat && !storage.known_[input.index]) {
        storage.locations_[input.index] = part;
        storage.known_[input.index] = true;
      }
      part.offset += part.strides[axis] * graph.type(input).shape[axis];
    }
  }
  for (const Group& group : clusters.groups) {
    for (const NodeId id : group.nodes) {
      for (const ValueId value : graph.node(id).outputs) {
        if (clusters.stored[value.index] && !storage.known_[value.index]) allocate(value);
      }
    }
  }
  return storage;
}

const Location& Storage::location(ValueId value) const {
  INGOT_CHECK(known_[value.index], "value %{} has no storage", value.index);
  return locations_[value.index];
}

const Location& Storage::constant(const Graph& graph, ValueId value, Plan& plan) {
  if (!known_[value.index]) {
    const Tensor& known = graph.constant(value);
    const Tensor tensor =
        known.is_splat()
            ? Tensor(known.dtype(), {1},
                     {known.bytes().begin(), known.bytes().begin() + bytes_of(known.dtype())})
            : known;
    locations_[value.index] = {add_weights(tensor, fmt::format("constant_{}", value.index), plan),
                               0, dense_strides(tensor.type().shape)};
    known_[value.index] = true;
  }
  return locations_[value.index];
}

BufferId Storage::zero(DType dtype, Plan& plan) {
  const auto known = zeros_.find(dtype);
  if (known != zeros_.end()) return known->second;
  const BufferId buffer = add_weights(Tensor(dtype, {}), fmt::format("zero_{}", name(dtype)), plan);
  zeros_.emplace(dtype, buffer);
  return buffer;
}

}  // namespace ingot::plan
