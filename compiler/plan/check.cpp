// SPDX-License-Identifier: Apache-2.0
#include "plan/check.h"

#include <algorithm>
#include <map>

#include "ir/op.h"
#include "plan/scalar.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

class Checker {
 public:
  Checker(const Plan& plan, const Kernel& kernel) : plan_(plan), kernel_(kernel) {}

  Expected<void> run() {
    return std::visit([&](const auto& work) { return check(work); }, kernel_.work);
  }

 private:
  /// What a body may mention besides earlier steps.
  struct Scope {
    std::size_t rank = 0;        // coordinates
    std::vector<DType> scalars;  // types of the reductions that are finished
    std::vector<DType> temps;    // of kept elements, by stage
    std::optional<DType> product;
    std::vector<bool> has_scalar = {}, has_temp = {};
  };

  template <class... Args>
  Error wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::invalid_model, "kernel {} '{}': {}", kernel_.id, kernel_.name,
                fmt::format(format, std::forward<Args>(args)...));
  }

  Expected<void> check(const Map& map) {
    const Scope scope{kernel_.space.size(), {}, {}, {}};
    INGOT_TRY(body(map.body, map.loads, scope));
    return stores(map.stores, map.body);
  }

  Expected<void> check(const Row& row) {
    if (kernel_.space.empty()) return wrong("a row needs a dimension");
    Scope scope{kernel_.space.size(), {}, {}, {}};
    for (const Row::Stage& stage : row.stages) {
      INGOT_TRY(body(stage.body, stage.loads, scope));
      INGOT_TRY(stores(stage.stores, stage.body));
      scope.scalars.push_back(DType::f32);
      scope.temps.push_back(DType::f32);
      scope.has_scalar.push_back(stage.reduction.has_value());
      scope.has_temp.push_back(stage.keep.has_value());
      if (stage.reduction) {
        INGOT_TRY(reducible(stage.body, stage.reduction->step, stage.reduction->op));
        scope.scalars.back() = stage.body.steps[stage.reduction->step].dtype;
      }
      if (stage.keep) {
        INGOT_TRY(step_exists(stage.body, stage.keep->step));
        scope.temps.back() = stage.body.steps[stage.keep->step].dtype;
      }
    }
    scope.has_temp.assign(scope.has_temp.size(), false);
    INGOT_TRY(body(row.finish, row.finish_loads, scope));
    return stores(row.finish_stores, row.finish);
  }

  Expected<void> check(const OrderedReduce& reduce) {
    if (reduce.reduced > kernel_.space.size()) return wrong("reduces more than it has");
    if (reduce.body.steps.empty()) return wrong("reduces nothing");
    Scope scope{kernel_.space.size(), {}, {}, {}};
    INGOT_TRY(body(reduce.body, reduce.loads, scope));
    const auto last = static_cast<std::uint32_t>(reduce.body.steps.size() - 1);
    INGOT_TRY(reducible(reduce.body, last, reduce.op));
    const DType dtype = reduce.body.steps[last].dtype;
    const std::size_t kept = kernel_.space.size() - reduce.reduced;
    if (!reduce.windows.empty() && reduce.windows.size() != reduce.reduced)
      return wrong("{} windows for {} dimensions", reduce.windows.size(), reduce.reduced);
    for (const Window& window : reduce.windows) {
      if (window.output >= kept) return wrong("a window along dimension {}", window.output);
    }
    if (reduce.times) {
      INGOT_TRY(step_exists(reduce.body, *reduce.times));
      if (reduce.op != ReduceOp::sum || reduce.body.steps[*reduce.times].dtype != dtype)
        return wrong("only a sum of equal types takes a second factor");
    }
    if (reduce.start) {
      INGOT_TRY(view(*reduce.start, kernel_.space.size(), dtype));
    }
    scope.scalars = {dtype};
    scope.has_scalar = {true};
    INGOT_TRY(body(reduce.finish, reduce.finish_loads, scope));
    return stores(reduce.finish_stores, reduce.finish);
  }

  Expected<void> check(const TopK& top) {
    if (kernel_.space.empty()) return wrong("a row needs a dimension");
    if (top.body.steps.empty()) return wrong("puts nothing in order");
    const Interval row = kernel_.space.back().bounds(plan_.ranges());
    if (!top.heap && row.hi > TopK::short_row)
      return wrong("rows of up to {} without memory for a heap", row.hi);
    Scope scope{kernel_.space.size(), {}, {}, {}};
    INGOT_TRY(body(top.body, top.loads, scope));
    scope.scalars = {top.body.steps.back().dtype, DType::i64};
    scope.has_scalar = {true, true};
    INGOT_TRY(body(top.finish, top.finish_loads, scope));
    return stores(top.finish_stores, top.finish);
  }

  Expected<void> check(const Scatter& scatter) {
    const std::size_t rank = kernel_.space.size();
    INGOT_TRY(body(scatter.body, scatter.loads, {rank, {}, {}, {}}));
    INGOT_TRY(step_exists(scatter.body, scatter.index));
    INGOT_TRY(step_exists(scatter.body, scatter.update));
    const DType index = scatter.body.steps[scatter.index].dtype;
    if (index != DType::i32 && index != DType::i64)
      return wrong("an index of type {}", name(index));
    const DType dtype = scatter.body.steps[scatter.update].dtype;
    if (scatter.combine) INGOT_TRY(reducible(scatter.body, scatter.update, *scatter.combine));
    INGOT_TRY(view(scatter.before, rank + 1, dtype));
    if (scatter.before.buffer != scatter.target.buffer) return wrong("changes another buffer");
    return view(scatter.target, rank + 1, dtype);
  }

  Expected<void> check(const Compact& compact) {
    if (kernel_.space.size() != 1) return wrong("looks through one dimension");
    if (compact.body.steps.empty() || compact.body.steps.back().dtype != DType::boolean)
      return wrong("looks for what is true");
    INGOT_TRY(body(compact.body, compact.loads, {1, {}, {}, {}}));
    INGOT_TRY(view(compact.places, 1, DType::i64));
    return view(compact.count, 1, DType::i64);
  }

  Expected<void> check(const Measure& measure) {
    const auto measured = [&](const Symbol& symbol) {
      return symbol.name == measure.symbol && symbol.measured();
    };
    if (std::none_of(plan_.symbols.begin(), plan_.symbols.end(), measured))
      return wrong("{} is not to be measured", measure.symbol);
    if (!kernel_.space.empty()) return wrong("measures once");
    return view(measure.count, 0, DType::i64);
  }

  Expected<void> check(const Contract& contract) {
    const std::size_t rank = kernel_.space.size();
    if (rank < 1) return wrong("a product needs a dimension of columns");
    if (contract.a.buffer >= plan_.buffers.size()) return wrong("no buffer b{}", contract.a.buffer);
    const DType dtype = plan_.buffers[contract.a.buffer].dtype;
    if (dtype == DType::boolean) return wrong("truth values have no products");
    if (contract.chains < 1 || contract.chains > 16) return wrong("{} chains", contract.chains);
    INGOT_TRY(view(contract.a, rank + 1, dtype));
    if (const auto* b = std::get_if<View>(&contract.b)) INGOT_TRY(view(*b, rank + 1, dtype));
    if (contract.bias) {
      INGOT_TRY(view(*contract.bias, rank, dtype));
    }
    if (const auto* packed = std::get_if<PackedWeights>(&contract.b)) {
      if (contract.bias) return wrong("packed weights have their bias with them");
      const bool dots = packed->layout == PackedWeights::Layout::dots;
      constexpr std::int64_t most = std::int64_t{1} << 40;
      if (packed->n < 1 || packed->n > most || packed->k < 0 || packed->k > most / packed->n ||
          (dots && packed->n > 4)) {
        return wrong("weights of [{}, {}]", packed->k, packed->n);
      }
    }
    if (contract.group_dim && *contract.group_dim >= rank)
      return wrong("groups along dimension {}", *contract.group_dim);
    for (const Contract::Taps& taps : contract.taps) {
      if (taps.window.output >= rank) return wrong("taps along dimension {}", taps.window.output);
      if (taps.window.taps < 0) return wrong("{} taps", taps.window.taps);
    }
    const Scope scope{rank, {}, {}, dtype};
    INGOT_TRY(body(contract.epilogue, contract.loads, scope));
    return stores(contract.stores, contract.epilogue);
  }

  Expected<void> body(const Body& body, const std::vector<View>& loads, const Scope& scope) {
    for (std::size_t i = 0; i < body.steps.size(); ++i) {
      const Step& step = body.steps[i];
      for (const std::uint32_t operand : step.operands) {
        if (operand >= i) return wrong("%{} uses %{}, which comes later", i, operand);
      }
      INGOT_TRY(this->step(step, body, loads, scope));
    }
    return {};
  }

  Expected<void> step(const Step& step, const Body& body, const std::vector<View>& loads,
                      const Scope& scope) {
    switch (step.kind) {
      case Step::Kind::load:
        if (step.index >= loads.size()) return wrong("no view {}", step.index);
        return view(loads[step.index], scope.rank, step.dtype);
      case Step::Kind::gather: {
        if (step.index >= loads.size()) return wrong("no view {}", step.index);
        if (step.operands.size() != 1) return wrong("a gather has one operand");
        const DType index = body.steps[step.operands[0]].dtype;
        if (index != DType::i32 && index != DType::i64)
          return wrong("an index of type {}", name(index));
        return view(loads[step.index], scope.rank + 1, step.dtype);
      }
      case Step::Kind::constant:
        if (step.constant.dtype() != step.dtype || step.constant.elements() != 1)
          return wrong("a constant of another type");
        return {};
      case Step::Kind::index:
        if (step.index >= scope.rank) return wrong("no coordinate {}", step.index);
        [[fallthrough]];
      case Step::Kind::dim:
        if (!is_integer(step.dtype)) return wrong("a size of type {}", name(step.dtype));
        return {};
      case Step::Kind::scalar:
        if (step.index >= scope.scalars.size() || !scope.has_scalar[step.index] ||
            scope.scalars[step.index] != step.dtype) {
          return wrong("no reduction s{} of {}", step.index, name(step.dtype));
        }
        return {};
      case Step::Kind::temp:
        if (step.index >= scope.temps.size() || !scope.has_temp[step.index] ||
            scope.temps[step.index] != step.dtype) {
          return wrong("stage {} keeps no {}", step.index, name(step.dtype));
        }
        return {};
      case Step::Kind::product:
        if (scope.product != step.dtype) return wrong("no product of {}", name(step.dtype));
        return {};
      case Step::Kind::apply: {
        std::vector<DType> operands;
        for (const std::uint32_t operand : step.operands)
          operands.push_back(body.steps[operand].dtype);
        if (step.op == nullptr || find_scalar(*step.op, operands, step.dtype) == nullptr) {
          return wrong("{} does not give {} from these operands",
                       step.op == nullptr ? "nothing" : step.op->name, name(step.dtype));
        }
        return {};
      }
    }
    return {};
  }

  Expected<void> view(const View& view, std::size_t rank, DType dtype) {
    if (view.buffer >= plan_.buffers.size()) return wrong("no buffer b{}", view.buffer);
    if (view.strides.size() != rank)
      return wrong("a view with {} strides, {} wanted", view.strides.size(), rank);
    if (plan_.buffers[view.buffer].dtype != dtype) {
      return wrong("b{} holds {}, not {}", view.buffer, name(plan_.buffers[view.buffer].dtype),
                   name(dtype));
    }
    return {};
  }

  Expected<void> stores(const std::vector<Store>& stores, const Body& body) {
    for (const Store& store : stores) {
      INGOT_TRY(step_exists(body, store.step));
      INGOT_TRY(view(store.view, kernel_.space.size(), body.steps[store.step].dtype));
    }
    return {};
  }

  Expected<void> step_exists(const Body& body, std::uint32_t step) {
    if (step >= body.steps.size()) return wrong("no step %{}", step);
    return {};
  }

  Expected<void> reducible(const Body& body, std::uint32_t step, ReduceOp op) {
    INGOT_TRY(step_exists(body, step));
    const bool selects = op == ReduceOp::max || op == ReduceOp::min;
    if (body.steps[step].dtype == DType::boolean && !selects)
      return wrong("truth values have no sums");
    return {};
  }

  const Plan& plan_;
  const Kernel& kernel_;
};

