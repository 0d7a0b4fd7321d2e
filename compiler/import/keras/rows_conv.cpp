// SPDX-License-Identifier: Apache-2.0
// Convolutions: plain, causal, depthwise, separable, transposed; of one to three axes of positions.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {

std::size_t positions_of(const LayerContext& n) {
  const std::string& name = n.layer().class_name;
  for (std::size_t i = 0; i + 1 < name.size(); ++i)
    if (name[i] >= '1' && name[i] <= '3' && name[i + 1] == 'D')
      return static_cast<std::size_t>(name[i] - '0');
  return 1;
}

Windows read_windows(LayerContext& n, ValueId x, const std::vector<std::int64_t>& taps,
                     const std::vector<std::int64_t>& strides,
                     const std::vector<std::int64_t>& dilations, ValueId fill) {
  Windows result{x, {}};
  const std::string padding = n.text("padding", "valid");
  for (std::size_t d = 0; d < taps.size() && !n.failed(); ++d) {
    for (const std::int64_t number : {taps[d], strides[d], dilations[d]})
      if (number < 1 || number > most_of_window) n.invalid("its window or step is {}", number);
    if (n.failed()) break;
    ops::WindowAxis axis{taps[d], strides[d], dilations[d]};
    if (padding == "same") {
      result.x = n.pad_same(result.x, d + 1, axis, fill);
    } else if (padding == "causal") {
      axis.pad_begin = axis.reach() - 1;
    } else if (padding != "valid") {
      n.unsupported(Refused::attribute, "its padding is '{}'", padding);
    }
    result.axes.push_back(axis);
  }
  return result;
}

namespace {

using Integers = std::vector<std::int64_t>;

/// The sizes of a filter along the positions.
Integers taps_of(LayerContext& n, ValueId filter, std::size_t count) {
  if (n.failed()) return Integers(count, 1);
  const Shape& shape = n.shape(filter);
  return static_shape(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(count)))
      .value_or(Integers(count, 1));
}

/// `filter` is [taps.., channels / groups, results].
ValueId convolve(LayerContext& n, ValueId x, ValueId filter, ValueId bias, std::int64_t groups) {
  const std::size_t count = positions_of(n);
  const Integers strides = n.integers("strides", count, 1);
  const Integers dilations = n.integers("dilation_rate", count, 1);
  const Windows windows =
      read_windows(n, x, taps_of(n, filter, count), strides, dilations, n.number(0, x));
  return n.conv(windows.x, filter, bias, windows.axes, groups);
}

/// The operand with its channels last.
ValueId operand(LayerContext& n) {
  const ValueId x = n.computed(n.x(positions_of(n) + 2));
  if (!n.failed() && n.rank(x) != positions_of(n) + 2)
    return n.unsupported(Refused::op, "its operand has {} axes", n.rank(x));
  return n.has_channels_first() ? n.channels_last(x) : x;
}

ValueId result(LayerContext& n, ValueId y) {
  y = n.activated(y);
  return n.has_channels_first() ? n.channels_first(y) : y;
}

ValueId bias_of(LayerContext& n) {
  return n.layer().variable("bias") != nullptr ? n.variable("bias", 1) : ValueId{};
}

/// A filter [taps.., channels, results of each] as one of that many groups.
ValueId depthwise(LayerContext& n, ValueId x, std::string_view name, ValueId bias) {
  const ValueId filter = n.variable(name, static_cast<int>(positions_of(n)) + 2);
  if (n.failed()) return {};
  Shape shape = n.shape(filter);
  const std::size_t last = shape.size() - 1;
  const std::int64_t channels = shape[last - 1].value().value_or(1);
  shape[last] *= shape[last - 1];
  shape[last - 1] = 1;
  return convolve(n, x, n.reshape(filter, shape), bias, channels);
}

}  // namespace

Flows conv(LayerContext& n) {
  const ValueId x = operand(n);
  const ValueId filter = n.variable("kernel", static_cast<int>(positions_of(n)) + 2);
  return {{result(n, convolve(n, x, filter, bias_of(n), n.integer("groups", 1)))}};
}

Flows depthwise_conv(LayerContext& n) {
  const ValueId x = operand(n);
  return {{result(n, depthwise(n, x, "kernel", bias_of(n)))}};
}

Expected<void> has_two_kernels(LayerBuilder& b) {
  b.own("depthwise_kernel");
  b.own("pointwise_kernel");
  if (b.flag("use_bias", true)) b.own("bias");
  return {};
}

Flows separable_conv(LayerContext& n) {
  const ValueId x = operand(n);
  const ValueId each = depthwise(n, x, "depthwise_kernel", {});
  const ValueId filter = n.variable("pointwise_kernel", static_cast<int>(positions_of(n)) + 2);
  const WindowAxes axes(positions_of(n));
  return {{result(n, n.conv(each, filter, bias_of(n), axes, 1))}};
}

Flows conv_transpose(LayerContext& n) {
  const std::size_t count = positions_of(n);
  const ValueId x = operand(n);
  const ValueId filter = n.variable("kernel", static_cast<int>(count) + 2);
  const Integers strides = n.integers("strides", count, 1);
  const Integers dilations = n.integers("dilation_rate", count, 1);
  const Integers taps = taps_of(n, filter, count);
  const bool more = n.has("output_padding");
  const Integers beyond = n.integers("output_padding", count, 0);
  const std::string padding = n.text("padding", "valid");
  if (padding != "same" && padding != "valid")
    return {{n.unsupported(Refused::attribute, "its padding is '{}'", padding)}};
  if (n.failed()) return {};
  WindowAxes axes;
  Shape out;
  for (std::size_t d = 0; d < count; ++d) {
    for (const std::int64_t number : {taps[d], strides[d], dilations[d]})
      if (number < 1 || number > most_of_window) n.invalid("its window or step is {}", number);
    if (beyond[d] < 0 || beyond[d] > most_of_window)
      n.invalid("its output_padding is {}", beyond[d]);
    if (n.failed()) return {};
    ops::WindowAxis axis{taps[d], strides[d], dilations[d]};
    const Dim& size = n.shape(x)[d + 1];
    if (padding == "valid") {
      const std::int64_t rest = std::max<std::int64_t>(axis.reach() - axis.stride, 0);
      out.push_back(size * Dim(axis.stride) + Dim(more ? beyond[d] : rest));
    } else {
      const Dim less = (size - 1) * Dim(axis.stride) + Dim(axis.reach() % 2 + beyond[d]);
      out.push_back(more ? less : size * Dim(axis.stride));
      std::tie(axis.pad_begin, axis.pad_end) = n.same_pads(out.back(), axis, true);
    }
    axes.push_back(axis);
  }
  // [taps.., results, channels] to conv's order of the last axes.
  const ValueId turned = n.transpose_matrix(filter);
  return {{result(n, n.conv_transpose(x, turned, bias_of(n), axes, 1, out))}};
}

}  // namespace ingot::keras
