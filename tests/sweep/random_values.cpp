// SPDX-License-Identifier: Apache-2.0
// Values of a random graph: those that a step may take, and constants beside them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "random_generator.h"

namespace ingot::sweep {

ValueId Generator::any() {
  const std::size_t count = values_.size();
  return values_[std::max(random_() % count, random_() % count)];
}

std::int64_t Generator::row_elements(const Shape& shape) {
  const std::int64_t elements = product(shape).evaluate({{"N", 1}, {"k", kSecondMax}}).operator*();
  return elements;
}

bool Generator::fits(const Shape& shape) const {
  if (shape.size() > 5 || row_elements(shape) > kRowElements) return false;
  // Products of N with itself would make results of 64 rows huge.
  return product(shape).evaluate({{"N", 64}, {"k", kSecondMax}}).operator*() <= 64 * kRowElements;
}

std::optional<std::size_t> Generator::axis_of(ValueId id) {
  const std::size_t first = first_axis();
  if (rank(id) <= first) return std::nullopt;
  return first + static_cast<std::size_t>(below(static_cast<int>(rank(id) - first)));
}

Tensor Generator::random_constant(DType dtype, std::vector<std::int64_t> shape, double scale) {
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

void Generator::set(Tensor& tensor, std::int64_t i, double x) {
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

ValueId Generator::partner(Composer& c, ValueId a) {
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

bool Generator::provably_broadcast(const Shape& a, const Shape& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 1; i <= common; ++i) {
    const Dim& x = a[a.size() - i];
    const Dim& y = b[b.size() - i];
    if (!(x == y) && !x.is(1) && !y.is(1)) return false;
  }
  return true;
}
}  // namespace ingot::sweep