/// Whether a fork can stand there: part behind part, and no block around or in it that does not
/// hold all kernels, or lie within one part.
bool stands(const Plan& plan, const Fork& fork, std::uint32_t after) {
  if (fork.parts.size() < 2 || fork.first() < after) return false;
  for (std::size_t p = 0; p < fork.parts.size(); ++p) {
    const Fork::Part& part = fork.parts[p];
    if (part.last < part.first || part.last >= plan.kernels.size()) return false;
    if (p > 0 && part.first != fork.parts[p - 1].last + 1) return false;
  }
  for (const Block& block : plan.blocks) {
    bool fits = block.last < fork.first() || fork.last() < block.first ||
                (block.first == 0 && block.last + 1 == plan.kernels.size());
    for (const Fork::Part& part : fork.parts)
      fits = fits || (part.first <= block.first && block.last <= part.last);
    if (!fits) return false;
  }
  return true;
}

/// No part uses what another one writes; parts may write different elements of one buffer.
Expected<void> check_forks(const Plan& plan) {
  std::uint32_t after = 0;
  for (const Fork& fork : plan.forks) {
    if (!stands(plan, fork, after))
      return fail(ErrorCode::invalid_model, "no fork of {} parts can stand there",
                  fork.parts.size());
    after = fork.last() + 1;
    // By buffer, the parts that read and that write it; -2: several.
    struct Users {
      int reader = -1, writer = -1;
    };
    std::map<BufferId, Users> users;
    for (int p = 0; p < static_cast<int>(fork.parts.size()); ++p) {
      const Fork::Part& part = fork.parts[static_cast<std::size_t>(p)];
      for (std::uint32_t k = part.first; k <= part.last; ++k) {
        visit_views(plan.kernels[k], [&](const View& view, const Use& use) {
          int& user = use.write ? users[view.buffer].writer : users[view.buffer].reader;
          user = user == -1 || user == p ? p : -2;
        });
      }
    }
    for (const auto& [buffer, of] : users) {
      const bool alone =
          of.reader == -1 || of.writer == -1 || (of.reader == of.writer && of.reader != -2);
      if (!alone) {
        return fail(ErrorCode::invalid_model,
                    "parts of the fork from kernel {} on depend on each other by b{} '{}'",
                    fork.first(), buffer, plan.buffers[buffer].name);
      }
    }
  }
  return {};
}

}  // namespace

