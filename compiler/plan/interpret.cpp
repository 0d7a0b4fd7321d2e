// SPDX-License-Identifier: Apache-2.0
// One function per shape of kernel. The order of roundings is the one that docs/numerics.md fixes;
// nothing here is shared with the code generator but the scalar formulas.
#include "plan/interpret.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "ops/interpret.h"
#include "ops/reduce.h"
#include "ops/top_k.h"
#include "plan/blocks.h"
#include "plan/check.h"
#include "plan/forks.h"
#include "plan/machine.h"
#include "plan/pack.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

using ops::Pointwise;

/// A multiply-add as products are summed: one rounding, or two in strict arithmetic.
template <class T>
T multiply_add(Arithmetic arithmetic, T a, T b, T sum) {
  ops::NativeScalars<T> f{{arithmetic == Arithmetic::strict}};
  if constexpr (std::is_floating_point_v<T>) {
    if (arithmetic == Arithmetic::fused) return std::fma(a, b, sum);
  }
  const T product = f.mul(a, b);
  return f.add(product, sum);
}

template <class Visitor>
decltype(auto) visit_reduce(ReduceOp op, Visitor&& visitor) {
  switch (op) {
    case ReduceOp::sum:
      return visitor.template operator()<Pointwise::add_>();
    case ReduceOp::max:
      return visitor.template operator()<Pointwise::max_>();
    case ReduceOp::min:
      return visitor.template operator()<Pointwise::min_>();
    case ReduceOp::prod:
      return visitor.template operator()<Pointwise::mul_>();
  }
  internal_error(__FILE__, __LINE__, "unknown reduction");
}

/// Calls `visitor<dtype, formula>` where that reduction is defined.
template <class Visitor>
Scalar visit_reduction(ReduceOp op, DType dtype, const Visitor& visitor) {
  return ops::visit_dtype(dtype, [&]<DType known>() {
    return visit_reduce(op, [&]<Pointwise formula>() -> Scalar {
      constexpr bool selects = formula == Pointwise::max_ || formula == Pointwise::min_;
      if constexpr (known != DType::boolean || selects) {
        return visitor.template operator()<known, formula>();
      } else {
        internal_error(__FILE__, __LINE__, "a sum of truth values");
      }
    });
  });
}

/// 16 strided lanes, joined by halving.
template <DType dtype, Pointwise formula>
Scalar reduce_lanes(Arithmetic arithmetic, const std::vector<Scalar>& elements) {
  using T = typename ops::Element<dtype>::Compute;
  using F = ops::Formula<formula>;
  ops::NativeScalars<T> f{{arithmetic == Arithmetic::strict}};
  std::array<T, ops::reduction_lanes> lane;
  lane.fill(ops::neutral<T, formula>());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    T& sum = lane[i % ops::reduction_lanes];
    sum = F::apply(f, sum, T(load<dtype>(elements[i].bytes)));
  }
  for (std::size_t half = ops::reduction_lanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lane[l] = F::apply(f, lane[l], lane[l + half]);
  }
  return make_scalar<dtype>(lane[0]);
}

/// The places of a row's elements in order.
std::vector<std::int64_t> sorted(DType dtype, const std::vector<Scalar>& elements, bool largest) {
  std::vector<std::int64_t> order(elements.size());
  std::iota(order.begin(), order.end(), 0);
  ops::visit_dtype(dtype, [&]<DType known>() {
    auto at = [&](std::int64_t i) {
      return load<known>(elements[static_cast<std::size_t>(i)].bytes);
    };
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
      return ops::comes_before(at(i), at(j), largest);
    });
  });
  return order;
}

/// Whether tap `tap` of output coordinate `output` is there. A window that is said to be inside may
/// have lost its dimension to others; that it reads nothing outside is for the views to show.
bool is_live(const Window& window, std::int64_t size, std::int64_t output, std::int64_t tap) {
  if (window.inside) return true;
  const std::int64_t position = output * window.stride - window.pad_begin + tap * window.dilation;
  return position >= 0 && position < size;
}

