// SPDX-License-Identifier: Apache-2.0
// matmul: products summed along k in `chains` interleaved chains. Element k goes to chain k mod
// chains; chain 0 starts at the bias, or at 0 as the others do; the chains are joined by halving,
// chain i with chain i + half.
#include "ops/contract.h"

#include <algorithm>

#include "ops/common.h"
#include "ops/native_scalars.h"

namespace ingot::ops {
namespace {

using Integers = std::vector<std::int64_t>;
constexpr std::int64_t max_chains = 16;
/// Products of at most so many columns are vectors along k, a chain per lane: for k = 128 and two
/// columns 25 ns instead of 31 in 8 chains (docs/decisions, bench/contract_bench.cpp).
constexpr std::int64_t dot_columns = 4;

Expected<std::vector<TensorType>> infer(const InferContext& context) {
  const TensorType& a = context.input(0);
  const TensorType& b = context.input(1);
  if (a.rank() < 2 || b.rank() < 2)
    return context.error("operands must be matrices or stacks of them");
  if (a.dtype != b.dtype || a.dtype == DType::boolean) {
    return context.error(fmt::format("cannot multiply {} by {}", str(a), str(b)));
  }
  const std::int64_t chains = context.attributes().get<std::int64_t>("chains");
  if (chains < 1 || chains > max_chains || (chains & (chains - 1)) != 0) {
    return context.error("chains must be a power of two from 1 to 16");
  }
  INGOT_TRY(context.require_equal(a.shape.back(), b.shape[b.rank() - 2]));
  INGOT_ASSIGN(Shape shape, broadcast_shapes(context, Shape(a.shape.begin(), a.shape.end() - 2),
                                             Shape(b.shape.begin(), b.shape.end() - 2)));
  shape.push_back(a.shape[a.rank() - 2]);
  shape.push_back(b.shape.back());
  if (context.input_count() == 3) {
    const TensorType& bias = context.input(2);
    if (bias.dtype != a.dtype || bias.rank() != 1) {
      return context.error("the bias must be a vector of the operands' type");
    }
    INGOT_TRY(context.require_equal(bias.shape[0], shape.back()));
  }
  return std::vector{TensorType{a.dtype, std::move(shape)}};
}

template <DType dtype>
void compute(const EvaluateContext& context, Tensor& result) {
  using Values = Element<dtype>;
  using T = typename Values::Compute;
  NativeScalars<T> f{{context.arithmetic == Arithmetic::strict}};
  auto multiply_add = [&](T x, T y, T sum) -> T {
    if constexpr (std::is_floating_point_v<T>) {
      if (context.arithmetic == Arithmetic::fused) return std::fma(x, y, sum);
    }
    const T product = f.mul(x, y);
    return f.add(product, sum);
  };
  const Tensor& a = *context.inputs[0];
  const Tensor& b = *context.inputs[1];
  const Tensor* bias = context.inputs.size() == 3 ? context.inputs[2] : nullptr;
  const auto chains = static_cast<std::size_t>(context.attributes().get<std::int64_t>("chains"));
  const std::int64_t k_size = a.shape().back();
  const std::int64_t n_size = result.shape().back();

  // Operands without their contracted axis, aligned with the result's axes.
  auto outer_strides = [&](const Tensor& operand, bool left) {
    Integers strides = broadcast_strides(operand.shape(), result.shape());
    const Integers dense = dense_strides(operand.shape());
    const std::size_t rank = strides.size();
    strides[rank - 2] = left ? dense[dense.size() - 2] : 0;
    strides[rank - 1] = left ? 0 : dense[dense.size() - 1];
    return strides;
  };
  Walk walk(result.shape(), {outer_strides(a, true), outer_strides(b, false)});
  // A row of results at a time, so that weights are read in the order in which they lie; each
  // result is the sum in its chains' order all the same.
  std::vector<T> sums(static_cast<std::size_t>(n_size) * chains);
  for (std::int64_t row = 0; row < result.elements(); row += n_size) {
    std::fill(sums.begin(), sums.end(), T{});
    for (std::int64_t n = 0; bias != nullptr && n < n_size; ++n)
      sums[static_cast<std::size_t>(n)] = Values::load(*bias, n);
    for (std::int64_t k = 0; k < k_size;) {
      for (std::size_t c = 0; c < chains && k < k_size; ++c, ++k) {
        const T x = Values::load(a, walk.offset(0) + k);
        T* chain = sums.data() + c * static_cast<std::size_t>(n_size);
        for (std::int64_t n = 0; n < n_size; ++n)
          chain[n] = multiply_add(x, Values::load(b, walk.offset(1) + k * n_size + n), chain[n]);
      }
    }
    for (std::int64_t n = 0; n < n_size; ++n, walk.next()) {
      T sum[max_chains] = {};
      for (std::size_t c = 0; c < chains; ++c)
        sum[c] = sums[c * static_cast<std::size_t>(n_size) + static_cast<std::size_t>(n)];
      for (std::size_t half = chains / 2; half > 0; half /= 2) {
        for (std::size_t c = 0; c < half; ++c) sum[c] = f.add(sum[c], sum[c + half]);
      }
      Values::store(result, row + n, sum[0]);
    }
  }
}

Expected<std::vector<Tensor>> evaluate(const EvaluateContext& context) {
  std::vector<Tensor> results;
  results.emplace_back(context.output_dtypes[0], context.output_shapes[0]);
  visit_dtype(results[0].dtype(), [&]<DType dtype>() {
    if constexpr (dtype != DType::boolean) compute<dtype>(context, results[0]);
  });
  return results;
}

}  // namespace

std::int64_t matmul_chains(const TensorType& a, const TensorType& b) {
  for (std::size_t d = 1; d + 1 < a.rank(); ++d) {
    if (!a.shape[d].is(1)) return 1;
  }
  const std::optional<std::int64_t> width = b.shape.back().value();
  if (!width) return 1;
  if (*width <= dot_columns) return max_chains;
  std::int64_t chains = 1;
  while (chains * ((*width + 15) / 16) < 8) chains *= 2;
  return chains;
}

void add_contract_ops(std::vector<OpDef>& table) {
  table.push_back({"matmul",
                   "matrix product, with an optional bias",
                   OpKind::contract,
                   2,
                   3,
                   {{"chains", AttributeType::integer}},
                   infer,
                   evaluate});
}

}  // namespace ingot::ops
