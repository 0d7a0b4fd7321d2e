// SPDX-License-Identifier: Apache-2.0
// keras.activations, by name or as objects, which a layer may be, too.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

double setting_or(const Json& config, std::string_view key, double otherwise) {
  const Json& value = member(config, key);
  return value.is_number() ? value.get<double>() : otherwise;
}

using Formula = ValueId (*)(Composer&, ValueId);

ValueId where(Composer& c, ValueId condition, ValueId a, double b) {
  return c.op("where", {condition, a, c.number(b, a)});
}

ValueId relu6(Composer& c, ValueId x) { return c.clip(x, 0, 6); }

/// The new form; Keras 2's has other slopes.
ValueId hard_sigmoid(Composer& c, ValueId x) {
  return c.mul(relu6(c, c.add(x, c.number(3, x))), c.number(1.0 / 6, x));
}

ValueId squareplus(Composer& c, ValueId x) {
  const ValueId root = c.op("sqrt", {c.add(c.square(x), c.number(4, x))});
  return c.mul(c.add(x, root), c.number(0.5, x));
}

ValueId soft_shrink(Composer& c, ValueId x) {
  const ValueId half = c.number(0.5, x);
  const ValueId below = where(c, c.op("lt", {x, c.op("neg", {half})}), c.add(x, half), 0);
  return c.op("where", {c.op("gt", {x, half}), c.sub(x, half), below});
}

ValueId sparse_plus(Composer& c, ValueId x) {
  const ValueId one = c.number(1, x);
  const ValueId curve = c.mul(c.square(c.add(x, one)), c.number(0.25, x));
  const ValueId above = c.op("where", {c.op("lt", {x, one}), curve, x});
  return c.op("where", {c.op("le", {x, c.op("neg", {one})}), c.number(0, x), above});
}

ValueId glu(Composer& c, ValueId x) {
  if (c.failed() || c.rank(x) == 0) return c.invalid("its operand has no axes");
  const std::size_t last = c.rank(x) - 1;
  const auto half = Dim::exact_div(c.shape(x)[last], 2);
  if (!half) return c.invalid("'glu' of {} channels, which is odd", c.shape(x)[last].str());
  return c.mul(c.slice(x, last, 0, *half), c.op("sigmoid", {c.slice(x, last, *half, *half)}));
}

/// Sorted by name.
constexpr std::pair<std::string_view, Formula> formulas[] = {
    {"celu", [](Composer& c, ValueId x) { return c.elu(x, 1); }},
    {"elu", [](Composer& c, ValueId x) { return c.elu(x, 1); }},
    {"exponential", [](Composer& c, ValueId x) { return c.op("exp", {x}); }},
    {"gelu", [](Composer& c, ValueId x) { return c.gelu(x); }},
    {"glu", glu},
    {"hard_shrink",
     [](Composer& c, ValueId x) {
       return where(c, c.op("gt", {c.op("abs", {x}), c.number(0.5, x)}), x, 0);
     }},
    {"hard_sigmoid", hard_sigmoid},
    {"hard_silu", [](Composer& c, ValueId x) { return c.mul(x, hard_sigmoid(c, x)); }},
    {"hard_swish", [](Composer& c, ValueId x) { return c.mul(x, hard_sigmoid(c, x)); }},
    {"hard_tanh", [](Composer& c, ValueId x) { return c.clip(x, -1, 1); }},
    {"leaky_relu", [](Composer& c, ValueId x) { return c.leaky_relu(x, 0.2); }},
    {"linear", [](Composer&, ValueId x) { return x; }},
    {"log_sigmoid",
     [](Composer& c, ValueId x) { return c.op("neg", {c.softplus(c.op("neg", {x}))}); }},
    {"log_softmax", [](Composer& c, ValueId x) { return c.log_softmax(x, c.axis(-1, c.rank(x))); }},
    {"mish", [](Composer& c, ValueId x) { return c.mish(x); }},
    {"relu", [](Composer& c, ValueId x) { return c.relu(x); }},
    {"relu6", relu6},
    {"selu", [](Composer& c, ValueId x) { return c.selu(x); }},
    {"sigmoid", [](Composer& c, ValueId x) { return c.op("sigmoid", {x}); }},
    {"silu", [](Composer& c, ValueId x) { return c.swish(x); }},
    {"soft_shrink", soft_shrink},
    {"softmax", [](Composer& c, ValueId x) { return c.softmax(x, c.axis(-1, c.rank(x))); }},
    {"softplus", [](Composer& c, ValueId x) { return c.softplus(x); }},
    {"softsign", [](Composer& c, ValueId x) { return c.softsign(x); }},
    {"sparse_plus", sparse_plus},
    {"sparse_sigmoid",
     [](Composer& c, ValueId x) {
       return c.clip(c.mul(c.add(x, c.number(1, x)), c.number(0.5, x)), 0, 1);
     }},
    {"squareplus", squareplus},
    {"swish", [](Composer& c, ValueId x) { return c.swish(x); }},
    {"tanh", [](Composer& c, ValueId x) { return c.op("tanh", {x}); }},
    {"tanh_shrink", [](Composer& c, ValueId x) { return c.sub(x, c.op("tanh", {x})); }},
};

