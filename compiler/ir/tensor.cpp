// SPDX-License-Identifier: Apache-2.0
// Tensors with numbers, and the 16-bit float formats that C++20 has no types for.
#include "ir/tensor.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cmath>
#include <limits>

namespace ingot {
namespace {

std::int64_t checked_count(std::span<const std::int64_t> shape) {
  auto count = element_count(shape);
  INGOT_CHECK(static_cast<bool>(count), "{}", count.error().message);
  return *count;
}

std::size_t checked_bytes(DType dtype, std::int64_t elements) {
  std::size_t bytes = 0;
  INGOT_CHECK(!__builtin_mul_overflow(static_cast<std::size_t>(elements), bytes_of(dtype), &bytes),
              "a tensor of {} {} is too large", elements, name(dtype));
  return bytes;
}

// One comparison of the memory with itself, shifted by an element: the first difference ends it.
bool is_uniform(std::span<const std::byte> bytes, std::size_t element) {
  return std::memcmp(bytes.data(), bytes.data() + element, bytes.size() - element) == 0;
}

std::int64_t truncate(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  if (value < -0x1p63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

// Rounds to a binary format of `exponent_bits` and `mantissa_bits` (16 bits with the sign).
std::uint16_t narrow(double value, int exponent_bits, int mantissa_bits) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 63 << 15);
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const std::uint64_t infinity = ((std::uint64_t{1} << exponent_bits) - 1) << mantissa_bits;
  const int shift_of_normals = 52 - mantissa_bits;
  if (field == 0x7ff) {
    const std::uint64_t quiet = fraction == 0 ? 0 : std::uint64_t{1} << (mantissa_bits - 1);
    return static_cast<std::uint16_t>(sign | infinity | quiet | fraction >> shift_of_normals);
  }
  const int exponent = field - 1023;
  const int least_normal = 2 - (1 << (exponent_bits - 1));
  const int shift = shift_of_normals + (exponent < least_normal ? least_normal - exponent : 0);
  if (field == 0 || shift > 53) return sign;
  const std::uint64_t mantissa = fraction | std::uint64_t{1} << 52;
  const std::uint64_t kept = mantissa >> shift;
  const std::uint64_t rest = mantissa & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const std::uint64_t rounded = kept + (rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0);
  // The leading one of a normal number, and any carry, add themselves to the exponent.
  const auto above_least =
      static_cast<std::uint64_t>(exponent < least_normal ? 0 : exponent - least_normal);
  const std::uint64_t magnitude = (above_least << mantissa_bits) + rounded;
  return static_cast<std::uint16_t>(sign | (magnitude < infinity ? magnitude : infinity));
}

}  // namespace

void Tensor::keep(std::vector<std::byte> bytes) {
  size_ = bytes.size();
  const auto kept = std::make_shared<std::vector<std::byte>>(std::move(bytes));
  data_ = std::shared_ptr<std::byte>(kept, kept->data());
}

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape)
    : dtype_(dtype), shape_(std::move(shape)), elements_(checked_count(shape_)) {
  keep(std::vector<std::byte>(checked_bytes(dtype, elements_)));
}

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes)
    : dtype_(dtype), shape_(std::move(shape)), elements_(checked_count(shape_)) {
  INGOT_CHECK(bytes.size() == checked_bytes(dtype, elements_), "{} bytes for {} {}", bytes.size(),
              elements_, name(dtype));
  keep(std::move(bytes));
}

Tensor Tensor::splat(DType dtype, std::vector<std::int64_t> shape,
                     std::span<const std::byte> element) {
  INGOT_CHECK(element.size() == bytes_of(dtype), "a splat of {} from {} bytes", name(dtype),
              element.size());
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.elements_ = checked_count(tensor.shape_);
  // With fewer than two elements there is nothing to stand for: one form only, the dense one.
  tensor.splat_ = tensor.elements_ > 1;
  tensor.keep(tensor.elements_ > 0 ? std::vector(element.begin(), element.end())
                                   : std::vector<std::byte>());
  return tensor;
}

Tensor Tensor::from_int64(std::span<const std::int64_t> values) {
  Tensor tensor(DType::i64, {static_cast<std::int64_t>(values.size())});
  if (!values.empty()) std::memcpy(tensor.data_.get(), values.data(), values.size_bytes());
  return tensor;
}

double Tensor::as_double(std::int64_t index) const {
  switch (dtype_) {
    case DType::f32:
      return at<float>(index);
    case DType::f64:
      return at<double>(index);
    case DType::f16:
      return f16_to_f32(at<std::uint16_t>(index));
    case DType::bf16:
      return bf16_to_f32(at<std::uint16_t>(index));
    case DType::u64:
      return static_cast<double>(at<std::uint64_t>(index));
    default:
      return static_cast<double>(as_int64(index));
  }
}

