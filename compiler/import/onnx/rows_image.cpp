// SPDX-License-Identifier: Apache-2.0
// ONNX ops on pictures and lists that change sizes: Pad, Resize, blocks of channels.
#include <algorithm>
#include <cmath>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

using Integers = std::vector<std::int64_t>;

// ---- Pad ----

std::optional<PadMode> pad_mode(OnnxNode& n) {
  const std::string mode = n.text("mode", "constant");
  if (mode == "constant") return PadMode::constant;
  if (mode == "edge") return PadMode::edge;
  if (mode == "reflect") return PadMode::reflect;
  if (mode == "wrap") return PadMode::wrap;
  n.invalid("mode '{}'", mode);
  return std::nullopt;
}

/// `pads` are all the beginnings, then all the ends, of `axes`.
ValueId pad_axes(OnnxNode& n, const std::vector<Dim>& pads, const Integers& axes, ValueId value) {
  const auto mode = pad_mode(n);
  if (!mode) return {};
  if (pads.size() != 2 * axes.size())
    return n.invalid("{} pads for {} axes", pads.size(), axes.size());
  ValueId x = n.x();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = n.axis(axes[i], n.rank(x));
    x = n.pad(x, axis, pads[i], pads[i + axes.size()], *mode, value);
  }
  return x;
}

Integers all_axes(OnnxNode& n) {
  Integers axes;
  for (std::size_t d = 0; d < n.rank(n.x()); ++d) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}

Results pad_attributes(OnnxNode& n) {
  const auto pads = n.integers("pads");
  if (!pads) return n.failed() ? ValueId{} : n.invalid("it has no pads");
  const ValueId value = n.number(n.real("value", 0), n.x());
  return pad_axes(n, std::vector<Dim>(pads->begin(), pads->end()), all_axes(n), value);
}

Results pad_inputs(OnnxNode& n) {
  const auto pads = n.known_dims(1, "pads");
  const auto axes = n.has_input(3) ? n.known_integers(3, "axes") : std::optional(all_axes(n));
  if (!pads || !axes) return ValueId{};
  const ValueId value = n.has_input(2) ? n.reshape(n.input(2), {}) : ValueId{};
  return pad_axes(n, *pads, *axes, value);
}

/// Each axis to a size: the middle of what is longer, zeros around what is shorter.
Results center_crop_pad(OnnxNode& n) {
  const auto sizes = n.known_dims(1, "shape");
  const Integers axes = n.integers("axes").value_or(all_axes(n));
  if (!sizes) return ValueId{};
  if (sizes->size() != axes.size())
    return n.invalid("{} sizes for {} axes", sizes->size(), axes.size());
  ValueId x = n.x();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = n.axis(axes[i], n.rank(x));
    if (n.failed()) return ValueId{};
    // Halves are rounded towards zero, so that of an odd difference the end has more.
    const Dim more = (*sizes)[i] - n.shape(x)[axis];
    const Interval sign = more.bounds(n.graph().symbol_ranges());
    const Dim begin = sign.lo >= 0 ? Dim::floor_div(more, 2) : -Dim::floor_div(-more, 2);
    if (sign.lo < 0 && sign.hi > 0)
      return n.unsupported(Refused::known_size, "whether {} is to be cropped is not known",
                           n.shape(x)[axis].str());
    x = n.pad(x, axis, begin, more - begin, PadMode::constant);
  }
  return x;
}

// ---- Resize ----

