// SPDX-License-Identifier: Apache-2.0
#include "plan/lower.h"

#include <algorithm>

#include "ir/op.h"
#include "ops/index.h"
#include "ops/window.h"
#include "plan/body_builder.h"
#include "plan/conv.h"
#include "plan/pack.h"
#include "plan/row_stages.h"

namespace ingot::plan {
namespace {

ReduceOp reduce_op(std::string_view name) {
  if (name == "reduce_max" || name == "window_max") return ReduceOp::max;
  if (name == "reduce_min" || name == "window_min") return ReduceOp::min;
  const bool product = name == "reduce_prod" || name == "window_prod";
  return product ? ReduceOp::prod : ReduceOp::sum;
}

class Lowering {
 public:
  Lowering(const Graph& graph, const Clusters& clusters, Storage& storage, std::size_t number,
           Plan& plan)
      : graph_(graph),
        clusters_(clusters),
        storage_(storage),
        plan_(plan),
        number_(static_cast<int>(number)),
        group_(clusters.groups[number]) {}

  Expected<Kernel> run() {
    Kernel kernel;
    kernel.id = static_cast<std::uint32_t>(plan_.kernels.size());
    name(kernel);
    kernel.space = group_.space;
    if (group_.copied.valid()) {
      INGOT_ASSIGN(kernel.work, copy());
      return kernel;
    }
    switch (group_.kind) {
      case Group::Kind::map: {
        INGOT_ASSIGN(kernel.work, map());
        break;
      }
      case Group::Kind::row: {
        INGOT_ASSIGN(kernel.work, row());
        break;
      }
      case Group::Kind::ordered: {
        if (graph_.node(group_.root).op->kind == OpKind::window) {
          INGOT_ASSIGN(kernel.work, window());
        } else {
          INGOT_ASSIGN(kernel.work, ordered(kernel.space));
        }
        break;
      }
      case Group::Kind::top_k: {
        INGOT_ASSIGN(kernel.work, top_k());
        break;
      }
      case Group::Kind::scatter: {
        INGOT_ASSIGN(kernel.work, scatter());
        break;
      }
      case Group::Kind::compact: {
        INGOT_ASSIGN(kernel.work, compact());
        break;
      }
      case Group::Kind::contract: {
        if (graph_.node(group_.root).op->name != "conv") {
          INGOT_ASSIGN(kernel.work, contract());
        } else if (ConvSpace(graph_, graph_.node(group_.root)).depthwise()) {
          INGOT_ASSIGN(kernel.work, depthwise(kernel.space));
        } else {
          INGOT_ASSIGN(kernel.work, conv(kernel.space));
        }
        break;
      }
      case Group::Kind::measure:
      case Group::Kind::loop:
        internal_error(__FILE__, __LINE__, "a loop is no kernel, and a size neither");
    }
    return kernel;
  }

 private:
  void name(Kernel& kernel) const {
    if (group_.copied.valid()) {
      const Node* node =
          group_.into.valid() ? &graph_.node(group_.into) : graph_.producer(group_.copied);
      // An input or a constant that is an output: the output has a name in any case.
      kernel.name = node != nullptr ? graph_.describe(*node) : graph_.outputs()[group_.number].name;
      if (node != nullptr) add_source(kernel, *node);
      return;
    }
    // After the product or the reduction, else after the last step: that is whose result it is.
    const bool pointwise = group_.kind == Group::Kind::map || group_.kind == Group::Kind::row;
    kernel.name = graph_.describe(graph_.node(pointwise ? group_.nodes.back() : group_.root));
    for (const NodeId id : group_.nodes) add_source(kernel, graph_.node(id));
  }

  /// Composed ops carry one name.
  static void add_source(Kernel& kernel, const Node& node) {
    const bool known =
        std::find(kernel.sources.begin(), kernel.sources.end(), node.name) != kernel.sources.end();
    if (!node.name.empty() && !known) kernel.sources.push_back(node.name);
  }

  BodyBuilder builder(Shape space, BodyBuilder::Internal internal, bool rows = false) {
    return BodyBuilder(graph_, clusters_, storage_, plan_, number_, std::move(space),
                       std::move(internal), rows);
  }
  static std::optional<Step> nothing(ValueId) { return std::nullopt; }

