// SPDX-License-Identifier: Apache-2.0
// Normalization by stored or by the operand's own statistics.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

/// Statistics are taken in float32 at least.
DType statistics_type(DType type) {
  return type == DType::f16 || type == DType::bf16 ? DType::f32 : type;
}

/// Axes that a setting lists; one axis where it is a number.
std::vector<std::int64_t> axes_of(LayerContext& n, ValueId x) {
  std::vector<std::int64_t> axes = n.has("axis") ? n.list("axis") : std::vector<std::int64_t>{-1};
  return n.failed() ? axes : n.axes(axes, n.rank(x));
}

/// A vector (or more axes) along some axes of a value, so that it broadcasts.
ValueId spread(LayerContext& n, ValueId vector, const std::vector<std::int64_t>& axes, ValueId x) {
  if (n.failed()) return {};
  Shape shape(n.rank(x), 1);
  for (const std::int64_t axis : axes)
    shape[static_cast<std::size_t>(axis)] = n.shape(x)[static_cast<std::size_t>(axis)];
  return n.reshape(vector, shape);
}

bool has(LayerContext& n, std::string_view variable) {
  return n.layer().variable(variable) != nullptr;
}

ValueId parameter(LayerContext& n, std::string_view name, DType type) {
  return n.cast(n.stored(n.layer(), name), type);
}

}  // namespace

Expected<void> has_moving_statistics(LayerBuilder& b) {
  if (b.flag("scale", true)) b.own("gamma");
  if (b.flag("center", true)) b.own("beta");
  b.own("moving_mean", false);
  b.own("moving_variance", false);
  if (b.flag("renorm", false))
    for (const char* name : {"moving_stddev", "renorm_mean", "renorm_stddev"}) b.own(name, false);
  return {};
}

Flows batch_normalization(LayerContext& n) {
  n.only_inference();
  const ValueId given = n.computed(n.x(1));
  if (n.failed()) return {};
  const DType type = statistics_type(n.dtype(given));
  const ValueId x = n.cast(given, type);
  const std::vector<std::int64_t> axes = axes_of(n, x);
  if (n.failed()) return {};
  if (axes.size() != 1)
    return {{n.unsupported(Refused::attribute, "it normalizes {} axes at once", axes.size())}};
  auto vector = [&](std::string_view name, double otherwise) {
    return has(n, name) ? n.cast(n.stored(n.layer(), name, 1), type) : n.number(otherwise, x);
  };
  const ValueId mean = vector("moving_mean", 0), variance = vector("moving_variance", 1);
  const ValueId scale = vector("gamma", 1), bias = vector("beta", 0);
  const ValueId y = n.batch_norm(x, scale, bias, mean, variance, n.real("epsilon", 1e-3),
                                 static_cast<std::size_t>(axes[0]));
  return {{n.computed(y)}};
}

Expected<void> has_scale_and_center(LayerBuilder& b) {
  const bool rms = b.flag("rms_scaling", false);
  if (b.flag("scale", true) || rms) b.own("gamma");
  if (b.flag("center", true) && !rms) b.own("beta");
  return {};
}

Flows layer_normalization(LayerContext& n) {
  const ValueId given = n.computed(n.x(1));
  if (n.failed()) return {};
  const DType type = statistics_type(n.dtype(given));
  const ValueId x = n.cast(given, type);
  const std::vector<std::int64_t> axes = axes_of(n, x);
  const double epsilon = n.real("epsilon", 1e-3);
  ValueId y;
  if (n.flag("rms_scaling", false)) {
    // Divided by the deviation, though no mean is taken off.
    const ValueId off = n.sub(x, n.mean(x, axes, true));
    const ValueId variance = n.mean(n.square(off), axes, true);
    y = n.mul(x, n.rsqrt(n.add(variance, n.number(epsilon, x))));
  } else {
    y = n.standardize(x, axes, epsilon);
  }
  if (has(n, "gamma")) y = n.mul(y, spread(n, parameter(n, "gamma", type), axes, x));
  if (has(n, "beta")) y = n.add(y, spread(n, parameter(n, "beta", type), axes, x));
  return {{n.computed(y)}};
}

Flows group_normalization(LayerContext& n) {
  const ValueId given = n.computed(n.x(2));
  if (n.failed()) return {};
  const DType type = statistics_type(n.dtype(given));
  const ValueId x = n.cast(given, type);
  const std::size_t axis = n.axis(n.integer("axis", -1), n.rank(x));
  if (n.failed()) return {};
  const std::optional<std::int64_t> channels = n.shape(x)[axis].value();
  if (!channels)
    return {{n.unsupported(Refused::known_size, "its channels, {}, are not known",
                           n.shape(x)[axis].str())}};
  std::int64_t groups = n.integer("groups", 32);
  if (groups == -1) groups = *channels;
  if (groups < 1 || *channels % groups != 0)
    return {{n.invalid("{} groups of {} channels", groups, *channels)}};
  const ValueId scale = has(n, "gamma") ? parameter(n, "gamma", type) : ValueId{};
  const ValueId bias = has(n, "beta") ? parameter(n, "beta", type) : ValueId{};
  return {{n.computed(n.group_norm(x, axis, groups, n.real("epsilon", 1e-3), scale, bias))}};
}

Expected<void> has_scale(LayerBuilder& b) {
  b.own("scale");
  return {};
}

Flows rms_normalization(LayerContext& n) {
  const ValueId given = n.computed(n.x(1));
  if (n.failed()) return {};
  const DType type = statistics_type(n.dtype(given));
  const ValueId x = n.cast(given, type);
  const std::vector<std::int64_t> axes = axes_of(n, x);
  const ValueId squares = n.mean(n.square(x), axes, true);
  const ValueId y = n.mul(x, n.rsqrt(n.add(squares, n.number(n.real("epsilon", 1e-6), x))));
  return {{n.computed(n.mul(y, spread(n, parameter(n, "scale", type), axes, x)))}};
}

Flows unit_normalization(LayerContext& n) {
  const ValueId x = n.computed(n.x(1));
  const std::vector<std::int64_t> axes = axes_of(n, x);
  const ValueId sum = n.reduce("reduce_sum", n.square(x), axes, true);
  return {{n.mul(x, n.rsqrt(n.op("max", {sum, n.number(1e-12, x)})))}};
}

Expected<void> has_layer_and_vector(LayerBuilder& b) {
  b.own("vector_u", false);
  return b.part("layer", b.setting("layer"));
}

/// The kernel is as it was normalized last; inference leaves it alone.
Flows spectral_normalization(LayerContext& n) {
  n.only_inference();
  return n.run(*n.layer().part("layer"), n.inputs());
}

}  // namespace ingot::keras