std::optional<Resize> read_resize(OnnxNode& n) {
  using Coordinates = Resize::Coordinates;
  using Rounding = Resize::Rounding;
  Resize how;
  const std::string mode = n.text("mode", "nearest");
  const std::string coordinates =
      n.text("coordinate_transformation_mode", n.opset() < 11 ? "asymmetric" : "half_pixel");
  const std::string rounding =
      n.text("nearest_mode", n.opset() < 11 ? "floor" : "round_prefer_floor");
  auto choose = [&]<class T>(std::string_view what, const std::string& text, T& chosen,
                             std::initializer_list<std::pair<std::string_view, T>> choices) {
    for (const auto& [name, choice] : choices) {
      if (name == text) {
        chosen = choice;
        return;
      }
    }
    n.unsupported(Refused::attribute, "{} '{}'", what, text);
  };
  choose("mode", mode, how.mode,
         {{"nearest", Resize::Mode::nearest},
          {"linear", Resize::Mode::linear},
          {"bilinear", Resize::Mode::linear},
          {"cubic", Resize::Mode::cubic}});
  choose("coordinate_transformation_mode", coordinates, how.coordinates,
         {{"half_pixel", Coordinates::half_pixel},
          {"half_pixel_symmetric", Coordinates::half_pixel_symmetric},
          {"pytorch_half_pixel", Coordinates::pytorch_half_pixel},
          {"align_corners", Coordinates::align_corners},
          {"asymmetric", Coordinates::asymmetric},
          {"tf_half_pixel_for_nn", Coordinates::tf_half_pixel_for_nn},
          {"tf_crop_and_resize", Coordinates::tf_crop_and_resize}});
  choose("nearest_mode", rounding, how.rounding,
         {{"round_prefer_floor", Rounding::round_prefer_floor},
          {"round_prefer_ceil", Rounding::round_prefer_ceil},
          {"floor", Rounding::floor},
          {"ceil", Rounding::ceil}});
  how.cubic_a = n.real("cubic_coeff_a", -0.75);
  how.exclude_outside = n.flag("exclude_outside", false);
  how.antialias = n.flag("antialias", false);
  how.extrapolation = n.real("extrapolation_value", 0);
  return n.failed() ? std::nullopt : std::optional(how);
}

struct Target {
  Dim out;
  double scale = 1;
};

Target by_scale(OnnxNode& n, const Dim& size, double scale) {
  if (!(scale > 0) || scale > 1 << 20) {
    n.invalid("a scale of {}", scale);
    return {};
  }
  if (scale == std::floor(scale)) return {size * Dim(static_cast<std::int64_t>(scale)), scale};
  const auto number = size.value();
  if (!number) n.unsupported(Refused::known_size, "a size of {} scaled by {}", size.str(), scale);
  const double out = std::floor(static_cast<double>(number.value_or(0)) * scale);
  return {static_cast<std::int64_t>(out), scale};
}

Target by_size(OnnxNode& n, const Dim& size, const Dim& out) {
  if (out == size) return {out, 1};
  if (const auto whole = Dim::exact_div(out, size); whole && whole->value())
    return {out, static_cast<double>(*whole->value())};
  const auto from = size.value(), to = out.value();
  if (!from || !to || *from < 1 || *to < 0) {
    n.unsupported(Refused::known_size, "resizing from {} to {}", size.str(), out.str());
    return {};
  }
  return {out, static_cast<double>(*to) / static_cast<double>(*from)};
}

/// One scale for all axes, so that none becomes larger, or none smaller, than its size.
std::vector<Target> keep_ratio(OnnxNode& n, const std::vector<std::size_t>& axes,
                               const std::vector<Dim>& sizes, bool larger) {
  std::vector<double> scales, lengths;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto from = n.shape(n.x())[axes[i]].value(), to = sizes[i].value();
    if (!from || !to || *from < 1) {
      n.unsupported(Refused::known_size, "keep_aspect_ratio_policy with a symbolic size");
      return {};
    }
    lengths.push_back(static_cast<double>(*from));
    scales.push_back(static_cast<double>(*to) / static_cast<double>(*from));
  }
  if (scales.empty()) return {};
  const double scale = larger ? *std::max_element(scales.begin(), scales.end())
                              : *std::min_element(scales.begin(), scales.end());
  std::vector<Target> targets;
  for (const double length : lengths)
    targets.push_back({static_cast<std::int64_t>(std::floor(scale * length + 0.5)), scale});
  return targets;
}

std::optional<std::vector<double>> known_reals(OnnxNode& n, std::size_t i, std::string_view what) {
  const auto tensor = n.known_constant(i, what);
  if (!tensor) return std::nullopt;
  std::vector<double> numbers;
  for (std::int64_t k = 0; k < tensor->elements(); ++k) numbers.push_back(tensor->as_double(k));
  return numbers;
}

