// SPDX-License-Identifier: Apache-2.0
// ONNX convolutions and pools. A convolution's channels go to the last axis and back: passes cancel
// these transposes between neighbours. A pool's window is over all axes where they are.
#include <algorithm>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

using Integers = std::vector<std::int64_t>;
constexpr std::int64_t most_of_one = std::int64_t{1} << 24;  // as the core ops have it

enum class AutoPad : std::uint8_t { notset, same_upper, same_lower, valid };

AutoPad auto_pad(OnnxNode& n) {
  const std::string text = n.text("auto_pad", "NOTSET");
  if (text == "SAME_UPPER") return AutoPad::same_upper;
  if (text == "SAME_LOWER") return AutoPad::same_lower;
  if (text == "VALID") return AutoPad::valid;
  if (text != "NOTSET" && !text.empty()) n.invalid("auto_pad '{}'", text);
  return AutoPad::notset;
}

/// An attribute with an entry of [low, most_of_one] for each axis.
Integers entries(OnnxNode& n, std::string_view name, std::size_t count, std::int64_t otherwise,
                 std::int64_t low) {
  const Integers list = n.integers(name).value_or(Integers(count, otherwise));
  if (list.size() != count) n.invalid("{} has {} entries instead of {}", name, list.size(), count);
  for (const std::int64_t entry : list)
    if (entry < low || entry > most_of_one) n.invalid("{} of {}", name, entry);
  return list;
}

/// Strides, dilations and explicit pads, an entry for each axis of positions.
std::optional<WindowAxes> read_axes(OnnxNode& n, const Integers& taps) {
  const std::size_t count = taps.size();
  const Integers strides = entries(n, "strides", count, 1, 1);
  const Integers dilations = entries(n, "dilations", count, 1, 1);
  const Integers pads = entries(n, "pads", 2 * count, 0, -most_of_one);
  const bool explicit_pads = auto_pad(n) == AutoPad::notset;
  if (n.failed()) return std::nullopt;
  WindowAxes axes;
  for (std::size_t d = 0; d < count; ++d) {
    if (taps[d] < 1 || taps[d] > most_of_one || (taps[d] - 1) * dilations[d] > most_of_one) {
      n.invalid("a window of {} taps", taps[d]);
      return std::nullopt;
    }
    axes.push_back({taps[d], strides[d], dilations[d], explicit_pads ? pads[d] : 0,
                    explicit_pads ? pads[d + count] : 0});
  }
  return axes;
}

/// `same` pads, for input positions from axis `first` of x on.
void apply_auto_pad(OnnxNode& n, WindowAxes& axes, std::size_t first) {
  const AutoPad mode = auto_pad(n);
  if (mode != AutoPad::same_upper && mode != AutoPad::same_lower) return;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    const Dim& size = n.shape(n.x())[first + d];
    std::tie(axes[d].pad_begin, axes[d].pad_end) =
        n.same_pads(size, axes[d], mode == AutoPad::same_upper);
  }
}

/// Checks that a node has axes of positions and, if it says so, as many as the window.
bool has_positions(OnnxNode& n) {
  if (n.failed()) return false;
  if (n.rank(n.x()) >= 3) return true;
  n.invalid("its input {} has no axes of positions", str(n.type(n.x())));
  return false;
}

/// The sizes of the kernel, which the weights' last axes have, and the attribute may repeat.
std::optional<Integers> kernel_of(OnnxNode& n, ValueId weights) {
  const Shape& w = n.shape(weights);
  if (!has_positions(n)) return std::nullopt;
  if (w.size() != n.rank(n.x())) {
    n.invalid("weights {} for an input {}", str(n.type(weights)), str(n.type(n.x())));
    return std::nullopt;
  }
  const auto taps = static_shape(Shape(w.begin() + 2, w.end()));
  const auto given = n.integers("kernel_shape");
  if (!taps) n.unsupported(Refused::known_size, "weights of symbolic size, {}", str(w));
  if (taps && given && *given != *taps) n.invalid("kernel_shape is not that of the weights");
  return n.failed() ? std::nullopt : taps;
}

std::int64_t groups_of(OnnxNode& n) {
  const std::int64_t groups = n.integer("group", 1);
  if (groups < 1 || groups > most_of_one) n.invalid("{} groups", groups);
  return groups;
}

Results conv(OnnxNode& n) { return convolve(n, n.x(), n.input(1), n.input(2)); }

