// SPDX-License-Identifier: Apache-2.0
// Convolutions, their gradients (which Keras calls transposed convolutions), and pooling.
#include <algorithm>

#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;
using Integers = std::vector<std::int64_t>;

/// Strides, dilations, taps and pads beyond this are no model; below, sums of them do not overflow.
constexpr std::int64_t most_of_one = std::int64_t{1} << 24;

/// The window along every axis of a value of `shape`, by the node's padding. Lists have an entry
/// for each axis, in the order of the file's layout, as TensorFlow writes them. `x`, if it is not
/// null, is padded with zeros where a size decides how much.
WindowAxes read_windows(NodeContext& n, const Shape& shape, const Integers& taps,
                        const Integers& strides, ValueId* x = nullptr) {
  const std::size_t rank = shape.size();
  Integers dilations = n.integers("dilations");
  if (dilations.empty()) dilations.assign(rank, 1);
  const Integers pads = n.integers("explicit_paddings");
  const std::string_view padding = n.text("padding", "VALID");
  if (taps.size() != rank || strides.size() != rank || dilations.size() != rank) {
    n.invalid("{} axes, but a window of {}, {} strides and {} dilations", rank, taps.size(),
              strides.size(), dilations.size());
    return {};
  }
  const bool listed = padding == "EXPLICIT";
  if (listed && pads.size() != 2 * rank) {
    n.invalid("explicit_paddings has {} entries for {} axes", pads.size(), rank);
    return {};
  }
  if (!listed && padding != "SAME" && padding != "VALID") {
    n.unsupported(Refused::attribute, "padding '{}'", padding);
    return {};
  }
  WindowAxes axes;
  for (std::size_t d = 0; d < rank && !n.failed(); ++d) {
    for (const std::int64_t number : {taps[d], strides[d], dilations[d]}) {
      if (number < 1 || number > most_of_one) n.invalid("its window or step is {}", number);
    }
    if (n.failed()) return {};
    ops::WindowAxis axis{taps[d], strides[d], dilations[d]};
    if (padding == "SAME" && x != nullptr) {
      *x = n.pad_same(*x, d, axis);
    } else if (padding == "SAME") {
      std::tie(axis.pad_begin, axis.pad_end) = n.same_pads(shape[d], axis, true);
    }
    if (listed) {
      axis.pad_begin = pads[2 * d];
      axis.pad_end = pads[2 * d + 1];
      if (std::min(axis.pad_begin, axis.pad_end) < 0) n.invalid("a padding is negative");
    }
    axes.push_back(axis);
  }
  return axes;
}

/// A filter [taps.., a, b] seen from a value in the file's layout: its taps at the positions.
Integers taps_of(NodeContext& n, ValueId filter, std::size_t channel) {
  const Shape& shape = n.shape(filter);
  const auto sizes = static_shape(Shape(shape.begin(), shape.end() - 2));
  if (!sizes) {
    n.unsupported(Refused::known_size, "the size of its window, {}, is not known", str(shape));
    return {};
  }
  Integers taps{1};
  taps.insert(taps.end(), sizes->begin(), sizes->end());
  taps.insert(taps.begin() + static_cast<std::ptrdiff_t>(channel), 1);
  return taps;
}

/// The windows of the positions; there must be none along batch and channels.
WindowAxes positions_only(NodeContext& n, WindowAxes axes, std::size_t channel) {
  if (n.failed()) return {};
  for (const std::size_t d : {std::size_t{0}, channel}) {
    if (axes[d] != ops::WindowAxis{}) n.invalid("it steps along the batch or the channels");
  }
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(channel));
  axes.erase(axes.begin());
  return axes;
}

bool is_filter_for(NodeContext& n, ValueId filter, ValueId x) {
  if (n.rank(x) >= 3 && n.rank(filter) == n.rank(x)) return true;
  n.invalid("a value of {} axes and a filter of {}", n.rank(x), n.rank(filter));
  return false;
}

/// How often `part` channels make `all`; 1 where that is not known, which is then required.
std::int64_t group_count(const Dim& all, const Dim& part) {
  const bool known = all.value() && part.value() && *part.value() > 0;
  return known ? std::max<std::int64_t>(*all.value() / *part.value(), 1) : 1;
}

/// `filter` is [taps.., channels / groups, results].
ValueId convolve(NodeContext& n, ValueId filter, std::int64_t groups) {
  ValueId x = n.in(0);
  const std::size_t channel = n.channel_axis(n.rank(x));
  const bool first = channel == 1;
  if (n.failed()) return {};
  const Shape shape = n.shape(x);
  const WindowAxes axes = positions_only(
      n, read_windows(n, shape, taps_of(n, filter, channel), n.integers("strides"), &x), channel);
  if (first) x = n.channels_last(x);
  const ValueId y = n.conv(x, filter, {}, axes, groups);
  return first ? n.channels_first(y) : y;
}

Values conv(NodeContext& n) {
  const ValueId x = n.in(0);
  const ValueId filter = n.in(1);
  if (!is_filter_for(n, filter, x)) return {};
  const std::size_t channel = n.channel_axis(n.rank(x));
  if (n.failed()) return {};
  const Shape& shape = n.shape(filter);
  return {convolve(n, filter, group_count(n.shape(x)[channel], shape[shape.size() - 2]))};
}

