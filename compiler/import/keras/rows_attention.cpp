// SPDX-License-Identifier: Apache-2.0
// Attention: several heads with projections of their own, and the plain kinds.
#include <algorithm>
#include <cmath>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

using Integers = std::vector<std::int64_t>;

ValueId as_mask(LayerContext& n, ValueId mask) {
  return mask.valid() ? n.cast(mask, DType::boolean) : mask;
}

ValueId both(LayerContext& n, ValueId a, ValueId b) {
  if (!a.valid() || !b.valid()) return a.valid() ? a : b;
  return n.op("and", {a, b});
}

bool wants(LayerContext& n, std::string_view name) {
  const Argument* found = n.argument(name);
  return found != nullptr && found->literal == true;
}

/// The number of each query position and of each value position, [T, 1] and [1, S].
std::pair<ValueId, ValueId> places(LayerContext& n, const Dim& queries, const Dim& values) {
  return {n.unsqueeze(n.iota({queries}, DType::i64), {1}),
          n.unsqueeze(n.iota({values}, DType::i64), {0})};
}

/// Which values a query may look at, [.., T, S]; invalid: all of them.
ValueId mask_of(LayerContext& n, const Flow& query, const Flow& value, const Flow& key) {
  ValueId mask;
  if (query.mask.valid()) mask = n.unsqueeze(as_mask(n, query.mask), {2});
  if (value.mask.valid()) mask = both(n, mask, n.unsqueeze(as_mask(n, value.mask), {1}));
  if (key.mask.valid()) mask = both(n, mask, n.unsqueeze(as_mask(n, key.mask), {1}));
  if (n.failed()) return {};
  const Dim queries = n.shape(query.value)[1], values = n.shape(value.value)[1];
  const auto [rows, columns] = places(n, queries, values);
  if (wants(n, "use_causal_mask")) mask = both(n, mask, n.op("ge", {rows, columns}));
  if (n.has("sliding_window")) {
    const ValueId reach = n.scalar(DType::i64, n.real("sliding_window", 0));
    const ValueId apart = n.op("abs", {n.sub(rows, columns)});
    mask = both(n, mask, n.op("lt", {apart, reach}));
  }
  const std::optional<Flow> given = n.tensor("attention_mask");
  return given ? both(n, mask, as_mask(n, given->value)) : mask;
}

/// Softmax over the last `axes` axes of scores, of what the mask leaves. `zero`: 0 where it leaves
/// nothing, instead of all alike.
ValueId weigh(LayerContext& n, ValueId scores, ValueId mask, std::size_t axes, bool zero) {
  if (n.failed()) return {};
  Integers last;
  for (std::size_t d = n.rank(scores) - axes; d < n.rank(scores); ++d)
    last.push_back(static_cast<std::int64_t>(d));
  if (mask.valid()) {
    const double least = n.dtype(scores) == DType::f16 ? -3e4 : -1e9;
    scores = n.op("where", {mask, scores, n.number(least, scores)});
  }
  ValueId weights;
  if (axes == 1) {
    weights = n.softmax(scores, n.rank(scores) - 1);
  } else {
    const ValueId powers = n.op("exp", {n.sub(scores, n.reduce("reduce_max", scores, last, true))});
    weights = n.div(powers, n.reduce("reduce_sum", powers, last, true));
  }
  return mask.valid() && zero ? n.op("where", {mask, weights, n.number(0, weights)}) : weights;
}

/// [.., features] by a kernel [features, heads, size], with its bias, if it has one.
ValueId project(LayerContext& n, std::string_view part, ValueId x) {
  const Layer* dense = n.layer().part(part);
  if (n.failed() || dense == nullptr) return n.invalid("it has no '{}'", part);
  const ValueId y = n.einsum("...a,abc->...bc", {x, n.variable(*dense, "kernel", 3)});
  return dense->variable("bias") != nullptr ? n.add(y, n.variable(*dense, "bias", 2)) : y;
}

/// [.., heads, size] back to features, of which there may be several axes.
ValueId join_heads(LayerContext& n, ValueId x) {
  const Layer& dense = *n.layer().part("output_dense");
  const ValueId kernel = n.variable(dense, "kernel");
  if (n.failed()) return {};
  constexpr std::size_t most = 20;
  if (n.rank(kernel) < 3 || n.rank(kernel) > most)
    return n.invalid("its output kernel has {} axes", n.rank(kernel));
  std::string results;
  for (std::size_t d = 2; d < n.rank(kernel); ++d) results += static_cast<char>('c' + d - 2);
  const ValueId y = n.einsum("...ab,ab" + results + "->..." + results, {x, kernel});
  return dense.variable("bias") != nullptr ? n.add(y, n.variable(dense, "bias")) : y;
}

