// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "import/compose.h"
#include "ops/contract.h"
#include "ops/window.h"

namespace ingot::sweep {
namespace {

const Dim kBatch = Dim::symbol("N");
const Dim kSecond = Dim::symbol("k");
constexpr std::int64_t kSecondMax = 6;
constexpr std::int64_t kRowElements = 2000;  // the most that one row of a value may have

/// Random numbers from anywhere.
class Die {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT64_MAX; }

  explicit Die(std::function<std::uint64_t()> next) : next_(std::move(next)) {}
  result_type operator()() { return next_(); }
  int below(int n) { return static_cast<int>(next_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  double number(double lo, double hi) {
    return lo + (hi - lo) * static_cast<double>(next_() >> 11) * 0x1p-53;
  }

 private:
  std::function<std::uint64_t()> next_;
};

class Generator {
 public:
  /// What the graph looks like, and the numbers in its constants.
  Generator(Die decide, Die numbers, std::uint64_t seed, bool smooth, GraphSize most = {})
      : random_(std::move(decide)),
        numbers_(std::move(numbers)),
        most_(most),
        smooth_(smooth),
        real_(smooth ? DType::f64 : DType::f32) {
    graph_.name = fmt::format("random{}", seed);
    if (!smooth && chance(33)) graph_.arithmetic = Arithmetic::strict;
    mixing_ = !smooth && chance(25);
    second_ = chance(35);
  }

  RandomGraph make() {
    graph_.declare_symbol("N", {0, 1000});
    if (second_) graph_.declare_symbol("k", {0, kSecondMax});
    const int inputs = 1 + below(3);
    for (int i = 0; i < inputs; ++i) add_input(i);
    const int steps = std::min(4 + below(14), most_.steps);
    for (int i = 0; i < steps; ++i) step(i);
    const int outputs = 1 + below(3);
    for (int i = 0; i < outputs; ++i) {
      const ValueId value = i == 0 ? values_.back() : any();
      graph_.add_output(fmt::format("y{}", i), value);
    }
    return {std::move(graph_), !mixing_};
  }

 private:
  // --- chance ---
  int below(int n) { return random_.below(n); }
  bool chance(int percent) { return random_.chance(percent); }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }
  std::int64_t width() {
    static const std::vector<std::int64_t> edges{1, 2, 3, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65};
    return std::min(chance(40) ? one_of(edges) : 1 + below(70), most_.width);
  }

  // --- values ---
  const TensorType& type(ValueId id) const { return graph_.type(id); }
  const Shape& shape(ValueId id) const { return type(id).shape; }
  std::size_t rank(ValueId id) const { return type(id).rank(); }

  /// A recent value rather than an old one.
  ValueId any() {
    const std::size_t count = values_.size();
    return values_[std::max(random_() % count, random_() % count)];
  }
  /// One that satisfies a condition; invalid if none is found.
  template <class Condition>
  ValueId any_that(Condition&& condition) {
    std::vector<ValueId> fitting;
    for (const ValueId id : values_) {
      if (condition(type(id))) fitting.push_back(id);
    }
    if (fitting.empty()) return {};
    return fitting[std::max(random_() % fitting.size(), random_() % fitting.size())];
  }
  ValueId any_real() {
    return any_that([&](const TensorType& t) { return t.dtype == real_; });
  }
  ValueId any_float() {
    return any_that([](const TensorType& t) { return is_float(t.dtype); });
  }
  ValueId any_integer() {
    return any_that([](const TensorType& t) { return is_integer(t.dtype); });
  }
  ValueId any_boolean() {
    return any_that([](const TensorType& t) { return t.dtype == DType::boolean; });
  }

  /// Elements per row at most.
  static std::int64_t row_elements(const Shape& shape) {
    const std::int64_t elements =
        product(shape).evaluate({{"N", 1}, {"k", kSecondMax}}).operator*();
    return elements;
  }
  bool fits(const Shape& shape) const {
    if (shape.size() > 5 || row_elements(shape) > kRowElements) return false;
    // Products of N with itself would make results of 64 rows huge.
    return product(shape).evaluate({{"N", 64}, {"k", kSecondMax}}).operator*() <= 64 * kRowElements;
  }

  /// Axes that a step may touch.
  std::size_t first_axis() const { return mixing_ ? 0 : 1; }
  std::optional<std::size_t> axis_of(ValueId id) {
    const std::size_t first = first_axis();
    if (rank(id) <= first) return std::nullopt;
    return first + static_cast<std::size_t>(below(static_cast<int>(rank(id) - first)));
  }

  Tensor random_constant(DType dtype, std::vector<std::int64_t> shape, double scale) {
    Tensor tensor(dtype, std::move(shape));
    const bool integral = chance(10);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      double x = numbers_.number(-scale, scale);
      if (integral) x = std::round(3 * x);
      if (!smooth_ && numbers_.chance(1)) {
        static const std::vector<double> special{0.0, -0.0, 1e-42, 1e30, -1e30, HUGE_VAL};
        x = special[static_cast<std::size_t>(numbers_.below(static_cast<int>(special.size())))];
      }
      set(tensor, i, x);
    }
    return tensor;
  }
  void set(Tensor& tensor, std::int64_t i, double x) {
    switch (tensor.dtype()) {
      case DType::f32:
        return tensor.set(i, static_cast<float>(x));
      case DType::f64:
        return tensor.set(i, x);
      case DType::f16:
        return tensor.set(i, f64_to_f16(x));
      case DType::bf16:
        return tensor.set(i, f64_to_bf16(x));
      case DType::boolean:
        return tensor.set(i, static_cast<std::uint8_t>(numbers_.below(2)));
      default: {
        const bool wild = numbers_.chance(10);
        const auto word = static_cast<std::int64_t>(wild ? numbers_() : numbers_() % 9 - 3);
        std::memcpy(
            tensor.mutable_bytes().data() + static_cast<std::size_t>(i) * bytes_of(tensor.dtype()),
            &word, bytes_of(tensor.dtype()));
      }
    }
  }

