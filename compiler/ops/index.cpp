// SPDX-License-Identifier: Apache-2.0
// gather and scatter: entries of one axis, chosen by data, are read or written. An index outside of
// [0, size) is an error of the call that brings it, never an access out of bounds: importers have
// made negative indices positive where a format counts them from the end.
#include "ops/index.h"

#include <algorithm>
#include <cstring>

#include "ops/common.h"
#include "ops/native_scalars.h"
#include "ops/pointwise.h"
#include "ops/top_k.h"

namespace ingot::ops {
namespace {

Expected<std::vector<TensorType>> infer_gather(const InferContext& context) {
  const TensorType& data = context.input(0);
  const TensorType& indices = context.input(1);
  const std::int64_t axis = context.attributes().get<std::int64_t>("axis");
  const Attribute* batch = context.attributes().find("batch");
  const std::int64_t common = batch == nullptr ? 0 : std::get<std::int64_t>(*batch);
  if (axis < 0 || axis >= static_cast<std::int64_t>(data.rank()))
    return context.error("axis is outside of the rank");
  if (common < 0 || common > axis || common > static_cast<std::int64_t>(indices.rank()))
    return context.error("its batch is not leading axes of both operands");
  if (indices.dtype != DType::i64 && indices.dtype != DType::i32)
    return context.error("indices must be i32 or i64");
  for (std::size_t d = 0; d < static_cast<std::size_t>(common); ++d)
    INGOT_TRY(context.require_equal(data.shape[d], indices.shape[d]));
  TensorType type{data.dtype, Shape(data.shape.begin(), data.shape.begin() + axis)};
  type.shape.insert(type.shape.end(), indices.shape.begin() + common, indices.shape.end());
  type.shape.insert(type.shape.end(), data.shape.begin() + axis + 1, data.shape.end());
  return std::vector{std::move(type)};
}

Expected<std::vector<Tensor>> evaluate_gather(const EvaluateContext& context) {
  const Tensor data = context.inputs[0]->dense();
  const Tensor indices = context.inputs[1]->dense();
  const auto axis = static_cast<std::size_t>(context.attributes().get<std::int64_t>("axis"));
  const std::size_t common = batch_axes(context.attributes());
  std::int64_t batches = 1, outer = 1, inner = 1;
  for (std::size_t d = 0; d < data.shape().size(); ++d) {
    if (d < common) {
      batches *= data.shape()[d];
    } else if (d != axis) {
      (d < axis ? outer : inner) *= data.shape()[d];
    }
  }
  const std::int64_t size = data.shape()[axis];
  const std::int64_t count = batches == 0 ? 0 : indices.elements() / batches;
  const auto entry = static_cast<std::size_t>(inner) * bytes_of(data.dtype());
  Tensor result(context.output_dtypes[0], context.output_shapes[0]);
  if (result.elements() == 0) return std::vector{std::move(result)};
  std::byte* to = result.mutable_bytes().data();
  for (std::int64_t o = 0; o < batches * outer; ++o) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = o / outer * count + i;
      const std::int64_t index = indices.dtype() == DType::i32 ? indices.at<std::int32_t>(at)
                                                               : indices.at<std::int64_t>(at);
      if (index < 0 || index >= size) {
        return fail(ErrorCode::runtime, "index {} is outside of [0, {})", index, size);
      }
      std::memcpy(to, data.bytes().data() + static_cast<std::size_t>(o * size + index) * entry,
                  entry);
      to += entry;
    }
  }
  return std::vector{std::move(result)};
}

constexpr std::string_view reductions[] = {"none", "sum", "prod", "max", "min"};

Expected<std::vector<TensorType>> infer_scatter(const InferContext& context) {
  const TensorType &data = context.input(0), &indices = context.input(1),
                   &updates = context.input(2);
  const Attribute* batch = context.attributes().find("batch");
  const std::int64_t common = batch == nullptr ? 0 : std::get<std::int64_t>(*batch);
  const std::string& reduction = context.attributes().get<std::string>("reduction");
  if (common < 0 || common >= static_cast<std::int64_t>(data.rank()) ||
      common > static_cast<std::int64_t>(indices.rank())) {
    return context.error("its batch is not leading axes of data and indices");
  }
  if (indices.dtype != DType::i64 && indices.dtype != DType::i32)
    return context.error("indices must be i32 or i64");
  if (updates.dtype != data.dtype) return context.error("updates must be of the data's type");
  if (std::find(std::begin(reductions), std::end(reductions), reduction) == std::end(reductions))
    return context.error("reduction must be none, sum, prod, max or min");
  if (data.dtype == DType::boolean && (reduction == "sum" || reduction == "prod"))
    return context.error("not defined for bool");
  Shape wanted = indices.shape;
  wanted.insert(wanted.end(), data.shape.begin() + common + 1, data.shape.end());
  if (updates.rank() != wanted.size())
    return context.error("updates must have the axes of the indices and then those of an entry");
  for (std::size_t d = 0; d < static_cast<std::size_t>(common); ++d)
    INGOT_TRY(context.require_equal(data.shape[d], indices.shape[d]));
  for (std::size_t d = 0; d < wanted.size(); ++d)
    INGOT_TRY(context.require_equal(updates.shape[d], wanted[d]));
  return std::vector{data};
}

