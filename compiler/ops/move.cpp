// SPDX-License-Identifier: Apache-2.0
// Ops that move elements and compute nothing: reshape, transpose, broadcast, concat, slice.
#include <algorithm>
#include <limits>

#include "ops/common.h"

namespace ingot::ops {
namespace {

using Types = Expected<std::vector<TensorType>>;
using Tensors = Expected<std::vector<Tensor>>;
using Integers = std::vector<std::int64_t>;

Tensor make_result(const EvaluateContext& context) {
  return Tensor(context.output_dtypes[0], context.output_shapes[0]);
}

/// Elements of any type: element i of the result is at walk.offset(0) of the source. What is made
/// of one value stays a splat.
Tensor gather(const EvaluateContext& context, const Integers& strides, std::int64_t start = 0) {
  const Tensor& source = *context.inputs[0];
  if (source.is_splat())
    return Tensor::splat(source.dtype(), context.output_shapes[0], source.bytes());
  Tensor result = make_result(context);
  const std::size_t size = bytes_of(result.dtype());
  const std::byte* from = source.bytes().data();
  std::byte* to = result.mutable_bytes().data();
  Walk walk(result.shape(), {strides});
  for (std::int64_t i = 0; i < result.elements(); ++i, walk.next()) {
    std::memcpy(to + static_cast<std::size_t>(i) * size,
                from + static_cast<std::size_t>(start + walk.offset(0)) * size, size);
  }
  return result;
}

Types infer_reshape(const InferContext& context) {
  TensorType type{context.input(0).dtype, context.attributes().get<Shape>("shape")};
  const Dim have = context.input(0).elements(), want = type.elements();
  if (have.value() && want.value() && have != want) {
    return context.error(
        fmt::format("{} elements as {}, which has {}", have.str(), str(type.shape), want.str()));
  }
  INGOT_TRY(context.require_equal(have, want));
  return std::vector{std::move(type)};
}

Tensors evaluate_reshape(const EvaluateContext& context) {
  return std::vector{context.inputs[0]->reshaped(context.output_shapes[0])};
}

Types infer_transpose(const InferContext& context) {
  const Integers& perm = context.attributes().get<Integers>("perm");
  const TensorType& input = context.input(0);
  Integers sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool valid = perm.size() == input.rank();
  for (std::size_t i = 0; valid && i < sorted.size(); ++i) {
    valid = sorted[i] == static_cast<std::int64_t>(i);
  }
  if (!valid) return context.error("perm is not a permutation of the axes");
  TensorType type{input.dtype, {}};
  for (const std::int64_t axis : perm)
    type.shape.push_back(input.shape[static_cast<std::size_t>(axis)]);
  return std::vector{std::move(type)};
}

Tensors evaluate_transpose(const EvaluateContext& context) {
  const Tensor& input = *context.inputs[0];
  const Integers dense = dense_strides(input.shape());
  Integers strides;
  for (const std::int64_t axis : context.attributes().get<Integers>("perm")) {
    strides.push_back(dense[static_cast<std::size_t>(axis)]);
  }
  return std::vector{gather(context, strides)};
}

Types infer_broadcast(const InferContext& context) {
  const Shape& shape = context.attributes().get<Shape>("shape");
  const TensorType& input = context.input(0);
  if (input.rank() > shape.size()) return context.error("its operand has more axes than its shape");
  for (std::size_t i = 0; i < input.rank(); ++i) {
    if (input.shape[i].is(1)) continue;
    INGOT_TRY(context.require_equal(input.shape[i], shape[i + shape.size() - input.rank()]));
  }
  return std::vector{TensorType{input.dtype, shape}};
}

Tensors evaluate_broadcast(const EvaluateContext& context) {
  return std::vector{
      gather(context, broadcast_strides(context.inputs[0]->shape(), context.output_shapes[0]))};
}

Types infer_concat(const InferContext& context) {
  const std::int64_t axis = context.attributes().get<std::int64_t>("axis");
  TensorType type = context.input(0);
  if (axis < 0 || axis >= static_cast<std::int64_t>(type.rank())) {
    return context.error(fmt::format("axis {} is not one of its {} axes", axis, type.rank()));
  }
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    const TensorType& next = context.input(i);
    if (next.dtype != type.dtype || next.rank() != type.rank()) {
      return context.error("operands differ in element type or number of axes");
    }
    for (std::size_t d = 0; d < type.rank(); ++d) {
      if (d == static_cast<std::size_t>(axis)) {
        type.shape[d] += next.shape[d];
      } else {
        INGOT_TRY(context.require_equal(type.shape[d], next.shape[d]));
      }
    }
  }
  return std::vector{std::move(type)};
}

Tensors evaluate_concat(const EvaluateContext& context) {
  const auto axis = static_cast<std::size_t>(context.attributes().get<std::int64_t>("axis"));
  Tensor result = make_result(context);
  const std::size_t size = bytes_of(result.dtype());
  std::size_t outer = 1;
  for (std::size_t d = 0; d < axis; ++d) outer *= static_cast<std::size_t>(result.shape()[d]);
  if (result.elements() == 0) return std::vector{std::move(result)};
  const std::size_t row = static_cast<std::size_t>(result.elements()) / outer * size;
  std::size_t place = 0;
  for (const Tensor* input : context.inputs) {
    const Tensor dense = input->dense();
    const std::size_t part = dense.bytes().size() / outer;
    for (std::size_t i = 0; i < outer && part > 0; ++i) {
      std::memcpy(result.mutable_bytes().data() + i * row + place, dense.bytes().data() + i * part,
                  part);
    }
    place += part;
  }
  return std::vector{std::move(result)};
}

Types infer_slice(const InferContext& context) {
  const TensorType& input = context.input(0);
  const Shape& start = context.attributes().get<Shape>("start");
  const Shape& size = context.attributes().get<Shape>("size");
  const Integers& step = context.attributes().get<Integers>("step");
  if (start.size() != input.rank() || size.size() != input.rank() || step.size() != input.rank()) {
    return context.error("start, size and step must have one entry for each axis");
  }
  for (std::size_t d = 0; d < input.rank(); ++d) {
    if (step[d] == 0) return context.error("a step of 0");
    if (size[d].is(0)) continue;
    const Dim last = start[d] + (size[d] - 1) * Dim(step[d]);
    // Where it begins in memory must be a number that can be written down.
    if (start[d].value() && (start[d] * input.elements()).overflowed())
      return context.error(fmt::format("axis {} begins too far away, at {}", d, start[d].str()));
    const bool numbers = start[d].value() && last.value() && input.shape[d].value();
    const Dim& high = step[d] > 0 ? last : start[d];
    const Dim& low = step[d] > 0 ? start[d] : last;
    if (numbers && (*low.value() < 0 || *high.value() >= *input.shape[d].value())) {
      return context.error(fmt::format("axis {} of size {} has no elements {} to {}", d,
                                       input.shape[d].str(), low.str(), high.str()));
    }
  }
  return std::vector{TensorType{input.dtype, size}};
}

Tensors evaluate_slice(const EvaluateContext& context) {
  const Tensor& input = *context.inputs[0];
  const Shape& start = context.attributes().get<Shape>("start");
  const Integers& step = context.attributes().get<Integers>("step");
  Integers strides = dense_strides(input.shape());
  std::int64_t first = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    INGOT_ASSIGN(const std::int64_t begin, start[d].evaluate(context.symbols));
    const std::int64_t size = context.output_shapes[0][d];
    // One element asks for no step, which may be any number then.
    const std::int64_t by = size > 1 ? step[d] : 0;
    std::int64_t span = 0, end = 0;
    if (__builtin_mul_overflow(size - 1, by, &span) || __builtin_add_overflow(begin, span, &end))
      end = std::numeric_limits<std::int64_t>::max();
    if (size > 0 && (std::min(begin, end) < 0 || std::max(begin, end) >= input.shape()[d])) {
      return fail(ErrorCode::limit, "slice of axis {}: elements {} to {} of {}", d, begin, end,
                  input.shape()[d]);
    }
    first += begin * strides[d];
    strides[d] *= by;
  }
  return std::vector{gather(context, strides, first)};
}

}  // namespace

