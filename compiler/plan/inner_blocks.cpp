// SPDX-License-Identifier: Apache-2.0
#include "plan/inner_blocks.h"

#include <algorithm>
#include <limits>
#include <set>

#include "ir/op.h"
#include "plan/blocks.h"
#include "plan/rows.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

/// Shorter axes are no matter.
constexpr std::int64_t long_axis = 256;
constexpr const char* begin_name = "inner.begin";
constexpr const char* count_name = "inner.count";

bool mentions_count(const Dim& dim) {
  std::set<std::string> symbols;
  dim.collect_symbols(symbols);
  return symbols.count(count_name) != 0;
}
bool mentions_count(const std::vector<Dim>& dims) {
  return std::any_of(dims.begin(), dims.end(), [](const Dim& dim) { return mentions_count(dim); });
}

/// Rows meet in reductions only, which take them in order, and nothing goes back to rows from
/// there.
bool meets_in_order(const Graph& graph, const Rows& rows) {
  for (const Node& node : graph.nodes()) {
    auto any = [&](Rows::Place::Kind kind) {
      return std::any_of(node.inputs.begin(), node.inputs.end(),
                         [&](ValueId value) { return rows[value].kind == kind; });
    };
    if (any(Rows::Place::Kind::rows) && any(Rows::Place::Kind::mixed)) return false;
  }
  return !rows.counted && !rows.mixers.empty() &&
         std::all_of(rows.mixers.begin(), rows.mixers.end(), [&](NodeId id) {
           const Node& node = graph.node(id);
           return node.op->kind == OpKind::reduce &&
                  node.attributes.get<std::string>("order") == "index";
         });
}

/// Nothing stands before the axis in the tensors of the caller.
bool leads(const Shape& shape, const Rows::Place& place) {
  return place.kind != Rows::Place::Kind::rows ||
         std::all_of(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(place.axis),
                     [](const Dim& dim) { return dim.is(1); });
}

/// The graph of one block: the axis has a symbol's size.
Expected<Graph> open_axis(const Graph& graph, const Rows& rows, const Dim& extent) {
  Graph opened;
  opened.name = graph.name;
  opened.arithmetic = graph.arithmetic;
  for (const Symbol& symbol : graph.symbols()) opened.declare_symbol(symbol.name, symbol.range);
  opened.declare_symbol(count_name, {1, *extent.value()});
  const Dim count = Dim::symbol(count_name);
  auto shape_of = [&](ValueId value) {
    Shape shape = graph.type(value).shape;
    const Rows::Place& place = rows[value];
    if (place.kind == Rows::Place::Kind::rows) shape[place.axis] = count * place.factor;
    return shape;
  };
  std::vector<ValueId> mapped(graph.value_count());
  for (const ValueId input : graph.inputs()) {
    mapped[input.index] =
        opened.add_input(graph.value(input).name, {graph.type(input).dtype, shape_of(input)});
  }
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(NodeId{i});
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) {
      if (!mapped[input.index].valid() && graph.is_constant(input))
        mapped[input.index] = opened.add_constant(graph.constant(input));
      inputs.push_back(mapped[input.index]);
    }
    Attributes attributes = node.attributes;
    if (rows[node.outputs[0]].kind == Rows::Place::Kind::rows) {
      const char* name = node.op->name == "slice" ? "size" : "shape";
      const bool shaped =
          node.op->name == "slice" || node.op->name == "reshape" || node.op->name == "broadcast";
      if (shaped) attributes.set(name, shape_of(node.outputs[0]));
    }
    INGOT_ASSIGN(const std::vector<ValueId> outputs,
                 opened.add_node(*node.op, std::move(inputs), std::move(attributes), node.name));
    for (std::size_t o = 0; o < outputs.size(); ++o) mapped[node.outputs[o].index] = outputs[o];
  }
  for (const Output& output : graph.outputs()) {
    ValueId& value = mapped[output.value.index];
    if (!value.valid() && graph.is_constant(output.value))
      value = opened.add_constant(graph.constant(output.value));
    opened.add_output(output.name, value);
  }
  return opened;
}