/// Each axis by itself; `roi` has all the beginnings, then all the ends.
ValueId resize_axes(OnnxNode& n, const std::vector<std::size_t>& axes,
                    const std::vector<Target>& targets, Resize how,
                    const std::vector<double>& roi) {
  if (n.failed()) return {};
  if (targets.size() != axes.size())
    return n.invalid("{} scales or sizes for {} axes", targets.size(), axes.size());
  if (!roi.empty() && roi.size() != 2 * axes.size())
    return n.invalid("a roi of {} numbers for {} axes", roi.size(), axes.size());
  ValueId x = n.x();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!roi.empty()) {
      how.roi_begin = roi[i];
      how.roi_end = roi[i + axes.size()];
    }
    x = n.resize(x, axes[i], targets[i].out, targets[i].scale, how);
  }
  return x;
}

bool is_given(OnnxNode& n, std::size_t i) {
  return n.has_input(i) && !n.type(n.input(i)).elements().is(0);
}

Results resize(OnnxNode& n) {
  const auto how = read_resize(n);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : n.integers("axes").value_or(all_axes(n)))
    axes.push_back(n.axis(axis, n.rank(n.x())));
  if (!how || n.failed()) return ValueId{};
  const bool old = n.opset() < 11;  // scales are the second input, and all there is
  std::vector<double> roi;
  if (how->coordinates == Resize::Coordinates::tf_crop_and_resize && is_given(n, 1))
    roi = known_reals(n, 1, "roi").value_or(roi);
  std::vector<Target> targets;
  const std::string policy = n.text("keep_aspect_ratio_policy", "stretch");
  if (!old && is_given(n, 3)) {
    const auto sizes = n.known_dims(3, "sizes");
    if (!sizes) return ValueId{};
    if (sizes->size() != axes.size())
      return n.invalid("{} sizes for {} axes", sizes->size(), axes.size());
    if (policy == "stretch") {
      for (std::size_t i = 0; i < axes.size(); ++i)
        targets.push_back(by_size(n, n.shape(n.x())[axes[i]], (*sizes)[i]));
    } else {
      targets = keep_ratio(n, axes, *sizes, policy == "not_smaller");
    }
  } else {
    const auto scales = known_reals(n, old ? 1 : 2, "scales");
    if (!scales) return ValueId{};
    for (std::size_t i = 0; i < std::min(axes.size(), scales->size()); ++i)
      targets.push_back(by_scale(n, n.shape(n.x())[axes[i]], (*scales)[i]));
  }
  return resize_axes(n, axes, targets, *how, roi);
}

Results upsample(OnnxNode& n) {
  const auto how = read_resize(n);
  const auto scales = n.has_input(1) ? known_reals(n, 1, "scales") : n.reals("scales");
  if (!how || !scales) return n.failed() ? ValueId{} : n.invalid("it has no scales");
  std::vector<std::size_t> axes;
  std::vector<Target> targets;
  for (std::size_t d = 0; d < std::min(n.rank(n.x()), scales->size()); ++d) {
    axes.push_back(d);
    targets.push_back(by_scale(n, n.shape(n.x())[d], (*scales)[d]));
  }
  return resize_axes(n, axes, targets, *how, {});
}

// ---- blocks ----

Results depth_to_space(OnnxNode& n) {
  const std::string mode = n.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return n.invalid("mode '{}'", mode);
  return n.depth_to_space(n.x(), n.integer("blocksize", 0), false, mode == "CRD");
}

Results space_to_depth(OnnxNode& n) {
  return n.space_to_depth(n.x(), n.integer("blocksize", 0), false);
}

}  // namespace

void add_image_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"CenterCropPad", 18, newest_opset, 2, 2, center_crop_pad},
                              {"DepthToSpace", 6, newest_opset, 1, 1, depth_to_space},
                              {"Pad", 6, 10, 1, 1, pad_attributes},
                              {"Pad", 11, newest_opset, 2, 4, pad_inputs},
                              {"Resize", 10, newest_opset, 1, 4, resize},
                              {"SpaceToDepth", 6, newest_opset, 1, 1, space_to_depth},
                              {"Upsample", 7, 9, 1, 2, upsample},
                          });
}

}  // namespace ingot::onnx
