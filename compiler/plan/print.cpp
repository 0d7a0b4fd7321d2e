// SPDX-License-Identifier: Apache-2.0
#include "plan/print.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "ir/literal.h"
#include "ir/op.h"

namespace ingot::plan {
namespace {

class Printer {
 public:
  explicit Printer(const Plan& plan) : plan_(plan) {}

  Text run() {
    line("plan {} {}", quoted(plan_.name),
         plan_.arithmetic == Arithmetic::fused ? "fused" : "strict");
    for (std::size_t i = 0; i < plan_.symbols.size(); ++i) {
      const Symbol& symbol = plan_.symbols[i];
      const bool rows = i < plan_.independent.size() && plan_.independent[i];
      line("symbol {} in [{}, {}]{}{}", symbol.name, symbol.range.lo, symbol.range.hi,
           symbol.bound ? fmt::format(" up to {}", symbol.bound->str()) : "", rows ? ", rows" : "");
    }
    for (const Constraint& constraint : plan_.constraints) {
      const bool equal = constraint.relation == Constraint::Relation::equal;
      line("require {} {} {} {}", constraint.left.str(),
           equal ? "==" : ">=", constraint.right.str(), quoted(constraint.reason));
    }
    for (const Plan::Port& port : plan_.inputs) this->port("input", port);
    for (const Plan::Port& port : plan_.outputs) this->port("output", port);
    line("workspace {} bytes", plan_.workspace_bytes.str());
    if (!plan_.least_bytes.is(0)) line("alive {} bytes", plan_.least_bytes.str());
    line("weights {} bytes #{:016x}", plan_.weights.size(), weights_hash(plan_.weights));
    if (plan_.self_test) self_test(*plan_.self_test);
    for (const Block& block : plan_.blocks) {
      line("{} {} to {} by {} as {}, {} of {}{}", block.loop ? "loop" : "block", block.first,
           block.last, block.size, block.begin, block.count, block.extent.str(),
           block.condition ? fmt::format(" while {} gives {}", view(*block.condition), block.turns)
                           : "");
    }
    for (const Fork& fork : plan_.forks) {
      std::vector<std::string> parts;
      for (const Fork::Part& part : fork.parts)
        parts.push_back(fmt::format("{} to {}", part.first, part.last));
      line("fork {}", fmt::join(parts, ", "));
    }
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) buffer(i, plan_.buffers[i]);
    for (const Kernel& kernel : plan_.kernels) {
      text_.kernel_lines.push_back(line_ + 1);
      this->kernel(kernel);
    }
    return std::move(text_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_.text += fmt::format(format, std::forward<Args>(args)...);
    text_.text += '\n';
    ++line_;
  }

  void port(std::string_view direction, const Plan::Port& port) {
    line("{} {} {} in b{}", direction, quoted(port.name), str(port.type), port.buffer);
  }

  void self_test(const SelfTest& test) {
    std::string sizes;
    for (const auto& [symbol, value] : test.symbols) sizes += fmt::format(" {}={}", symbol, value);
    line("self_test seed {}{} gives #{:016x}", test.seed, sizes, test.output_hash);
  }

  void buffer(std::size_t i, const Buffer& buffer) {
    const std::string type = std::string(ingot::name(buffer.dtype)) + str(buffer.shape);
    const std::string name = quoted(buffer.name), offset = buffer.offset.str();
    switch (buffer.kind) {
      case Buffer::Kind::input:
        return line("b{} = input {} {} {}", i, buffer.index, type, name);
      case Buffer::Kind::output:
        return line("b{} = output {} {} {}", i, buffer.index, type, name);
      case Buffer::Kind::weights:
        return line("b{} = weights {} {} at {}", i, type, name, offset);
      case Buffer::Kind::arena:
        return line("b{} = arena {} {} at {}", i, type, name, offset);
    }
  }