/// A filter [taps.., channels, results of each].
Values depthwise_conv(NodeContext& n) {
  const ValueId filter = n.in(1);
  if (!is_filter_for(n, filter, n.in(0))) return {};
  Shape shape = n.shape(filter);
  const std::size_t last = shape.size() - 1;
  const std::optional<std::int64_t> channels = shape[last - 1].value();
  if (!channels)
    return {n.unsupported(Refused::known_size, "the channels of its filter are not known")};
  shape[last] *= shape[last - 1];
  shape[last - 1] = 1;
  return {convolve(n, n.reshape(filter, shape), *channels)};
}

/// The gradient by its operand: input_sizes, filter and gradient to a value of input_sizes. `core`
/// tells a depthwise filter.
Values conv_gradient(NodeContext& n) {
  ValueId filter = n.in(1);
  ValueId x = n.in(2);
  if (!is_filter_for(n, filter, x)) return {};
  const std::size_t rank = n.rank(x);
  const std::size_t channel = n.channel_axis(rank);
  Shape out = n.known(0, "input_sizes");
  if (n.failed()) return {};
  const bool depthwise = n.core() == "depthwise";
  const Shape taps_and_channels = n.shape(filter);
  const Dim& part = taps_and_channels[rank - 2];
  if (out.size() == rank - 2) {  // positions alone
    out.insert(out.begin(), n.shape(x)[0]);
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(channel), part);
  }
  if (out.size() != rank) return {n.invalid("its sizes {} are not {} axes", str(out), rank)};
  const std::int64_t groups =
      depthwise ? part.value().value_or(1) : group_count(out[channel], part);

  WindowAxes axes = read_windows(n, out, taps_of(n, filter, channel), n.integers("strides"));
  if (n.failed()) return {};
  Shape expected;
  for (std::size_t d = 0; d < rank; ++d) expected.push_back(ops::window_positions(out[d], axes[d]));
  expected[channel] = n.shape(x)[channel];
  for (std::size_t d = 0; d < rank; ++d) {
    const auto agree = n.graph().require(
        {n.shape(x)[d], Constraint::Relation::equal, expected[d], "the gradient of a convolution"});
    if (!agree) {
      return {n.invalid("its operand is {}, but sizes {} convolve to {}", str(n.shape(x)), str(out),
                        str(expected))};
    }
  }
  axes = positions_only(n, std::move(axes), channel);

  // From [taps.., results / groups, groups * channels of each] to conv's order of the last axes.
  Shape split = taps_and_channels;
  if (depthwise) {
    filter = n.transpose_matrix(filter);
  } else {
    const auto each = Dim::exact_div(split[rank - 1], groups);
    if (!each) return {n.invalid("{} groups of a filter {}", groups, str(split))};
    split[rank - 1] = groups;
    split.push_back(*each);
    Integers perm;
    for (std::size_t d = 0; d + 2 < rank; ++d) perm.push_back(static_cast<std::int64_t>(d));
    const auto last = static_cast<std::int64_t>(rank);
    perm.insert(perm.end(), {last, last - 1, last - 2});
    Shape joined = taps_and_channels;
    joined[rank - 2] = *each;
    joined[rank - 1] = part * Dim(groups);
    filter = n.reshape(n.transpose(n.reshape(filter, split), perm), joined);
  }
  const bool first = channel == 1;
  if (first) x = n.channels_last(x);
  const Shape positions =
      first ? Shape(out.begin() + 2, out.end()) : Shape(out.begin() + 1, out.end() - 1);
  const ValueId y = n.conv_transpose(x, filter, {}, axes, groups, positions);
  return {first ? n.channels_first(y) : y};
}

/// Windows of a pooling op; later versions have window and strides as operands.
WindowAxes pool_windows(NodeContext& n) {
  const bool operands = n.count() == 3;
  const Integers taps = operands ? n.known_integers(1, "window") : n.integers("ksize");
  const Integers strides = operands ? n.known_integers(2, "strides") : n.integers("strides");
  n.channel_axis(n.rank(n.in(0)));
  return n.failed() ? WindowAxes{} : read_windows(n, n.shape(n.in(0)), taps, strides);
}

Values max_pool(NodeContext& n) {
  const WindowAxes axes = pool_windows(n);
  return {n.max_pool(n.in(0), axes)};
}

Values average_pool(NodeContext& n) {
  const WindowAxes axes = pool_windows(n);
  return {n.average_pool(n.in(0), axes)};
}

Values local_response_norm(NodeContext& n) {
  const ValueId x = n.in(0);
  constexpr std::int64_t default_radius = 5;
  const std::int64_t radius = n.integer("depth_radius", default_radius);
  if (n.rank(x) != 4 || radius < 0 || radius > most_of_one) {
    return {n.invalid("{} axes and a radius of {}", n.rank(x), radius)};
  }
  return {n.local_response_norm(x, 3, radius, radius, n.real("bias", 1), n.real("alpha", 1),
                                n.real("beta", 0.5))};
}

constexpr OpRow rows[] = {
    {"Conv2D", 2, 2, conv},
    {"Conv3D", 2, 2, conv},
    {"DepthwiseConv2dNative", 2, 2, depthwise_conv},
    {"Conv2DBackpropInput", 3, 3, conv_gradient},
    {"Conv3DBackpropInputV2", 3, 3, conv_gradient},
    {"DepthwiseConv2dNativeBackpropInput", 3, 3, conv_gradient, "depthwise"},
    {"MaxPool", 1, 1, max_pool},
    {"MaxPoolV2", 3, 3, max_pool},
    {"MaxPool3D", 1, 1, max_pool},
    {"AvgPool", 1, 1, average_pool},
    {"AvgPool3D", 1, 1, average_pool},
    {"LRN", 1, 1, local_response_norm},
};

}  // namespace

std::span<const OpRow> window_rows() { return rows; }

}  // namespace ingot::tensorflow
