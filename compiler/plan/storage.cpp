// SPDX-License-Identifier: Apache-2.0
#include "plan/storage.h"

#include <algorithm>

#include "ir/op.h"
#include "plan/arena.h"

namespace ingot::plan {
namespace {

constexpr int never = -1;

/// First and last kernel that touches each stored value.
class Lifetimes {
 public:
  Lifetimes(const Graph& graph, const Clusters& clusters)
      : clusters_(clusters), first_(graph.value_count(), never), last_(graph.value_count(), never) {
    for (std::size_t g = 0; g < clusters.groups.size(); ++g) {
      const Group& group = clusters.groups[g];
      const int now = static_cast<int>(g);
      if (group.copied.valid()) read(group.copied, now);
      if (group.concat.valid()) touch(graph.node(group.concat).outputs[0], now);
      for (const NodeId id : group.nodes) {
        for (const ValueId input : graph.node(id).inputs) {
          if (clusters.group_of[input.index] != now) read(input, now);
        }
        for (const ValueId output : graph.node(id).outputs) {
          if (clusters.stored[output.index]) touch(output, now);
        }
      }
    }
  }

  void touch(ValueId value, int now) {
    int& first = first_[value.index];
    first = first == never ? now : std::min(first, now);
    last_[value.index] = std::max(last_[value.index], now);
  }
  /// A value that lives inside another's storage keeps that alive.
  void share(ValueId part, ValueId whole) {
    touch(whole, first_[part.index]);
    touch(whole, last_[part.index]);
  }
  int first(ValueId value) const { return first_[value.index]; }
  int last(ValueId value) const { return last_[value.index]; }

 private:
  void read(ValueId value, int now) {
    const Access& access = clusters_.access[value.index];
    touch(access.kind == Access::Kind::memory ? access.root : value, now);
  }

  const Clusters& clusters_;
  std::vector<int> first_, last_;
};

/// The operand whose memory a group may write its result into: of the same type and shape, read in
/// the same order as it is written, element by element, and by nobody later.
std::optional<ValueId> in_place_operand(const Graph& graph, const Clusters& clusters,
                                        const Lifetimes& lifetimes, int number, ValueId result) {
  const Group& group = clusters.groups[static_cast<std::size_t>(number)];
  if (group.kind != Group::Kind::map && group.kind != Group::Kind::contract) return std::nullopt;
  std::optional<ValueId> found;
  std::vector<ValueId> unfit;
  for (const NodeId id : group.nodes) {
    // A product and a gather read other elements than they make.
    const bool product = (group.kind == Group::Kind::contract && id == group.root) ||
                         graph.node(id).op->kind == OpKind::index;
    for (const ValueId input : graph.node(id).inputs) {
      if (clusters.group_of[input.index] == number) continue;
      const Access& access = clusters.access[input.index];
      const ValueId root = access.kind == Access::Kind::memory ? access.root : input;
      const bool direct = access.kind == Access::Kind::computed || access.root == input;
      const bool fits = !product && direct && graph.type(input) == graph.type(result) &&
                        clusters.stored[root.index] && lifetimes.last(root) == number;
      if (fits && !found) found = root;
      if (!fits) unfit.push_back(root);
    }
  }
  if (found && std::find(unfit.begin(), unfit.end(), *found) != unfit.end()) return std::nullopt;
  return found;
}

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

Expected<Storage> Storage::make(const Graph& graph, const Clusters& clusters, Plan& plan) {
  Storage storage;
  storage.locations_.resize(graph.value_count());
  storage.known_.assign(graph.value_count(), false);
  auto place = [&](ValueId value, BufferId buffer) {
    storage.locations_[value.index] = {buffer, 0, dense_strides(graph.type(value).shape)};
    storage.known_[value.index] = true;
  };
  auto add_buffer = [&](Buffer buffer) {
    plan.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(plan.buffers.size() - 1);
  };

  for (std::uint32_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId input = graph.inputs()[i];
    const TensorType& type = graph.type(input);
    place(input,
          add_buffer({Buffer::Kind::input, type.dtype, type.shape, i, 0, graph.value(input).name}));
  }
  std::vector<bool> copied(graph.outputs().size());
  for (const Group& group : clusters.groups) {
    if (group.copied.valid() && !group.concat.valid()) copied[group.number] = true;
  }
  for (std::uint32_t i = 0; i < graph.outputs().size(); ++i) {
    const ValueId value = graph.outputs()[i].value;
    const TensorType& type = graph.type(value);
    const BufferId buffer =
        add_buffer({Buffer::Kind::output, type.dtype, type.shape, i, 0, graph.outputs()[i].name});
    storage.outputs_.push_back(buffer);
    if (!copied[i]) place(value, buffer);
  }

  Lifetimes lifetimes(graph, clusters);
  // Later concatenations first: a part of theirs may itself be a concatenation.
  for (auto concat = clusters.concats.rbegin(); concat != clusters.concats.rend(); ++concat) {
    const Node& node = graph.node(*concat);
    for (const ValueId input : node.inputs) {
      if (clusters.part_of[input.index] == *concat) lifetimes.share(input, node.outputs[0]);
    }
  }

  std::vector<Region> blocks;
  std::vector<std::pair<BufferId, std::size_t>> placed;  // arena buffer, block
  std::vector<std::size_t> block_of(graph.value_count(), SIZE_MAX);
  auto allocate = [&](ValueId value, std::optional<ValueId> instead_of) {
    const TensorType& type = graph.type(value);
    const BufferId buffer =
        add_buffer({Buffer::Kind::arena, type.dtype, type.shape, 0, 0, value_name(graph, value)});
    std::size_t block = instead_of ? block_of[instead_of->index] : SIZE_MAX;
    if (block == SIZE_MAX) {
      block = blocks.size();
      const Dim bytes = type.elements() * static_cast<std::int64_t>(bytes_of(type.dtype));
      blocks.push_back({align_bytes(bytes), lifetimes.first(value), lifetimes.last(value), 0});
    }
    blocks[block].last = std::max(blocks[block].last, lifetimes.last(value));
    block_of[value.index] = block;
    placed.emplace_back(buffer, block);
    place(value, buffer);
  };

  for (const NodeId concat : clusters.concats) {
    const ValueId value = graph.node(concat).outputs[0];
    if (!storage.known_[value.index]) allocate(value, std::nullopt);
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
  for (std::size_t g = 0; g < clusters.groups.size(); ++g) {
    bool taken = false;
    for (const NodeId id : clusters.groups[g].nodes) {
      const ValueId value = graph.node(id).outputs[0];
      if (!clusters.stored[value.index] || storage.known_[value.index]) continue;
      std::optional<ValueId> operand;
      if (!taken)
        operand = in_place_operand(graph, clusters, lifetimes, static_cast<int>(g), value);
      if (operand && block_of[operand->index] == SIZE_MAX) operand.reset();
      taken = taken || operand.has_value();
      allocate(value, operand);
    }
  }

  const SymbolRanges ranges = graph.symbol_ranges();
  plan.workspace_bytes = pack_arena(blocks, ranges);
  for (const auto& [buffer, block] : placed) plan.buffers[buffer].offset = blocks[block].offset;
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