  void kernel(const Kernel& kernel) {
    std::string sources;
    for (const std::string& source : kernel.sources) {
      sources += (sources.empty() ? " from " : ", ") + quoted(source);
    }
    line("kernel {} {} {} {}{}", kernel.id, kind_name(kernel), quoted(kernel.name),
         str(kernel.space), sources);
    if (const auto* map = std::get_if<Map>(&kernel.work)) {
      body(map->body, map->loads, map->stores);
    } else if (const auto* row = std::get_if<Row>(&kernel.work)) {
      for (std::size_t s = 0; s < row->stages.size(); ++s) {
        const Row::Stage& stage = row->stages[s];
        line("  stage {}", s);
        body(stage.body, stage.loads, stage.stores);
        if (stage.reduction)
          line("    s{} = {} of %{}", s, name(stage.reduction->op), stage.reduction->step);
        if (stage.keep) line("    keep %{} at {}", stage.keep->step, stage.keep->offset.str());
      }
      line("  finish");
      body(row->finish, row->finish_loads, row->finish_stores);
    } else if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
      line("  {} over the last {} in order", name(reduce->op), reduce->reduced);
      for (const Window& window : reduce->windows) line("  window {}", this->window(window));
      body(reduce->body, reduce->loads, {});
      if (reduce->times) line("    times %{}", *reduce->times);
      if (reduce->start) line("    start {}", view(*reduce->start));
      line("  finish");
      body(reduce->finish, reduce->finish_loads, reduce->finish_stores);
    } else if (const auto* top = std::get_if<TopK>(&kernel.work)) {
      line("  the {} {}", top->largest ? "largest" : "smallest", top->k.str());
      if (top->heap) line("  heap at {}", top->heap->str());
      body(top->body, top->loads, {});
      line("  finish");
      body(top->finish, top->finish_loads, top->finish_stores);
    } else if (const auto* scatter = std::get_if<Scatter>(&kernel.work)) {
      body(scatter->body, scatter->loads, {});
      line("  before {}", view(scatter->before));
      line("  {} %{} to {} at %{} below {}",
           scatter->combine ? name(*scatter->combine) : std::string_view("put"), scatter->update,
           view(scatter->target), scatter->index, scatter->size.str());
    } else if (const auto* compact = std::get_if<Compact>(&kernel.work)) {
      body(compact->body, compact->loads, {});
      line("  places {}", view(compact->places));
      line("  count {}", view(compact->count));
    } else if (const auto* measure = std::get_if<Measure>(&kernel.work)) {
      line("  {} is {}", measure->symbol, view(measure->count));
    } else if (const auto* contract = std::get_if<Contract>(&kernel.work)) {
      this->contract(*contract);
    }
  }

  void contract(const Contract& contract) {
    line("  a {}", view(contract.a));
    if (const auto* packed = std::get_if<PackedWeights>(&contract.b)) {
      line("  b {} [{}, {}]{} in {} bytes at {}",
           packed->layout == PackedWeights::Layout::dots ? "dots" : "panels", packed->k, packed->n,
           packed->has_bias ? " with bias" : "", packed->bytes, packed->offset.str());
    } else {
      line("  b {}", view(std::get<View>(contract.b)));
    }
    if (contract.bias) line("  bias {}", view(*contract.bias));
    if (contract.group_dim)
      line("  groups along {} of {} bytes", *contract.group_dim, contract.group_bytes);
    for (const Contract::Taps& taps : contract.taps) {
      line("  taps {}, a by {}, b by {}", window(taps.window), taps.a_stride.str(),
           taps.b_stride.str());
    }
    line("  sum of {} in {} {}", contract.k.str(), contract.chains,
         contract.chains == 1 ? "chain" : "chains");
    body(contract.epilogue, contract.loads, contract.stores);
  }

  static std::string window(const Window& window) {
    return fmt::format("{} along {} by {}, dilated by {}, padded by {}, size {}{}", window.taps,
                       window.output, window.stride, window.dilation, window.pad_begin,
                       window.size.str(), window.inside ? ", inside" : "");
  }

  static std::string view(const View& view) {
    std::vector<std::string> strides;
    for (const Dim& stride : view.strides) strides.push_back(stride.str());
    return fmt::format("b{} + {} by [{}]", view.buffer, view.offset.str(),
                       fmt::join(strides, ", "));
  }