  Expected<Map> copy() {
    BodyBuilder builder = this->builder(group_.space, nothing);
    INGOT_ASSIGN(const std::uint32_t step, builder.step(group_.copied));
    const TensorType& type = graph_.type(group_.copied);
    Location place{0, 0, {}};
    if (group_.into.valid()) {
      const Node& node = graph_.node(group_.into);
      place = storage_.location(node.outputs[0]);
      for (std::uint32_t i = 0; i < group_.number; ++i) {
        const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
        place.offset += place.strides[axis] * graph_.type(node.inputs[i]).shape[axis];
      }
    } else {
      place = storage_.output(group_.number);
    }
    const Store store{step, builder.aligned(type.shape, place.buffer, place.offset, place.strides)};
    return Map{std::move(builder.body), std::move(builder.loads), {store}};
  }

  Expected<std::vector<Store>> stores(BodyBuilder& builder, const std::vector<NodeId>& nodes) {
    std::vector<Store> result;
    for (const NodeId id : nodes) {
      for (const ValueId value : graph_.node(id).outputs) {
        if (!clusters_.stored[value.index]) continue;
        INGOT_ASSIGN(const std::uint32_t step, builder.step(value));
        result.push_back(builder.store(value, step));
      }
    }
    return result;
  }

  Expected<Map> map() {
    BodyBuilder builder = this->builder(group_.space, nothing);
    const Node& first = graph_.node(group_.nodes[0]);
    if (first.op->kind == OpKind::move && !group_.view) {
      // The operand written out densely; its shape, not the result's, is the space.
      INGOT_ASSIGN(const std::uint32_t step, builder.step(first.outputs[0]));
      const Location& place = storage_.location(first.outputs[0]);
      const Store store{step, builder.aligned(group_.space, place.buffer, place.offset,
                                              dense_strides(group_.space))};
      return Map{std::move(builder.body), std::move(builder.loads), {store}};
    }
    INGOT_ASSIGN(std::vector<Store> stores, this->stores(builder, group_.nodes));
    return Map{std::move(builder.body), std::move(builder.loads), std::move(stores)};
  }

  Expected<Row> row() {
    const RowStages stages = assign_stages(graph_, clusters_, group_, number_);
    Row row;
    for (std::size_t s = 0; s < stages.stages.size(); ++s) {
      const RowStages::Stage& plan = stages.stages[s];
      BodyBuilder builder = this->builder(
          group_.space, [&](ValueId value) { return stages.internal(graph_, value, s); });
      Row::Stage stage;
      INGOT_ASSIGN(stage.stores, stores(builder, plan.stored));
      if (plan.reduction.valid()) {
        const Node& node = graph_.node(plan.reduction);
        INGOT_ASSIGN(const std::uint32_t step, builder.step(node.inputs[0]));
        stage.reduction = {reduce_op(node.op->name), step};
      }
      if (plan.kept.valid()) {
        INGOT_ASSIGN(const std::uint32_t step, builder.step(plan.kept));
        stage.keep = Row::Stage::Keep{step, 0};
      }
      stage.body = std::move(builder.body);
      stage.loads = std::move(builder.loads);
      row.stages.push_back(std::move(stage));
    }
    Shape rows = group_.space;
    rows.back() = 1;
    BodyBuilder builder = this->builder(
        rows, [&](ValueId value) { return stages.internal(graph_, value, stages.stages.size()); },
        true);
    INGOT_ASSIGN(row.finish_stores, stores(builder, stages.finish));
    row.finish = std::move(builder.body);
    row.finish_loads = std::move(builder.loads);
    return row;
  }

  /// The space is [results.., taps..]. Where no tap can be outside it is a reduction like others.
  Expected<OrderedReduce> window() {
    const Node& root = graph_.node(group_.root);
    const std::vector<ops::WindowAxis> axes = ops::window_axes(root.attributes);
    const Shape& sizes = graph_.type(root.inputs[0]).shape;
    const Shape& results = graph_.type(root.outputs[0]).shape;
    const SymbolRanges ranges = graph_.symbol_ranges();
    OrderedReduce work;
    work.op = reduce_op(root.op->name);
    work.reduced = static_cast<std::uint32_t>(group_.space.size() - results.size());
    std::vector<std::optional<std::uint32_t>> taps(axes.size());
    auto next = static_cast<std::uint32_t>(results.size());
    for (std::uint32_t d = 0; d < axes.size(); ++d) {
      const ops::WindowAxis& axis = axes[d];
      if (axis.taps == 1 && axis.inside()) continue;
      taps[d] = next++;
      // Pads may go unused: a stride that does not reach them.
      const Dim last = (results[d] - 1) * axis.stride + (axis.reach() - 1 - axis.pad_begin);
      const bool inside = axis.pad_begin <= 0 &&
                          (axis.pad_end <= 0 || (sizes[d] - 1 - last).bounds(ranges).lo >= 0);
      work.windows.push_back(
          {d, axis.taps, axis.stride, axis.dilation, axis.pad_begin, sizes[d], inside});
    }
    if (std::all_of(work.windows.begin(), work.windows.end(),
                    [](const Window& window) { return window.inside; }))
      work.windows.clear();

    BodyBuilder element = builder(group_.space, nothing);
    INGOT_TRY(element.window_step(root.inputs[0], axes, taps));
    work.body = std::move(element.body);
    work.loads = std::move(element.loads);
    BodyBuilder finish = builder(results, [&](ValueId value) { return result_of(root, value); });
    INGOT_ASSIGN(work.finish_stores, stores(finish, group_.nodes));
    work.finish = std::move(finish.body);
    work.finish_loads = std::move(finish.loads);
    for (View& view : work.finish_loads) view.strides.resize(group_.space.size(), 0);
    for (Store& store : work.finish_stores) store.view.strides.resize(group_.space.size(), 0);
    return work;
  }