/// The sums of products of a Contract.
class Products {
 public:
  Products(const Contract& contract, const Plan& plan, const Memory& memory,
           const SymbolValues& symbols)
      : contract_(contract),
        arithmetic_(plan.arithmetic),
        memory_(memory),
        factors_(contract, symbols) {}

  template <DType dtype>
  Scalar at(const Index& point) const {
    using T = typename ops::Element<dtype>::Compute;
    const std::size_t rank = point.size();
    std::vector<T> sum(static_cast<std::size_t>(contract_.chains), T{});
    sum[0] = bias<dtype>(point);
    std::size_t chain = 0;
    std::int64_t row = 0;  // of b, counting taps that are skipped
    for_each_point(factors_.taps, [&](const Index& taps) {
      const std::int64_t first_row = row;
      row += factors_.k;
      std::int64_t a = factors_.a.at(point), b = factors_.b ? factors_.b->at(point) : 0;
      for (std::size_t d = 0; d < taps.size(); ++d) {
        const Window& window = contract_.taps[d].window;
        if (!is_live(window, factors_.sizes[d], point[window.output], taps[d])) return;
        a += taps[d] * factors_.a_strides[d];
        b += taps[d] * factors_.b_strides[d];
      }
      for (std::int64_t k = 0; k < factors_.k; ++k) {
        const Scalar left = memory_.read(factors_.a.buffer, factors_.a.moved(a, rank, k));
        const Scalar right = factors_.b
                                 ? memory_.read(factors_.b->buffer, factors_.b->moved(b, rank, k))
                                 : packed<dtype>(point, first_row + k);
        sum[chain] = multiply_add<T>(arithmetic_, load<dtype>(left.bytes), load<dtype>(right.bytes),
                                     sum[chain]);
        chain = (chain + 1) % sum.size();
      }
    });
    ops::NativeScalars<T> f{{arithmetic_ == Arithmetic::strict}};
    for (std::size_t half = sum.size() / 2; half > 0; half /= 2) {
      for (std::size_t c = 0; c < half; ++c) sum[c] = f.add(sum[c], sum[c + half]);
    }
    return make_scalar<dtype>(sum[0]);
  }

 private:
  /// The sizes and addresses, as numbers.
  struct Factors {
    Factors(const Contract& contract, const SymbolValues& symbols)
        : a(contract.a, symbols), k(number(contract.k, symbols)) {
      if (const auto* view = std::get_if<View>(&contract.b)) b.emplace(*view, symbols);
      if (const auto* packed = std::get_if<PackedWeights>(&contract.b))
        packed_offset = number(packed->offset, symbols);
      if (contract.bias) bias.emplace(*contract.bias, symbols);
      for (const Contract::Taps& each : contract.taps) {
        taps.push_back(each.window.taps);
        sizes.push_back(number(each.window.size, symbols));
        a_strides.push_back(number(each.a_stride, symbols));
        b_strides.push_back(number(each.b_stride, symbols));
      }
    }
    Address a;
    std::int64_t k;
    std::optional<Address> b, bias;
    std::int64_t packed_offset = 0;
    Index taps, sizes, a_strides, b_strides;
  };

  template <DType dtype>
  typename ops::Element<dtype>::Compute bias(const Index& point) const {
    if (factors_.bias) {
      const Scalar start = memory_.read(factors_.bias->buffer, factors_.bias->at(point));
      return load<dtype>(start.bytes);
    }
    const auto* weights = std::get_if<PackedWeights>(&contract_.b);
    if (weights == nullptr || !weights->has_bias) return {};
    return load<dtype>(packed<dtype>(point, -1).bytes);
  }