  void body(const Body& body, const std::vector<View>& loads, const std::vector<Store>& stores) {
    for (std::size_t i = 0; i < body.steps.size(); ++i) {
      const Step& step = body.steps[i];
      line("    %{}: {} = {}", i, ingot::name(step.dtype), this->step(step, loads));
    }
    for (const Store& store : stores) line("    store %{} to {}", store.step, view(store.view));
  }

  static std::string step(const Step& step, const std::vector<View>& loads) {
    switch (step.kind) {
      case Step::Kind::load:
        return "load " + view(loads[step.index]);
      case Step::Kind::constant:
        return element_str(step.constant, 0);
      case Step::Kind::index:
        return fmt::format("index {}", step.index);
      case Step::Kind::dim:
        return fmt::format("size {}", step.dim.str());
      case Step::Kind::scalar:
        return fmt::format("s{}", step.index);
      case Step::Kind::temp:
        return fmt::format("kept {}", step.index);
      case Step::Kind::product:
        return "product";
      case Step::Kind::apply:
        return fmt::format("{} %{}", step.op->name, fmt::join(step.operands, ", %"));
      case Step::Kind::gather:
        return fmt::format("gather {} at %{} below {}", view(loads[step.index]), step.operands[0],
                           step.dim.str());
    }
    return "";
  }

  const Plan& plan_;
  Text text_;
  unsigned line_ = 0;
};

/// Every body of a kernel with its views, and the points that it is evaluated at.
struct Part {
  const Body* body;
  const std::vector<View>* loads;
  const std::vector<Store>* stores;
  std::vector<Dim> space;
};

std::vector<Part> parts(const Kernel& kernel) {
  static const std::vector<Store> none;
  const std::vector<Dim>& all = kernel.space;
  if (const auto* map = std::get_if<Map>(&kernel.work))
    return {{&map->body, &map->loads, &map->stores, all}};
  if (const auto* row = std::get_if<Row>(&kernel.work)) {
    std::vector<Part> result;
    for (const Row::Stage& stage : row->stages) {
      result.push_back({&stage.body, &stage.loads, &stage.stores, all});
    }
    std::vector<Dim> rows = all;
    rows.back() = 1;
    result.push_back({&row->finish, &row->finish_loads, &row->finish_stores, rows});
    return result;
  }
  if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
    std::vector<Dim> kept = all;
    std::fill(kept.end() - reduce->reduced, kept.end(), Dim(1));
    return {{&reduce->body, &reduce->loads, &none, all},
            {&reduce->finish, &reduce->finish_loads, &reduce->finish_stores, kept}};
  }
  if (const auto* top = std::get_if<TopK>(&kernel.work)) {
    std::vector<Dim> first = all;
    first.back() = top->k;
    return {{&top->body, &top->loads, &none, all},
            {&top->finish, &top->finish_loads, &top->finish_stores, first}};
  }
  if (const auto* scatter = std::get_if<Scatter>(&kernel.work))
    return {{&scatter->body, &scatter->loads, &none, all}};
  if (const auto* compact = std::get_if<Compact>(&kernel.work))
    return {{&compact->body, &compact->loads, &none, all}};
  if (std::holds_alternative<Measure>(kernel.work)) return {};
  const auto& contract = std::get<Contract>(kernel.work);
  return {{&contract.epilogue, &contract.loads, &contract.stores, all}};
}

/// Products of one sum.
Dim terms(const Contract& contract) {
  Dim terms = contract.k;
  for (const Contract::Taps& taps : contract.taps) terms *= taps.window.taps;
  return terms;
}

}  // namespace

std::string_view kind_name(const Kernel& kernel) {
  if (std::holds_alternative<Map>(kernel.work)) return "map";
  if (std::holds_alternative<TopK>(kernel.work)) return "top_k";
  if (std::holds_alternative<Scatter>(kernel.work)) return "scatter";
  if (std::holds_alternative<Compact>(kernel.work)) return "compact";
  if (std::holds_alternative<Measure>(kernel.work)) return "measure";
  if (std::holds_alternative<Contract>(kernel.work)) return "contract";
  return "reduce";
}

