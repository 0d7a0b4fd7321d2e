// SPDX-License-Identifier: Apache-2.0
// conv, window_max, window_min, window_prod and window_sum: over the taps of a window.
#include "ops/window.h"

#include <algorithm>
#include <cmath>

#include "ops/common.h"
#include "ops/native_scalars.h"
#include "ops/reduce.h"

namespace ingot::ops {
namespace {

using Integers = std::vector<std::int64_t>;
/// Beyond these, sizes are a mistake or an attack, and arithmetic on them stays within 64 bits.
constexpr std::int64_t most_of_one = std::int64_t{1} << 24;

const std::vector<AttributeSpec>& pads_and_strides() {
  static const std::vector<AttributeSpec> specs{{"strides", AttributeType::integers},
                                                {"dilations", AttributeType::integers},
                                                {"pads_begin", AttributeType::integers},
                                                {"pads_end", AttributeType::integers}};
  return specs;
}

std::vector<WindowAxis> read_axes(const Attributes& attributes, const Integers& taps) {
  const auto& strides = attributes.get<Integers>("strides");
  const auto& dilations = attributes.get<Integers>("dilations");
  const auto& begin = attributes.get<Integers>("pads_begin");
  const auto& end = attributes.get<Integers>("pads_end");
  std::vector<WindowAxis> axes;
  for (std::size_t d = 0; d < taps.size(); ++d)
    axes.push_back({taps[d], strides[d], dilations[d], begin[d], end[d]});
  return axes;
}

Expected<void> check_lists(const InferContext& context, std::size_t count) {
  for (const AttributeSpec& spec : pads_and_strides()) {
    const auto& list = context.attributes().get<Integers>(spec.name);
    if (list.size() != count)
      return context.error(fmt::format("{} must have {} entries", spec.name, count));
    const bool pads = spec.name.starts_with("pads");
    for (const std::int64_t value : list) {
      if (value > most_of_one || value < (pads ? -most_of_one : 1))
        return context.error(fmt::format("{} of {} is out of range", spec.name, value));
    }
  }
  return {};
}

Expected<void> check_taps(const InferContext& context, const std::vector<WindowAxis>& axes) {
  for (const WindowAxis& axis : axes) {
    if (axis.taps < 1 || axis.taps > most_of_one)
      return context.error(fmt::format("a window of {} taps", axis.taps));
    if (axis.reach() > most_of_one) return context.error("a window that reaches too far");
  }
  return {};
}

/// Walks the taps of a window at one output position, in row-major order: gives the offset into
/// the operand and the number of the tap. Taps outside are skipped.
template <class Visit>
void for_each_tap(const std::vector<WindowAxis>& axes, const Integers& position,
                  const Integers& sizes, const Integers& strides, const Visit& visit) {
  const std::size_t rank = axes.size();
  Integers first(rank), last(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    std::tie(first[d], last[d]) = axes[d].live(position[d], sizes[d]);
    if (first[d] >= last[d]) return;
  }
  Integers tap = first;
  while (true) {
    std::int64_t offset = 0, number = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      offset += (position[d] * axes[d].stride - axes[d].pad_begin + tap[d] * axes[d].dilation) *
                strides[d];
      number = number * axes[d].taps + tap[d];
    }
    visit(offset, number);
    std::size_t d = rank;
    while (d-- > 0) {
      if (++tap[d] < last[d]) break;
      tap[d] = first[d];
      if (d == 0) return;
    }
    if (rank == 0) return;
  }
}

// ---- conv ----

Expected<std::vector<TensorType>> infer_conv(const InferContext& context) {
  const TensorType& x = context.input(0);
  const TensorType& w = context.input(1);
  if (x.rank() < 3 || w.rank() != x.rank())
    return context.error(
        "operands must be [batch, positions.., channels] and "
        "[taps.., channels / groups, results]");
  if (x.dtype != w.dtype || x.dtype == DType::boolean)
    return context.error(fmt::format("cannot convolve {} with {}", str(x), str(w)));
  const std::size_t count = x.rank() - 2;
  INGOT_TRY(check_lists(context, count));
  const std::optional<Integers> taps = static_shape(Shape(w.shape.begin(), w.shape.end() - 2));
  if (!taps) return context.error("the size of the window must be known");
  const std::vector<WindowAxis> axes = read_axes(context.attributes(), *taps);
  INGOT_TRY(check_taps(context, axes));
  const std::int64_t groups = context.attributes().get<std::int64_t>("groups");
  const std::optional<std::int64_t> results = w.shape.back().value();
  if (groups < 1 || groups > most_of_one || (groups > 1 && (!results || *results % groups != 0)))
    return context.error(fmt::format("{} groups of {} results", groups, w.shape.back().str()));
  INGOT_TRY(context.require_equal(x.shape.back(), w.shape[w.rank() - 2] * Dim(groups)));
  if (context.input_count() == 3) {
    const TensorType& bias = context.input(2);
    if (bias.dtype != x.dtype || bias.rank() != 1)
      return context.error("the bias must be a vector of the operands' type");
    INGOT_TRY(context.require_equal(bias.shape[0], w.shape.back()));
  }
  TensorType type{x.dtype, {x.shape[0]}};
  for (std::size_t d = 0; d < count; ++d)
    type.shape.push_back(window_positions(x.shape[d + 1], axes[d]));
  type.shape.push_back(w.shape.back());
  return std::vector{std::move(type)};
}

template <DType dtype>
void compute_conv(const EvaluateContext& context, Tensor& result) {
  using Values = Element<dtype>;
  using T = typename Values::Compute;
  NativeScalars<T> f{{context.arithmetic == Arithmetic::strict}};
  auto multiply_add = [&](T a, T b, T sum) -> T {
    if constexpr (std::is_floating_point_v<T>) {
      if (context.arithmetic == Arithmetic::fused) return std::fma(a, b, sum);
    }
    const T product = f.mul(a, b);
    return f.add(product, sum);
  };
  const Tensor& x = *context.inputs[0];
  const Tensor& w = *context.inputs[1];
  const Tensor* bias = context.inputs.size() == 3 ? context.inputs[2] : nullptr;
  const std::size_t rank = x.shape().size();
  const std::vector<WindowAxis> axes =
      read_axes(context.attributes(), Integers(w.shape().begin(), w.shape().end() - 2));
  const std::int64_t groups = context.attributes().get<std::int64_t>("groups");
  const std::int64_t channels = w.shape()[rank - 2];
  const std::int64_t results = result.shape().back();
  const Integers strides = dense_strides(x.shape());
  const Integers sizes(x.shape().begin() + 1, x.shape().end() - 1);
  const Integers inner(strides.begin() + 1, strides.end() - 1);

  Walk walk(result.shape(), {});
  for (std::int64_t i = 0; i < result.elements(); ++i, walk.next()) {
    const Integers& point = walk.index();
    const std::int64_t n = point.back();
    const std::int64_t from = point[0] * strides[0] + n / (results / groups) * channels;
    T sum = bias != nullptr ? Values::load(*bias, n) : T{};
    for_each_tap(axes, Integers(point.begin() + 1, point.end() - 1), sizes, inner,
                 [&](std::int64_t offset, std::int64_t tap) {
                   for (std::int64_t c = 0; c < channels; ++c) {
                     sum = multiply_add(Values::load(x, from + offset + c),
                                        Values::load(w, (tap * channels + c) * results + n), sum);
                   }
                 });
    Values::store(result, i, sum);
  }
}

Expected<std::vector<Tensor>> evaluate_conv(const EvaluateContext& context) {
  std::vector<Tensor> results;
  results.emplace_back(context.output_dtypes[0], context.output_shapes[0]);
  visit_dtype(results[0].dtype(), [&]<DType dtype>() {
    if constexpr (dtype != DType::boolean) compute_conv<dtype>(context, results[0]);
  });
  return results;
}

// ---- window reductions ----

Expected<std::vector<TensorType>> infer_window(const InferContext& context) {
  const TensorType& x = context.input(0);
  if (x.dtype == DType::boolean) return context.error("not defined for bool");
  if (context.attributes().get<Integers>("window").size() != x.rank())
    return context.error("window must have one entry per axis");
  INGOT_TRY(check_lists(context, x.rank()));
  const std::vector<WindowAxis> axes = window_axes(context.attributes());
  INGOT_TRY(check_taps(context, axes));
  TensorType type{x.dtype, {}};
  for (std::size_t d = 0; d < x.rank(); ++d)
    type.shape.push_back(window_positions(x.shape[d], axes[d]));
  return std::vector{std::move(type)};
}

template <Pointwise op, DType dtype>
void compute_window(const EvaluateContext& context, Tensor& result) {
  using Values = Element<dtype>;
  using T = typename Values::Compute;
  NativeScalars<T> f{{context.arithmetic == Arithmetic::strict}};
  const Tensor& x = *context.inputs[0];
  const std::vector<WindowAxis> axes = window_axes(context.attributes());
  const Integers strides = dense_strides(x.shape());
  Walk walk(result.shape(), {});
  for (std::int64_t i = 0; i < result.elements(); ++i, walk.next()) {
    T sum = neutral<T, op>();
    for_each_tap(axes, walk.index(), x.shape(), strides, [&](std::int64_t offset, std::int64_t) {
      sum = Formula<op>::apply(f, sum, Values::load(x, offset));
    });
    Values::store(result, i, sum);
  }
}

template <Pointwise op>
Expected<std::vector<Tensor>> evaluate_window(const EvaluateContext& context) {
  std::vector<Tensor> results;
  results.emplace_back(context.output_dtypes[0], context.output_shapes[0]);
  visit_dtype(results[0].dtype(), [&]<DType dtype>() {
    if constexpr (dtype != DType::boolean) compute_window<op, dtype>(context, results[0]);
  });
  return results;
}

template <Pointwise op>
OpDef window_op(std::string_view name, std::string_view summary) {
  std::vector<AttributeSpec> attributes{{"window", AttributeType::integers}};
  attributes.insert(attributes.end(), pads_and_strides().begin(), pads_and_strides().end());
  return {name, summary, OpKind::window, 1, 1, attributes, infer_window, evaluate_window<op>};
}

Attributes list_attributes(const std::vector<WindowAxis>& axes) {
  Integers strides, dilations, begin, end;
  for (const WindowAxis& axis : axes) {
    strides.push_back(axis.stride);
    dilations.push_back(axis.dilation);
    begin.push_back(axis.pad_begin);
    end.push_back(axis.pad_end);
  }
  return {{"strides", strides}, {"dilations", dilations}, {"pads_begin", begin}, {"pads_end", end}};
}

}  // namespace