  /// Something that broadcasts with a value: itself changed, another value, a constant.
  ValueId partner(Composer& c, ValueId a) {
    if (chance(50)) {
      const ValueId other = any_that([&](const TensorType& t) {
        // Of another rank, N would meet other axes.
        return t.dtype == type(a).dtype && (mixing_ || t.rank() == rank(a)) &&
               provably_broadcast(t.shape, shape(a)) && fits(*common_shape(t.shape, shape(a)));
      });
      if (other.valid()) return other;
    }
    if (chance(15) && rank(a) > 1 && !shape(a).back().is(0)) {
      const Dim& width = shape(a).back();
      const bool whole = chance(50) || !width.value();  // a symbol may be 0
      return c.slice(a, rank(a) - 1, 0, whole ? width : Dim(1));
    }
    std::vector<std::int64_t> sizes;
    const std::size_t from = static_cast<std::size_t>(below(static_cast<int>(rank(a)) + 1));
    for (std::size_t axis = from; axis < rank(a); ++axis) {
      const auto size = shape(a)[axis].value();
      sizes.push_back(size && chance(80) ? *size : 1);
    }
    return c.constant(random_constant(type(a).dtype, std::move(sizes), 2));
  }
  static bool provably_broadcast(const Shape& a, const Shape& b) {
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 1; i <= common; ++i) {
      const Dim& x = a[a.size() - i];
      const Dim& y = b[b.size() - i];
      if (!(x == y) && !x.is(1) && !y.is(1)) return false;
    }
    return true;
  }

  /// Keeps smooth graphs at moderate values.
  ValueId tame(Composer& c, ValueId x) { return smooth_ ? c.softsign(x) : x; }

  // --- inputs and steps ---
  void add_input(int i) {
    Shape shape{kBatch};
    if (second_ && chance(50)) {
      shape.push_back(kSecond);
    } else if (chance(30)) {
      shape.emplace_back(1 + below(5));
    }
    if (!chance(5)) shape.emplace_back(width());
    DType dtype = real_;
    if (!smooth_ && i > 0 && chance(30)) dtype = one_of(kTypes);
    values_.push_back(graph_.add_input(fmt::format("x{}", i), {dtype, std::move(shape)}));
  }