  /// Row `row` of packed weights in the point's column; row -1 is the bias.
  template <DType dtype>
  Scalar packed(const Index& point, std::int64_t row) const {
    const auto& weights = std::get<PackedWeights>(contract_.b);
    const std::int64_t column = point.back();
    if (column >= weights.n || row >= weights.k) {
      throw Fault{fail(ErrorCode::internal, "row {}, column {} of weights of [{}, {}]", row, column,
                       weights.k, weights.n)};
    }
    const std::int64_t panel = column / panel_columns;
    std::int64_t element = panel_start(weights, panel) + column % panel_columns;
    if (row >= 0) element += bias_elements(weights, panel) + row * panel_width(weights, panel);
    const auto size = static_cast<std::int64_t>(bytes_of(dtype));
    if (element * size >= weights.bytes)
      throw Fault{fail(ErrorCode::internal, "packed weights end at byte {}", weights.bytes)};
    const std::int64_t group =
        contract_.group_dim ? point[*contract_.group_dim] * contract_.group_bytes : 0;
    Scalar result;
    std::memcpy(result.bytes,
                memory_.weights(factors_.packed_offset + group + element * size, bytes_of(dtype)),
                bytes_of(dtype));
    return result;
  }

  const Contract& contract_;
  Arithmetic arithmetic_;
  const Memory& memory_;
  Factors factors_;
};

class Machine {
 public:
  Machine(const Plan& plan, Memory& memory, const SymbolValues& symbols)
      : plan_(plan), memory_(memory), symbols_(symbols) {}

  void run(const Kernel& kernel) {
    space_ = numbers(kernel.space, symbols_);
    std::visit([&](const auto& work) { this->work(work); }, kernel.work);
  }

 private:
  Program program(const Body& body, const std::vector<View>& loads,
                  const std::vector<Store>& stores) const {
    return Program(body, loads, stores, plan_, symbols_);
  }

  void work(const Map& map) {
    Program program = this->program(map.body, map.loads, map.stores);
    for_each_point(space_, [&](const Index& point) {
      program.run(point, {}, memory_);
      program.store(point, memory_);
    });
  }

  void work(const Row& row) {
    const Index rows(space_.begin(), space_.end() - 1);
    std::vector<Program> stages;
    for (const Row::Stage& stage : row.stages)
      stages.push_back(program(stage.body, stage.loads, stage.stores));
    Program finish = program(row.finish, row.finish_loads, row.finish_stores);
    for_each_point(rows, [&](Index point) {
      point.push_back(0);
      Frame frame;
      for (std::size_t s = 0; s < stages.size(); ++s) {
        frame.scalars.emplace_back();
        frame.kept.emplace_back();
        this->stage(row.stages[s], stages[s], point, frame);
      }
      point.back() = 0;
      finish.run(point, frame, memory_);
      finish.store(point, memory_);
    });
  }

  void stage(const Row::Stage& stage, Program& program, Index& point, Frame& frame) {
    std::vector<Scalar> reduced;
    Kept& kept = frame.kept.back();
    if (stage.keep) kept = {number(stage.keep->offset, symbols_), memory_.new_writer()};
    for (std::int64_t i = 0; i < space_.back(); ++i) {
      point.back() = i;
      const std::vector<Scalar>& results = program.run(point, frame, memory_);
      program.store(point, memory_);
      if (stage.reduction) reduced.push_back(results[stage.reduction->step]);
      if (stage.keep) {
        const std::size_t size = bytes_of(program.dtype(stage.keep->step));
        memory_.write_arena(kept.offset + i * static_cast<std::int64_t>(size), size,
                            results[stage.keep->step], kept.writer);
      }
    }
    if (!stage.reduction) return;
    frame.scalars.back() =
        visit_reduction(stage.reduction->op, program.dtype(stage.reduction->step),
                        [&]<DType dtype, Pointwise formula>() {
                          return reduce_lanes<dtype, formula>(plan_.arithmetic, reduced);
                        });
  }