ValueId softmax_of(Composer& c, ValueId x, const Json& axis) {
  if (c.failed()) return {};
  std::vector<std::int64_t> axes;
  if (axis.is_array()) {
    for (const Json& one : axis)
      if (one.is_number_integer()) axes.push_back(one.get<std::int64_t>());
  } else {
    axes.push_back(axis.is_number_integer() ? axis.get<std::int64_t>() : -1);
  }
  axes = c.axes(axes, c.rank(x));
  if (c.failed()) return {};
  if (axes.size() == 1) return c.softmax(x, static_cast<std::size_t>(axes[0]));
  const ValueId least = c.reduce("reduce_max", x, axes, true);
  const ValueId powers = c.op("exp", {c.sub(x, least)});
  return c.div(powers, c.reduce("reduce_sum", powers, axes, true));
}

/// A layer that is an activation and nothing else, by its settings.
ValueId by_layer(Composer& c, std::string_view name, const Json& config, ValueId x) {
  if (name == "LeakyReLU")
    return c.leaky_relu(x, setting_or(config, "negative_slope", setting_or(config, "alpha", 0.3)));
  if (name == "ELU") return c.elu(x, setting_or(config, "alpha", 1));
  if (name == "ThresholdedReLU")
    return where(c, c.op("gt", {x, c.number(setting_or(config, "theta", 1), x)}), x, 0);
  if (name == "Softmax") return softmax_of(c, x, member(config, "axis"));
  if (name != "ReLU") return c.unsupported(Refused::attribute, "its activation is a {}", name);
  const double slope = setting_or(config, "negative_slope", 0);
  const double threshold = setting_or(config, "threshold", 0);
  const double most = setting_or(config, "max_value", std::numeric_limits<double>::infinity());
  ValueId y = x;
  if (threshold != 0) {
    y = where(c, c.op("gt", {x, c.number(threshold, x)}), x, 0);
  } else {
    y = c.relu(x);
  }
  if (std::isfinite(most)) y = c.clip(y, 0, most);
  if (slope == 0) return y;
  const ValueId beyond = c.relu(c.sub(c.number(threshold, x), x));
  return c.sub(y, c.mul(c.number(slope, x), beyond));
}

}  // namespace

ValueId activate(Composer& c, const Json& activation, ValueId x, bool keras2) {
  if (c.failed() || activation.is_null()) return x;
  std::string name;
  if (activation.is_string()) name = activation.get<std::string>();
  if (activation.is_object()) {
    const std::string kind = text_of(activation, "class_name");
    const Json& config = member(activation, "config");
    if (kind == "__lambda__" || kind == "Lambda") {
      c.unsupported(Refused::outside, "its activation is a Python function");
      c.advise("name one of keras.activations, or export a SavedModel, model.export(FOLDER)");
      return {};
    }
    if (kind != "function" && kind != "builtin") {
      if (kind == "Activation") return activate(c, member(config, "activation"), x, keras2);
      return by_layer(c, kind, config, x);
    }
    if (!class_of(activation).of_keras) {
      c.unsupported(Refused::custom_op, "its activation '{}' is a function of the user's own",
                    class_of(activation).name);
      c.advise("export a SavedModel, model.export(FOLDER), and give that folder");
      return {};
    }
    name = config.is_string() ? config.get<std::string>() : "";
  }
  if (keras2 && name == "hard_sigmoid") return c.hard_sigmoid(x, 0.2, 0.5);
  const auto* found = std::find_if(std::begin(formulas), std::end(formulas),
                                   [&](const auto& entry) { return entry.first == name; });
  if (found != std::end(formulas)) return found->second(c, x);
  c.unsupported(Refused::attribute, "its activation '{}' is not supported", name);
  return {};
}

Flows activation(LayerContext& n) {
  const ValueId x = n.x();
  const bool as_it_is = is_float(n.dtype(x)) || n.setting("activation") == "linear";
  return {{n.activated(as_it_is ? x : n.computed(x))}};
}

Flows activation_layer(LayerContext& n) {
  const ValueId x = n.computed(n.x());
  return {{by_layer(n, n.layer().class_name, *n.layer().config, x)}};
}

Flows softmax(LayerContext& n) {
  ValueId x = n.computed(n.x());
  const std::optional<Flow> given = n.tensor("mask", 1);
  ValueId mask = given ? given->value : ValueId{};
  if (!mask.valid()) return {{softmax_of(n, x, n.setting("axis"))}};
  if (n.failed()) return {};
  if (n.dtype(mask) != DType::boolean) mask = n.op("gt", {mask, n.number(0.5, mask)});
  const double least = n.dtype(x) == DType::f16 ? -3e4 : -1e9;
  const ValueId y = softmax_of(n, n.op("where", {mask, x, n.number(least, x)}), n.setting("axis"));
  return {{n.keras2() ? y : n.op("where", {mask, y, n.number(0, y)})}};
}

Expected<void> has_alpha(LayerBuilder& b) {
  b.own("alpha");
  return {};
}

Flows prelu(LayerContext& n) {
  const ValueId x = n.computed(n.x());
  const ValueId below = n.relu(n.op("neg", {x}));
  return {{n.sub(n.relu(x), n.mul(n.variable("alpha"), below))}};
}

}  // namespace ingot::keras