struct Operands {
  Flow query, value, key;
};

/// query, value and key in that order or by name; the key is the value if it is not given.
Operands operands(LayerContext& n) {
  const auto query = n.tensor("query", 0), value = n.tensor("value", 1), key = n.tensor("key", 2);
  if (!query || !value) {
    n.invalid("it is called without query and value");
    return {};
  }
  Operands all{*query, *value, key.value_or(Flow{value->value, {}})};
  for (Flow* one : {&all.query, &all.value, &all.key}) one->value = n.computed(one->value);
  for (const auto& [name, flow] :
       {std::pair("query_mask", &all.query), std::pair("value_mask", &all.value),
        std::pair("key_mask", &all.key)})
    if (const auto told = n.tensor(name)) flow->mask = told->value;
  return all;
}

/// Which axes of [batch, .., heads, size] are looked along, and the letters of all that.
struct Equations {
  std::string scores, combine;
  std::size_t axes = 0;
};
Equations equations(LayerContext& n, std::size_t rank) {
  Integers axes = n.list("attention_axes");
  if (axes.empty())
    for (std::size_t d = 1; d + 2 < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  for (std::int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<std::int64_t>(rank) - 1;
    if (axis < 1 || axis + 2 >= static_cast<std::int64_t>(rank))
      n.invalid("its attention_axes has {}, of {} axes", axis, rank - 1);
  }
  constexpr std::size_t most = 12;
  if (rank > most) n.invalid("its operand has {} axes", rank - 1);
  if (n.failed()) return {};
  auto along = [&](std::size_t d) {
    return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
  };
  std::string query, value, product;
  for (std::size_t d = 0; d < rank; ++d) {
    query += static_cast<char>('a' + d);
    value += static_cast<char>((along(d) ? 'n' : 'a') + d);
  }
  for (std::size_t d = 0; d + 1 < rank; ++d)
    if (!along(d)) product += query[d];
  for (const std::int64_t axis : axes) product += query[static_cast<std::size_t>(axis)];
  for (const std::int64_t axis : axes) product += value[static_cast<std::size_t>(axis)];
  return {value + "," + query + "->" + product, product + "," + value + "->" + query, axes.size()};
}

/// `repeats`: how many heads of queries share one of keys and values.
Flows attend(LayerContext& n, std::int64_t repeats) {
  if (n.real("dropout", 0) != 0) n.only_inference();
  const Operands all = operands(n);
  if (n.failed()) return {};
  if (n.rank(all.query.value) < 3 || n.rank(all.value.value) < 3)
    return {{n.invalid("its operands have {} and {} axes", n.rank(all.query.value),
                       n.rank(all.value.value))}};
  ValueId mask = mask_of(n, all.query, all.value, all.key);
  ValueId query = project(n, "query_dense", all.query.value);
  ValueId key = project(n, "key_dense", all.key.value);
  ValueId value = project(n, "value_dense", all.value.value);
  if (n.failed()) return {};
  for (ValueId* one : {&key, &value}) {
    if (repeats == 1) continue;
    Shape shape = n.shape(*one), wide = shape;
    wide.insert(wide.end() - 1, Dim(repeats));
    shape[shape.size() - 2] *= Dim(repeats);
    const auto axis = static_cast<std::int64_t>(wide.size()) - 2;
    *one = n.reshape(n.broadcast(n.unsqueeze(*one, {axis}), wide), shape);
    if (n.failed()) return {};
  }
  const double size = static_cast<double>(n.shape(query).back().value().value_or(1));
  query = n.mul(query, n.number(1 / std::sqrt(size), query));
  const Equations by = equations(n, n.rank(query));
  ValueId scores = n.einsum(by.scores, {key, query});
  if (n.failed()) return {};
  // From [batch, T, S] to [batch, heads, T, S].
  while (mask.valid() && !n.failed() && n.rank(mask) < n.rank(scores)) {
    const std::size_t tail = std::min(n.rank(mask), 2 * by.axes);
    mask = n.unsqueeze(mask, {static_cast<std::int64_t>(n.rank(mask) - tail)});
  }
  const bool told = wants(n, "return_attention_scores");
  const bool zero = !n.keras2() && (told || n.real("dropout", 0) > 0 || n.rank(query) != 4);
  const ValueId weights = weigh(n, scores, mask, by.axes, zero);
  ValueId y = n.einsum(by.combine, {weights, value});
  if (n.layer().part("gate_dense") != nullptr)
    y = n.mul(y, n.op("sigmoid", {project(n, "gate_dense", all.query.value)}));
  Flows flows{{join_heads(n, y), all.query.mask}};
  if (told) flows.push_back({weights});
  return flows;
}

}  // namespace

