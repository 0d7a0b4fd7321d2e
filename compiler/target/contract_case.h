// SPDX-License-Identifier: Apache-2.0
// For tests only: a contraction with its sizes, forms of operands and epilogue, and the plan of it.
#pragma once

#include <algorithm>
#include <ostream>
#include <vector>

#include "ir/op.h"
#include "plan/pack.h"
#include "plan/plan.h"

namespace ingot::target::contract_case {

using plan::Step;
using plan::View;

enum class B { packed, rows, transposed, strided };
enum class Epilogue { none, residual, indices, tanh };

struct Case {
  DType dtype = DType::f32;
  std::int64_t m = 1, n = 1, k = 1, chains = 1;
  bool bias = false;
  B b = B::packed;
  Epilogue epilogue = Epilogue::none;
  Arithmetic arithmetic = Arithmetic::fused;
  bool symbolic_m = false, symbolic_n = false, symbolic_k = false;
  std::int64_t batch = 0;  // 0: no batch dimension
  std::int64_t a_step = 1, a_gap = 0, c_step = 1, c_gap = 0;
  bool wild = false;  // infinities, NaN, subnormals, negative zeros
  bool in_place = false;
  unsigned seed = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << name(c.dtype) << " m" << c.m << " n" << c.n << " k" << c.k << " chains " << c.chains
             << " bias " << c.bias << " b" << static_cast<int>(c.b) << " epilogue "
             << static_cast<int>(c.epilogue) << (c.arithmetic == Arithmetic::fused ? "" : " strict")
             << " symbolic " << c.symbolic_m << c.symbolic_n << c.symbolic_k << " batch " << c.batch
             << " a " << c.a_step << "+" << c.a_gap << " c " << c.c_step << "+" << c.c_gap
             << " wild " << c.wild << " in place " << c.in_place << " seed " << c.seed;
}

/// Numbers of elements from the first to the last one that is used.
struct Layout {
  std::int64_t a_row, a_batch, b_column, b_row, c_row, c_batch;
  std::size_t a = 0, b = 0, bias = 0, c = 0;
};

/// The plan of a case, which is one kernel.
class Builder {
 public:
  explicit Builder(const Case& c) : c_(c) {
    m_ = size("M", c.m, c.symbolic_m);
    n_ = size("N", c.n, c.symbolic_n);
    k_ = size("K", c.k, c.symbolic_k);
    const Dim a_row = k_ * Dim(c.a_step) + Dim(c.a_gap);
    const Dim c_row = n_ * Dim(c.c_step) + Dim(c.c_gap);
    Dim b_column = 1, b_row = n_;
    if (c.b == B::transposed) b_column = k_, b_row = 1;
    if (c.b == B::strided) b_column = 2, b_row = n_ * Dim(2) + Dim(1);
    layout.a_row = value(a_row);
    layout.a_batch = value(m_ * a_row);
    layout.c_row = value(c_row);
    layout.c_batch = value(m_ * c_row);
    layout.b_column = value(b_column);
    layout.b_row = value(b_row);
    const std::int64_t batch = std::max<std::int64_t>(1, c.batch);
    layout.a = extent({{batch, layout.a_batch}, {c.m, layout.a_row}, {c.k, c.a_step}});
    layout.c = extent({{batch, layout.c_batch}, {c.m, layout.c_row}, {c.n, c.c_step}});
    if (c.b != B::packed) {
      layout.b = extent({{c.k, layout.b_row}, {c.n, layout.b_column}});
      if (c.bias) layout.bias = static_cast<std::size_t>(c.n);
    }
    a_ = View{0, 0, lead({a_row, 0, Dim(c.a_step)}, m_ * a_row)};
    b_ = View{1, 0, lead({0, b_column, b_row}, 0)};
    out_ = View{4, 0, lead({c_row, Dim(c.c_step)}, m_ * c_row)};
  }

