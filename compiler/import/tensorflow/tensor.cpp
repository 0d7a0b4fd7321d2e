// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/tensor.h"

#include <algorithm>
#include <cstring>

#include "import/tensorflow/graphdef.pb.h"

namespace ingot::tensorflow {
namespace {

struct TypeRow {
  int number;
  std::string_view name;
  std::optional<DType> dtype;
};

constexpr TypeRow type_rows[] = {
    {1, "float32", DType::f32},  {2, "float64", DType::f64},
    {3, "int32", DType::i32},    {4, "uint8", DType::u8},
    {5, "int16", DType::i16},    {6, "int8", DType::i8},
    {7, "string", {}},           {8, "complex64", {}},
    {9, "int64", DType::i64},    {10, "bool", DType::boolean},
    {11, "qint8", {}},           {12, "quint8", {}},
    {13, "qint32", {}},          {14, "bfloat16", DType::bf16},
    {15, "qint16", {}},          {16, "quint16", {}},
    {17, "uint16", DType::u16},  {18, "complex128", {}},
    {19, "float16", DType::f16}, {20, "resource", {}},
    {21, "variant", {}},         {22, "uint32", DType::u32},
    {23, "uint64", DType::u64},
};

constexpr int reference = 100;

const TypeRow* find_type(int number) {
  if (number > reference) number -= reference;
  for (const TypeRow& row : type_rows) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

/// The typed list of a TensorProto as bytes of elements; each value is narrowed as TensorFlow does.
template <class T, class List>
std::vector<std::byte> list_bytes(const List& list, std::int64_t limit) {
  const auto count = std::min<std::int64_t>(list.size(), limit);
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof(T));
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = static_cast<T>(list.Get(static_cast<int>(i)));
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

std::vector<std::byte> typed_values(const TensorProto& proto, DType dtype, std::int64_t limit) {
  switch (dtype) {
    case DType::f32:
      return list_bytes<float>(proto.float_val(), limit);
    case DType::f64:
      return list_bytes<double>(proto.double_val(), limit);
    case DType::f16:
    case DType::bf16:
      return list_bytes<std::uint16_t>(proto.half_val(), limit);
    case DType::i8:
      return list_bytes<std::int8_t>(proto.int_val(), limit);
    case DType::i16:
      return list_bytes<std::int16_t>(proto.int_val(), limit);
    case DType::i32:
      return list_bytes<std::int32_t>(proto.int_val(), limit);
    case DType::i64:
      return list_bytes<std::int64_t>(proto.int64_val(), limit);
    case DType::u8:
      return list_bytes<std::uint8_t>(proto.int_val(), limit);
    case DType::u16:
      return list_bytes<std::uint16_t>(proto.int_val(), limit);
    case DType::u32:
      return list_bytes<std::uint32_t>(proto.uint32_val(), limit);
    case DType::u64:
      return list_bytes<std::uint64_t>(proto.uint64_val(), limit);
    case DType::boolean:
      return list_bytes<std::uint8_t>(proto.bool_val(), limit);
  }
  return {};
}

}  // namespace

std::optional<DType> dtype_from_file(int number) {
  const TypeRow* row = find_type(number);
  return row == nullptr ? std::nullopt : row->dtype;
}

std::string dtype_name(int number) {
  const TypeRow* row = find_type(number);
  return row == nullptr ? fmt::format("type {}", number) : std::string(row->name);
}

Expected<Tensor> decode_tensor(const TensorProto& proto, std::int64_t& expansion_budget) {
  const std::optional<DType> dtype = dtype_from_file(proto.dtype());
  if (!dtype) {
    return fail(ErrorCode::unsupported, "a constant of element type {}", dtype_name(proto.dtype()));
  }
  if (proto.tensor_shape().unknown_rank()) {
    return fail(ErrorCode::invalid_model, "a constant without a shape");
  }
  std::vector<std::int64_t> shape;
  for (const auto& dim : proto.tensor_shape().dim()) {
    if (dim.size() < 0) {
      return fail(ErrorCode::invalid_model, "a constant with a dimension of {}", dim.size());
    }
    shape.push_back(dim.size());
  }
  INGOT_TRY(check_extent({*dtype, Shape(shape.begin(), shape.end())}));
  INGOT_ASSIGN(const std::int64_t count, element_count(shape));
  const auto size = static_cast<std::int64_t>(bytes_of(*dtype));

  if (!proto.tensor_content().empty()) {
    const std::string& content = proto.tensor_content();
    const auto given = static_cast<std::int64_t>(content.size());
    if (given % size != 0 || given / size != count) {
      return fail(ErrorCode::invalid_model, "a constant {}{} holds {} bytes", name(*dtype),
                  str(Shape(shape.begin(), shape.end())), given);
    }
    std::vector<std::byte> bytes(content.size());
    std::memcpy(bytes.data(), content.data(), content.size());
    if (*dtype == DType::boolean) {
      for (std::byte& value : bytes) value = std::byte{value != std::byte{0}};
    }
    return Tensor(*dtype, std::move(shape), std::move(bytes));
  }

  std::vector<std::byte> bytes = typed_values(proto, *dtype, count);
  if (bytes.empty()) bytes.resize(static_cast<std::size_t>(size));
  const auto stated = static_cast<std::int64_t>(bytes.size()) / size;
  if (count == 0) return Tensor(*dtype, std::move(shape));
  if (stated == count) return Tensor(*dtype, std::move(shape), std::move(bytes));
  const auto last = static_cast<std::size_t>((stated - 1) * size);
  const std::vector<std::byte> fill(bytes.begin() + static_cast<std::ptrdiff_t>(last), bytes.end());
  if (stated == 1) return Tensor::splat(*dtype, std::move(shape), fill);
  if (count > expansion_budget / size) {
    return fail(ErrorCode::limit, "a constant {}{} of which the file gives only {} values",
                name(*dtype), str(Shape(shape.begin(), shape.end())), stated);
  }
  expansion_budget -= count * size;
  bytes.resize(static_cast<std::size_t>(count * size));
  for (std::int64_t i = stated; i < count; ++i) {
    std::memcpy(bytes.data() + i * size, fill.data(), fill.size());
  }
  return Tensor(*dtype, std::move(shape), std::move(bytes));
}

}  // namespace ingot::tensorflow