/// [channels, results / groups, taps..] to [taps.., channels / groups, results].
ValueId transposed_weights(OnnxNode& n, std::int64_t groups) {
  ValueId w = n.input(1);
  const Shape shape = n.shape(w);
  const auto channels = Dim::exact_div(shape[0], groups);
  if (!channels) return n.invalid("{} channels in {} groups", shape[0].str(), groups);
  Shape split{groups, *channels, shape[1]}, joined;
  Integers perm;
  for (std::size_t d = 2; d < shape.size(); ++d) {
    split.push_back(shape[d]);
    joined.push_back(shape[d]);
    perm.push_back(static_cast<std::int64_t>(d) + 1);
  }
  perm.insert(perm.end(), {1, 0, 2});
  joined.insert(joined.end(), {*channels, shape[1] * Dim(groups)});
  return n.reshape(n.transpose(n.reshape(w, split), perm), joined);
}

Results conv_transpose(OnnxNode& n) {
  const auto taps = kernel_of(n, n.input(1));
  const std::int64_t groups = groups_of(n);
  auto axes = taps ? read_axes(n, *taps) : std::nullopt;
  if (!axes) return ValueId{};
  const std::size_t count = axes->size();
  const Integers more = entries(n, "output_padding", count, 0, 0);
  auto wanted = n.integers("output_shape");
  if (wanted && wanted->size() == count + 2) wanted->erase(wanted->begin(), wanted->begin() + 2);
  if (wanted && wanted->size() != count)
    return n.invalid("output_shape has {} entries", wanted->size());
  if (n.failed()) return ValueId{};
  const AutoPad mode = auto_pad(n);
  const bool same = mode == AutoPad::same_upper || mode == AutoPad::same_lower;
  Shape out;
  for (std::size_t d = 0; d < count; ++d) {
    ops::WindowAxis& axis = (*axes)[d];
    const Dim size = n.shape(n.x())[d + 2];
    const Dim whole = (size - 1) * Dim(axis.stride) + Dim(axis.reach() + more[d]);
    if (!wanted && !same) {
      out.push_back(whole - Dim(axis.pad_begin + axis.pad_end));
      continue;
    }
    out.push_back(wanted ? Dim((*wanted)[d]) : size * Dim(axis.stride));
    const auto total = (whole - out.back()).value();
    if (!total)
      return n.unsupported(Refused::known_size, "its pads depend on the size {} of its input",
                           size.str());
    const std::int64_t pads = std::max<std::int64_t>(*total, 0);
    if (pads > most_of_one) return n.invalid("pads of {} in all", pads);
    axis.pad_begin = mode == AutoPad::same_upper ? pads / 2 : pads - pads / 2;
  }
  const ValueId x = n.channels_last(n.x());
  const ValueId w = transposed_weights(n, groups);
  return n.channels_first(n.conv_transpose(x, w, n.input(2), *axes, groups, out));
}

/// A pool's window over all axes, with the pads it declares beside those that ceil_mode adds.
struct Pool {
  WindowAxes axes;
  std::vector<Pads> declared;
};

/// More padding at the end, so that a last position that is cut off is there too, unless it would
/// begin beyond the input and its first padding.
void round_up(OnnxNode& n, const Dim& size, ops::WindowAxis& axis) {
  const Dim room = size + Dim(axis.pad_begin + axis.pad_end - axis.reach());
  const std::int64_t s = axis.stride;
  if (axis.pad_end + s - 1 < axis.reach()) {
    axis.pad_end += s - 1;
  } else if (const auto known = room.value(); known && *known >= 0) {
    const std::int64_t length = *size.value();
    std::int64_t last = (*known + s - 1) / s;
    if (last * s >= length + axis.pad_begin) --last;
    axis.pad_end = last * s + axis.reach() - length - axis.pad_begin;
  } else if (!known) {
    n.unsupported(Refused::known_size, "ceil_mode with pads of {} at a symbolic size {}",
                  axis.pad_end, size.str());
  }
}

