// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/tensor_proto.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include "import/onnx/tensor_file.h"

namespace ingot::onnx {
namespace {

constexpr std::string_view type_names[] = {
    "undefined",      "float32",    "uint8",          "int8",       "uint16",    "int16",
    "int32",          "int64",      "string",         "bool",       "float16",   "float64",
    "uint32",         "uint64",     "complex64",      "complex128", "bfloat16",  "float8e4m3fn",
    "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",      "float4e2m1",
    "float8e8m0",     "uint2",      "int2",           "float6e2m3", "float6e3m2"};

Error wrong_size(const TensorProto& proto, std::size_t have, std::int64_t elements,
                 std::string_view unit) {
  return fail(ErrorCode::invalid_model, "tensor '{}': {} {} for {} elements; the file is damaged",
              proto.name(), have, unit, elements);
}

struct ExternalData {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

Expected<ExternalData> external_entries(const TensorProto& proto) {
  ExternalData data;
  for (const StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") data.location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    std::uint64_t number = 0;
    const char* end = entry.value().data() + entry.value().size();
    const auto [stop, status] = std::from_chars(entry.value().data(), end, number);
    if (status != std::errc() || stop != end) {
      return fail(ErrorCode::invalid_model,
                  "tensor '{}': {} '{}' of its external data is no number", proto.name(),
                  entry.key(), entry.value());
    }
    if (entry.key() == "offset") data.offset = number;
    if (entry.key() == "length") data.length = number;
  }
  return data;
}

/// The file, if it really lies in the folder: links are followed before that is decided.
Expected<std::filesystem::path> external_path(const TensorProto& proto, const std::string& location,
                                              const std::filesystem::path& folder) {
  if (folder.empty()) {
    return fail(ErrorCode::invalid_argument,
                "tensor '{}' lies in the file '{}'; import the model by its path", proto.name(),
                location);
  }
  std::error_code status;
  const std::filesystem::path root = std::filesystem::weakly_canonical(folder, status);
  const std::filesystem::path path = std::filesystem::weakly_canonical(root / location, status);
  const std::filesystem::path relative = path.lexically_relative(root);
  if (status || location.empty() || location.find('\0') != std::string::npos ||
      std::filesystem::path(location).is_absolute() || relative.empty() ||
      *relative.begin() == "..") {
    return fail(ErrorCode::invalid_model,
                "tensor '{}': external data '{}' is not inside the model's folder", proto.name(),
                location);
  }
  if (!std::filesystem::is_regular_file(path, status)) {
    return fail(ErrorCode::io,
                "tensor '{}': external data '{}' is missing; put it beside the model", proto.name(),
                location);
  }
  return path;
}

Expected<std::vector<std::byte>> read_external(const TensorProto& proto, std::uint64_t bytes,
                                               const ExternalFolder& folder) {
  INGOT_ASSIGN(const ExternalData data, external_entries(proto));
  INGOT_ASSIGN(const std::filesystem::path path, external_path(proto, data.location, folder.path));
  if (folder.on_read) folder.on_read(path.string());
  std::error_code status;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, status);
  if (status) return fail(ErrorCode::io, "cannot read '{}': {}", data.location, status.message());
  if (data.length && *data.length != bytes) {
    return fail(ErrorCode::invalid_model,
                "tensor '{}': {} bytes of external data for a tensor of {} bytes", proto.name(),
                *data.length, bytes);
  }
  if (data.offset > file_bytes || bytes > file_bytes - data.offset) {
    return fail(ErrorCode::invalid_model,
                "tensor '{}': bytes {} to {} of '{}', which has {}; the file is truncated",
                proto.name(), data.offset, data.offset + bytes, data.location, file_bytes);
  }
  std::vector<std::byte> contents(bytes);
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(data.offset));
  file.read(reinterpret_cast<char*>(contents.data()), static_cast<std::streamsize>(bytes));
  if (!file) return fail(ErrorCode::io, "cannot read '{}'", data.location);
  return contents;
}

/// A list of the protobuf type From holds elements of To: narrow types and halves lie in int32s.
template <class To, class From>
Expected<Tensor> from_list(const TensorProto& proto, DType dtype, std::vector<std::int64_t> shape,
                           std::int64_t elements, const From& list) {
  if (static_cast<std::int64_t>(list.size()) != elements) {
    return wrong_size(proto, static_cast<std::size_t>(list.size()), elements, "numbers");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements) * sizeof(To));
  std::byte* place = bytes.data();
  for (const auto number : list) {
    const To element = static_cast<To>(number);
    std::memcpy(place, &element, sizeof element);
    place += sizeof element;
  }
  return Tensor(dtype, std::move(shape), std::move(bytes));
}

/// One element a byte; the first is in a byte's lowest bits. Those with a sign have it extended.
std::vector<std::byte> unpack(const std::vector<std::byte>& packed, std::int64_t elements,
                              Narrow type) {
  const auto bits = static_cast<unsigned>(bits_of(type));
  const unsigned in_a_byte = 8 / bits;
  const bool has_sign = type == Narrow::i2 || type == Narrow::i4;
  std::vector<std::byte> result(static_cast<std::size_t>(elements));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(packed[i / in_a_byte]);
    unsigned element = byte >> (i % in_a_byte * bits) & ((1U << bits) - 1);
    if (has_sign && (element >> (bits - 1)) != 0) element |= 0xffU << bits;
    result[i] = static_cast<std::byte>(element & 0xffU);
  }
  return result;
}

