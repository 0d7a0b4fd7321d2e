// SPDX-License-Identifier: Apache-2.0
// Layers that make one tensor of several, and what becomes of their masks.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

/// The operands at one type and one number of axes: new ones go behind the batch.
std::vector<Flow> operands(LayerContext& n, std::size_t least) {
  std::vector<Flow> flows = n.inputs();
  if (flows.size() < least) {
    n.invalid("it is called with {} tensors, at least {} wanted", flows.size(), least);
    return {};
  }
  std::size_t axes = 0;
  bool floats = false;
  for (Flow& flow : flows) {
    flow.value = n.autocast(flow.value);
    axes = std::max(axes, n.rank(flow.value));
    floats = floats || is_float(n.dtype(flow.value));
  }
  for (Flow& flow : flows) {
    if (floats) flow.value = n.computed(flow.value);
    while (!n.failed() && n.rank(flow.value) < axes)
      flow.value = n.unsqueeze(flow.value, {std::min<std::int64_t>(1, n.rank(flow.value))});
  }
  return flows;
}

/// A mask of [batch, steps] for a value of [batch, steps, ..].
ValueId over(LayerContext& n, ValueId mask, ValueId value) {
  if (!mask.valid()) return mask;
  while (!n.failed() && n.rank(mask) < n.rank(value))
    mask = n.unsqueeze(mask, {static_cast<std::int64_t>(n.rank(mask))});
  return mask;
}

ValueId both(LayerContext& n, std::string_view op, ValueId a, ValueId b) {
  return n.op(op, {a, b});
}

/// In Keras 3, true where any operand is there, and none where one has no mask; in Keras 2, true
/// where all that have one are there.
ValueId merged_mask(LayerContext& n, const std::vector<Flow>& flows) {
  ValueId mask;
  for (const Flow& flow : flows) {
    if (!flow.mask.valid() && n.keras2()) continue;
    if (!flow.mask.valid()) return {};
    mask = mask.valid() ? both(n, n.keras2() ? "and" : "or", mask, flow.mask) : flow.mask;
  }
  return mask;
}

Flows folded(LayerContext& n, std::string_view op, double scale = 1) {
  const std::vector<Flow> flows = operands(n, 1);
  if (flows.empty()) return {};
  ValueId y = flows[0].value;
  for (std::size_t i = 1; i < flows.size(); ++i) y = both(n, op, y, flows[i].value);
  if (scale != 1) y = n.div(y, n.number(scale, y));
  return {{y, merged_mask(n, flows)}};
}

/// Skips what is masked: the other operand counts alone there.
Flows extremum(LayerContext& n, std::string_view op) {
  const std::vector<Flow> flows = operands(n, 1);
  if (flows.empty()) return {};
  ValueId y = flows[0].value, mask = over(n, flows[0].mask, flows[0].value);
  for (std::size_t i = 1; i < flows.size(); ++i) {
    ValueId x = flows[i].value;
    const ValueId other = n.keras2() ? ValueId{} : over(n, flows[i].mask, x);
    if (n.keras2()) mask = {};
    if (other.valid()) x = n.op("where", {other, x, y});
    if (mask.valid()) y = n.op("where", {mask, y, x});
    mask = mask.valid() && other.valid() ? both(n, "or", mask, other) : ValueId{};
    y = both(n, op, y, x);
  }
  return {{y, merged_mask(n, flows)}};
}

}  // namespace

Flows merge_add(LayerContext& n) { return folded(n, "add"); }
Flows merge_average(LayerContext& n) {
  return folded(n, "add", static_cast<double>(n.inputs().size()));
}
Flows merge_maximum(LayerContext& n) { return extremum(n, "max"); }
Flows merge_minimum(LayerContext& n) { return extremum(n, "min"); }

Flows merge_subtract(LayerContext& n) {
  if (n.inputs().size() != 2) n.invalid("it is called with {} tensors", n.inputs().size());
  return folded(n, "sub");
}

