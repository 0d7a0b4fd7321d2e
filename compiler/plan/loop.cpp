// SPDX-License-Identifier: Apache-2.0
// Loops: the body's kernels stand once in the plan, in a block of one iteration. What is carried
// from one iteration to the next lies in a buffer of two: iteration t reads entry t mod 2 and
// writes the other one, so that nothing is copied between iterations.
#include "ops/loop.h"

#include "plan/blocks.h"
#include "plan/body_builder.h"
#include "plan/lower.h"

namespace ingot::plan {
namespace {

class LoopLowering {
 public:
  LoopLowering(const Graph& graph, const Clusters& clusters, Storage& storage, std::size_t group,
               Plan& plan)
      : graph_(graph),
        clusters_(clusters),
        storage_(storage),
        plan_(plan),
        group_(static_cast<int>(group)),
        node_(graph.node(clusters.groups[group].root)),
        scan_(node_),
        name_(graph.describe(node_)) {}

  Expected<void> run() {
    // Its place in the list is before those of loops within it.
    const std::size_t number = plan_.blocks.size();
    Block block{0, 0, scan_.trips, 1, fresh_symbol(plan_, name("t")), {}, true};
    plan_.blocks.push_back(block);
    block.count = fresh_symbol(plan_, name("count"));
    plan_.blocks[number].count = block.count;
    trip_ = Dim::symbol(block.begin);

    INGOT_TRY(start());
    INGOT_TRY(bring());
    deliver();
    plan_.blocks[number].first = static_cast<std::uint32_t>(plan_.kernels.size());
    if (scan_.turns) {
      plan_.blocks[number].condition = View{condition_, 0, {}};
      plan_.blocks[number].turns = *scan_.turns;
    }
    INGOT_TRY(lower_nodes(*scan_.body, "", surroundings_, std::move(ports_), plan_));
    plan_.blocks[number].last = static_cast<std::uint32_t>(plan_.kernels.size() - 1);
    return finish();
  }

 private:
  /// A symbol's name, from the node's where that will do.
  std::string name(const std::string& what) const {
    return is_symbol_name(name_) ? name_ + "." + what : "loop." + what;
  }

  BodyBuilder builder(const Shape& space) {
    return BodyBuilder(
        graph_, clusters_, storage_, plan_, group_, space, [](ValueId) { return std::nullopt; },
        false);
  }

  BufferId add_buffer(DType dtype, Shape shape, std::string name) {
    plan_.buffers.push_back({Buffer::Kind::arena, dtype, std::move(shape), 0, 0, std::move(name)});
    return static_cast<BufferId>(plan_.buffers.size() - 1);
  }

  void add_kernel(const std::string& what, const Shape& space, Map map) {
    Kernel kernel{static_cast<std::uint32_t>(plan_.kernels.size()),
                  fmt::format("{}.{}", name_, what),
                  {},
                  space,
                  std::move(map)};
    if (!node_.name.empty()) kernel.sources.push_back(node_.name);
    collapse(kernel);
    plan_.kernels.push_back(std::move(kernel));
  }

  Expected<void> copy(ValueId value, const Location& to, const std::string& what) {
    const Shape& shape = graph_.type(value).shape;
    BodyBuilder builder = this->builder(shape);
    INGOT_ASSIGN(const std::uint32_t step, builder.step(value));
    const Store store{step, builder.aligned(shape, to.buffer, to.offset, to.strides)};
    add_kernel(what, shape, Map{std::move(builder.body), std::move(builder.loads), {store}});
    return {};
  }

  /// Entry `t` mod 2 of a carried value.
  Location carried(std::size_t i, const Dim& t) const {
    const Shape& shape = graph_.type(node_.inputs[i]).shape;
    Location place = dense_location(carried_[i], shape);
    place.offset = Dim::mod(t, 2) * product(shape);
    return place;
  }

  /// Where iteration t finds or leaves its entry of an axis.
  Location entry(Location whole, const ops::Scan::Along& along) const {
    const Dim number = along.reversed ? scan_.trips - 1 - trip_ : trip_;
    const auto axis = whole.strides.begin() + static_cast<std::ptrdiff_t>(along.axis);
    whole.offset += number * *axis;
    whole.strides.erase(axis);
    return whole;
  }

