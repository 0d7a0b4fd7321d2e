// SPDX-License-Identifier: Apache-2.0
// How random_graph.cpp makes a graph: values that grow by one step after another. The steps stand
// in random_layers.cpp, random_loops.cpp, random_pointwise.cpp and random_moves.cpp.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "import/compose.h"
#include "random_graph.h"

namespace ingot::sweep {

inline const Dim kBatch = Dim::symbol("N");
inline const Dim kSecond = Dim::symbol("k");
inline constexpr std::int64_t kSecondMax = 6;
inline constexpr std::int64_t kRowElements = 2000;  // the most that one row of a value may have

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

  RandomGraph make();

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
  ValueId any();
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
  static std::int64_t row_elements(const Shape& shape);
  bool fits(const Shape& shape) const;

  /// Axes that a step may touch.
  std::size_t first_axis() const { return mixing_ ? 0 : 1; }
  std::optional<std::size_t> axis_of(ValueId id);

  Tensor random_constant(DType dtype, std::vector<std::int64_t> shape, double scale);
  void set(Tensor& tensor, std::int64_t i, double x);

  /// Something that broadcasts with a value: itself changed, another value, a constant.
  ValueId partner(Composer& c, ValueId a);
  static bool provably_broadcast(const Shape& a, const Shape& b);

  /// Keeps smooth graphs at moderate values.
  ValueId tame(Composer& c, ValueId x) { return smooth_ ? c.softsign(x) : x; }

  // --- inputs and steps; a step that does not fit gives no value ---
  void add_input(int i);
  void step(int i);

  /// A layer: product, bias, normalisation, activation, each of them or not.
  ValueId dense(Composer& c);
  /// Over all axes between the batch and the channels, padded or not, in groups or not.
  ValueId convolution(Composer& c);
  /// Blocks that add a product to its own operand, which is read twice and then no more.
  ValueId residual(Composer& c);
  /// Both operands are computed: attention, a Gram matrix, a sum over the batch.
  ValueId two_sided(Composer& c);
  ValueId batch_norm(Composer& c, ValueId x);
  ValueId normalise(Composer& c);
  ValueId softmax(Composer& c);
  ValueId reduce(Composer& c);
  /// A window over some of the axes, with strides, holes and pads that may be wider than the value.
  ValueId window(Composer& c);

  ValueId unary(Composer& c);
  ValueId activate(Composer& c, ValueId x);
  ValueId activation(Composer& c);
  ValueId arithmetic(Composer& c);
  ValueId convert(Composer& c);
  ValueId compare(Composer& c);
  ValueId choose(Composer& c);
  ValueId integers(Composer& c);
  ValueId booleans(Composer& c);

  ValueId concat(Composer& c);
  ValueId slice(Composer& c);
  ValueId reshape(Composer& c);
  ValueId transpose(Composer& c);
  ValueId broadcast(Composer& c);
  /// Entries of a table, or of an axis, chosen by data.
  ValueId gather(Composer& c);
  /// Entries replaced by others, or combined with them, at places that data say.
  ValueId scatter(Composer& c);
  ValueId one_hot(Composer& c);
  /// The first in order, or their places.
  ValueId top_k(Composer& c);
  /// A state that goes along an axis, all of its values or the last.
  ValueId loop(Composer& c);
  /// Something that knows where it is: an index along an axis, or a size.
  ValueId positions(Composer& c);

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

}  // namespace ingot::sweep