/// Kernels that stand before the block, in it, and after it; false if they can't.
bool sort_kernels(Plan& plan, Block& block) {
  std::vector<Kernel> parts[3];
  std::set<BufferId> made_inside, made_after;
  for (Kernel& kernel : plan.kernels) {
    const bool inside = mentions_count(kernel.space);
    bool reads_inside = false, reads_after = false;
    std::vector<BufferId> writes;
    visit_views(kernel, [&](const View& view, const Use& use) {
      if (use.write) {
        writes.push_back(view.buffer);
      } else {
        reads_inside = reads_inside || made_inside.count(view.buffer) != 0;
        reads_after = reads_after || made_after.count(view.buffer) != 0;
      }
    });
    if (inside && reads_after) return false;
    const int part = inside ? 1 : reads_inside || reads_after ? 2 : 0;
    // What outlives a block has no block's size.
    if (!inside) {
      bool whole = true;
      visit_views(kernel, [&](const View& view, const Use&) {
        whole = whole && !mentions_count(plan.buffers[view.buffer].shape);
      });
      if (!whole) return false;
    }
    if (part == 1) made_inside.insert(writes.begin(), writes.end());
    if (part == 2) made_after.insert(writes.begin(), writes.end());
    parts[part].push_back(std::move(kernel));
  }
  if (parts[1].empty()) return false;
  plan.kernels.clear();
  for (std::vector<Kernel>& part : parts) {
    if (&part == &parts[1]) {
      block.first = static_cast<std::uint32_t>(plan.kernels.size());
      block.last = block.first + static_cast<std::uint32_t>(part.size()) - 1;
    }
    for (Kernel& kernel : part) plan.kernels.push_back(std::move(kernel));
  }
  return true;
}

template <class T>
Step neutral(ReduceOp op, DType dtype) {
  using Limits = std::numeric_limits<T>;
  T value(op == ReduceOp::prod ? 1 : 0);
  if (op == ReduceOp::max) value = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  if (op == ReduceOp::min) value = Limits::has_infinity ? Limits::infinity() : Limits::max();
  Step step{.kind = Step::Kind::constant, .dtype = dtype};
  step.constant = Tensor::scalar(dtype, value);
  return step;
}

/// What a reduction starts from; none for types that are accumulated in another.
std::optional<Step> neutral(ReduceOp op, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return neutral<float>(op, dtype);
    case DType::f64:
      return neutral<double>(op, dtype);
    case DType::i32:
      return neutral<std::int32_t>(op, dtype);
    case DType::i64:
      return neutral<std::int64_t>(op, dtype);
    default:
      return std::nullopt;
  }
}

/// Reductions along the axis go on from where the last block left them. Each gets a kernel in
/// front of the block that sets its results to what changes nothing. False if one can't.
bool carry_on(Plan& plan, Block& block) {
  std::vector<Kernel> starts;
  for (std::uint32_t k = block.first; k <= block.last; ++k) {
    Kernel& kernel = plan.kernels[k];
    auto* reduce = std::get_if<OrderedReduce>(&kernel.work);
    if (reduce == nullptr) continue;
    const auto kept = static_cast<std::ptrdiff_t>(kernel.space.size() - reduce->reduced);
    if (!mentions_count(std::vector<Dim>(kernel.space.begin() + kept, kernel.space.end())))
      continue;
    const bool bare = reduce->finish.steps.size() == 1 && reduce->finish_stores.size() == 1 &&
                      reduce->finish.steps[0].kind == Step::Kind::scalar && !reduce->times &&
                      reduce->windows.empty();
    const std::optional<Step> nothing =
        bare ? neutral(reduce->op, reduce->finish.steps[0].dtype) : std::nullopt;
    if (!nothing) return false;
    reduce->start = reduce->finish_stores[0].view;
    Kernel start;
    start.name = kernel.name;
    start.sources = kernel.sources;
    start.space.assign(kernel.space.begin(), kernel.space.begin() + kept);
    Map map;
    map.body.steps.push_back(*nothing);
    View view = *reduce->start;
    view.strides.resize(static_cast<std::size_t>(kept));
    map.stores.push_back({0, std::move(view)});
    start.work = std::move(map);
    starts.push_back(std::move(start));
  }
  const auto more = static_cast<std::uint32_t>(starts.size());
  plan.kernels.insert(plan.kernels.begin() + block.first, std::make_move_iterator(starts.begin()),
                      std::make_move_iterator(starts.end()));
  block.first += more;
  block.last += more;
  return true;
}

