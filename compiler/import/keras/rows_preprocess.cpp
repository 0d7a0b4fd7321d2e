// SPDX-License-Identifier: Apache-2.0
// Layers that prepare numbers and categories: scales, codes, bins.
#include <algorithm>
#include <cmath>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

/// A number, or a list that broadcasts over the last axes.
ValueId numbers(LayerContext& n, const std::vector<double>& values, ValueId like) {
  if (n.failed() || values.size() == 1) return n.number(values.empty() ? 0 : values[0], like);
  Tensor tensor(DType::f64, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return n.cast(n.constant(std::move(tensor)), n.dtype(like));
}

/// Lists of lists, one number after the other.
bool flatten_numbers(const Json& json, std::vector<double>& all) {
  if (json.is_number()) {
    all.push_back(json.get<double>());
    return true;
  }
  return json.is_array() && std::all_of(json.begin(), json.end(),
                                        [&](const Json& one) { return flatten_numbers(one, all); });
}

/// A statistic, from the file's variables or from the settings, over the axes that are kept.
ValueId statistic(LayerContext& n, std::string_view name, const std::vector<std::int64_t>& axes,
                  ValueId x) {
  if (n.failed()) return {};
  Shape kept, shape(n.rank(x), 1);
  for (const std::int64_t axis : axes) {
    kept.push_back(n.shape(x)[static_cast<std::size_t>(axis)]);
    shape[static_cast<std::size_t>(axis)] = kept.back();
  }
  if (n.layer().variable(name) != nullptr)
    return n.reshape(n.cast(n.stored(n.layer(), name), n.dtype(x)), shape);
  std::vector<double> values;
  if (!flatten_numbers(n.setting(name), values) || values.empty())
    return n.invalid("its '{}' is {}, numbers wanted", name, n.setting(name).dump());
  const ValueId given = numbers(n, values, x);
  if (n.failed() || n.rank(given) == 0) return given;
  Dim all = 1;
  for (const Dim& size : kept) all *= size;
  // One list along the last of several axes stands for all of them.
  return all == n.shape(given)[0] ? n.reshape(given, shape) : given;
}

/// Codes [.., T] as one row for each batch of them, by `output_mode`.
ValueId encode(LayerContext& n, ValueId codes, const Dim& depth, DType type,
               const std::string& mode) {
  if (n.failed()) return {};
  if (mode == "int") return n.cast(codes, type);
  const std::size_t axes = n.rank(codes);
  if (mode == "one_hot") {
    if (axes > 1 && n.shape(codes).back().is(1))
      codes = n.squeeze(codes, {static_cast<std::int64_t>(axes) - 1});
    return n.one_hot(codes, depth, n.scalar(type, 1), n.scalar(type, 0), n.rank(codes), false);
  }
  if (mode != "multi_hot" && mode != "count")
    return n.unsupported(Refused::attribute, "its output_mode is '{}'", mode);
  if (axes < 2)
    return n.unsupported(Refused::attribute, "its output_mode '{}' of {} axes", mode, axes);
  ValueId hot = n.one_hot(codes, depth, n.scalar(type, 1), n.scalar(type, 0), axes, false);
  if (mode == "multi_hot") return n.reduce("reduce_max", hot, {1}, false);
  if (const auto weights = n.tensor("count_weights", 1))
    hot = n.mul(hot, n.unsqueeze(n.cast(weights->value, type), {static_cast<std::int64_t>(axes)}));
  return n.reduce("reduce_sum", hot, {1}, false);
}

void refuse_sparse(LayerContext& n) {
  if (n.flag("sparse", false)) n.unsupported(Refused::no_tensor, "its result is sparse");
}

}  // namespace

Expected<void> has_adapted_statistics(LayerBuilder& b) {
  if (b.setting("mean").is_null())
    for (const char* name : {"mean", "variance", "count"}) b.own(name, false);
  return {};
}

Flows normalization(LayerContext& n) {
  const ValueId x = n.computed(n.x());
  if (n.failed()) return {};
  std::vector<std::int64_t> axes;
  // None is for one mean of everything; what is not said, for the last axis.
  if (n.layer().config->contains("axis")) {
    if (n.has("axis")) axes = n.axes(n.list("axis"), n.rank(x));
  } else {
    axes = n.axes({-1}, n.rank(x));
  }
  const ValueId mean = statistic(n, "mean", axes, x);
  const ValueId variance = statistic(n, "variance", axes, x);
  const ValueId deviation = n.op("max", {n.op("sqrt", {variance}), n.number(1e-7, x)});
  if (n.flag("invert", false)) return {{n.add(mean, n.mul(x, deviation))}};
  return {{n.div(n.sub(x, mean), deviation)}};
}

Flows rescaling(LayerContext& n) {
  const ValueId x = n.computed(n.x());
  const ValueId scale = numbers(n, n.reals("scale"), x);
  return {{n.add(n.mul(x, scale), numbers(n, n.reals("offset"), x))}};
}

Flows category_encoding(LayerContext& n) {
  refuse_sparse(n);
  if (n.inputs().empty()) return {{n.x()}};
  const std::int64_t depth = n.integer("num_tokens", 0);
  if (depth < 1) n.invalid("its num_tokens is {}", depth);
  const ValueId codes = n.cast(n.inputs()[0].value, DType::i64);
  const DType type = is_float(n.compute_type()) ? n.compute_type() : DType::f32;
  return {{encode(n, codes, depth, type, n.text("output_mode", "multi_hot"))}};
}

/// How many boundaries are not above each number.
Flows discretization(LayerContext& n) {
  refuse_sparse(n);
  if (n.inputs().empty()) return {{n.x()}};
  std::vector<double> bounds = n.reals("bin_boundaries");
  if (n.failed()) return {};
  if (!n.has("bin_boundaries")) {
    n.unsupported(Refused::attribute, "it has no bin_boundaries");
    n.advise("give it bin_boundaries, or adapt it before the model is saved");
    return {};
  }
  std::sort(bounds.begin(), bounds.end());
  ValueId x = n.inputs()[0].value;
  if (!is_float(n.dtype(x))) x = n.cast(x, DType::f32);
  const auto last = static_cast<std::int64_t>(n.rank(x));
  ValueId bins = n.broadcast(n.scalar(DType::i64, 0), n.shape(x));
  if (!bounds.empty()) {
    ValueId edges = numbers(n, bounds, x);
    if (bounds.size() == 1) edges = n.broadcast(edges, {1});
    const ValueId above = n.op("ge", {n.unsqueeze(x, {last}), edges});
    bins = n.reduce("reduce_sum", n.cast(above, DType::i64), {last}, false);
  }
  const std::string mode = n.text("output_mode", "int");
  const DType otherwise = mode == "int" ? DType::i64 : DType::f32;
  DType type = (mode == "int") == is_integer(n.compute_type()) ? n.compute_type() : otherwise;
  // Whatever the layer's dtype is.
  if (mode == "int" && !n.keras2()) type = DType::i32;
  return {{encode(n, bins, static_cast<std::int64_t>(bounds.size()) + 1, type, mode)}};
}

}  // namespace ingot::keras
