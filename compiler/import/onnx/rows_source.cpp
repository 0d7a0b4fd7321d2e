// SPDX-License-Identifier: Apache-2.0
// ONNX ops that make values out of nothing, or out of shapes: constants, Shape, Range, OneHot.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

constexpr std::int64_t most_listed = 64;

Tensor vector_of_floats(const std::vector<double>& numbers) {
  Tensor tensor(DType::f32, {static_cast<std::int64_t>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    tensor.set(static_cast<std::int64_t>(i), static_cast<float>(numbers[i]));
  }
  return tensor;
}

Results constant(OnnxNode& n) {
  if (n.has("value")) {
    Narrow narrow = Narrow::none;
    std::optional<Tensor> tensor = n.tensor("value", &narrow);
    n.set_result_narrow(narrow);
    return tensor ? n.constant(*std::move(tensor)) : ValueId{};
  }
  if (n.has("value_float")) return n.scalar(DType::f32, n.real("value_float", 0));
  if (n.has("value_int")) return n.constant(Tensor::scalar(DType::i64, n.integer("value_int", 0)));
  if (n.has("value_floats")) {
    const auto numbers = n.reals("value_floats");
    return numbers ? n.constant(vector_of_floats(*numbers)) : ValueId{};
  }
  if (n.has("value_ints")) {
    const auto numbers = n.integers("value_ints");
    return numbers ? n.constant(Tensor::from_int64(*numbers)) : ValueId{};
  }
  if (n.has("sparse_value")) return n.unsupported(Refused::no_tensor, "a sparse constant");
  if (n.has("value_string") || n.has("value_strings"))
    return n.unsupported(Refused::strings, "a constant of strings");
  return n.invalid("it has no value");
}

Results constant_of_shape(OnnxNode& n) {
  const auto shape = n.known_dims(0, "shape");
  if (!shape) return ValueId{};
  ValueId value = n.scalar(DType::f32, 0);
  if (n.has("value")) {
    std::optional<Tensor> tensor = n.tensor("value");
    if (!tensor) return ValueId{};
    if (tensor->elements() != 1) return n.invalid("its value is not one number");
    value = n.constant(tensor->reshaped({}));
  }
  return n.broadcast(value, *shape);
}

Results shape(OnnxNode& n) {
  const Shape& all = n.shape(n.x());
  const auto rank = static_cast<std::int64_t>(all.size());
  auto clamped = [&](std::int64_t place) {
    return std::clamp<std::int64_t>(place < 0 ? place + rank : place, 0, rank);
  };
  const std::int64_t start = clamped(n.integer("start", 0));
  const std::int64_t end = std::max(start, clamped(n.integer("end", rank)));
  return n.dims(Shape(all.begin() + start, all.begin() + end));
}

Results size(OnnxNode& n) { return n.size(n.shape(n.x()), DType::i64); }

/// start + i * delta for i < count.
ValueId progression(OnnxNode& n, const Dim& count, ValueId start, ValueId delta, DType dtype) {
  const DType counting = is_integer(dtype) ? dtype : DType::i64;
  const ValueId iota =
      n.op("iota", {}, {{"shape", Shape{count}}, {"axis", std::int64_t{0}}, {"dtype", counting}});
  return n.add(start, n.mul(n.cast(iota, dtype), delta));
}

Results range(OnnxNode& n) {
  const DType dtype = n.dtype(n.x());
  std::vector<ValueId> scalars;
  for (std::size_t i = 0; i < 3; ++i) scalars.push_back(n.reshape(n.input(i), {}));
  if (is_integer(dtype)) {
    const auto start = n.known_dims(0, "start");
    const auto limit = n.known_dims(1, "limit");
    const auto delta = n.known_integers(2, "delta");
    if (!start || !limit || !delta) return ValueId{};
    const std::int64_t step = (*delta)[0];
    if (step == 0 || step == INT64_MIN) return n.invalid("a delta of {}", step);
    const Dim way = step > 0 ? (*limit)[0] - (*start)[0] : (*start)[0] - (*limit)[0];
    const Dim steps = Dim::ceil_div(way, step > 0 ? step : -step);
    if (steps.overflowed()) return n.invalid("more steps than can be counted");
    const Interval bounds = steps.bounds(n.graph().symbol_ranges());
    const Dim count = bounds.lo >= 0 ? steps : bounds.hi <= 0 ? Dim(0) : Dim::max(steps, 0);
    // A few numbers are more use as a constant: axes are made like this.
    if (const auto first = (*start)[0].value();
        first && count.value() && *count.value() <= most_listed) {
      std::vector<std::int64_t> numbers;
      for (std::int64_t i = 0; i < *count.value(); ++i) numbers.push_back(*first + i * step);
      return n.cast(n.constant(Tensor::from_int64(numbers)), dtype);
    }
    return progression(n, count, scalars[0], scalars[2], dtype);
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = n.known_constant(i, "bounds");
    if (!number) return ValueId{};
    numbers.push_back(number->as_double(0));
  }
  const double count = std::ceil((numbers[1] - numbers[0]) / numbers[2]);
  if (!(std::abs(count) < 9e15))
    return n.invalid("from {} to {} by {}", numbers[0], numbers[1], numbers[2]);
  return progression(n, static_cast<std::int64_t>(std::max(count, 0.0)), scalars[0], scalars[2],
                     dtype);
}

Results eye_like(OnnxNode& n) {
  if (n.rank(n.x()) != 2) return n.invalid("its input is not a matrix");
  const Shape shape = n.shape(n.x());
  const DType dtype = n.dtype_attribute("dtype").value_or(n.dtype(n.x()));
  auto iota = [&](Shape lengths) {
    return n.op("iota", {},
                {{"shape", std::move(lengths)}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
  };
  const ValueId offset = n.constant(Tensor::scalar(DType::i64, n.integer("k", 0)));
  const ValueId diagonal = n.add(iota({shape[0], 1}), offset);
  return n.cast(n.op("eq", {diagonal, iota({shape[1]})}), dtype);
}

/// The one number of an integer or float operand.
std::optional<Dim> number_of(OnnxNode& n, std::size_t i, std::string_view what) {
  if (is_float(n.dtype(n.input(i)))) {
    const auto tensor = n.known_constant(i, what);
    if (!tensor || tensor->elements() != 1) return std::nullopt;
    return Dim(tensor->as_int64(0));
  }
  const auto dims = n.known_dims(i, what);
  if (!dims || dims->size() != 1) return std::nullopt;
  return (*dims)[0];
}

Results one_hot(OnnxNode& n) {
  const std::optional<Dim> depth = number_of(n, 1, "depth");
  if (!depth) return n.invalid("its depth is not one number");
  const std::size_t axis = n.axis(n.integer("axis", -1), n.rank(n.x()) + 1);
  const ValueId values = n.input(2);
  if (n.rank(values) != 1) return n.invalid("its values are not a vector of two");
  const ValueId off = n.select(values, 0, 0);
  const ValueId on = n.select(values, 0, 1);
  if (n.failed()) return ValueId{};
  return n.one_hot(n.x(), *depth, on, off, axis, n.opset() >= 11);
}

/// The cosines of a window of `size` numbers; the whole period, or as many as make it symmetric.
Results cosine_window(OnnxNode& n, double a0, double a1, double a2) {
  const std::optional<Dim> count = number_of(n, 0, "size");
  if (!count) return n.invalid("its size is not one number");
  const Dim period = n.flag("periodic", true) ? *count : *count - 1;
  const ValueId place =
      n.cast(n.op("iota", {},
                  {{"shape", Shape{*count}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}}),
             DType::f32);
  const ValueId turn =
      n.div(n.mul(place, n.number(2 * std::numbers::pi, place)), n.size({period}, DType::f32));
  const ValueId first = n.mul(n.number(a1, turn), n.op("cos", {turn}));
  ValueId y = n.sub(n.number(a0, turn), first);
  if (a2 != 0) {
    const ValueId twice = n.op("cos", {n.mul(turn, n.number(2, turn))});
    y = n.add(y, n.mul(n.number(a2, turn), twice));
  }
  return n.cast(y, n.dtype_attribute("output_datatype").value_or(DType::f32));
}

}  // namespace

void add_source_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(),
              {
                  {"BlackmanWindow", 17, newest_opset, 1, 1,
                   [](OnnxNode& n) { return cosine_window(n, 0.42, 0.5, 0.08); }},
                  {"Constant", 6, newest_opset, 0, 0, constant, NarrowUse::ask},
                  {"ConstantOfShape", 9, newest_opset, 1, 1, constant_of_shape},
                  {"EyeLike", 9, newest_opset, 1, 1, eye_like},
                  {"HammingWindow", 17, newest_opset, 1, 1,
                   [](OnnxNode& n) { return cosine_window(n, 25.0 / 46, 21.0 / 46, 0); }},
                  {"HannWindow", 17, newest_opset, 1, 1,
                   [](OnnxNode& n) { return cosine_window(n, 0.5, 0.5, 0); }},
                  {"OneHot", 9, newest_opset, 3, 3, one_hot},
                  {"Range", 11, newest_opset, 3, 3, range},
                  {"Shape", 6, newest_opset, 1, 1, shape, NarrowUse::ask},
                  {"Size", 6, newest_opset, 1, 1, size, NarrowUse::ask},
              });
}

}  // namespace ingot::onnx