void add_move_ops(std::vector<OpDef>& table) {
  table.push_back({"reshape",
                   "the same elements in order under another shape",
                   OpKind::move,
                   1,
                   1,
                   {{"shape", AttributeType::dims}},
                   infer_reshape,
                   evaluate_reshape});
  table.push_back({"transpose",
                   "axes in another order",
                   OpKind::move,
                   1,
                   1,
                   {{"perm", AttributeType::integers}},
                   infer_transpose,
                   evaluate_transpose});
  table.push_back({"broadcast",
                   "repeated along axes of size 1 or new ones",
                   OpKind::move,
                   1,
                   1,
                   {{"shape", AttributeType::dims}},
                   infer_broadcast,
                   evaluate_broadcast});
  table.push_back({"concat",
                   "operands one after the other along an axis",
                   OpKind::move,
                   1,
                   -1,
                   {{"axis", AttributeType::integer}},
                   infer_concat,
                   evaluate_concat});
  table.push_back({"slice",
                   "elements start + i * step of each axis",
                   OpKind::move,
                   1,
                   1,
                   {{"start", AttributeType::dims},
                    {"size", AttributeType::dims},
                    {"step", AttributeType::integers}},
                   infer_slice,
                   evaluate_slice});
}

}  // namespace ingot::ops
