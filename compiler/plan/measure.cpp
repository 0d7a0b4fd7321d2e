// SPDX-License-Identifier: Apache-2.0
// Sizes that are measured, and sizes that must lie in memory.
#include "plan/body_builder.h"
#include "plan/lower.h"

namespace ingot::plan {

Expected<Location> in_memory(const Graph& graph, const Clusters& clusters, Storage& storage,
                             std::size_t group, ValueId value, const std::string& name,
                             Plan& plan) {
  const TensorType& type = graph.type(value);
  BodyBuilder builder(
      graph, clusters, storage, plan, static_cast<int>(group), type.shape,
      [](ValueId) { return std::nullopt; }, false);
  const Access::Kind kind = clusters.access[value.index].kind;
  if (kind != Access::Kind::dim && kind != Access::Kind::affine) {
    View view = builder.view(value);
    return Location{view.buffer, std::move(view.offset), std::move(view.strides)};
  }
  const auto buffer = static_cast<BufferId>(plan.buffers.size());
  plan.buffers.push_back({Buffer::Kind::arena, type.dtype, type.shape, 0, 0, name});
  Location place = dense_location(buffer, type.shape);
  INGOT_ASSIGN(const std::uint32_t step, builder.step(value));
  const Store store{step, builder.aligned(type.shape, place.buffer, place.offset, place.strides)};
  Kernel kernel{static_cast<std::uint32_t>(plan.kernels.size()),
                name,
                {},
                type.shape,
                Map{std::move(builder.body), std::move(builder.loads), {store}}};
  collapse(kernel);
  plan.kernels.push_back(std::move(kernel));
  return place;
}

Expected<void> lower_measure(const Graph& graph, const Clusters& clusters, Storage& storage,
                             std::size_t group, Plan& plan) {
  const Node& node = graph.node(clusters.groups[group].root);
  const std::string name = graph.describe(node);
  INGOT_ASSIGN(const Location place,
               in_memory(graph, clusters, storage, group, node.inputs[0], name + ".size", plan));
  Kernel kernel{static_cast<std::uint32_t>(plan.kernels.size()),
                name,
                {},
                {},
                Measure{{place.buffer, place.offset, {}}, *measured_by(node)}};
  if (!node.name.empty()) kernel.sources.push_back(node.name);
  plan.kernels.push_back(std::move(kernel));
  return {};
}

}  // namespace ingot::plan
