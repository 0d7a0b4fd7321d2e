// SPDX-License-Identifier: Apache-2.0
// Core ops one by one, and constants.
#include "import/compose.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "ops/contract.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace ingot {
namespace {

/// The number rounded once; integers saturate, so that bounds given as floats stay bounds.
template <class T>
T saturate(double number) {
  if (std::isnan(number)) return 0;
  // 2^63 and 2^64 are exact as doubles where max() is not.
  if (number >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  if (number <= static_cast<double>(std::numeric_limits<T>::lowest())) {
    return std::numeric_limits<T>::lowest();
  }
  return static_cast<T>(number);
}

}  // namespace

Tensor number_tensor(DType dtype, double number) {
  switch (dtype) {
    case DType::f32:
      return Tensor::scalar(dtype, static_cast<float>(number));
    case DType::f64:
      return Tensor::scalar(dtype, number);
    case DType::f16:
      return Tensor::scalar(dtype, f64_to_f16(number));
    case DType::bf16:
      return Tensor::scalar(dtype, f64_to_bf16(number));
    case DType::i8:
      return Tensor::scalar(dtype, saturate<std::int8_t>(number));
    case DType::i16:
      return Tensor::scalar(dtype, saturate<std::int16_t>(number));
    case DType::i32:
      return Tensor::scalar(dtype, saturate<std::int32_t>(number));
    case DType::i64:
      return Tensor::scalar(dtype, saturate<std::int64_t>(number));
    case DType::u8:
      return Tensor::scalar(dtype, saturate<std::uint8_t>(number));
    case DType::u16:
      return Tensor::scalar(dtype, saturate<std::uint16_t>(number));
    case DType::u32:
      return Tensor::scalar(dtype, saturate<std::uint32_t>(number));
    case DType::u64:
      return Tensor::scalar(dtype, saturate<std::uint64_t>(number));
    case DType::boolean:
      return Tensor::scalar(dtype, static_cast<std::uint8_t>(number != 0));
  }
  return {};
}

Error in_node(const Error& error, const std::string& node, const std::string& op) {
  const std::string here = fmt::format("node '{}' (", node);
  if (!error.message.starts_with("node '"))
    return {error.code, fmt::format("{}{}): {}", here, op, error.message)};
  if (!error.message.starts_with(here)) return error;
  const std::size_t end = error.message.find("): ", here.size());
  if (end == std::string::npos) return error;
  const std::string core = error.message.substr(here.size(), end - here.size());
  const std::string what = error.message.substr(end + 3);
  // `matmul` is MatMul, `add` AddV2; `transpose` in a Conv is worth telling.
  const bool same = core.size() <= op.size() &&
                    std::equal(core.begin(), core.end(), op.begin(), [](char a, char b) {
                      return std::tolower(static_cast<unsigned char>(a)) ==
                             std::tolower(static_cast<unsigned char>(b));
                    });
  return {error.code, fmt::format("{}{}): {}{}", here, op, same ? "" : core + ": ", what)};
}

ValueId Composer::fail_with(Error error, Refused kind) {
  if (error_) return {};
  error_ = std::move(error);
  kind_ = kind;
  return {};
}

Expected<ValueId> Composer::result(ValueId value) const {
  if (error_) return *error_;
  INGOT_CHECK(value.valid(), "node '{}' was composed to nothing", node_name_);
  return value;
}

Expected<std::vector<ValueId>> Composer::results(std::vector<ValueId> values) const {
  if (error_) return *error_;
  return values;
}

const TensorType& Composer::type(ValueId value) const {
  static const TensorType unknown{};
  return value.valid() ? graph_.type(value) : unknown;
}

std::size_t Composer::axis(std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) {
    invalid("axis {} is not one of {} axes", axis, rank);
    return 0;
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::vector<std::int64_t> Composer::axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<std::int64_t> sorted;
  for (const std::int64_t one : axes) sorted.push_back(static_cast<std::int64_t>(axis(one, rank)));
  if (failed()) return {};
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

ValueId Composer::scalar(DType dtype, double number) {
  return constant(number_tensor(dtype, number));
}

ValueId Composer::dims(const Shape& values) {
  if (const auto numbers = static_shape(values)) return constant(Tensor::from_int64(*numbers));
  return op("dims", {}, {{"values", values}});
}

ValueId Composer::size(const Shape& dims_to_multiply, DType dtype) {
  return cast(reshape(dims({product(dims_to_multiply)}), {}), dtype);
}

ValueId Composer::op(std::string_view name, std::vector<ValueId> inputs, Attributes attributes) {
  if (failed()) return {};
  for (const ValueId input : inputs) {
    if (!input.valid()) return invalid("an operand is missing");
  }
  if (const std::optional<ops::Pointwise> pointwise = ops::find_pointwise(name)) {
    const DType dtype = this->dtype(inputs.back());
    if (!ops::in_domain(ops::info(*pointwise).domain, dtype))
      return invalid("{} is not defined for {}", name, ingot::name(dtype));
  }
  Expected<ValueId> value = graph_.add(name, std::move(inputs), std::move(attributes), node_name_);
  if (!value) return fail_with(value.error());
  return *value;
}

std::vector<ValueId> Composer::several(std::string_view name, std::vector<ValueId> inputs,
                                       Attributes attributes, std::size_t count) {
  const std::vector<ValueId> none(count);
  if (failed()) return none;
  for (const ValueId input : inputs) {
    if (!input.valid()) return invalid("an operand is missing"), none;
  }
  auto values =
      graph_.add_node(ingot::op(name), std::move(inputs), std::move(attributes), node_name_);
  if (!values) return fail_with(values.error()), none;
  return *std::move(values);
}

ValueId Composer::cast(ValueId x, DType to) {
  if (dtype(x) == to) return x;
  if (x.valid() && graph_.is_constant(x) && graph_.constant(x).elements() == 1 &&
      is_integer(dtype(x)) && !failed()) {
    // Counts and sizes: known numbers stay constants.
    const std::int64_t number = graph_.constant(x).as_int64(0);
    if (std::abs(number) < (std::int64_t{1} << 53) && is_float(to)) {
      const Tensor one = number_tensor(to, static_cast<double>(number));
      return constant(one.reshaped(graph_.constant(x).shape()));
    }
  }
  return op("cast", {x}, {{"to", to}});
}

ValueId Composer::reshape(ValueId x, Shape shape) {
  if (failed() || this->shape(x) == shape) return x;
  if (shape.size() > max_rank)
    return invalid("{} axes, at most {} are supported", shape.size(), max_rank);
  const std::optional<std::vector<std::int64_t>> numbers = static_shape(shape);
  if (x.valid() && graph_.is_constant(x) && numbers) {
    const Expected<std::int64_t> elements = element_count(*numbers);
    if (elements && *elements == graph_.constant(x).elements()) {
      return constant(graph_.constant(x).reshaped(*numbers));
    }
  }
  return op("reshape", {x}, {{"shape", std::move(shape)}});
}

ValueId Composer::transpose(ValueId x, std::vector<std::int64_t> perm) {
  bool identity = perm.size() == rank(x);
  for (std::size_t i = 0; i < perm.size(); ++i) {
    identity = identity && perm[i] == static_cast<std::int64_t>(i);
  }
  return identity ? x : op("transpose", {x}, {{"perm", std::move(perm)}});
}

ValueId Composer::broadcast(ValueId x, Shape shape) {
  if (failed() || this->shape(x) == shape) return x;
  const std::optional<std::vector<std::int64_t>> numbers = static_shape(shape);
  if (numbers && x.valid() && graph_.is_constant(x) && graph_.constant(x).elements() == 1) {
    const Expected<std::int64_t> elements = element_count(*numbers);
    if (!elements) return fail_with(elements.error());
    if (rank(x) <= shape.size()) {
      return constant(Tensor::splat(dtype(x), *numbers, graph_.constant(x).bytes()));
    }
  }
  return op("broadcast", {x}, {{"shape", std::move(shape)}});
}

ValueId Composer::concat(const std::vector<ValueId>& parts, std::size_t axis) {
  if (parts.empty()) return invalid("nothing to concatenate");
  if (parts.size() == 1) return parts.front();
  return op("concat", parts, {{"axis", static_cast<std::int64_t>(axis)}});
}

ValueId Composer::slice(ValueId x, std::size_t axis, Dim start, Dim size, const Dim& step) {
  if (failed()) return {};
  INGOT_CHECK(axis < rank(x) && step.value(), "slice of axis {} of {}", axis, str(type(x)));
  if (start.is(0) && size == shape(x)[axis] && step.is(1)) return x;
  Shape starts(rank(x), 0);
  Shape sizes = shape(x);
  std::vector<std::int64_t> steps(rank(x), 1);
  starts[axis] = std::move(start);
  sizes[axis] = std::move(size);
  steps[axis] = *step.value();
  return op("slice", {x}, {{"start", starts}, {"size", sizes}, {"step", steps}});
}

ValueId Composer::reduce(std::string_view op_name, ValueId x, const std::vector<std::int64_t>& axes,
                         bool keep_dims) {
  if (axes.empty()) return x;
  return op(
      op_name, {x},
      {{"axes", axes}, {"keep_dims", keep_dims}, {"order", ops::reduction_order(rank(x), axes)}});
}

ValueId Composer::matmul(ValueId a, ValueId b, ValueId bias) {
  if (failed()) return {};
  const bool vector_a = rank(a) == 1;
  const bool vector_b = rank(b) == 1;
  if (rank(a) == 0 || rank(b) == 0) return invalid("a factor is a scalar");
  if (vector_a) a = unsqueeze(a, {0});
  if (vector_b) b = unsqueeze(b, {1});
  std::vector<ValueId> operands{a, b};
  if (bias.valid()) operands.push_back(bias);
  ValueId y = op("matmul", std::move(operands), {{"chains", ops::matmul_chains(type(a), type(b))}});
  if (failed()) return {};
  const auto last = static_cast<std::int64_t>(rank(y)) - 1;
  std::vector<std::int64_t> dropped;
  if (vector_a) dropped.push_back(last - 1);
  if (vector_b) dropped.push_back(last);
  return squeeze(y, dropped);
}

std::optional<Shape> common_shape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::size_t from_end = result.size() - i;
    const Dim x = from_end > a.size() ? Dim(1) : a[a.size() - from_end];
    const Dim y = from_end > b.size() ? Dim(1) : b[b.size() - from_end];
    if (x.value() && y.value() && x != y && !x.is(1) && !y.is(1)) return std::nullopt;
    if (x.is(1)) {
      result[i] = y;
    } else {
      result[i] = y.value() && !y.is(1) ? y : x;
    }
  }
  return result;
}

}  // namespace ingot