std::optional<Pool> read_pool(OnnxNode& n) {
  if (!has_positions(n)) return std::nullopt;
  const auto taps = n.integers("kernel_shape");
  if (!taps || taps->size() != n.rank(n.x()) - 2) {
    n.invalid("kernel_shape is not one number for each axis of positions");
    return std::nullopt;
  }
  auto axes = read_axes(n, *taps);
  if (!axes) return std::nullopt;
  apply_auto_pad(n, *axes, 2);
  Pool pool{WindowAxes(2), std::vector<Pads>(2)};
  for (std::size_t d = 0; d < axes->size(); ++d) {
    ops::WindowAxis axis = (*axes)[d];
    pool.declared.emplace_back(axis.pad_begin, axis.pad_end);
    if (n.flag("ceil_mode", false) && auto_pad(n) == AutoPad::notset)
      round_up(n, n.shape(n.x())[d + 2], axis);
    pool.axes.push_back(axis);
  }
  return n.failed() ? std::nullopt : std::optional(pool);
}

Results max_pool(OnnxNode& n) {
  const auto pool = read_pool(n);
  return pool ? n.max_pool(n.x(), pool->axes) : ValueId{};
}

Results average_pool(OnnxNode& n) {
  const auto pool = read_pool(n);
  if (!pool) return ValueId{};
  const bool counted = n.flag("count_include_pad", false);
  return n.average_pool(n.x(), pool->axes, counted ? pool->declared : std::vector<Pads>());
}

/// (sum of |x|^p)^(1/p)
template <class Sum>
ValueId p_norm(OnnxNode& n, Sum sum) {
  const std::int64_t p = n.integer("p", 2);
  if (p < 1) return n.invalid("a norm of degree {}", p);
  const ValueId x = n.x();
  if (p == 2) return n.op("sqrt", {sum(n.square(x))});
  const ValueId size = n.op("abs", {x});
  if (p == 1) return sum(size);
  const auto degree = static_cast<double>(p);
  const ValueId total = sum(n.op("pow", {size, n.number(degree, x)}));
  return n.op("pow", {total, n.number(1 / degree, x)});
}

Results lp_pool(OnnxNode& n) {
  const auto pool = read_pool(n);
  if (!pool) return ValueId{};
  return p_norm(n, [&](ValueId terms) { return n.window_sum(terms, pool->axes); });
}

Integers positions(OnnxNode& n) {
  Integers axes;
  for (std::size_t d = 2; d < n.rank(n.x()); ++d) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}

Results global_average_pool(OnnxNode& n) { return n.mean(n.x(), positions(n), true); }
Results global_max_pool(OnnxNode& n) { return n.reduce("reduce_max", n.x(), positions(n), true); }
Results global_lp_pool(OnnxNode& n) {
  return p_norm(n,
                [&](ValueId terms) { return n.reduce("reduce_sum", terms, positions(n), true); });
}

Results lrn(OnnxNode& n) {
  const std::int64_t size = n.integer("size", 0);
  if (n.failed() || n.rank(n.x()) < 2 || size < 1 || size > most_of_one)
    return n.invalid("a window of {} channels", size);
  return n.local_response_norm(n.x(), 1, (size - 1) / 2, size / 2, n.real("bias", 1),
                               n.real("alpha", 1e-4F) / static_cast<double>(size),
                               n.real("beta", 0.75));
}

}  // namespace

ValueId convolve(OnnxNode& n, ValueId x, ValueId w, ValueId bias) {
  const auto taps = kernel_of(n, w);
  const std::int64_t groups = groups_of(n);
  auto axes = taps ? read_axes(n, *taps) : std::nullopt;
  if (!axes) return {};
  apply_auto_pad(n, *axes, 2);
  // [results, channels, taps..] to [taps.., channels, results].
  Integers perm;
  for (std::size_t d = 0; d < axes->size(); ++d) perm.push_back(static_cast<std::int64_t>(d) + 2);
  perm.insert(perm.end(), {1, 0});
  const ValueId last = n.channels_last(x);
  return n.channels_first(n.conv(last, n.transpose(w, perm), bias, *axes, groups));
}

void add_window_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"AveragePool", 6, newest_opset, 1, 1, average_pool},
                              {"Conv", 6, newest_opset, 2, 3, conv},
                              {"ConvTranspose", 6, newest_opset, 2, 3, conv_transpose},
                              {"GlobalAveragePool", 6, newest_opset, 1, 1, global_average_pool},
                              {"GlobalLpPool", 6, newest_opset, 1, 1, global_lp_pool},
                              {"GlobalMaxPool", 6, newest_opset, 1, 1, global_max_pool},
                              {"LRN", 6, newest_opset, 1, 1, lrn},
                              {"LpPool", 6, newest_opset, 1, 1, lp_pool},
                              {"MaxPool", 6, newest_opset, 1, 1, max_pool},
                          });
}

}  // namespace ingot::onnx