  void work(const OrderedReduce& reduce) {
    const auto kept = static_cast<std::ptrdiff_t>(space_.size() - reduce.reduced);
    const Index outer(space_.begin(), space_.begin() + kept);
    const Index inner(space_.begin() + kept, space_.end());
    Index sizes;
    for (const Window& window : reduce.windows) sizes.push_back(number(window.size, symbols_));
    Program element = program(reduce.body, reduce.loads, {});
    Program finish = program(reduce.finish, reduce.finish_loads, reduce.finish_stores);
    std::optional<Address> start;
    if (reduce.start) start.emplace(*reduce.start, symbols_);
    const auto last = static_cast<std::uint32_t>(reduce.body.steps.size() - 1);

    for_each_point(outer, [&](Index point) {
      point.resize(space_.size(), 0);
      Frame frame;
      frame.scalars.push_back(
          visit_reduction(reduce.op, element.dtype(last), [&]<DType dtype, Pointwise formula>() {
            using T = typename ops::Element<dtype>::Compute;
            ops::NativeScalars<T> f{{plan_.arithmetic == Arithmetic::strict}};
            T sum = reduce.times ? T{} : ops::neutral<T, formula>();
            if (start) sum = load<dtype>(memory_.read(start->buffer, start->at(point)).bytes);
            for_each_point(inner, [&](const Index& taps) {
              for (std::size_t d = 0; d < reduce.windows.size(); ++d) {
                const Window& window = reduce.windows[d];
                if (!is_live(window, sizes[d], point[window.output], taps[d])) return;
              }
              std::copy(taps.begin(), taps.end(), point.begin() + kept);
              const std::vector<Scalar>& results = element.run(point, {}, memory_);
              const T value = load<dtype>(results[last].bytes);
              if constexpr (dtype != DType::boolean) {
                if (reduce.times) {
                  const T factor = load<dtype>(results[*reduce.times].bytes);
                  sum = multiply_add<T>(plan_.arithmetic, value, factor, sum);
                  return;
                }
              }
              sum = ops::Formula<formula>::apply(f, sum, value);
            });
            return make_scalar<dtype>(sum);
          }));
      std::fill(point.begin() + kept, point.end(), 0);
      finish.run(point, frame, memory_);
      finish.store(point, memory_);
    });
  }

  /// What it keeps in the arena is not looked at, but nothing else may lie there.
  void work(const TopK& top) {
    const std::int64_t k = number(top.k, symbols_), length = space_.back();
    if (k < 0 || k > length)
      throw Fault{fail(ErrorCode::internal, "the first {} of {} elements", k, length)};
    const Index rows(space_.begin(), space_.end() - 1);
    Program element = program(top.body, top.loads, {});
    Program finish = program(top.finish, top.finish_loads, top.finish_stores);
    const auto last = static_cast<std::uint32_t>(top.body.steps.size() - 1);
    for_each_point(rows, [&](Index point) {
      point.push_back(0);
      if (top.heap) {
        const std::uint32_t writer = memory_.new_writer();
        for (std::int64_t at = 0; at < k * TopK::entry_bytes; at += 8)
          memory_.write_arena(number(*top.heap, symbols_) + at, 8, {}, writer);
      }
      std::vector<Scalar> elements;
      for (std::int64_t i = 0; i < length; ++i) {
        point.back() = i;
        elements.push_back(element.run(point, {}, memory_)[last]);
      }
      const std::vector<std::int64_t> order = sorted(element.dtype(last), elements, top.largest);
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t place = order[static_cast<std::size_t>(i)];
        Frame frame;
        frame.scalars = {elements[static_cast<std::size_t>(place)],
                         integer_scalar(DType::i64, place)};
        point.back() = i;
        finish.run(point, frame, memory_);
        finish.store(point, memory_);
      }
    });
  }

  void work(const Scatter& scatter) {
    Program program = this->program(scatter.body, scatter.loads, {});
    const Address target(scatter.target, symbols_);
    const std::int64_t size = number(scatter.size, symbols_);
    for_each_point(space_, [&](const Index& point) {
      const std::vector<Scalar>& results = program.run(point, {}, memory_);
      const std::int64_t index = as_integer(program.dtype(scatter.index), results[scatter.index]);
      if (index < 0 || index >= size)
        throw Fault{fail(ErrorCode::runtime, "index {} is outside of [0, {})", index, size)};
      const std::int64_t element = target.moved(target.at(point), point.size(), index);
      // The whole target is there before this kernel begins.
      const Scalar before = memory_.read(target.buffer, element);
      Scalar update = results[scatter.update];
      if (scatter.combine) {
        update = visit_reduction(
            *scatter.combine, program.dtype(scatter.update), [&]<DType dtype, Pointwise formula>() {
              using T = typename ops::Element<dtype>::Compute;
              ops::NativeScalars<T> f{{plan_.arithmetic == Arithmetic::strict}};
              return make_scalar<dtype>(ops::Formula<formula>::apply(
                  f, T(load<dtype>(before.bytes)), T(load<dtype>(update.bytes))));
            });
      }
      memory_.write(target.buffer, element, update);
    });
  }

  void work(const Compact& compact) {
    Program program = this->program(compact.body, compact.loads, {});
    const Address places(compact.places, symbols_), count(compact.count, symbols_);
    std::int64_t found = 0;
    for (Index point{0}; point[0] < space_[0]; ++point[0]) {
      if (program.run(point, {}, memory_).back().bytes[0] == std::byte{0}) continue;
      memory_.write(places.buffer, places.at({found++}), integer_scalar(DType::i64, point[0]));
    }
    for (std::int64_t i = found; i < space_[0]; ++i)
      memory_.write(places.buffer, places.at({i}), integer_scalar(DType::i64, 0));
    memory_.write(count.buffer, count.at({0}), integer_scalar(DType::i64, found));
  }

  void work(const Measure&) { internal_error(__FILE__, __LINE__, "a size is measured in between"); }

  void work(const Contract& contract) {
    const DType dtype = plan_.buffers[contract.a.buffer].dtype;
    Program epilogue = program(contract.epilogue, contract.loads, contract.stores);
    const Products products(contract, plan_, memory_, symbols_);
    for_each_point(space_, [&](const Index& point) {
      Frame frame;
      frame.product = ops::visit_dtype(dtype, [&]<DType known>() -> Scalar {
        if constexpr (known == DType::boolean) {
          internal_error(__FILE__, __LINE__, "a product of truth values");
        } else {
          return products.at<known>(point);
        }
      });
      epilogue.run(point, frame, memory_);
      epilogue.store(point, memory_);
    });
  }

  const Plan& plan_;
  Memory& memory_;
  const SymbolValues& symbols_;
  Index space_;
};