  void step(int i) {
    using Step = ValueId (Generator::*)(Composer&);
    static constexpr std::pair<int, Step> kSteps[] = {
        {20, &Generator::dense},  {6, &Generator::two_sided},   {5, &Generator::residual},
        {10, &Generator::unary},  {14, &Generator::activation}, {16, &Generator::arithmetic},
        {6, &Generator::softmax}, {6, &Generator::concat},      {6, &Generator::slice},
        {6, &Generator::reshape}, {5, &Generator::transpose},   {3, &Generator::broadcast},
        {8, &Generator::reduce},  {9, &Generator::convert},     {6, &Generator::compare},
        {5, &Generator::choose},  {10, &Generator::integers},   {4, &Generator::booleans},
        {3, &Generator::one_hot}, {3, &Generator::positions},   {3, &Generator::normalise},
        {8, &Generator::window},  {7, &Generator::gather},      {8, &Generator::convolution},
    };
    int total = 0;
    for (const auto& [weight, step] : kSteps) total += weight;
    for (int attempt = 0; attempt < 50; ++attempt) {
      int at = below(total);
      std::size_t chosen = 0;
      while (at >= kSteps[chosen].first) at -= kSteps[chosen++].first;
      Composer c(graph_, fmt::format("step{}", i));
      const ValueId value = (this->*kSteps[chosen].second)(c);
      if (c.failed()) {
        const auto failure = c.result(value);
        internal_error(__FILE__, __LINE__, failure.error().message);
      }
      if (!value.valid()) continue;
      values_.push_back(value);
      return;
    }
  }

