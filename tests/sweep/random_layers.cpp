// SPDX-License-Identifier: Apache-2.0
// Steps of a random graph that make sums: products, windows, reductions.
#include <algorithm>
#include <cmath>

#include "ops/contract.h"
#include "ops/window.h"
#include "random_generator.h"

namespace ingot::sweep {

ValueId Generator::dense(Composer& c) {
  ValueId a = chance(90) || smooth_ ? any_real() : any_float();
  if (!smooth_ && chance(5)) a = any_integer();
  if (!a.valid() || rank(a) == 0) return {};
  if (rank(a) < 2) a = c.unsqueeze(a, {1});
  const auto k = shape(a).back().value();
  if (!k || *k == 0 || *k > 300) return {};
  const std::int64_t n = width();
  Shape result = shape(a);
  result.back() = n;
  if (!fits(result)) return {};
  std::vector<std::int64_t> weights{*k, n};
  // Weights per list entry.
  if (rank(a) == 3 && shape(a)[1].value() && chance(20)) {
    weights.insert(weights.begin(), *shape(a)[1].value());
    a = c.transpose(c.unsqueeze(a, {1}), {0, 2, 1, 3});  // [N, t, 1, k]
  }
  const double scale = 1.5 / std::sqrt(static_cast<double>(*k));
  const ValueId w = c.constant(random_constant(type(a).dtype, weights, scale));
  ValueId bias;
  if (chance(60)) bias = c.constant(random_constant(type(a).dtype, {n}, 1));
  ValueId y;
  if (rank(a) == 3 && weights.size() == 2 && chance(30)) {
    // Tensordot as Keras writes it: all positions as rows of one matrix.
    const ValueId flat = c.reshape(a, {product({shape(a)[0], shape(a)[1]}), *k});
    y = c.reshape(c.matmul(flat, w, bias), {shape(a)[0], shape(a)[1], n});
  } else {
    y = c.matmul(a, w, bias);
  }
  if (chance(25) && is_float(type(y).dtype)) y = batch_norm(c, y);
  if (chance(60) && type(y).dtype == real_) y = activate(c, y);
  if (chance(15) && is_float(type(y).dtype)) y = batch_norm(c, y);
  return tame(c, y);
}

ValueId Generator::convolution(Composer& c) {
  ValueId x = any_real();
  if (!x.valid() || rank(x) < 2) return {};
  if (rank(x) == 2) x = c.unsqueeze(x, {2});
  const auto channels = shape(x).back().value();
  if (!channels || *channels == 0 || *channels > 70) return {};
  const std::int64_t groups = *channels % 3 == 0 && chance(30) ? 3 : chance(10) ? *channels : 1;
  const std::int64_t results = groups * (groups == *channels ? 1 : 1 + below(40));
  std::vector<ops::WindowAxis> axes;
  std::vector<std::int64_t> weights;
  for (std::size_t d = 1; d + 1 < rank(x); ++d) {
    ops::WindowAxis axis{1 + below(3), 1 + below(2), 1 + below(2), 0, 0};
    if (chance(50)) axis.pad_begin = below(4) - 1;
    if (chance(50)) axis.pad_end = below(4) - 1;
    weights.push_back(axis.taps);
    axes.push_back(axis);
  }
  Shape result{shape(x)[0]};
  for (std::size_t d = 0; d < axes.size(); ++d)
    result.push_back(ops::window_positions(shape(x)[d + 1], axes[d]));
  result.emplace_back(results);
  if (!fits(result)) return {};
  weights.push_back(*channels / groups);
  weights.push_back(results);
  const double scale = 1 / std::sqrt(static_cast<double>(*channels / groups));
  std::vector<ValueId> operands{x, c.constant(random_constant(real_, weights, scale))};
  if (chance(60)) operands.push_back(c.constant(random_constant(real_, {results}, 1)));
  ValueId y = c.op("conv", operands, ops::conv_attributes(axes, groups));
  if (chance(60)) y = activate(c, y);
  return tame(c, y);
}

ValueId Generator::residual(Composer& c) {
  ValueId x = any_real();
  const auto width = rank(x) < 2 ? std::nullopt : shape(x).back().value();
  if (!width || *width == 0 || *width > 70) return {};
  const double scale = 1 / std::sqrt(static_cast<double>(*width));
  x = activate(c, x);
  for (int blocks = 1 + below(3); blocks > 0; --blocks) {
    const ValueId w = c.constant(random_constant(real_, {*width, *width}, scale));
    const ValueId bias = chance(50) ? c.constant(random_constant(real_, {*width}, 1)) : ValueId{};
    const ValueId y = c.matmul(x, w, bias);
    x = tame(c, chance(50) ? c.add(x, y) : c.mul(activate(c, y), x));
  }
  const ValueId last = c.constant(random_constant(real_, {*width, 1 + below(40)}, scale));
  return tame(c, c.matmul(x, last));
}

ValueId Generator::two_sided(Composer& c) {
  const ValueId a =
      any_that([&](const TensorType& t) { return t.dtype == real_ && t.rank() >= 2; });
  if (!a.valid()) return {};
  if (rank(a) == 2) {
    if (!mixing_) return {};
    const ValueId y = c.matmul(c.transpose_matrix(a), a);
    return fits(shape(y)) ? tame(c, c.mul(y, c.number(0.1, y))) : ValueId{};
  }
  ValueId b = any_that([&](const TensorType& t) {
    return t.dtype == real_ && t.rank() == rank(a) && t.shape.back() == shape(a).back() &&
           std::equal(t.shape.begin(), t.shape.end() - 2, shape(a).begin());
  });
  if (!b.valid()) b = a;
  Shape result = shape(a);
  result.back() = shape(b)[rank(b) - 2];
  if (!fits(result)) return {};
  ValueId y = c.matmul(a, c.transpose_matrix(b));
  y = c.mul(y, c.number(1 / 3.0, y));
  return tame(c, y);
}

ValueId Generator::batch_norm(Composer& c, ValueId x) {
  if (rank(x) < 2 || !shape(x).back().value()) return x;
  const auto channels = shape(x).back().value();
  const auto vector = [&](double lo, double hi) {
    Tensor tensor(type(x).dtype, {*channels});
    for (std::int64_t i = 0; i < *channels; ++i) set(tensor, i, numbers_.number(lo, hi));
    return c.constant(std::move(tensor));
  };
  return c.batch_norm(x, vector(-1, 2), vector(-1, 1), vector(-1, 1), vector(0.1, 2), 1e-3,
                      rank(x) - 1);
}

ValueId Generator::normalise(Composer& c) { return tame(c, batch_norm(c, any_real())); }

ValueId Generator::softmax(Composer& c) {
  const ValueId x = any_real();
  const auto axis = axis_of(x);
  if (!axis) return {};
  if (smooth_) {
    const ValueId weights = c.add(c.square(x), c.number(0.1, x));
    const auto sum = c.reduce("reduce_sum", weights, {static_cast<std::int64_t>(*axis)}, true);
    return c.mul(weights, c.reciprocal(sum));
  }
  return chance(70) ? c.softmax(x, *axis) : c.log_softmax(x, *axis);
}

ValueId Generator::reduce(Composer& c) {
  const ValueId x = smooth_ ? any_real() : any();
  std::vector<std::int64_t> axes;
  for (std::size_t axis = first_axis(); axis < rank(x); ++axis) {
    if (chance(50)) axes.push_back(static_cast<std::int64_t>(axis));
  }
  if (axes.empty()) return {};
  if (chance(50)) axes = {axes.back()};
  const bool keep = chance(50);
  if (is_float(type(x).dtype) && type(x).dtype == real_ && chance(25)) {
    // Of nothing it is NaN or infinite, which a smooth graph must not be.
    if (!smooth_ || !second_) return c.mean(x, axes, keep);
  }
  if (smooth_) return tame(c, c.reduce("reduce_sum", x, axes, keep));
  static const std::vector<std::string> names{"reduce_sum", "reduce_sum", "reduce_max",
                                              "reduce_min", "reduce_prod"};
  std::string op = one_of(names);
  if (type(x).dtype == DType::boolean && op != "reduce_min") op = "reduce_max";
  return c.reduce(op, x, axes, keep);
}

ValueId Generator::window(Composer& c) {
  const ValueId x = smooth_
                        ? any_real()
                        : any_that([](const TensorType& t) { return t.dtype != DType::boolean; });
  if (!x.valid() || rank(x) <= first_axis()) return {};
  std::vector<ops::WindowAxis> axes(rank(x));
  Shape result = shape(x);
  for (std::size_t d = first_axis(); d < rank(x); ++d) {
    if (chance(40)) continue;
    ops::WindowAxis& axis = axes[d];
    axis.taps = 1 + below(4);
    axis.stride = 1 + below(3);
    axis.dilation = chance(75) ? 1 : 2;
    axis.pad_begin = chance(50) ? 0 : below(5) - 1;
    axis.pad_end = chance(50) ? 0 : below(5) - 1;
    result[d] = ops::window_positions(shape(x)[d], axis);
  }
  if (!fits(result)) return {};
  static const std::vector<std::string> names{"window_max", "window_min", "window_prod",
                                              "window_sum"};
  // The extremum of nothing but padding is infinite.
  const std::string& op = smooth_ ? names.back() : one_of(names);
  const ValueId y = c.op(op, {x}, ops::window_attributes(axes));
  return op == "window_sum" || op == "window_prod" ? tame(c, y) : y;
}
}  // namespace ingot::sweep