std::int64_t Tensor::as_int64(std::int64_t index) const {
  switch (dtype_) {
    case DType::f32:
    case DType::f64:
    case DType::f16:
    case DType::bf16:
      return truncate(as_double(index));
    case DType::i8:
      return at<std::int8_t>(index);
    case DType::i16:
      return at<std::int16_t>(index);
    case DType::i32:
      return at<std::int32_t>(index);
    case DType::i64:
      return at<std::int64_t>(index);
    case DType::u8:
      return at<std::uint8_t>(index);
    case DType::u16:
      return at<std::uint16_t>(index);
    case DType::u32:
      return at<std::uint32_t>(index);
    case DType::u64:
      return static_cast<std::int64_t>(at<std::uint64_t>(index));
    case DType::boolean:
      return at<std::uint8_t>(index) != 0 ? 1 : 0;
  }
  return 0;
}

std::vector<std::int64_t> Tensor::as_int64s() const {
  INGOT_CHECK(!is_float(dtype_), "the integers of a tensor of {}", name(dtype_));
  std::vector<std::int64_t> values(static_cast<std::size_t>(elements_));
  for (std::int64_t i = 0; i < elements_; ++i) values[static_cast<std::size_t>(i)] = as_int64(i);
  return values;
}

Tensor Tensor::reshaped(std::vector<std::int64_t> shape) const {
  INGOT_CHECK(checked_count(shape) == elements_, "{} elements reshaped to {}", elements_,
              checked_count(shape));
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::dense() const {
  if (!splat_) return *this;
  Tensor result(dtype_, shape_);
  for (std::size_t at = 0; at < result.size_; at += size_) {
    std::memcpy(result.data_.get() + at, data_.get(), size_);
  }
  return result;
}

bool Tensor::repeats() const {
  return elements_ > 1 && (splat_ || is_uniform(bytes(), bytes_of(dtype_)));
}

Tensor Tensor::compact() const& {
  return repeats() ? splat(dtype_, shape_, bytes().first(bytes_of(dtype_))) : *this;
}

Tensor Tensor::compact() && {
  return repeats() && !splat_ ? std::as_const(*this).compact() : std::move(*this);
}

TensorType Tensor::type() const { return {dtype_, Shape(shape_.begin(), shape_.end())}; }

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.dtype_ != b.dtype_ || a.shape_ != b.shape_) return false;
  if (a.splat_ == b.splat_) {
    return a.size_ == b.size_ && (a.size_ == 0 || a.data_ == b.data_ ||
                                  std::memcmp(a.data_.get(), b.data_.get(), a.size_) == 0);
  }
  const Tensor& splat = a.splat_ ? a : b;
  const Tensor& dense = a.splat_ ? b : a;
  const std::size_t element = bytes_of(a.dtype_);
  return std::memcmp(splat.data_.get(), dense.data_.get(), element) == 0 &&
         is_uniform(dense.bytes(), element);
}

std::uint64_t Tensor::hash() const {
  const bool repeated = repeats();
  const auto seed =
      XXH3_64bits_withSeed(shape_.data(), shape_.size() * sizeof(std::int64_t),
                           static_cast<XXH64_hash_t>(dtype_) * 2 + (repeated ? 1 : 0));
  return XXH3_64bits_withSeed(data_.get(), repeated ? bytes_of(dtype_) : size_, seed);
}

Expected<void> check_extent(const TensorType& type) {
  if (type.rank() > max_rank) {
    return fail(ErrorCode::limit, "{} axes, at most {} are supported", type.rank(), max_rank);
  }
  if (const std::optional<std::vector<std::int64_t>> shape = static_shape(type.shape)) {
    if (const Expected<std::int64_t> count = element_count(*shape); !count) return count.error();
  }
  // Offsets are counted over all axes, so none is excused by another that is empty or a symbol.
  constexpr std::int64_t address_space = std::int64_t{1} << 47;  // bytes, of a process
  auto bytes = static_cast<std::int64_t>(bytes_of(type.dtype));
  Dim compound = 1;
  for (const Dim& dim : type.shape) {
    if (const std::optional<std::int64_t> size = dim.value()) {
      if (*size > address_space / bytes)
        return fail(ErrorCode::limit, "{} is larger than any memory", str(type));
      bytes *= std::max<std::int64_t>(*size, 1);
    } else if (!dim.symbol_name()) {
      compound *= dim;
    }
  }
  if ((compound * bytes).overflowed()) {
    return fail(ErrorCode::limit, "{} has more elements than can be written down", str(type));
  }
  return {};
}

Expected<std::int64_t> element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0) return fail(ErrorCode::limit, "a dimension of {} is negative", dim);
    empty = empty || dim == 0;
  }
  if (empty) return 0;
  for (const std::int64_t dim : shape) {
    if (__builtin_mul_overflow(count, dim, &count)) {
      return fail(ErrorCode::limit, "a tensor of shape [{}] has more elements than can be counted",
                  fmt::join(shape, ", "));
    }
  }
  return count;
}

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t field = bits >> 10 & 0x1fu;
  const std::uint32_t fraction = bits & 0x3ffu;
  if (field == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (field == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (field + 112) << 23 | fraction << 13);
}

std::uint16_t f64_to_f16(double value) { return narrow(value, 5, 10); }

float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t f64_to_bf16(double value) { return narrow(value, 8, 7); }

}  // namespace ingot
