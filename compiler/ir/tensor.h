// SPDX-License-Identifier: Apache-2.0
// A tensor with its numbers: a constant of a graph, an input or output of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/expected.h"
#include "ir/type.h"

namespace ingot {

/// Dense, row-major, little-endian; booleans are bytes 0 or 1. A splat holds one element that
/// stands for all, so that a big constant of one value costs nothing.
class Tensor {
 public:
  Tensor() : Tensor(DType::f32, {}) {}
  /// Zeros.
  Tensor(DType dtype, std::vector<std::int64_t> shape);
  /// `bytes` must be of the exact size: elements * bytes_of(dtype).
  Tensor(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes);
  static Tensor splat(DType dtype, std::vector<std::int64_t> shape,
                      std::span<const std::byte> element);

  template <class T>
  static Tensor scalar(DType dtype, T value) {
    INGOT_CHECK(sizeof value == bytes_of(dtype), "a scalar {} of {} bytes", name(dtype),
                sizeof value);
    Tensor tensor(dtype, {});
    std::memcpy(tensor.data_.get(), &value, sizeof value);
    return tensor;
  }
  /// A one-dimensional int64 tensor.
  static Tensor from_int64(std::span<const std::int64_t> values);

  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::size_t rank() const { return shape_.size(); }
  std::int64_t elements() const { return elements_; }
  bool is_splat() const { return splat_; }

  /// All elements; of a splat, the one element.
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  std::span<std::byte> mutable_bytes() {
    own();
    return {data_.get(), size_};
  }

  template <class T>
  T at(std::int64_t index) const {
    T value;
    std::memcpy(&value, data_.get() + (splat_ ? 0 : index) * static_cast<std::int64_t>(sizeof(T)),
                sizeof value);
    return value;
  }
  template <class T>
  void set(std::int64_t index, T value) {
    own();
    std::memcpy(data_.get() + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof value);
  }

  /// Any element type as a number; f16 and bf16 are widened, booleans are 0 and 1.
  double as_double(std::int64_t index) const;
  std::int64_t as_int64(std::int64_t index) const;  // floats are truncated
  /// The values of an integer or boolean tensor.
  std::vector<std::int64_t> as_int64s() const;

  /// The same elements under another shape (same count).
  Tensor reshaped(std::vector<std::int64_t> shape) const;
  /// A splat written out; anything else unchanged.
  Tensor dense() const;
  /// Whether all elements, of which there are several, have the same bits. Cheap when they do not.
  bool repeats() const;
  /// A dense tensor of one repeated value becomes a splat; anything else unchanged.
  Tensor compact() const&;
  Tensor compact() &&;

  TensorType type() const;
  /// Equal types and equal bits.
  friend bool operator==(const Tensor&, const Tensor&);
  std::uint64_t hash() const;

 private:
  void keep(std::vector<std::byte> bytes);
  void own() {
    if (data_.use_count() > 1) keep({data_.get(), data_.get() + size_});
  }

  DType dtype_ = DType::f32;
  std::vector<std::int64_t> shape_;
  std::int64_t elements_ = 1;
  bool splat_ = false;
  /// Copies of a tensor share its bytes until one of them is changed.
  std::shared_ptr<std::byte> data_;
  std::size_t size_ = 0;
};

/// Errors (limit): more axes than max_rank, or sizes beyond any memory, also where others are 0.
Expected<void> check_extent(const TensorType& type);

/// Product with overflow check; negative dimensions are an error.
Expected<std::int64_t> element_count(std::span<const std::int64_t> shape);

/// IEEE binary16 and bfloat16 as their 16 bits; to 16 bits rounds to nearest even, once.
float f16_to_f32(std::uint16_t bits);
std::uint16_t f64_to_f16(double value);
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f64_to_bf16(double value);

}  // namespace ingot
