// SPDX-License-Identifier: Apache-2.0
#include "tensors.h"

#include <cmath>
#include <random>

namespace ingot::sweep {
namespace {

void set_number(Tensor& tensor, std::int64_t i, double real, std::uint64_t word) {
  if (set_real(tensor, i, real)) return;
  if (tensor.dtype() == DType::boolean)
    return tensor.set(i, static_cast<std::uint8_t>(word >> 7 & 1));
  const std::size_t size = bytes_of(tensor.dtype());
  std::memcpy(tensor.mutable_bytes().data() + static_cast<std::size_t>(i) * size, &word, size);
}

}  // namespace

bool set_real(Tensor& tensor, std::int64_t i, double real) {
  switch (tensor.dtype()) {
    case DType::f32:
      tensor.set(i, static_cast<float>(real));
      return true;
    case DType::f64:
      tensor.set(i, real);
      return true;
    case DType::f16:
      tensor.set(i, f64_to_f16(real));
      return true;
    case DType::bf16:
      tensor.set(i, f64_to_bf16(real));
      return true;
    default:
      return false;
  }
}

Tensor random_rows(const TensorType& type, const SymbolValues& symbols, bool wild,
                   std::uint64_t seed) {
  static constexpr double kSpecial[] = {
      0.0,   -0.0, 1.0,     -1.0,     0.5,      2.5,       1e9, -1e9,   1e20,         -1e20, 1e-40,
      1e-45, 6e-8, 88.7229, -103.972, HUGE_VAL, -HUGE_VAL, NAN, 3.4e38, 2147483648.0, 9.3e18};
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<std::int64_t> shape;
  for (const Dim& dim : type.shape) shape.push_back(*dim.evaluate(symbols));
  Tensor tensor(type.dtype, shape);
  const std::int64_t rows = shape.empty() ? 1 : shape[0];
  const std::int64_t width = rows == 0 ? 0 : tensor.elements() / rows;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      double real = normal(random);
      std::uint64_t word = random();
      if (wild && row % 8 == 3) real = std::ldexp(real, static_cast<int>(word % 200) - 100);
      if (wild && row % 8 == 5 && word % 4 == 0) real = kSpecial[word / 4 % std::size(kSpecial)];
      if (!wild || row % 8 != 3) word = word % 16 - (is_signed(type.dtype) ? 8 : 0);
      set_number(tensor, row * width + column, real, word);
    }
  }
  return tensor;
}

std::string different_bits(const Tensor& got, const Tensor& wanted) {
  if (got.type() != wanted.type()) {
    return fmt::format("is {} instead of {}", str(got.type()), str(wanted.type()));
  }
  const Tensor a = got.dense();
  const Tensor b = wanted.dense();
  const std::size_t size = bytes_of(a.dtype());
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * size;
    if (std::memcmp(a.bytes().data() + at, b.bytes().data() + at, size) == 0) continue;
    if (is_float(a.dtype()) && std::isnan(a.as_double(i)) && std::isnan(b.as_double(i))) continue;
    return fmt::format("{} element {} is {:a} instead of {:a}", str(a.type()), i, a.as_double(i),
                       b.as_double(i));
  }
  return {};
}

}  // namespace ingot::sweep
