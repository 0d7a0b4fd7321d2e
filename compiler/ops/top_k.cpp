// SPDX-License-Identifier: Apache-2.0
// top_k: of each row of the last axis the k elements that come first in order, sorted, and where in
// the row they stood.
#include "ops/top_k.h"

#include <algorithm>
#include <numeric>

#include "ops/common.h"
#include "ops/native_scalars.h"

namespace ingot::ops {
namespace {

Expected<std::vector<TensorType>> infer_top_k(const InferContext& context) {
  const TensorType& x = context.input(0);
  const Shape& k = context.attributes().get<Shape>("k");
  if (x.rank() == 0) return context.error("a scalar has no rows");
  if (k.size() != 1) return context.error("k must be one size");
  INGOT_TRY(context.require_at_least(k[0], 0));
  INGOT_TRY(context.require_at_least(x.shape.back(), k[0]));
  Shape shape = x.shape;
  shape.back() = k[0];
  return std::vector{TensorType{x.dtype, shape}, TensorType{DType::i64, shape}};
}

template <DType dtype>
void select(const Tensor& x, bool largest, Tensor& values, Tensor& places) {
  const std::int64_t length = x.shape().back(), k = values.shape().back();
  std::vector<std::int64_t> order(static_cast<std::size_t>(length));
  for (std::int64_t row = 0; k > 0 && row < values.elements() / k; ++row) {
    auto element = [&](std::int64_t i) { return Element<dtype>::load(x, row * length + i); };
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [&](std::int64_t i, std::int64_t j) {
                        if (comes_before(element(i), element(j), largest)) return true;
                        return i < j && !comes_before(element(j), element(i), largest);
                      });
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t place = order[static_cast<std::size_t>(i)];
      Element<dtype>::store(values, row * k + i, element(place));
      places.set(row * k + i, place);
    }
  }
}

Expected<std::vector<Tensor>> evaluate_top_k(const EvaluateContext& context) {
  const Tensor x = context.inputs[0]->dense();
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < 2; ++i)
    results.emplace_back(context.output_dtypes[i], context.output_shapes[i]);
  if (results[0].elements() == 0) return results;
  visit_dtype(x.dtype(), [&]<DType dtype>() {
    select<dtype>(x, context.attributes().get<bool>("largest"), results[0], results[1]);
  });
  return results;
}

}  // namespace

void add_top_k_op(std::vector<OpDef>& table) {
  table.push_back({"top_k",
                   "the first k of each row in order, sorted, and their places as i64",
                   OpKind::index,
                   1,
                   1,
                   {{"k", AttributeType::dims}, {"largest", AttributeType::boolean}},
                   infer_top_k,
                   evaluate_top_k});
}

}  // namespace ingot::ops
