// SPDX-License-Identifier: Apache-2.0
// ONNX normalisations over positions and groups of channels.
#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

using Integers = std::vector<std::int64_t>;

/// A vector for each channel (axis 1) of x.
ValueId scaled(OnnxNode& n, ValueId y, ValueId scale, ValueId bias) {
  const std::size_t rank = n.rank(n.x());
  return n.add(n.mul(y, n.align(scale, 1, rank)), n.align(bias, 1, rank));
}

Results instance_norm(OnnxNode& n) {
  if (n.rank(n.x()) < 3) return n.invalid("its input has no positions");
  Integers axes;
  for (std::size_t d = 2; d < n.rank(n.x()); ++d) axes.push_back(static_cast<std::int64_t>(d));
  const ValueId y = n.standardize(n.x(), axes, n.real("epsilon", 1e-5F));
  return scaled(n, y, n.input(1), n.input(2));
}

/// Statistics in float32 unless stash_type says otherwise. Until opset 20 scale and bias had an
/// entry for each group.
Results group_norm(OnnxNode& n) {
  if (n.failed() || n.rank(n.x()) < 2) return n.invalid("its input has no channels");
  const std::int64_t groups = n.integer("num_groups", 0);
  const Dim channels = n.shape(n.x())[1];
  auto each = [&](ValueId vector) {
    if (n.opset() >= 21 || groups < 1 || n.rank(vector) != 1) return vector;
    const auto size = Dim::exact_div(channels, groups);
    if (!size) return n.invalid("{} channels in {} groups", channels.str(), groups);
    return n.reshape(n.broadcast(n.reshape(vector, {groups, 1}), {groups, *size}), {channels});
  };
  const DType dtype = n.dtype(n.x());
  const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
  const ValueId x = narrow && n.integer("stash_type", 1) == 1 ? n.cast(n.x(), DType::f32) : n.x();
  const ValueId scale = each(n.input(1)), bias = each(n.input(2));
  const ValueId y = n.group_norm(x, 1, groups, n.real("epsilon", 1e-5F), {}, {});
  return scaled(n, n.cast(y, dtype), scale, bias);
}

/// The deviation has 1e-9 added, which the op's function in the standard fixes.
Results mean_variance_norm(OnnxNode& n) {
  const Integers axes = n.axes(n.integers("axes").value_or(Integers{0, 2, 3}), n.rank(n.x()));
  const ValueId centred = n.sub(n.x(), n.mean(n.x(), axes, true));
  const ValueId deviation = n.op("sqrt", {n.mean(n.square(centred), axes, true)});
  return n.div(centred, n.add(deviation, n.number(1e-9, deviation)));
}

/// x / norm along an axis; zeros stay zeros.
Results lp_norm(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", -1), n.rank(n.x()));
  const std::int64_t p = n.integer("p", 2);
  if (p != 1 && p != 2) return n.invalid("a norm of degree {}", p);
  if (n.failed()) return ValueId{};
  const ValueId terms = p == 1 ? n.op("abs", {n.x()}) : n.square(n.x());
  ValueId norm = n.reduce("reduce_sum", terms, {static_cast<std::int64_t>(axis)}, true);
  if (p == 2) norm = n.op("sqrt", {norm});
  const ValueId zero = n.number(0, norm);
  return n.op("where", {n.op("eq", {norm, zero}), zero, n.div(n.x(), norm)});
}

}  // namespace

void add_norm_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(),
              {
                  {"GroupNormalization", 18, newest_opset, 3, 3, group_norm},
                  {"InstanceNormalization", 6, newest_opset, 3, 3, instance_norm},
                  {"LpNormalization", 6, newest_opset, 1, 1, lp_norm},
                  {"MeanVarianceNormalization", 9, newest_opset, 1, 1, mean_variance_norm},
              });
}

}  // namespace ingot::onnx
