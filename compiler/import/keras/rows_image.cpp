// SPDX-License-Identifier: Apache-2.0
// Layers that prepare images. What is drawn at random is drawn in training alone.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

/// One axis of an image, of known size.
std::int64_t size_of(LayerContext& n, ValueId x, std::size_t axis) {
  if (n.failed()) return 1;
  const std::optional<std::int64_t> size = n.shape(x)[axis].value();
  if (!size)
    n.unsupported(Refused::known_size, "the size {} of its images is not known",
                  n.shape(x)[axis].str());
  return std::max<std::int64_t>(size.value_or(1), 1);
}

struct Target {
  std::int64_t height = 1, width = 1;
  std::size_t first = 1;  // the axis of rows
};

Target read_target(LayerContext& n) {
  constexpr std::int64_t most = 1 << 16;
  Target target{n.integer("height", 1), n.integer("width", 1)};
  for (const std::int64_t size : {target.height, target.width})
    if (size < 1 || size > most) n.invalid("its height or width is {}", size);
  target.first = n.has_channels_first() ? 2 : 1;
  return target;
}

ValueId images(LayerContext& n) {
  const ValueId x = n.computed(n.x(4));
  if (!n.failed() && n.rank(x) != 4) return n.invalid("its operand has {} axes", n.rank(x));
  return x;
}

ValueId resized(LayerContext& n, ValueId x, const Target& to, const std::string& mode,
                bool antialias) {
  Resize how;
  if (antialias && mode != "nearest") return n.unsupported(Refused::attribute, "it is antialiased");
  how.coordinates = Resize::Coordinates::half_pixel;
  if (mode == "nearest") {
    how.coordinates = Resize::Coordinates::tf_half_pixel_for_nn;
    how.rounding = Resize::Rounding::floor;
  } else if (mode == "bilinear") {
    how.mode = Resize::Mode::linear;
  } else if (mode == "bicubic") {
    return n.unsupported(
        Refused::attribute,
        "its interpolation is 'bicubic', for which TensorFlow looks weights up in a "
        "table of rounded ones");
  } else {
    return n.unsupported(Refused::attribute, "its interpolation is '{}'", mode);
  }
  const std::int64_t sizes[] = {to.height, to.width};
  for (std::size_t d = 0; d < 2 && !n.failed(); ++d) {
    const auto size = static_cast<double>(size_of(n, x, to.first + d));
    const double scale = static_cast<double>(sizes[d]) / size;
    x = n.resize(x, to.first + d, sizes[d], scale, how);
  }
  return x;
}

/// What Python's int(a / b) gives of whole numbers above 0.
std::int64_t part(std::int64_t a, std::int64_t b, std::int64_t c) { return a * b / c; }

/// The middle of an image, as wide for its height as the target is.
ValueId cropped(LayerContext& n, ValueId x, const Target& to) {
  const std::int64_t height = size_of(n, x, to.first), width = size_of(n, x, to.first + 1);
  const std::int64_t rows = std::clamp<std::int64_t>(part(width, to.height, to.width), 1, height);
  const std::int64_t columns =
      std::clamp<std::int64_t>(part(height, to.width, to.height), 1, width);
  x = n.slice(x, to.first, (height - rows) / 2, rows);
  return n.slice(x, to.first + 1, (width - columns) / 2, columns);
}

ValueId padded(LayerContext& n, ValueId x, const Target& to) {
  const std::int64_t height = size_of(n, x, to.first), width = size_of(n, x, to.first + 1);
  const std::int64_t rows = std::max(height, part(width, to.height, to.width)) - height;
  const std::int64_t columns = std::max(width, part(height, to.width, to.height)) - width;
  const ValueId fill = n.number(n.real("fill_value", 0), x);
  x = n.pad(x, to.first, rows / 2, rows - rows / 2, PadMode::constant, fill);
  return n.pad(x, to.first + 1, columns / 2, columns - columns / 2, PadMode::constant, fill);
}

/// From one range of values to another.
ValueId ranged(LayerContext& n, ValueId x, std::pair<double, double> from,
               std::pair<double, double> to) {
  if (from == to) return x;
  const ValueId unit =
      n.div(n.sub(x, n.number(from.first, x)), n.number(from.second - from.first, x));
  return n.add(n.mul(unit, n.number(to.second - to.first, x)), n.number(to.first, x));
}

}  // namespace

Flows resizing(LayerContext& n) {
  const Target to = read_target(n);
  ValueId x = images(n);
  if (n.flag("crop_to_aspect_ratio", false)) x = cropped(n, x, to);
  if (n.flag("pad_to_aspect_ratio", false)) {
    if (n.text("fill_mode", "constant") != "constant")
      n.unsupported(Refused::attribute, "its fill_mode is '{}'", n.text("fill_mode", ""));
    x = padded(n, x, to);
  }
  return {{resized(n, x, to, n.text("interpolation", "bilinear"), n.flag("antialias", false))}};
}

Flows center_crop(LayerContext& n) {
  const Target to = read_target(n);
  const ValueId x = images(n);
  const std::int64_t height = size_of(n, x, to.first), width = size_of(n, x, to.first + 1);
  if (n.failed()) return {};
  if (height < to.height || width < to.width)
    return {{resized(n, cropped(n, x, to), to, "bilinear", false)}};
  const ValueId rows = n.slice(x, to.first, (height - to.height) / 2, to.height);
  return {{n.slice(rows, to.first + 1, (width - to.width) / 2, to.width)}};
}

/// In inference, Keras 3 leaves images as they are, and Keras 2 resizes their middle.
Flows random_crop(LayerContext& n) {
  n.only_inference();
  if (!n.keras2()) return {{n.x()}};
  const Target to = read_target(n);
  return {{resized(n, cropped(n, images(n), to), to, "bilinear", false)}};
}

/// Each channel of an image from its least to its greatest value.
Flows auto_contrast(LayerContext& n) {
  const ValueId given = images(n);
  std::vector<double> range =
      n.has("value_range") ? n.reals("value_range") : std::vector{0.0, 255.0};
  if (range.size() != 2) {
    n.invalid("its value_range has {} numbers", range.size());
    range = {0, 255};
  }
  const std::pair bounds(range[0], range[1]), bytes(0.0, 255.0);
  const ValueId x = ranged(n, given, bounds, bytes);
  const ValueId low = n.reduce("reduce_min", x, {1, 2}, true);
  const ValueId high = n.reduce("reduce_max", x, {1, 2}, true);
  const ValueId scale = n.div(n.number(255, x), n.sub(high, low));
  const ValueId offset = n.mul(n.op("neg", {low}), scale);
  const ValueId spread = n.clip(n.add(n.mul(x, scale), offset), 0, 255);
  const ValueId y = ranged(n, spread, bytes, bounds);
  return {{n.op("where", {n.op("is_nan", {y}), given, y})}};
}

Flows pipeline(LayerContext& n) {
  Flows flows{{n.x(), n.mask()}};
  for (const Layer::Part& part : n.layer().parts) {
    if (n.failed()) return {};
    flows = n.run(*part.layer, Flows{flows[0]});
  }
  return flows;
}

}  // namespace ingot::keras
