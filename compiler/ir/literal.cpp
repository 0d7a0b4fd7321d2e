// SPDX-License-Identifier: Apache-2.0
#include "ir/literal.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace ingot {
namespace {

Error not_a(std::string_view text, std::string_view what) {
  return fail(ErrorCode::invalid_argument, "'{}' is not {}", text, what);
}

Error beyond(std::string_view text, std::string_view what) {
  return fail(ErrorCode::limit, "'{}' is beyond the range of {}", text, what);
}

template <class T>
Expected<T> parse_number(std::string_view text, int base, std::string_view what) {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = [&] {
    if constexpr (std::is_floating_point_v<T>) {
      return std::from_chars(begin, end, value);
    } else {
      return std::from_chars(begin, end, value, base);
    }
  }();
  if (error == std::errc::result_out_of_range && stop == end) return beyond(text, what);
  if (error != std::errc() || stop != end) return not_a(text, what);
  return value;
}

// F is the float type, Bits an integer of its size. The sign of a NaN is one of its bits.
template <class F, class Bits>
std::string float_str(F value) {
  if (std::isnan(value)) {
    const auto bits = std::bit_cast<Bits>(value);
    const bool usual = bits == std::bit_cast<Bits>(std::numeric_limits<F>::quiet_NaN());
    return usual ? "nan" : fmt::format("nan(0x{:x})", bits);
  }
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

// The bits of `nan(0x...)`, which must be those of a NaN with this `infinity`.
Expected<std::uint64_t> parse_nan(std::string_view text, std::uint64_t infinity,
                                  std::size_t bytes) {
  const std::string_view digits = text.substr(6, text.size() - 7);
  INGOT_ASSIGN(const auto bits, parse_number<std::uint64_t>(digits, 16, "the bits of a nan"));
  const std::uint64_t sign = std::uint64_t{1} << (bytes * 8 - 1);
  if (bits > sign - 1 + sign) return beyond(text, "this type's nans");
  if ((bits & ~sign) <= infinity) return not_a(text, "a nan of this type");
  return bits;
}

bool shows_bits(std::string_view text) { return text.starts_with("nan(0x") && text.ends_with(")"); }

template <class F, class Bits>
Expected<F> parse_float(std::string_view text, std::string_view what) {
  if (shows_bits(text)) {
    const auto infinity = std::bit_cast<Bits>(std::numeric_limits<F>::infinity());
    INGOT_ASSIGN(const std::uint64_t bits, parse_nan(text, infinity, sizeof(F)));
    return std::bit_cast<F>(static_cast<Bits>(bits));
  }
  if (text == "nan") return std::numeric_limits<F>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<F>::infinity();
  if (text == "-inf") return -std::numeric_limits<F>::infinity();
  // Of letters only the exponent's: from_chars would also take "infinity" and "-nan".
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return not_a(text, what);
  return parse_number<F>(text, 10, what);
}

template <class T>
Expected<void> parse_integer_element(std::string_view text, Tensor& tensor, std::int64_t index) {
  INGOT_ASSIGN(const T value, parse_number<T>(text, 10, name(tensor.dtype())));
  tensor.set(index, value);
  return {};
}

Expected<void> parse_short_float(std::string_view text, Tensor& tensor, std::int64_t index) {
  const bool half = tensor.dtype() == DType::f16;
  const std::uint16_t infinity = half ? 0x7c00 : 0x7f80;
  std::uint16_t bits = 0;
  if (shows_bits(text)) {
    INGOT_ASSIGN(const std::uint64_t shown, parse_nan(text, infinity, 2));
    bits = static_cast<std::uint16_t>(shown);
  } else {
    INGOT_ASSIGN(const double value,
                 (parse_float<double, std::uint64_t>(text, name(tensor.dtype()))));
    bits = half ? f64_to_f16(value) : f64_to_bf16(value);
    if (std::isfinite(value) && (bits & 0x7fff) == infinity) {
      return beyond(text, name(tensor.dtype()));
    }
  }
  tensor.set(index, bits);
  return {};
}

std::string short_float_str(std::uint16_t bits, bool half) {
  const float value = half ? f16_to_f32(bits) : bf16_to_f32(bits);
  if (!std::isnan(value)) return float_str<float, std::uint32_t>(value);
  return bits == (half ? 0x7e00 : 0x7fc0) ? "nan" : fmt::format("nan(0x{:x})", bits);
}

}  // namespace

std::string real_str(double value) {
  std::string text = float_str<double, std::uint64_t>(value);
  const bool marked = text.find_first_of(".enif") != std::string::npos;
  return marked ? text : text + ".0";
}

Expected<double> parse_real(std::string_view text) {
  return parse_float<double, std::uint64_t>(text, "a number");
}

Expected<std::int64_t> parse_integer(std::string_view text) {
  return parse_number<std::int64_t>(text, 10, "an integer");
}

std::string element_str(const Tensor& tensor, std::int64_t index) {
  switch (tensor.dtype()) {
    case DType::f32:
      return float_str<float, std::uint32_t>(tensor.at<float>(index));
    case DType::f64:
      return float_str<double, std::uint64_t>(tensor.at<double>(index));
    case DType::f16:
      return short_float_str(tensor.at<std::uint16_t>(index), true);
    case DType::bf16:
      return short_float_str(tensor.at<std::uint16_t>(index), false);
    case DType::u64:
      return fmt::format("{}", tensor.at<std::uint64_t>(index));
    case DType::boolean: {
      // Anything but 0 and 1 is not a boolean, and must show.
      const auto byte = tensor.at<std::uint8_t>(index);
      return byte > 1 ? fmt::format("{}", byte) : byte == 1 ? "true" : "false";
    }
    default:
      return fmt::format("{}", tensor.as_int64(index));
  }
}

Expected<void> parse_element(std::string_view text, Tensor& tensor, std::int64_t index) {
  switch (tensor.dtype()) {
    case DType::f32: {
      INGOT_ASSIGN(const float value, (parse_float<float, std::uint32_t>(text, "f32")));
      tensor.set(index, value);
      return {};
    }
    case DType::f64: {
      INGOT_ASSIGN(const double value, (parse_float<double, std::uint64_t>(text, "f64")));
      tensor.set(index, value);
      return {};
    }
    case DType::f16:
    case DType::bf16:
      return parse_short_float(text, tensor, index);
    case DType::i8:
      return parse_integer_element<std::int8_t>(text, tensor, index);
    case DType::i16:
      return parse_integer_element<std::int16_t>(text, tensor, index);
    case DType::i32:
      return parse_integer_element<std::int32_t>(text, tensor, index);
    case DType::i64:
      return parse_integer_element<std::int64_t>(text, tensor, index);
    case DType::u8:
      return parse_integer_element<std::uint8_t>(text, tensor, index);
    case DType::u16:
      return parse_integer_element<std::uint16_t>(text, tensor, index);
    case DType::u32:
      return parse_integer_element<std::uint32_t>(text, tensor, index);
    case DType::u64:
      return parse_integer_element<std::uint64_t>(text, tensor, index);
    case DType::boolean:
      if (text != "true" && text != "false") return not_a(text, "true or false");
      tensor.set(index, static_cast<std::uint8_t>(text == "true" ? 1 : 0));
      return {};
  }
  return {};
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\t':
        result += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          result += c;
        }
    }
  }
  return result + "\"";
}

}  // namespace ingot
