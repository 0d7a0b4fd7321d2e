// SPDX-License-Identifier: Apache-2.0
// Pooling: by windows, over everything, and to a size that is given.
#include <algorithm>
#include <limits>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

using Integers = std::vector<std::int64_t>;

/// The operand with its channels last.
ValueId operand(LayerContext& n) {
  const ValueId x = n.x(positions_of(n) + 2);
  if (!n.failed() && n.rank(x) != positions_of(n) + 2)
    return n.invalid("its operand has {} axes", n.rank(x));
  return n.has_channels_first() ? n.channels_last(x) : x;
}

ValueId result(LayerContext& n, ValueId y) {
  return n.has_channels_first() ? n.channels_first(y) : y;
}

Windows windows_of(LayerContext& n, ValueId x, ValueId fill) {
  const std::size_t count = positions_of(n);
  const Integers taps = n.integers("pool_size", count, 2);
  const Integers strides = n.has("strides") ? n.integers("strides", count, 1) : taps;
  return read_windows(n, x, taps, strides, Integers(count, 1), fill);
}

/// Windows of all axes, with none along batch and channels.
WindowAxes all_axes(WindowAxes axes) {
  axes.insert(axes.begin(), ops::WindowAxis{});
  axes.emplace_back();
  return axes;
}

ValueId least_of(LayerContext& n, ValueId x) {
  if (n.failed()) return {};
  if (is_float(n.dtype(x))) return n.number(-std::numeric_limits<double>::infinity(), x);
  return n.number(-9.3e18, x);  // saturates
}

std::vector<std::int64_t> positions(LayerContext& n) {
  Integers axes;
  const std::int64_t first = n.has_channels_first() ? 2 : 1;
  for (std::size_t d = 0; d < positions_of(n); ++d)
    axes.push_back(first + static_cast<std::int64_t>(d));
  return axes;
}

/// One axis to `size` entries, each of which is what `part` makes of its share of the entries.
template <class Part>
ValueId share_out(LayerContext& n, ValueId x, std::size_t axis, std::int64_t size, Part part) {
  if (n.failed()) return {};
  constexpr std::int64_t most = 4096;
  const std::optional<std::int64_t> entries = n.shape(x)[axis].value();
  if (!entries)
    return n.unsupported(Refused::known_size, "its operand's size {} is not known",
                         n.shape(x)[axis].str());
  if (size < 1 || size > most || *entries < 1)
    return n.unsupported(Refused::attribute, "{} positions become {}", *entries, size);
  std::vector<ValueId> parts;
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t begin = i * *entries / size, end = ((i + 1) * *entries + size - 1) / size;
    parts.push_back(part(n.slice(x, axis, begin, end - begin)));
  }
  return n.concat(parts, axis);
}

template <class Part>
Flows adaptive(LayerContext& n, Part part) {
  ValueId x = operand(n);
  const Integers sizes = n.integers("output_size", positions_of(n), 1);
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const auto axis = static_cast<std::int64_t>(d) + 1;
    x = share_out(n, x, d + 1, sizes[d], [&](ValueId share) { return part(share, axis); });
  }
  return {{result(n, x)}};
}

}  // namespace

Flows max_pooling(LayerContext& n) {
  const ValueId x = operand(n);
  const Windows windows = windows_of(n, x, least_of(n, x));
  return {{result(n, n.max_pool(windows.x, all_axes(windows.axes)))}};
}

/// What is padded does not count.
Flows average_pooling(LayerContext& n) {
  const ValueId x = n.computed(operand(n));
  const Windows windows = windows_of(n, x, n.number(0, x));
  const WindowAxes axes = all_axes(windows.axes);
  if (n.failed()) return {};
  if (windows.x == x) return {{result(n, n.average_pool(x, axes))}};
  // Padded to what a size decides: count by a second sum.
  Shape shape = n.shape(x);
  shape.front() = shape.back() = 1;
  const Windows counts = windows_of(n, n.broadcast(n.number(1, x), shape), n.number(0, x));
  return {{result(n, n.div(n.window_sum(windows.x, axes), n.window_sum(counts.x, axes)))}};
}

Flows global_max_pooling(LayerContext& n) {
  const ValueId x = n.x(positions_of(n) + 2);
  return {{n.reduce("reduce_max", x, positions(n), n.flag("keepdims", false))}};
}

Flows global_average_pooling(LayerContext& n) {
  const ValueId x = n.computed(n.x(positions_of(n) + 2));
  const bool keep = n.flag("keepdims", false);
  const std::vector<std::int64_t> axes = positions(n);
  const std::optional<Flow> given = n.tensor("mask");
  ValueId mask = given ? given->value : n.mask();
  if (!mask.valid() || positions_of(n) != 1) return {{n.mean(x, axes, keep)}};
  mask = n.unsqueeze(n.cast(mask, n.dtype(x)), {n.has_channels_first() ? 1 : 2});
  const ValueId sum = n.reduce("reduce_sum", n.mul(x, mask), axes, keep);
  return {{n.div(sum, n.reduce("reduce_sum", mask, axes, keep))}};
}

Flows adaptive_average_pooling(LayerContext& n) {
  return adaptive(
      n, [&](ValueId share, std::int64_t axis) { return n.mean(n.computed(share), {axis}, true); });
}

Flows adaptive_max_pooling(LayerContext& n) {
  return adaptive(n, [&](ValueId share, std::int64_t axis) {
    return n.reduce("reduce_max", share, {axis}, true);
  });
}

}  // namespace ingot::keras