void normalise_booleans(Tensor& tensor) {
  if (tensor.dtype() != DType::boolean) return;
  for (std::byte& byte : tensor.mutable_bytes()) byte = std::byte{byte != std::byte{0}};
}

Expected<Tensor> from_lists(const TensorProto& proto, DType dtype, std::vector<std::int64_t> shape,
                            std::int64_t elements) {
  switch (dtype) {
    case DType::f32:
      return from_list<float>(proto, dtype, std::move(shape), elements, proto.float_data());
    case DType::f64:
      return from_list<double>(proto, dtype, std::move(shape), elements, proto.double_data());
    case DType::i64:
      return from_list<std::int64_t>(proto, dtype, std::move(shape), elements, proto.int64_data());
    case DType::u32:
      return from_list<std::uint32_t>(proto, dtype, std::move(shape), elements,
                                      proto.uint64_data());
    case DType::u64:
      return from_list<std::uint64_t>(proto, dtype, std::move(shape), elements,
                                      proto.uint64_data());
    case DType::i32:
      return from_list<std::int32_t>(proto, dtype, std::move(shape), elements, proto.int32_data());
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16:
      return from_list<std::uint16_t>(proto, dtype, std::move(shape), elements, proto.int32_data());
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return from_list<std::uint8_t>(proto, dtype, std::move(shape), elements, proto.int32_data());
  }
  return fail(ErrorCode::internal, "tensor '{}': no such element type", proto.name());
}

}  // namespace

Expected<DType> to_dtype(std::int32_t data_type) {
  switch (data_type) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 4:
      return DType::u16;
    case 5:
      return DType::i16;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    case 12:
      return DType::u32;
    case 13:
      return DType::u64;
    case 16:
      return DType::bf16;
    case 21:
    case 25:
      return DType::u8;
    case 22:
    case 26:
      return DType::i8;
    default:
      break;
  }
  if (data_type > 0 && static_cast<std::size_t>(data_type) < std::size(type_names)) {
    return fail(ErrorCode::unsupported, "element type {} is not supported", type_names[data_type]);
  }
  return fail(ErrorCode::invalid_model, "element type {} does not exist in ONNX", data_type);
}

Narrow narrow_of(std::int32_t data_type) {
  switch (data_type) {
    case 21:
      return Narrow::u4;
    case 22:
      return Narrow::i4;
    case 25:
      return Narrow::u2;
    case 26:
      return Narrow::i2;
    default:
      return Narrow::none;
  }
}

Expected<Tensor> to_tensor(const TensorProto& proto, const ExternalFolder& folder) {
  const Expected<DType> dtype = to_dtype(proto.data_type());
  if (!dtype) {
    return Error{dtype.error().code,
                 fmt::format("tensor '{}': {}", proto.name(), dtype.error().message)};
  }
  std::vector<std::int64_t> shape(proto.dims().begin(), proto.dims().end());
  const Expected<std::int64_t> elements = element_count(shape);
  if (!elements) {
    return fail(ErrorCode::invalid_model, "tensor '{}': {}", proto.name(),
                elements.error().message);
  }
  if (shape.size() > max_rank) {
    return fail(ErrorCode::limit, "tensor '{}': {} axes, at most {} are supported", proto.name(),
                shape.size(), max_rank);
  }
  const auto size = static_cast<std::int64_t>(bytes_of(*dtype));
  if (*elements > std::numeric_limits<std::int64_t>::max() / size) {
    return fail(ErrorCode::limit, "tensor '{}': {} elements are too many", proto.name(), *elements);
  }
  const Narrow narrow = narrow_of(proto.data_type());
  const int in_a_byte = narrow == Narrow::none ? 1 : 8 / bits_of(narrow);
  const auto bytes = static_cast<std::uint64_t>(
      narrow == Narrow::none ? *elements * size
                             : *elements / in_a_byte + (*elements % in_a_byte != 0 ? 1 : 0));

  std::vector<std::byte> contents;
  if (proto.data_location() == TensorProto::EXTERNAL) {
    INGOT_ASSIGN(contents, read_external(proto, bytes, folder));
  } else if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    if (raw.size() != bytes) return wrong_size(proto, raw.size(), *elements, "bytes");
    const auto* data = reinterpret_cast<const std::byte*>(raw.data());
    contents.assign(data, data + raw.size());
  } else if (narrow != Narrow::none) {
    if (static_cast<std::uint64_t>(proto.int32_data_size()) != bytes)
      return wrong_size(proto, static_cast<std::size_t>(proto.int32_data_size()), *elements,
                        "bytes");
    for (const std::int32_t number : proto.int32_data())
      contents.push_back(static_cast<std::byte>(number));
  } else {
    INGOT_ASSIGN(Tensor tensor, from_lists(proto, *dtype, std::move(shape), *elements));
    normalise_booleans(tensor);
    return tensor;
  }
  if (narrow != Narrow::none) contents = unpack(contents, *elements, narrow);
  Tensor tensor(*dtype, std::move(shape), std::move(contents));
  normalise_booleans(tensor);
  return tensor;
}

}  // namespace ingot::onnx

namespace ingot {

Expected<NamedTensor> read_tensor_proto(std::span<const std::byte> bytes) {
  onnx::TensorProto proto;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return fail(ErrorCode::limit, "a tensor file of {} bytes is beyond protobuf's 2 GB",
                bytes.size());
  }
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(ErrorCode::invalid_model, "not a serialized TensorProto");
  }
  INGOT_ASSIGN(Tensor tensor, onnx::to_tensor(proto, {}));
  return NamedTensor{proto.name(), std::move(tensor)};
}

}  // namespace ingot