/// What is masked counts as 1, and is 0 where all is.
Flows merge_multiply(LayerContext& n) {
  std::vector<Flow> flows = operands(n, 1);
  if (flows.empty()) return {};
  const bool skips = !n.keras2();
  ValueId y;
  for (const Flow& flow : flows) {
    ValueId x = flow.value;
    if (skips && flow.mask.valid()) x = n.op("where", {over(n, flow.mask, x), x, n.number(1, x)});
    y = y.valid() ? n.mul(y, x) : x;
  }
  const ValueId mask = merged_mask(n, flows);
  if (skips && mask.valid()) y = n.op("where", {over(n, mask, y), y, n.number(0, y)});
  return {{y, mask}};
}

Flows concatenate(LayerContext& n) {
  const std::vector<Flow> flows = operands(n, 1);
  if (flows.empty()) return {};
  const std::size_t axis = n.axis(n.integer("axis", -1), n.rank(flows[0].value));
  if (n.failed()) return {};
  std::vector<ValueId> parts, masks;
  bool masked = false;
  for (const Flow& flow : flows) masked = masked || flow.mask.valid();
  for (const Flow& flow : flows) {
    parts.push_back(flow.value);
    if (!masked) continue;
    // Keras spreads the masks over the values, and then asks for any (2: for all) of the last axis.
    ValueId mask = over(n, flow.mask, flow.value);
    if (!mask.valid()) mask = n.scalar(DType::boolean, 1);
    masks.push_back(n.broadcast(mask, n.shape(flow.value)));
  }
  Flow y{n.concat(parts, axis)};
  if (masked && !n.failed()) {
    const auto last = static_cast<std::int64_t>(n.rank(y.value)) - 1;
    const ValueId whole = n.cast(n.concat(masks, axis), DType::u8);
    y.mask = n.cast(n.reduce(n.keras2() ? "reduce_min" : "reduce_max", whole, {last}, false),
                    DType::boolean);
  }
  return {y};
}

/// The sum of products along an axis of each; batches go together.
Flows dot(LayerContext& n) {
  const std::vector<Flow> flows = operands(n, 2);
  if (flows.empty()) return {};
  ValueId a = n.inputs()[0].value, b = n.inputs()[1].value;
  a = n.computed(a), b = n.computed(b);
  const std::vector<std::int64_t> axes = n.integers("axes", 2, -1);
  const std::size_t of_a = n.axis(axes[0], n.rank(a)), of_b = n.axis(axes[1], n.rank(b));
  if (n.failed()) return {};
  constexpr std::size_t letters = 26;
  if (n.rank(a) < 2 || n.rank(b) < 2 || n.rank(a) + n.rank(b) > letters || of_a == 0 || of_b == 0)
    return {{n.unsupported(Refused::attribute, "a product of {} and {} axes along {} and {}",
                           n.rank(a), n.rank(b), of_a, of_b)}};
  if (n.flag("normalize", false)) {
    auto unit = [&](ValueId x, std::size_t axis) {
      const ValueId sum =
          n.reduce("reduce_sum", n.square(x), {static_cast<std::int64_t>(axis)}, true);
      return n.mul(x, n.rsqrt(n.op("max", {sum, n.number(1e-12, x)})));
    };
    a = unit(a, of_a), b = unit(b, of_b);
  }
  std::string left = "a", right = "a", result = "a";
  char next = 'c';
  for (std::size_t d = 1; d < n.rank(a); ++d) {
    left += d == of_a ? 'b' : next;
    if (d != of_a) result += next++;
  }
  for (std::size_t d = 1; d < n.rank(b); ++d) {
    right += d == of_b ? 'b' : next;
    if (d != of_b) result += next++;
  }
  ValueId y = n.einsum(left + "," + right + "->" + result, {a, b});
  if (result.size() == 1) y = n.unsqueeze(y, {1});
  return {{y}};
}

}  // namespace ingot::keras