  plan::Plan build(const Tensor& weights, const Tensor& bias) {
    plan.name = "test";
    plan.arithmetic = c_.arithmetic;
    const std::int64_t sizes[] = {
        static_cast<std::int64_t>(layout.a), static_cast<std::int64_t>(layout.b),
        static_cast<std::int64_t>(layout.bias), static_cast<std::int64_t>(layout.c)};
    for (std::uint32_t i = 0; i < 4; ++i) port(plan::Buffer::Kind::input, i, sizes[i]);
    port(plan::Buffer::Kind::output, 0, sizes[3]);

    plan::Contract contract;
    contract.k = k_;
    contract.chains = c_.chains;
    contract.a = a_;
    if (c_.b == B::packed) {
      contract.b = plan::pack(weights, c_.bias ? &bias : nullptr, plan.weights);
    } else {
      contract.b = b_;
      if (c_.bias) contract.bias = View{2, 0, lead({0, 1}, 0)};
    }
    epilogue(contract);
    plan::Kernel kernel;
    kernel.name = "product";
    if (c_.batch > 0) kernel.space.emplace_back(c_.batch);
    kernel.space.push_back(m_);
    kernel.space.push_back(n_);
    kernel.work = std::move(contract);
    plan.kernels.push_back(std::move(kernel));
    return std::move(plan);
  }

  Layout layout{};

 private:
  Dim size(const char* symbol, std::int64_t number, bool symbolic) {
    if (!symbolic) return number;
    plan.symbols.push_back({symbol, {0, 1 << 20}});
    values_[symbol] = number;
    return Dim::symbol(symbol);
  }
  std::int64_t value(const Dim& dim) const { return *dim.evaluate(values_); }
  static std::size_t extent(std::initializer_list<std::pair<std::int64_t, std::int64_t>> axes) {
    std::int64_t last = 0;
    for (const auto& [count, stride] : axes) {
      if (count == 0) return 0;
      last += (count - 1) * stride;
    }
    return static_cast<std::size_t>(last + 1);
  }
  std::vector<Dim> lead(std::vector<Dim> strides, const Dim& batch) const {
    if (c_.batch > 0) strides.insert(strides.begin(), batch);
    return strides;
  }
  /// Ports are flat: their number of elements as a symbol, so that any size will do.
  void port(plan::Buffer::Kind kind, std::uint32_t index, std::int64_t elements) {
    plan::Buffer buffer;
    buffer.kind = kind;
    buffer.dtype = c_.dtype;
    buffer.shape = {Dim(elements)};
    buffer.index = index;
    buffer.name = fmt::format("port_{}", plan.buffers.size());
    auto& ports = kind == plan::Buffer::Kind::input ? plan.inputs : plan.outputs;
    ports.push_back(
        {buffer.name, {c_.dtype, buffer.shape}, static_cast<plan::BufferId>(plan.buffers.size())});
    plan.buffers.push_back(std::move(buffer));
  }

  void epilogue(plan::Contract& contract) {
    auto& steps = contract.epilogue.steps;
    const auto step = [&](Step::Kind kind, std::uint32_t index = 0) {
      Step next;
      next.kind = kind;
      next.dtype = c_.dtype;
      next.index = index;
      steps.push_back(next);
      return static_cast<std::uint32_t>(steps.size() - 1);
    };
    const auto apply = [&](std::string_view name, std::vector<std::uint32_t> operands) {
      const std::uint32_t number = step(Step::Kind::apply);
      steps.back().op = &op(name);
      steps.back().operands = std::move(operands);
      return number;
    };
    const std::uint32_t first_axis = c_.batch > 0 ? 1 : 0;
    std::uint32_t last = step(Step::Kind::product);
    switch (c_.epilogue) {
      case Epilogue::none:
        break;
      case Epilogue::residual: {
        View residual = out_;
        residual.buffer = c_.in_place ? 4 : 3;
        contract.loads.push_back(residual);
        const std::uint32_t other = step(Step::Kind::load);
        last = apply("add", {last, other});
        const std::uint32_t zero = step(Step::Kind::constant);
        steps.back().constant = Tensor(c_.dtype, {});
        last = apply("max", {zero, last});
        break;
      }
      case Epilogue::indices: {
        const std::uint32_t row = step(Step::Kind::index, first_axis);
        const std::uint32_t column = step(Step::Kind::index, first_axis + 1);
        last = apply("sub", {apply("add", {last, column}), row});
        const std::uint32_t rows = step(Step::Kind::dim);
        steps.back().dim = m_;
        last = apply("add", {last, rows});
        break;
      }
      case Epilogue::tanh:
        last = apply("tanh", {last});
        break;
    }
    contract.stores.push_back({last, out_});
  }

  const Case& c_;
  plan::Plan plan;
  SymbolValues values_;
  Dim m_, n_, k_;
  View a_, b_, out_;
};

}  // namespace ingot::target::contract_case