Expected<void> has_heads(LayerBuilder& b) {
  for (const char* part :
       {"query_dense", "key_dense", "gate_dense", "value_dense", "output_dense"}) {
    if (std::string_view(part) == "gate_dense" && !b.flag("use_gate", false)) continue;
    Layer& dense = b.owner(part);
    dense.variables.push_back({"kernel"});
    if (b.flag("use_bias", true)) dense.variables.push_back({"bias"});
  }
  return {};
}

Flows multi_head_attention(LayerContext& n) { return attend(n, 1); }

Flows grouped_query_attention(LayerContext& n) {
  const std::int64_t queries = n.integer("num_query_heads", 1);
  const std::int64_t values = n.integer("num_key_value_heads", 1);
  if (values < 1 || queries < 1 || queries % values != 0)
    return {{n.invalid("{} heads of queries for {} of values", queries, values)}};
  return attend(n, queries / values);
}

Expected<void> has_score_weights(LayerBuilder& b) {
  if (b.flag("use_scale", b.layer().class_name == "AdditiveAttention")) b.own("scale");
  if (text_of(*b.layer().config, "score_mode") == "concat") b.own("concat_score_weight");
  return {};
}

/// Of [query, value] or [query, value, key].
Flows attention(LayerContext& n) {
  if (n.real("dropout", 0) != 0) n.only_inference();
  Flows all = n.inputs();
  if (all.size() < 2 || all.size() > 3)
    return {{n.invalid("it is called with {} tensors, 2 or 3 wanted", all.size())}};
  // A list with gaps says no more than the tensors' own masks do.
  if (const Argument* masks = n.argument("mask");
      masks != nullptr && masks->flows.size() == all.size())
    for (std::size_t i = 0; i < all.size(); ++i) all[i].mask = masks->flows[i].value;
  const ValueId query = n.computed(all[0].value), value = n.computed(all[1].value);
  const ValueId key = all.size() == 3 ? n.computed(all[2].value) : value;
  if (n.failed()) return {};
  if (n.rank(query) < 2 || n.rank(key) != n.rank(query) || n.rank(value) != n.rank(query))
    return {{n.invalid("its operands have {}, {} and {} axes", n.rank(query), n.rank(value),
                       n.rank(key))}};
  const bool additive = n.layer().class_name == "AdditiveAttention";
  const bool concat = n.text("score_mode", "dot") == "concat";
  auto scaled = [&](ValueId x) {
    return n.layer().variable("scale") != nullptr ? n.mul(n.variable("scale"), x) : x;
  };
  ValueId scores;
  if (additive || concat) {
    const auto rank = static_cast<std::int64_t>(n.rank(query));
    ValueId sum = n.add(n.unsqueeze(query, {rank - 1}), n.unsqueeze(key, {rank - 2}));
    sum = additive ? scaled(n.op("tanh", {sum})) : n.op("tanh", {scaled(sum)});
    scores = n.reduce("reduce_sum", sum, {rank}, false);
    if (concat) scores = n.mul(n.variable("concat_score_weight", 0), scores);
  } else {
    scores = scaled(n.matmul(query, n.transpose_matrix(key)));
  }
  if (n.failed()) return {};
  ValueId mask = as_mask(n, all[1].mask);
  if (mask.valid()) mask = n.unsqueeze(mask, {static_cast<std::int64_t>(n.rank(mask)) - 1});
  if (wants(n, "use_causal_mask") || n.flag("causal", false)) {
    const std::size_t rank = n.rank(scores);
    const auto [rows, columns] = places(n, n.shape(scores)[rank - 2], n.shape(scores)[rank - 1]);
    mask = both(n, mask, n.op("ge", {rows, columns}));
  }
  const ValueId weights = weigh(n, scores, mask, 1, false);
  ValueId y = n.matmul(weights, value);
  if (all[0].mask.valid()) {
    const ValueId there = as_mask(n, all[0].mask);
    y = n.op("where",
             {n.unsqueeze(there, {static_cast<std::int64_t>(n.rank(there))}), y, n.number(0, y)});
  }
  Flows flows{{y, all[0].mask}};
  if (wants(n, "return_attention_scores")) flows.push_back({weights});
  return flows;
}

}  // namespace ingot::keras