std::string_view name(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::max:
      return "max";
    case ReduceOp::min:
      return "min";
    case ReduceOp::prod:
      return "prod";
  }
  return "";
}

Text print(const Plan& plan) { return Printer(plan).run(); }

std::uint64_t weights_hash(const std::vector<std::byte>& weights) {
  return Tensor(DType::u8, {static_cast<std::int64_t>(weights.size())}, weights).hash();
}

std::vector<BufferId> buffers_of(const Kernel& kernel) {
  std::set<BufferId> buffers;
  for (const Part& part : parts(kernel)) {
    for (const View& view : *part.loads) buffers.insert(view.buffer);
    for (const Store& store : *part.stores) buffers.insert(store.view.buffer);
  }
  if (const auto* contract = std::get_if<Contract>(&kernel.work)) {
    buffers.insert(contract->a.buffer);
    if (const auto* b = std::get_if<View>(&contract->b)) buffers.insert(b->buffer);
    if (contract->bias) buffers.insert(contract->bias->buffer);
  }
  if (const auto* scatter = std::get_if<Scatter>(&kernel.work))
    buffers.insert(scatter->target.buffer);
  if (const auto* compact = std::get_if<Compact>(&kernel.work))
    buffers.insert({compact->places.buffer, compact->count.buffer});
  if (const auto* measure = std::get_if<Measure>(&kernel.work))
    buffers.insert(measure->count.buffer);
  if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
    if (reduce->start) buffers.insert(reduce->start->buffer);
  }
  return {buffers.begin(), buffers.end()};
}

Dim flops(const Kernel& kernel) {
  Dim total;
  for (const Part& part : parts(kernel)) {
    const auto applied =
        std::count_if(part.body->steps.begin(), part.body->steps.end(),
                      [](const Step& step) { return step.kind == Step::Kind::apply; });
    total += product(part.space) * Dim(applied);
  }
  const Dim all = product(kernel.space);
  if (std::holds_alternative<TopK>(kernel.work)) total += all;  // each element is compared
  if (const auto* contract = std::get_if<Contract>(&kernel.work))
    total += all * terms(*contract) * 2;
  const auto* scatter = std::get_if<Scatter>(&kernel.work);
  if (scatter != nullptr && scatter->combine) total += all;
  if (const auto* row = std::get_if<Row>(&kernel.work)) {
    for (const Row::Stage& stage : row->stages) {
      if (stage.reduction) total += all;
    }
  }
  if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work))
    total += all * (reduce->times ? 2 : 1);
  return total;
}

Dim bytes_moved(const Plan& plan, const Kernel& kernel) {
  auto size = [&](const View& view) {
    return Dim(static_cast<std::int64_t>(bytes_of(plan.buffers[view.buffer].dtype)));
  };
  // What a stride of zero repeats is read once.
  auto touched_in = [&](const View& view, const std::vector<Dim>& space) {
    Dim elements = 1;
    for (std::size_t d = 0; d < space.size(); ++d) {
      if (!view.strides[d].is(0)) elements *= space[d];
    }
    return elements * size(view);
  };
  auto touched = [&](const View& view) { return touched_in(view, kernel.space); };
  Dim total;
  for (const Part& part : parts(kernel)) {
    for (const View& view : *part.loads) total += touched_in(view, part.space);
    for (const Store& store : *part.stores) total += touched_in(store.view, part.space);
  }
  if (const auto* scatter = std::get_if<Scatter>(&kernel.work))
    total += product(kernel.space) * size(scatter->target) * (scatter->combine ? 2 : 1);
  if (const auto* compact = std::get_if<Compact>(&kernel.work)) total += touched(compact->places);
  if (const auto* contract = std::get_if<Contract>(&kernel.work)) {
    total += touched(contract->a) * contract->k;
    if (const auto* packed = std::get_if<PackedWeights>(&contract->b)) {
      total += contract->group_dim ? kernel.space[*contract->group_dim] * Dim(contract->group_bytes)
                                   : Dim(packed->bytes);
    } else {
      total += touched(std::get<View>(contract->b)) * terms(*contract);
    }
  }
  return total;
}

}  // namespace ingot::plan