std::pair<std::int64_t, std::int64_t> WindowAxis::live(std::int64_t o, std::int64_t size) const {
  const std::int64_t start = o * stride - pad_begin;
  const std::int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const std::int64_t last = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  return {first, std::min(last, taps)};
}

Dim window_positions(const Dim& size, const WindowAxis& axis) {
  const Dim room = size + Dim(axis.pad_begin + axis.pad_end - axis.reach());
  const Dim positions = Dim::floor_div(room, axis.stride) + 1;
  if (const auto number = positions.value()) return std::max<std::int64_t>(*number, 0);
  // Without pads below the reach, positions are not negative for any size.
  if (axis.pad_begin + axis.pad_end >= axis.reach() - axis.stride) return positions;
  return Dim::max(positions, 0);
}

std::vector<WindowAxis> window_axes(const Attributes& attributes, const Shape& weights) {
  const auto taps = static_shape(Shape(weights.begin(), weights.end() - 2));
  INGOT_CHECK(taps.has_value(), "a window of unknown size");
  return read_axes(attributes, *taps);
}

std::vector<WindowAxis> window_axes(const Attributes& attributes) {
  return read_axes(attributes, attributes.get<Integers>("window"));
}

Attributes conv_attributes(const std::vector<WindowAxis>& axes, std::int64_t groups) {
  Attributes attributes = list_attributes(axes);
  attributes.set("groups", groups);
  return attributes;
}

Attributes window_attributes(const std::vector<WindowAxis>& axes) {
  Attributes attributes = list_attributes(axes);
  Integers window;
  for (const WindowAxis& axis : axes) window.push_back(axis.taps);
  attributes.set("window", window);
  return attributes;
}

void add_window_ops(std::vector<OpDef>& table) {
  std::vector<AttributeSpec> attributes = pads_and_strides();
  attributes.push_back({"groups", AttributeType::integer});
  table.push_back({"conv", "sum of products over a window, channels last, with an optional bias",
                   OpKind::contract, 2, 3, attributes, infer_conv, evaluate_conv});
  table.push_back(window_op<Pointwise::max_>("window_max", "maximum over a window of each axis"));
  table.push_back(window_op<Pointwise::min_>("window_min", "minimum over a window of each axis"));
  table.push_back(window_op<Pointwise::mul_>("window_prod", "product over a window of each axis"));
  table.push_back(window_op<Pointwise::add_>("window_sum", "sum over a window of each axis"));
}

}  // namespace ingot::ops