  std::optional<Step> result_of(const Node& root, ValueId value) const {
    if (value != root.outputs[0]) return std::nullopt;
    return Step{.kind = Step::Kind::scalar, .dtype = graph_.type(value).dtype};
  }

  /// Views over [kept.., reduced..]; the space is permuted alike.
  Expected<OrderedReduce> ordered(std::vector<Dim>& space) {
    const Node& root = graph_.node(group_.root);
    const auto& axes = root.attributes.get<std::vector<std::int64_t>>("axes");
    const bool keep = root.attributes.get<bool>("keep_dims");
    std::vector<std::size_t> kept, reduced;
    for (std::size_t d = 0; d < group_.space.size(); ++d) {
      const bool is_reduced =
          std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d));
      (is_reduced ? reduced : kept).push_back(d);
    }
    OrderedReduce work;
    work.reduced = static_cast<std::uint32_t>(reduced.size());
    work.op = reduce_op(root.op->name);

    BodyBuilder element = builder(group_.space, nothing);
    INGOT_TRY(element.step(root.inputs[0]));
    work.body = std::move(element.body);
    work.loads = std::move(element.loads);
    auto permute = [&](std::vector<Dim>& dims) {
      std::vector<Dim> permuted;
      permuted.reserve(dims.size());
      for (const std::size_t d : kept) permuted.push_back(dims[d]);
      for (const std::size_t d : reduced) permuted.push_back(dims[d]);
      // Of a gather's view, the stride of its index.
      permuted.insert(permuted.end(), dims.begin() + static_cast<std::ptrdiff_t>(permuted.size()),
                      dims.end());
      dims = std::move(permuted);
    };
    for (View& view : work.loads) permute(view.strides);
    for (Step& step : work.body.steps) {
      if (step.kind != Step::Kind::index) continue;
      std::vector<std::size_t> order = kept;
      order.insert(order.end(), reduced.begin(), reduced.end());
      step.index = static_cast<std::uint32_t>(std::find(order.begin(), order.end(), step.index) -
                                              order.begin());
    }
    permute(space);

    BodyBuilder finish = builder(graph_.type(root.outputs[0]).shape,
                                 [&](ValueId value) { return result_of(root, value); });
    const auto after = std::find(group_.nodes.begin(), group_.nodes.end(), group_.root);
    INGOT_ASSIGN(work.finish_stores, stores(finish, {after, group_.nodes.end()}));
    work.finish = std::move(finish.body);
    work.finish_loads = std::move(finish.loads);
    auto spread = [&](std::vector<Dim>& strides) {
      std::vector<Dim> wide;
      wide.reserve(group_.space.size());
      for (std::size_t i = 0; i < kept.size(); ++i) wide.push_back(strides[keep ? kept[i] : i]);
      wide.resize(group_.space.size(), 0);
      strides = std::move(wide);
    };
    for (View& view : work.finish_loads) spread(view.strides);
    for (Store& store : work.finish_stores) spread(store.view.strides);
    for (Step& step : work.finish.steps) {
      if (step.kind != Step::Kind::index || !keep) continue;
      step.index = static_cast<std::uint32_t>(std::find(kept.begin(), kept.end(), step.index) -
                                              kept.begin());
    }
    return work;
  }

