// SPDX-License-Identifier: Apache-2.0
// Ops without operands: iota, the coordinate along an axis, and dims, sizes as numbers.
#include "ops/common.h"
#include "ops/native_scalars.h"

namespace ingot::ops {
namespace {

Expected<std::vector<TensorType>> infer_iota(const InferContext& context) {
  const Shape& shape = context.attributes().get<Shape>("shape");
  const std::int64_t axis = context.attributes().get<std::int64_t>("axis");
  const DType dtype = context.attributes().get<DType>("dtype");
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) {
    return context.error("its axis is not one of its shape's");
  }
  if (!is_integer(dtype)) return context.error("only integers count");
  return std::vector{TensorType{dtype, shape}};
}

Expected<std::vector<Tensor>> evaluate_iota(const EvaluateContext& context) {
  const auto axis = static_cast<std::size_t>(context.attributes().get<std::int64_t>("axis"));
  std::vector<Tensor> results;
  results.emplace_back(context.output_dtypes[0], context.output_shapes[0]);
  Tensor& result = results[0];
  visit_dtype(result.dtype(), [&]<DType dtype>() {
    using T = typename Element<dtype>::Compute;
    Walk walk(result.shape(), {});
    for (std::int64_t i = 0; i < result.elements(); ++i, walk.next()) {
      Element<dtype>::store(result, i, static_cast<T>(walk.index()[axis]));
    }
  });
  return results;
}

Expected<std::vector<TensorType>> infer_dims(const InferContext& context) {
  const auto& values = context.attributes().get<std::vector<Dim>>("values");
  return std::vector{TensorType{DType::i64, {static_cast<std::int64_t>(values.size())}}};
}

Expected<std::vector<Tensor>> evaluate_dims(const EvaluateContext& context) {
  std::vector<std::int64_t> numbers;
  for (const Dim& dim : context.attributes().get<std::vector<Dim>>("values")) {
    INGOT_ASSIGN(const std::int64_t number, dim.evaluate(context.symbols));
    numbers.push_back(number);
  }
  return std::vector{Tensor::from_int64(numbers)};
}

}  // namespace

void add_source_ops(std::vector<OpDef>& table) {
  table.push_back({"iota",
                   "the coordinate along an axis",
                   OpKind::source,
                   0,
                   0,
                   {{"shape", AttributeType::dims},
                    {"axis", AttributeType::integer},
                    {"dtype", AttributeType::dtype}},
                   infer_iota,
                   evaluate_iota});
  table.push_back({"dims",
                   "sizes, as a vector of i64",
                   OpKind::source,
                   0,
                   0,
                   {{"values", AttributeType::dims}},
                   infer_dims,
                   evaluate_dims});
}

}  // namespace ingot::ops