/// The caller's tensors have the whole axis, and a block begins somewhere in it.
bool restore_ports(Plan& plan, const Graph& graph, const Block& block) {
  std::vector<bool> opened(plan.buffers.size());
  for (const bool outputs : {false, true}) {
    auto& ports = outputs ? plan.outputs : plan.inputs;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const ValueId value = outputs ? graph.outputs()[i].value : graph.inputs()[i];
      opened[ports[i].buffer] = mentions_count(ports[i].type.shape);
      ports[i].type = graph.type(value);
      plan.buffers[ports[i].buffer].shape = ports[i].type.shape;
    }
  }
  bool fit = true;
  const Dim begin = Dim::symbol(block.begin);
  for (Kernel& kernel : plan.kernels) {
    visit_views(kernel, [&](View& view, const Use&) {
      const Buffer& buffer = plan.buffers[view.buffer];
      if (buffer.kind == Buffer::Kind::arena) return;
      fit = fit && !mentions_count(view.offset) && !mentions_count(view.strides);
      if (opened[view.buffer]) view.offset += begin * row_elements(buffer, block);
    });
    visit_bodies(kernel, [&](const Body& body) {
      for (const Step& step : body.steps) fit = fit && !mentions_count(step.dim);
    });
    if (const auto* scatter = std::get_if<Scatter>(&kernel.work))
      fit = fit && !mentions_count(scatter->size);
    if (const auto* top = std::get_if<TopK>(&kernel.work)) fit = fit && !mentions_count(top->k);
    if (const auto* contract = std::get_if<Contract>(&kernel.work))
      fit = fit && !mentions_count(contract->k);
  }
  return fit;
}

}  // namespace

Expected<std::optional<InnerBlocks>> block_inner_axis(const Graph& graph) {
  std::set<std::int64_t> sizes;
  for (const ValueId input : graph.inputs()) {
    for (const Dim& dim : graph.type(input).shape) {
      if (dim.value().value_or(0) >= long_axis) sizes.insert(*dim.value());
    }
  }
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
    const Rows rows = find_rows(graph, *size);
    bool fit = meets_in_order(graph, rows);
    for (const ValueId input : graph.inputs())
      fit = fit && leads(graph.type(input).shape, rows[input]);
    for (const Output& output : graph.outputs())
      fit = fit && leads(graph.type(output.value).shape, rows[output.value]);
    if (!fit) continue;
    const Expected<Graph> opened = open_axis(graph, rows, *size);
    if (!opened || !opened->constraints().empty()) continue;
    InnerBlocks result;
    INGOT_ASSIGN(result.plan, lower_graph(*opened, count_name));
    result.block = {0, 0, *size, *size, begin_name, count_name};
    if (!sort_kernels(result.plan, result.block) || !carry_on(result.plan, result.block) ||
        !restore_ports(result.plan, graph, result.block))
      continue;
    for (std::uint32_t k = 0; k < result.plan.kernels.size(); ++k) result.plan.kernels[k].id = k;
    return std::optional(std::move(result));
  }
  return std::optional<InnerBlocks>();
}

}  // namespace ingot::plan