Expected<void> check_inputs(const Plan& plan, std::span<const Tensor> inputs,
                            const SymbolValues& symbols) {
  if (inputs.size() != plan.inputs.size()) {
    return fail(ErrorCode::invalid_argument, "{} inputs given, the plan has {}", inputs.size(),
                plan.inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Plan::Port& port = plan.inputs[i];
    INGOT_ASSIGN(const auto shape, evaluate_shape(port.type.shape, symbols));
    if (inputs[i].dtype() != port.type.dtype || inputs[i].shape() != shape) {
      return fail(ErrorCode::invalid_argument, "input '{}' is {}, {} wanted", port.name,
                  str(inputs[i].type()), str(port.type));
    }
  }
  return check_constraints(plan.constraints, symbols);
}

/// The kernels in order, in their blocks; of a fork, the last part first: that they do not depend
/// on each other is put to the test.
class Sequence {
 public:
  /// `current` is the kernel at hand.
  Sequence(const Plan& plan, Memory& memory, SymbolValues symbols, const Kernel*& current)
      : plan_(plan), memory_(memory), symbols_(std::move(symbols)), current_(current) {}

  void run() {
    for (const Block& block : plan_.blocks) {
      symbols_[block.begin] = 0;
      symbols_[block.count] = std::min(number(block.extent, symbols_), block.size);
    }
    for (const Symbol& symbol : plan_.symbols) {
      if (symbol.measured()) unknown_.push_back(symbol);
    }
    memory_.place(symbols_);
    run(0, plan_.kernels.size(), 0);
  }

  const SymbolValues& symbols() const { return symbols_; }

 private:
  /// Kernels [first, end), with the blocks from number `next` on. Forks that begin in `inside`
  /// are done with already.
  void run(std::size_t first, std::size_t end, std::size_t next, const Fork* inside = nullptr) {
    Machine machine(plan_, memory_, symbols_);
    for (std::size_t k = first; k < end; ++k) {
      while (next < plan_.blocks.size() && plan_.blocks[next].first < k) ++next;
      const bool block = next < plan_.blocks.size() && plan_.blocks[next].first == k;
      const Fork* fork = fork_of(plan_, static_cast<std::uint32_t>(k));
      // One that begins where a fork begins stands around it or within its first part.
      if (fork != nullptr && fork != inside &&
          !(block && plan_.blocks[next].last >= fork->last())) {
        for (auto part = fork->parts.rbegin(); part != fork->parts.rend(); ++part)
          run(part->first, part->last + 1, next, fork);
        k = fork->last();
        continue;
      }
      if (block) {
        rows(next, inside);
        k = plan_.blocks[next++].last;
        continue;
      }
      current_ = &plan_.kernels[k];
      if (const auto* measure = std::get_if<Measure>(&current_->work)) {
        const Address count(measure->count, symbols_);
        this->measure(measure->symbol,
                      as_integer(DType::i64, memory_.read(count.buffer, count.at({}))));
        continue;
      }
      machine.run(*current_);
    }
  }

  /// From here on the symbol has this value.
  void measure(const std::string& name, std::int64_t value) {
    const auto symbol =
        std::find_if(plan_.symbols.begin(), plan_.symbols.end(),
                     [&](const Symbol& candidate) { return candidate.name == name; });
    const std::int64_t most = std::min(number(*symbol->bound, symbols_), symbol->range.hi);
    if (value < symbol->range.lo || value > most) {
      throw Fault{fail(ErrorCode::limit, "{} is {}, outside of {} to {}", name, value,
                       symbol->range.lo, most)};
    }
    symbols_[name] = value;
    std::erase_if(unknown_, [&](const Symbol& other) { return other.name == name; });
    memory_.place(symbols_);
    std::vector<Constraint> asked;
    for (const Constraint& constraint : plan_.constraints) {
      const Dim gap = constraint.left - constraint.right;
      if (depends_on_data(gap, {&*symbol, 1}) && !depends_on_data(gap, unknown_))
        asked.push_back(constraint);
    }
    if (auto met = check_constraints(asked, symbols_); !met) throw Fault{met.error()};
  }

  bool is_true(const View& condition) const {
    const Address place(condition, symbols_);
    return memory_.read(place.buffer, place.at({})).bytes[0] != std::byte{0};
  }

  void rows(std::size_t number_of_block, const Fork* inside) {
    const Block& block = plan_.blocks[number_of_block];
    const std::vector<bool> local = local_buffers(plan_, block);
    const std::int64_t rows = number(block.extent, symbols_);
    std::int64_t begin = 0;
    for (; begin < rows; begin += block.size) {
      if (block.condition && !is_true(*block.condition)) break;
      symbols_[block.begin] = begin;
      symbols_[block.count] = std::min(rows - begin, block.size);
      memory_.forget(local);
      memory_.place(symbols_);
      run(block.first, block.last + 1, number_of_block + 1, inside);
    }
    if (!block.condition) return;
    if (is_true(*block.condition))
      throw Fault{fail(ErrorCode::limit, "more than {} iterations are wanted", rows)};
    measure(block.turns, begin);
  }

  const Plan& plan_;
  Memory& memory_;
  SymbolValues symbols_;
  std::vector<Symbol> unknown_;  // not measured yet
  const Kernel*& current_;
};

}  // namespace

Expected<std::vector<Tensor>> interpret_plan(const Plan& plan, std::span<const Tensor> inputs,
                                             const SymbolValues& symbols) {
  INGOT_TRY(check_plan(plan));
  INGOT_TRY(check_inputs(plan, inputs, symbols));
  const Kernel* current = nullptr;
  try {
    // Until it is measured, what data can give at most.
    SymbolValues most = symbols;
    for (const Symbol& symbol : plan.symbols) {
      if (symbol.bound) most[symbol.name] = number(*symbol.bound, symbols);
    }
    Memory memory(plan, inputs, most);
    Sequence sequence(plan, memory, std::move(most), current);
    sequence.run();
    current = nullptr;
    return memory.take_outputs(sequence.symbols());
  } catch (const Fault& fault) {
    if (current == nullptr) return fault.error;
    return fail(fault.error.code, "kernel {} '{}': {}", current->id, current->name,
                fault.error.message);
  }
}

}  // namespace ingot::plan