template <Pointwise op, DType dtype>
void combine(const EvaluateContext& context, Tensor& result, std::int64_t at, const Tensor& updates,
             std::int64_t from) {
  using T = typename Element<dtype>::Compute;
  NativeScalars<T> f{{context.arithmetic == Arithmetic::strict}};
  const T before = Element<dtype>::load(result, at), update = Element<dtype>::load(updates, from);
  Element<dtype>::store(result, at, Formula<op>::apply(f, before, update));
}

/// One element; `combine` says how.
using Put = void (*)(const EvaluateContext&, Tensor& result, std::int64_t at, const Tensor& updates,
                     std::int64_t from);

Put find_put(DType type, std::string_view reduction) {
  return visit_dtype(type, [&]<DType dtype>() -> Put {
    if (reduction == "none") {
      return [](const EvaluateContext&, Tensor& result, std::int64_t at, const Tensor& updates,
                std::int64_t from) {
        Element<dtype>::store(result, at, Element<dtype>::load(updates, from));
      };
    }
    if (reduction == "max") return combine<Pointwise::max_, dtype>;
    if (reduction == "min") return combine<Pointwise::min_, dtype>;
    if constexpr (dtype != DType::boolean) {
      return reduction == "sum" ? combine<Pointwise::add_, dtype> : combine<Pointwise::mul_, dtype>;
    } else {
      internal_error(__FILE__, __LINE__, "a sum of truth values");
    }
  });
}

/// In the order of the indices: the last one to a place wins, or comes last into its sum.
Expected<std::vector<Tensor>> evaluate_scatter(const EvaluateContext& context) {
  const Tensor indices = context.inputs[1]->dense(), updates = context.inputs[2]->dense();
  Tensor result = context.inputs[0]->dense();
  const std::size_t common = batch_axes(context.attributes());
  std::int64_t batches = 1, inner = 1;
  for (std::size_t d = 0; d < result.shape().size(); ++d) {
    if (d < common) batches *= result.shape()[d];
    if (d > common) inner *= result.shape()[d];
  }
  const std::int64_t size = result.shape()[common];
  const std::int64_t count = batches == 0 ? 0 : indices.elements() / batches;
  if (updates.elements() == 0) return std::vector{std::move(result)};
  const Put put = find_put(result.dtype(), context.attributes().get<std::string>("reduction"));
  for (std::int64_t i = 0; i < batches * count; ++i) {
    const std::int64_t index =
        indices.dtype() == DType::i32 ? indices.at<std::int32_t>(i) : indices.at<std::int64_t>(i);
    if (index < 0 || index >= size)
      return fail(ErrorCode::runtime, "index {} is outside of [0, {})", index, size);
    const std::int64_t entry = i / count * size + index;
    for (std::int64_t j = 0; j < inner; ++j)
      put(context, result, entry * inner + j, updates, i * inner + j);
  }
  return std::vector{std::move(result)};
}

}  // namespace

std::size_t batch_axes(const Attributes& attributes) {
  const Attribute* batch = attributes.find("batch");
  return batch == nullptr ? 0 : static_cast<std::size_t>(std::get<std::int64_t>(*batch));
}

void add_index_ops(std::vector<OpDef>& table) {
  table.push_back({"gather",
                   "entries of one axis, chosen by indices that are checked; in each of `batch` "
                   "leading axes its own",
                   OpKind::index,
                   2,
                   2,
                   {{"axis", AttributeType::integer}, {"batch", AttributeType::integer, false}},
                   infer_gather,
                   evaluate_gather});
  table.push_back({"scatter",
                   "data whose entries at checked indices are replaced by updates, or combined "
                   "with them, in index order; in each of `batch` leading axes its own",
                   OpKind::index,
                   3,
                   3,
                   {{"reduction", AttributeType::text}, {"batch", AttributeType::integer, false}},
                   infer_scatter,
                   evaluate_scatter});
  add_top_k_op(table);
}

}  // namespace ingot::ops