Expected<void> check_plan(const Plan& plan) {
  auto port = [&](const Plan::Port& port, std::size_t index, Buffer::Kind kind) -> Expected<void> {
    const Buffer* buffer = port.buffer < plan.buffers.size() ? &plan.buffers[port.buffer] : nullptr;
    if (buffer != nullptr && buffer->kind == kind && buffer->index == index &&
        buffer->dtype == port.type.dtype && buffer->shape == port.type.shape) {
      return {};
    }
    return fail(ErrorCode::invalid_model, "'{}' is not what b{} is", port.name, port.buffer);
  };
  for (std::size_t i = 0; i < plan.inputs.size(); ++i)
    INGOT_TRY(port(plan.inputs[i], i, Buffer::Kind::input));
  for (std::size_t i = 0; i < plan.outputs.size(); ++i)
    INGOT_TRY(port(plan.outputs[i], i, Buffer::Kind::output));
  for (const Buffer& buffer : plan.buffers) {
    const std::size_t ports = buffer.kind == Buffer::Kind::input    ? plan.inputs.size()
                              : buffer.kind == Buffer::Kind::output ? plan.outputs.size()
                                                                    : SIZE_MAX;
    if (buffer.index >= ports)
      return fail(ErrorCode::invalid_model, "'{}' is port {} of {}", buffer.name, buffer.index,
                  ports);
  }
  for (std::size_t b = 0; b < plan.blocks.size(); ++b) {
    const Block& block = plan.blocks[b];
    bool fits = block.first <= block.last && block.last < plan.kernels.size() && block.size > 0;
    // One behind the other, or the later one within the earlier.
    for (std::size_t a = 0; a < b; ++a) {
      const Block& earlier = plan.blocks[a];
      fits = fits && earlier.first <= block.first &&
             (earlier.last < block.first || block.last <= earlier.last);
    }
    if (!fits)
      return fail(ErrorCode::invalid_model, "no block of kernels {} to {} by {} can stand there",
                  block.first, block.last, block.size);
    if (!block.condition) continue;
    const View& condition = *block.condition;
    const bool counted = std::any_of(
        plan.symbols.begin(), plan.symbols.end(),
        [&](const Symbol& symbol) { return symbol.name == block.turns && symbol.measured(); });
    if (!block.loop || block.size != 1 || !counted || condition.buffer >= plan.buffers.size() ||
        plan.buffers[condition.buffer].dtype != DType::boolean || !condition.strides.empty()) {
      return fail(ErrorCode::invalid_model, "the loop of kernels {} to {} has no such condition",
                  block.first, block.last);
    }
  }
  for (const Kernel& kernel : plan.kernels) INGOT_TRY(Checker(plan, kernel).run());
  return check_forks(plan);
}

}  // namespace ingot::plan