  /// A layer: product, bias, normalisation, activation, each of them or not.
  ValueId dense(Composer& c) {
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

  /// Over all axes between the batch and the channels, padded or not, in groups or not.
  ValueId convolution(Composer& c) {
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

  /// Blocks that add a product to its own operand, which is read twice and then no more.
  ValueId residual(Composer& c) {
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

  /// Both operands are computed: attention, a Gram matrix, a sum over the batch.
  ValueId two_sided(Composer& c) {
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

  ValueId unary(Composer& c) {
    if (smooth_) {
      const ValueId x = any_real();
      switch (below(5)) {
        case 0:
          return c.op("abs", {x});
        case 1:
          return c.op("neg", {x});
        case 2:
          return c.op("sqrt", {c.add(c.op("abs", {x}), c.number(0.5, x))});
        case 3:
          return c.reciprocal(c.add(c.square(x), c.number(1, x)));
        default:
          return c.softsign(x);
      }
    }
    static const std::vector<std::string> names{
        "abs",   "neg",  "sign",  "ceil", "floor",   "trunc", "round", "sqrt", "exp",
        "expm1", "log",  "log1p", "tanh", "sigmoid", "erf",   "sin",   "cos",  "tan",
        "asin",  "acos", "atan",  "sinh", "cosh",    "asinh", "acosh", "atanh"};
    static const std::vector<std::string> everywhere{"abs",   "neg",   "sign",  "ceil",
                                                     "floor", "trunc", "round", "sqrt"};
    const ValueId x = chance(80) ? any_real() : any_float();
    if (!x.valid()) return {};
    return c.op(type(x).dtype == DType::f64 ? one_of(everywhere) : one_of(names), {x});
  }

  ValueId activate(Composer& c, ValueId x) {
    if (smooth_) return chance(50) ? c.relu(x) : chance(50) ? c.leaky_relu(x, 0.2) : c.softsign(x);
    switch (below(15)) {
      case 0:
      case 1:
        return c.relu(x);
      case 2:
        return c.leaky_relu(x, 0.1);
      case 3:
        return c.elu(x, 1.5);
      case 4:
        return c.selu(x);
      case 5:
        return c.softplus(x);
      case 6:
        return c.softsign(x);
      case 7:
        return c.hard_sigmoid(x, 0.2, 0.5);
      case 8:
        return c.swish(x);
      case 9:
        return c.gelu(x);
      case 10:
        return c.gelu_tanh(x);
      case 11:
        return c.mish(x);
      case 12:
        return c.clip(x, -1, 6);
      case 13:
        return c.op("tanh", {x});
      default:
        return c.op("sigmoid", {x});
    }
  }
  ValueId activation(Composer& c) { return activate(c, any_real()); }

  ValueId batch_norm(Composer& c, ValueId x) {
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
  ValueId normalise(Composer& c) { return tame(c, batch_norm(c, any_real())); }

  ValueId arithmetic(Composer& c) {
    const ValueId a = chance(80) ? any_real() : any_float();
    const ValueId b = partner(c, a);
    if (smooth_) {
      switch (below(6)) {
        case 0:
          return tame(c, c.add(a, b));
        case 1:
          return tame(c, c.sub(b, a));
        case 2:
          return tame(c, c.mul(a, b));
        case 3:
          return tame(c, c.div(a, c.add(c.op("abs", {b}), c.number(0.5, b))));
        case 4:
          return c.op("max", {a, b});
        default:
          return c.op("min", {a, b});
      }
    }
    static const std::vector<std::string> names{"add", "add", "sub", "mul",       "mul",      "div",
                                                "max", "min", "pow", "mod_trunc", "mod_floor"};
    std::string op = one_of(names);
    if (type(a).dtype == DType::f64 && op == "pow") op = "add";
    ValueId x = a, y = b;
    if (chance(30)) std::swap(x, y);
    return c.op(op, {x, y});
  }

  ValueId softmax(Composer& c) {
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

  ValueId concat(Composer& c) {
    const ValueId first = any();
    const auto axis = axis_of(first);
    if (!axis) return {};
    std::vector<ValueId> parts{first};
    const int count = 1 + below(3);
    for (int i = 0; i < count; ++i) {
      const ValueId other = any_that([&](const TensorType& t) {
        if (t.dtype != type(first).dtype || t.rank() != rank(first)) return false;
        for (std::size_t d = 0; d < t.rank(); ++d) {
          if (d != *axis && !(t.shape[d] == shape(first)[d])) return false;
        }
        return true;
      });
      parts.push_back(other);
    }
    Shape result = shape(first);
    for (std::size_t i = 1; i < parts.size(); ++i) result[*axis] += shape(parts[i])[*axis];
    return fits(result) ? c.concat(parts, *axis) : ValueId{};
  }

  ValueId slice(Composer& c) {
    const ValueId x = any();
    const auto axis = axis_of(x);
    if (!axis) return {};
    const Dim& size = shape(x)[*axis];
    const auto known = size.value();
    if (!known) {  // k or N: in Python's way, which clamps
      if (!chance(50)) return c.strided_slice(x, *axis, std::nullopt, std::nullopt, -1);
      return c.strided_slice(x, *axis, Dim(1), Dim(chance(50) ? -1 : 4), 1 + below(2));
    }
    if (*known == 0) return {};
    const std::int64_t start = below(static_cast<int>(*known));
    if (chance(25)) return c.select(x, *axis, start);
    if (chance(30)) {
      return c.strided_slice(x, *axis, Dim(start), std::nullopt, -1 - below(3));
    }
    const std::int64_t step = chance(70) ? 1 : 1 + below(4);
    const std::int64_t most = (*known - start + step - 1) / step;
    return c.slice(x, *axis, start, 1 + below(static_cast<int>(most)), step);
  }

  ValueId reshape(Composer& c) {
    const ValueId x = any();
    const std::size_t first = first_axis();
    Shape result(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(first));
    const Shape rest(shape(x).begin() + static_cast<std::ptrdiff_t>(first), shape(x).end());
    switch (below(4)) {
      case 0:  // all in one
        result.push_back(product(rest));
        break;
      case 1:  // an axis of one somewhere
        result.insert(result.end(), rest.begin(), rest.end());
        result.insert(result.begin() + static_cast<std::ptrdiff_t>(first) +
                          below(static_cast<int>(rest.size()) + 1),
                      Dim(1));
        break;
      default: {  // what is known, cut differently
        std::int64_t known = 1;
        for (const Dim& dim : rest) {
          if (const auto value = dim.value()) {
            known *= *value;
          } else {
            result.push_back(dim);
          }
        }
        if (known == 0) return {};
        std::vector<std::int64_t> divisors;
        for (std::int64_t d = 1; d <= known; ++d) {
          if (known % d == 0) divisors.push_back(d);
        }
        const std::int64_t d = one_of(divisors);
        result.emplace_back(d);
        result.emplace_back(known / d);
      }
    }
    return fits(result) ? c.reshape(x, result) : ValueId{};
  }

  ValueId transpose(Composer& c) {
    const ValueId x = any();
    std::vector<std::int64_t> perm;
    for (std::size_t i = 0; i < rank(x); ++i) perm.push_back(static_cast<std::int64_t>(i));
    const std::size_t first = first_axis();
    if (rank(x) < first + 2) return {};
    std::shuffle(perm.begin() + static_cast<std::ptrdiff_t>(first), perm.end(), random_);
    return c.transpose(x, perm);
  }

  ValueId broadcast(Composer& c) {
    const ValueId x = any();
    if (rank(x) == 0 || rank(x) > 3) return {};
    const ValueId wide = c.unsqueeze(x, {1});
    Shape result = shape(wide);
    result[1] = second_ && chance(30) ? kSecond : Dim(1 + below(4));
    return fits(result) ? c.broadcast(wide, result) : ValueId{};
  }

  ValueId reduce(Composer& c) {
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

  /// A window over some of the axes, with strides, holes and pads that may be wider than the value.
  ValueId window(Composer& c) {
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
    static const std::vector<std::string> names{"window_max", "window_min", "window_sum"};
    // The extremum of nothing but padding is infinite.
    const std::string& op = smooth_ ? names.back() : one_of(names);
    const ValueId y = c.op(op, {x}, ops::window_attributes(axes));
    return op == "window_sum" ? tame(c, y) : y;
  }

  /// Entries of a table, or of an axis, chosen by data.
  ValueId gather(Composer& c) {
    ValueId index = any_integer();
    if (index.valid() && chance(60)) {
      if (rank(index) > 3) return {};
      const std::int64_t size = 1 + below(12);
      std::vector<std::int64_t> sizes{size};
      if (chance(60)) sizes.push_back(width());
      Shape result = shape(index);
      if (sizes.size() == 2) result.emplace_back(sizes[1]);
      if (!fits(result)) return {};
      index = c.cast(index, chance(50) ? DType::i64 : DType::i32);
      index = c.op("mod_floor", {index, c.number(static_cast<double>(size), index)});
      const ValueId table = c.constant(random_constant(real_, std::move(sizes), 2));
      return c.op("gather", {table, index}, {{"axis", std::int64_t{0}}});
    }
    const ValueId x = any();
    const auto axis = axis_of(x);
    const auto size = axis ? shape(x)[*axis].value() : std::nullopt;
    if (!size || *size == 0) return {};
    std::vector<std::int64_t> sizes;
    for (int i = below(3); i > 0; --i) sizes.push_back(1 + below(6));
    Shape result(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(*axis));
    for (const std::int64_t extent : sizes) result.emplace_back(extent);
    result.insert(result.end(), shape(x).begin() + static_cast<std::ptrdiff_t>(*axis) + 1,
                  shape(x).end());
    if (result.empty() || !fits(result)) return {};
    Tensor chosen(DType::i64, sizes);
    for (std::int64_t i = 0; i < chosen.elements(); ++i)
      chosen.set(i, std::int64_t{below(static_cast<int>(*size))});
    return c.op("gather", {x, c.constant(std::move(chosen))},
                {{"axis", static_cast<std::int64_t>(*axis)}});
  }

  ValueId convert(Composer& c) {
    if (smooth_) return {};
    const ValueId x = any();
    const DType to = chance(40) ? real_ : one_of(kTypes);
    return type(x).dtype == to ? ValueId{} : c.cast(x, to);
  }

  ValueId compare(Composer& c) {
    if (smooth_) return {};
    const ValueId a = any_that([](const TensorType& t) { return t.dtype != DType::boolean; });
    if (is_float(type(a).dtype) && chance(20)) {
      return c.op(chance(50) ? "is_nan" : "is_inf", {a});
    }
    static const std::vector<std::string> names{"eq", "ne", "lt", "le", "gt", "ge"};
    return c.op(one_of(names), {a, partner(c, a)});
  }

  ValueId choose(Composer& c) {
    const ValueId condition = any_boolean();
    if (!condition.valid()) return {};
    const ValueId a = any_that([&](const TensorType& t) {
      return provably_broadcast(t.shape, shape(condition)) && t.rank() == rank(condition);
    });
    const ValueId b = partner(c, a);
    return c.op("where", {condition, a, provably_broadcast(shape(b), shape(condition)) ? b : a});
  }

  ValueId integers(Composer& c) {
    const ValueId a = any_integer();
    if (!a.valid()) return {};
    static const std::vector<std::string> names{
        "add",         "sub",     "mul",     "div",    "mod_trunc", "mod_floor",
        "max",         "min",     "pow",     "bit_or", "bit_and",   "shift_left",
        "shift_right", "bit_xor", "bit_not", "neg",    "abs",       "sign"};
    const std::string& op = one_of(names);
    if (op == "bit_not" || op == "neg" || op == "abs" || op == "sign") return c.op(op, {a});
    return c.op(op, {a, partner(c, a)});
  }

  ValueId booleans(Composer& c) {
    const ValueId a = any_boolean();
    if (!a.valid()) return {};
    static const std::vector<std::string> names{"and", "or", "xor", "eq", "ne", "not"};
    const std::string& op = one_of(names);
    if (op == "not") return c.op(op, {a});
    return c.op(op, {a, partner(c, a)});
  }

  ValueId one_hot(Composer& c) {
    const ValueId indices = any_integer();
    if (!indices.valid()) return {};
    const std::int64_t depth = 1 + below(12);
    Shape result = shape(indices);
    result.emplace_back(depth);
    if (!fits(result)) return {};
    return c.one_hot(indices, depth, c.scalar(real_, 1), c.scalar(real_, -0.5), rank(indices),
                     chance(50));
  }

  /// Something that knows where it is: an index along an axis, or a size.
  ValueId positions(Composer& c) {
    const ValueId x = any_real();
    if (smooth_) return {};
    const auto axis = axis_of(x);
    if (!axis) return {};
    if (chance(30)) return c.mul(x, c.size({shape(x)[*axis], Dim(3)}, real_));
    const ValueId index = c.op("iota", {},
                               {{"shape", Shape{shape(x)[*axis]}},
                                {"axis", std::int64_t{0}},
                                {"dtype", chance(50) ? DType::i64 : DType::i32}});
    return c.mul(x, c.cast(c.align(index, *axis, rank(x)), real_));
  }

  static inline const std::vector<DType> kTypes{
      DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8,  DType::i16,    DType::i32,
      DType::i64, DType::u8,  DType::u16, DType::u32,  DType::u64, DType::boolean};

  Die random_, numbers_;
  GraphSize most_;
  bool smooth_, mixing_ = false, second_ = false;
  DType real_;
  Graph graph_;
  std::vector<ValueId> values_;
};

/// One die for all.
RandomGraph graph_of(std::uint64_t seed, bool smooth) {
  std::mt19937_64 engine(seed * 2 + (smooth ? 1 : 0));
  const auto next = [&engine] { return engine(); };
  return Generator(Die(next), Die(next), seed, smooth).make();
}

}  // namespace

RandomGraph random_graph(std::uint64_t seed) { return graph_of(seed, false); }
RandomGraph smooth_graph(std::uint64_t seed) { return graph_of(seed, true); }

RandomGraph random_graph(const std::function<std::uint64_t()>& decide, std::uint64_t seed,
                         bool smooth, GraphSize most) {
  // Spread over all bits, as those expect it who take the upper ones.
  const auto spread = [&decide] { return decide() * 0x9E3779B97F4A7C15U; };
  std::mt19937_64 numbers(seed);
  return Generator(Die(spread), Die(std::ref(numbers)), seed, smooth, most).make();
}

}  // namespace ingot::sweep