  Expected<TopK> top_k() {
    const Node& root = graph_.node(group_.root);
    TopK work;
    work.k = root.attributes.get<Shape>("k")[0];
    work.largest = root.attributes.get<bool>("largest");
    if (group_.space.back().bounds(graph_.symbol_ranges()).hi > TopK::short_row) work.heap = Dim(0);
    BodyBuilder element = builder(group_.space, nothing);
    INGOT_TRY(element.step(root.inputs[0]));
    work.body = std::move(element.body);
    work.loads = std::move(element.loads);
    BodyBuilder finish = builder(graph_.type(root.outputs[0]).shape, [&](ValueId value) {
      std::optional<Step> step;
      for (std::uint32_t i = 0; i < 2; ++i) {
        if (value != root.outputs[i]) continue;
        step = Step{.kind = Step::Kind::scalar, .dtype = graph_.type(value).dtype, .index = i};
      }
      return step;
    });
    const auto after = std::find(group_.nodes.begin(), group_.nodes.end(), group_.root);
    INGOT_ASSIGN(work.finish_stores, stores(finish, {after, group_.nodes.end()}));
    work.finish = std::move(finish.body);
    work.finish_loads = std::move(finish.loads);
    return work;
  }

  /// Over [batch.., indices.., inner..], as the updates are.
  Expected<Scatter> scatter() {
    const Node& root = graph_.node(group_.root);
    const std::size_t batch = ops::batch_axes(root.attributes);
    const std::size_t indexed = graph_.type(root.inputs[1]).rank();
    const ValueId result = root.outputs[0];
    Scatter work;
    BodyBuilder builder = this->builder(group_.space, nothing);
    INGOT_ASSIGN(work.update, builder.step(root.inputs[2]));
    INGOT_ASSIGN(work.index, builder.step_of_first_axes(root.inputs[1]));
    work.body = std::move(builder.body);
    work.loads = std::move(builder.loads);
    const Location& place = storage_.location(result);
    work.target = {place.buffer, place.offset, std::vector<Dim>(group_.space.size() + 1)};
    for (std::size_t d = 0; d < place.strides.size(); ++d) {
      const std::size_t to = d < batch    ? d
                             : d == batch ? group_.space.size()
                                          : d + indexed - batch - 1;
      work.target.strides[to] = place.strides[d];
    }
    work.before = work.target;
    work.size = graph_.type(result).shape[batch];
    const std::string& reduction = root.attributes.get<std::string>("reduction");
    if (reduction != "none") work.combine = reduce_op("reduce_" + reduction);
    return work;
  }

  Expected<Compact> compact() {
    const Node& root = graph_.node(group_.root);
    BodyBuilder builder = this->builder(group_.space, nothing);
    INGOT_TRY(builder.step(root.inputs[0]));
    auto place = [&](ValueId value) {
      const Location& location = storage_.location(value);
      std::vector<Dim> strides = location.strides;
      strides.resize(1);
      return View{location.buffer, location.offset, std::move(strides)};
    };
    return Compact{std::move(builder.body), std::move(builder.loads), place(root.outputs[0]),
                   place(root.outputs[1])};
  }

  Expected<Contract> contract() {
    const Node& root = graph_.node(group_.root);
    const ValueId a = root.inputs[0], b = root.inputs[1];
    Contract work;
    work.k = graph_.type(a).shape.back();
    work.chains = root.attributes.get<std::int64_t>("chains");

    BodyBuilder builder = this->builder(group_.space, [&](ValueId value) -> std::optional<Step> {
      if (value != root.outputs[0]) return std::nullopt;
      return Step{.kind = Step::Kind::product, .dtype = graph_.type(value).dtype};
    });
    // The contracted axis of an operand is aligned with an axis of the result: move it to the end.
    auto operand = [&](ValueId value, std::size_t contracted, std::size_t repeated) {
      View view = builder.view(value);
      const std::size_t rank = view.strides.size();
      view.strides.push_back(view.strides[rank - contracted]);
      view.strides[rank - repeated] = 0;
      return view;
    };
    work.a = operand(a, 1, 1);
    const ValueId bias = root.inputs.size() == 3 ? root.inputs[2] : ValueId{};
    if (graph_.type(b).rank() == 2 && is_packed(b, bias)) {
      work.b = pack(graph_.constant(b), constant_or_none(bias), plan_.weights);
    } else {
      View view = operand(b, 2, 2);
      work.b = std::move(view);
      if (bias.valid()) work.bias = builder.view(bias);
    }
    INGOT_ASSIGN(work.stores, stores(builder, group_.nodes));
    work.epilogue = std::move(builder.body);
    work.loads = std::move(builder.loads);
    return work;
  }

