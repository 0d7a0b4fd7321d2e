// SPDX-License-Identifier: Apache-2.0
// ONNX reductions: one row of core ops each, around one way to read axes.
#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

struct Reduction {
  std::vector<std::int64_t> axes;  // none: every element by itself
  bool keep = true;
};

/// `axes` is an attribute before opset 18 (13 for ReduceSum) and an input since.
std::optional<Reduction> read(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  const auto given = n.integers_or_input("axes", 1);
  Reduction reduction{{}, n.flag("keepdims", true)};
  if (given && !given->empty()) {
    reduction.axes = n.axes(*given, rank);
  } else if (!n.flag("noop_with_empty_axes", false)) {
    for (std::size_t d = 0; d < rank; ++d) reduction.axes.push_back(static_cast<std::int64_t>(d));
  }
  if (n.failed()) return std::nullopt;
  return reduction;
}

/// `formula` computes in floats: integers go there and back.
template <class Formula>
Results in_floats(OnnxNode& n, DType wide, Formula formula) {
  const std::optional<Reduction> reduction = read(n);
  if (!reduction) return ValueId{};
  const DType dtype = n.dtype(n.x());
  const ValueId x = is_integer(dtype) ? n.cast(n.x(), wide) : n.x();
  return n.cast(formula(x, reduction->axes, reduction->keep), dtype);
}

using Axes = std::vector<std::int64_t>;

template <class Formula>
Results plain(OnnxNode& n, Formula formula) {
  const std::optional<Reduction> reduction = read(n);
  return reduction ? formula(n.x(), reduction->axes, reduction->keep) : ValueId{};
}

Results simple(OnnxNode& n, std::string_view op) {
  return plain(n,
               [&](ValueId x, const Axes& axes, bool keep) { return n.reduce(op, x, axes, keep); });
}

Results mean(OnnxNode& n) {
  return plain(n, [&](ValueId x, const Axes& axes, bool keep) { return n.mean(x, axes, keep); });
}

Results l1(OnnxNode& n) {
  return plain(n, [&](ValueId x, const Axes& axes, bool keep) {
    return n.reduce("reduce_sum", n.op("abs", {x}), axes, keep);
  });
}

Results sum_square(OnnxNode& n) {
  return plain(n, [&](ValueId x, const Axes& axes, bool keep) {
    return n.reduce("reduce_sum", n.square(x), axes, keep);
  });
}

Results l2(OnnxNode& n) {
  return in_floats(n, DType::f64, [&](ValueId x, const Axes& axes, bool keep) {
    return n.op("sqrt", {n.reduce("reduce_sum", n.square(x), axes, keep)});
  });
}

Results log_sum(OnnxNode& n) {
  return in_floats(n, DType::f32, [&](ValueId x, const Axes& axes, bool keep) {
    return n.op("log", {n.reduce("reduce_sum", x, axes, keep)});
  });
}

/// The maximum goes out of the exponentials; an infinite one would make NaN of itself.
Results log_sum_exp(OnnxNode& n) {
  return in_floats(n, DType::f32, [&](ValueId x, const Axes& axes, bool keep) {
    const ValueId peak = n.reduce("reduce_max", x, axes, true);
    const ValueId shift = n.op("where", {n.op("is_inf", {peak}), n.number(0, x), peak});
    const ValueId e = n.op("exp", {n.sub(x, shift)});
    const ValueId sum = n.op("log", {n.reduce("reduce_sum", e, axes, keep)});
    return n.add(sum, keep ? shift : n.squeeze(shift, axes));
  });
}

Results cumulative(OnnxNode& n, std::string_view window) {
  const auto along = n.known_integers(1, "axis");
  if (!along) return ValueId{};
  if (along->size() != 1) return n.invalid("{} axes", along->size());
  const std::size_t axis = n.axis(along->front(), n.rank(n.x()));
  const bool exclusive = n.flag("exclusive", false);
  return n.cumulative(window, n.x(), axis, exclusive, n.flag("reverse", false));
}

}  // namespace

void add_reduce_rows(std::vector<OpRow>& rows) {
  auto both_forms = [&](std::string_view name, int axes_become_input, Emit emit) {
    rows.push_back({name, 6, axes_become_input - 1, 1, 1, emit});
    rows.push_back({name, axes_become_input, newest_opset, 1, 2, emit});
  };
  rows.push_back({"CumProd", 26, newest_opset, 2, 2,
                  [](OnnxNode& n) -> Results { return cumulative(n, "window_prod"); }});
  rows.push_back({"CumSum", 11, newest_opset, 2, 2,
                  [](OnnxNode& n) -> Results { return cumulative(n, "window_sum"); }});
  both_forms("ReduceSum", 13, [](OnnxNode& n) { return simple(n, "reduce_sum"); });
  both_forms("ReduceMax", 18, [](OnnxNode& n) { return simple(n, "reduce_max"); });
  both_forms("ReduceMin", 18, [](OnnxNode& n) { return simple(n, "reduce_min"); });
  both_forms("ReduceProd", 18, [](OnnxNode& n) { return simple(n, "reduce_prod"); });
  both_forms("ReduceMean", 18, mean);
  both_forms("ReduceL1", 18, l1);
  both_forms("ReduceL2", 18, l2);
  both_forms("ReduceLogSum", 18, log_sum);
  both_forms("ReduceLogSumExp", 18, log_sum_exp);
  both_forms("ReduceSumSquare", 18, sum_square);
}

}  // namespace ingot::onnx