  /// Before the first iteration.
  Expected<void> start() {
    for (std::size_t i = 0; i < scan_.carried; ++i) {
      const TensorType& type = graph_.type(node_.inputs[i]);
      Shape twice = type.shape;
      twice.insert(twice.begin(), 2);
      const std::string& called = scan_.body->value(scan_.body_input(i)).name;
      carried_.push_back(add_buffer(type.dtype, std::move(twice), name_ + "." + called));
      INGOT_TRY(copy(node_.inputs[i], carried(i, 0), "start"));
    }
    if (!scan_.turns) return {};
    condition_ = add_buffer(DType::boolean, {}, name_ + ".condition");
    return copy(node_.inputs.back(), {condition_, 0, {}}, "start");
  }

  /// What the body's inputs are.
  Expected<void> bring() {
    auto memory = [&](std::size_t operand, Location place) {
      const ValueId input = scan_.body_input(operand);
      const bool dense = is_dense(scan_.body->type(input).shape, place.strides);
      surroundings_.inputs.push_back({Access::Kind::memory, input, 0, place.strides, dense});
      ports_.inputs.push_back(std::move(place));
    };
    surroundings_.inputs.push_back({Access::Kind::dim, {}, trip_, {}, true});
    ports_.inputs.emplace_back();
    for (std::size_t i = 0; i < scan_.carried; ++i) memory(i, carried(i, trip_));
    for (std::size_t i = scan_.carried; i < node_.inputs.size(); ++i) {
      INGOT_ASSIGN(Location place,
                   in_memory(graph_, clusters_, storage_, static_cast<std::size_t>(group_),
                             node_.inputs[i], name_ + ".sizes", plan_));
      const std::size_t slice = i - scan_.carried;
      memory(i, slice < scan_.sliced ? entry(std::move(place), scan_.of_operand(slice))
                                     : std::move(place));
    }
    return {};
  }

  /// Where the body's outputs go.
  void deliver() {
    for (std::size_t i = 0; i < scan_.carried; ++i) {
      ports_.outputs.push_back(carried(i, trip_ + 1));
      surroundings_.is_strided.push_back(false);
    }
    for (std::size_t i = 0; i < scan_.stacked; ++i) {
      Location place =
          entry(storage_.location(node_.outputs[scan_.carried + i]), scan_.of_result(i));
      const ValueId output = scan_.body->outputs()[scan_.carried + i].value;
      surroundings_.is_strided.push_back(!is_dense(scan_.body->type(output).shape, place.strides));
      ports_.outputs.push_back(std::move(place));
    }
    if (!scan_.turns) return;
    ports_.outputs.push_back({condition_, 0, {}});
    surroundings_.is_strided.push_back(false);
  }

  /// What the last iteration has left, where anybody wants it.
  Expected<void> finish() {
    for (std::size_t i = 0; i < scan_.carried; ++i) {
      const ValueId result = node_.outputs[i];
      if (!clusters_.stored[result.index]) continue;
      const TensorType& type = graph_.type(result);
      const Location from = carried(i, scan_.entries()), to = storage_.location(result);
      BodyBuilder builder = this->builder(type.shape);
      Map map;
      map.loads = {builder.aligned(type.shape, from.buffer, from.offset, from.strides)};
      map.body.steps = {{.kind = Step::Kind::load, .dtype = type.dtype, .index = 0}};
      map.stores = {{0, builder.aligned(type.shape, to.buffer, to.offset, to.strides)}};
      add_kernel("finish", type.shape, std::move(map));
    }
    return {};
  }

  const Graph& graph_;
  const Clusters& clusters_;
  Storage& storage_;
  Plan& plan_;
  int group_;
  const Node& node_;
  const ops::Scan scan_;
  std::string name_;
  Dim trip_;
  std::vector<BufferId> carried_;
  BufferId condition_ = 0;
  Surroundings surroundings_;
  Ports ports_;
};

}  // namespace

Expected<void> lower_loop(const Graph& graph, const Clusters& clusters, Storage& storage,
                          std::size_t group, Plan& plan) {
  return LoopLowering(graph, clusters, storage, group, plan).run();
}

}  // namespace ingot::plan