  /// Weights that are known are packed, but for those that are one number over and over: a view
  /// repeats it.
  bool is_packed(ValueId b, ValueId bias) const {
    if (!graph_.is_constant(b) || (bias.valid() && !graph_.is_constant(bias))) return false;
    const Tensor& weights = graph_.constant(b);
    constexpr std::int64_t written_out = 1024;
    if (weights.is_splat() && weights.elements() > written_out) return false;
    return weights.shape().back() != 0;
  }
  const Tensor* constant_or_none(ValueId value) const {
    return value.valid() ? &graph_.constant(value) : nullptr;
  }

  /// A sum of products for each channel: vectors run along channels.
  Expected<OrderedReduce> depthwise(std::vector<Dim>& space) {
    const Node& root = graph_.node(group_.root);
    const DType dtype = graph_.type(root.outputs[0]).dtype;
    BodyBuilder builder =
        this->builder(group_.space, [&](ValueId value) { return result_of(root, value); });
    ConvSpace::Depthwise over =
        ConvSpace(graph_, root)
            .depthwise(builder.view(root.inputs[0]), builder.view(root.inputs[1]));
    space = std::move(over.extents);
    OrderedReduce work;
    work.reduced = static_cast<std::uint32_t>(space.size() - group_.space.size());
    work.windows = std::move(over.windows);
    work.loads = {std::move(over.w), std::move(over.x)};
    for (std::uint32_t i = 0; i < 2; ++i)
      work.body.steps.push_back({.kind = Step::Kind::load, .dtype = dtype, .index = i});
    work.times = 0;
    auto over_taps = [&](View& view) { view.strides.resize(space.size(), 0); };
    if (root.inputs.size() == 3) {
      work.start = builder.view(root.inputs[2]);
      over_taps(*work.start);
    }
    INGOT_ASSIGN(work.finish_stores, stores(builder, group_.nodes));
    work.finish = std::move(builder.body);
    work.finish_loads = std::move(builder.loads);
    for (View& view : work.finish_loads) over_taps(view);
    for (Store& store : work.finish_stores) over_taps(store.view);
    return work;
  }

  Expected<Contract> conv(std::vector<Dim>& space) {
    const Node& root = graph_.node(group_.root);
    const ValueId x = root.inputs[0], w = root.inputs[1];
    const ValueId bias = root.inputs.size() == 3 ? root.inputs[2] : ValueId{};
    const ConvSpace over(graph_, root);
    BodyBuilder builder = this->builder(group_.space, [&](ValueId value) -> std::optional<Step> {
      if (value != root.outputs[0]) return std::nullopt;
      return Step{.kind = Step::Kind::product, .dtype = graph_.type(value).dtype};
    });
    Contract work;
    work.k = over.channels();
    if (over.grouped()) work.group_dim = 0;
    const View input = builder.view(x);
    work.a = over.input(input);
    if (is_packed(w, bias)) {
      PackedWeights packed =
          pack_conv(graph_.constant(w), constant_or_none(bias), over.groups(), plan_.weights);
      work.group_bytes = (packed.bytes + 63) / 64 * 64;
      work.b = std::move(packed);
      work.taps = over.taps(input.strides, {});
    } else {
      const View weights = builder.view(w);
      work.b = over.weights(weights);
      work.taps = over.taps(input.strides, weights.strides);
      if (bias.valid()) {
        work.bias = builder.view(bias);
        work.bias->strides = over.over(work.bias->strides);
      }
    }
    INGOT_ASSIGN(work.stores, stores(builder, group_.nodes));
    work.epilogue = std::move(builder.body);
    work.loads = std::move(builder.loads);
    over.rename(work.epilogue, work.stores);
    for (View& view : work.loads) view.strides = over.over(view.strides);
    for (Store& store : work.stores) store.view.strides = over.over(store.view.strides);
    space = over.extents();
    join_taps(work);
    return work;
  }

  const Graph& graph_;
  const Clusters& clusters_;
  Storage& storage_;
  Plan& plan_;
  int number_;
  const Group& group_;
};

}  // namespace

Expected<void> lower_group(const Graph& graph, const Clusters& clusters, Storage& storage,
                           std::size_t group, Plan& plan) {
  if (!clusters.groups[group].copied.valid()) {
    if (clusters.groups[group].kind == Group::Kind::loop)
      return lower_loop(graph, clusters, storage, group, plan);
    if (clusters.groups[group].kind == Group::Kind::measure)
      return lower_measure(graph, clusters, storage, group, plan);
  }
  Lowering lowering(graph, clusters, storage, group, plan);
  INGOT_ASSIGN(Kernel kernel, lowering.run());
  collapse(kernel);
  plan.kernels.push_back(std::move(kernel));
  return {};
}

}  // namespace ingot::plan
