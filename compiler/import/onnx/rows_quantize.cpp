// SPDX-License-Identifier: Apache-2.0
// ONNX quantisation: to integers and back, and products of quantised values, which are exact: sums
// of int32 that wrap, scaled and rounded once at the end.
#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

using Integers = std::vector<std::int64_t>;

/// Scale or zero point as it broadcasts to x: one number, one for each place along `axis`, or one
/// for each block of them.
ValueId along_axis(OnnxNode& n, ValueId parameter) {
  if (n.failed() || n.rank(parameter) == 0 || n.type(parameter).elements().is(1))
    return n.reshape(parameter, {});
  const std::size_t rank = n.rank(n.x());
  const std::size_t axis = n.axis(n.integer("axis", 1), rank);
  const std::int64_t block = n.integer("block_size", 0);
  if (block == 0) return n.align(parameter, axis, rank);
  if (n.failed() || n.rank(parameter) != rank || block < 1)
    return n.invalid("blocks of {} with a scale {}", block, str(n.type(parameter)));
  Shape split = n.shape(parameter), joined = split;
  split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
  Shape repeated = split;
  repeated[axis + 1] = block;
  joined[axis] = joined[axis] * Dim(block);
  const ValueId all = n.reshape(n.broadcast(n.reshape(parameter, split), repeated), joined);
  return n.slice(all, axis, 0, n.shape(n.x())[axis]);
}

/// saturate(round(x / scale) + zero point); halves to even.
Results quantize(OnnxNode& n) {
  const DType wide = DType::f32;
  DType to = n.has_input(2) ? n.dtype(n.input(2)) : DType::u8;
  Narrow narrow = n.narrow(2);
  if (n.has("output_dtype") && n.integer("output_dtype", 0) != 0)
    to = n.dtype_attribute("output_dtype", &narrow).value_or(to);
  if (is_float(to)) return n.unsupported(Refused::element_type, "quantisation to {}", name(to));
  const ValueId scale = along_axis(n, n.cast(n.input(1), wide));
  ValueId y = n.op("round", {n.div(n.cast(n.x(), wide), scale)});
  if (n.has_input(2)) y = n.add(y, along_axis(n, n.cast(n.input(2), wide)));
  if (narrow != Narrow::none) {
    const int values = 1 << bits_of(narrow);
    const int low = narrow == Narrow::i2 || narrow == Narrow::i4 ? -values / 2 : 0;
    y = n.clip(y, low, low + values - 1);
    n.set_result_narrow(narrow);
  }
  return n.cast(y, to);
}

/// To u8, with the range of x and 0 as scale; the function that the standard gives.
Results dynamic_quantize(OnnxNode& n) {
  const ValueId x = n.x(), zero = n.number(0, x), most = n.number(255, x);
  Integers axes;
  for (std::size_t d = 0; d < n.rank(x); ++d) axes.push_back(static_cast<std::int64_t>(d));
  const ValueId high = n.op("max", {zero, n.reduce("reduce_max", x, axes, false)});
  const ValueId low = n.op("min", {zero, n.reduce("reduce_min", x, axes, false)});
  const ValueId scale = n.div(n.sub(high, low), most);
  const ValueId start = n.clip(n.op("round", {n.div(n.sub(zero, low), scale)}), 0, 255);
  const ValueId y = n.add(n.op("round", {n.div(x, scale)}), start);
  const ValueId quantized = n.cast(y, DType::u8);
  return std::vector{quantized, scale, n.cast(start, DType::u8)};
}

Results dequantize(OnnxNode& n) {
  DType to = n.dtype(n.input(1));
  if (n.has("output_dtype") && n.integer("output_dtype", 0) != 0)
    to = n.dtype_attribute("output_dtype").value_or(to);
  // The difference of two 8-bit or 16-bit numbers is exact in float32; int32 has no zero point.
  ValueId x = n.cast(n.x(), DType::f32);
  if (n.has_input(2)) x = n.sub(x, along_axis(n, n.cast(n.input(2), DType::f32)));
  return n.cast(n.mul(x, along_axis(n, n.cast(n.input(1), DType::f32))), to);
}

/// An 8-bit operand less its zero point, as int32: exact.
ValueId centred(OnnxNode& n, ValueId x, ValueId zero) {
  const ValueId wide = n.cast(x, DType::i32);
  return zero.valid() ? n.sub(wide, n.cast(zero, DType::i32)) : wide;
}

bool quantised(OnnxNode& n, ValueId x) {
  const DType dtype = n.dtype(x);
  if (n.failed() || dtype == DType::i8 || dtype == DType::u8) return !n.failed();
  n.invalid("an operand of {}, instead of int8 or uint8", name(dtype));
  return false;
}

/// A parameter of a product's factor: one number, one for each row of the left factor or column of
/// the right one, or shaped to broadcast already.
enum class Side : std::uint8_t { left, right };
ValueId of_matrix(OnnxNode& n, ValueId parameter, Side side) {
  if (n.failed() || !parameter.valid() || n.rank(parameter) != 1) return parameter;
  if (n.type(parameter).elements().is(1)) return n.reshape(parameter, {});
  return side == Side::left ? n.unsqueeze(parameter, {1}) : parameter;
}

/// The scales of a product's factors and result, and the result's zero point.
struct Requantisation {
  ValueId a, b, y, zero;
};

/// saturate(round(sum * (a_scale * b_scale / y_scale)) + zero), in float32.
ValueId requantise(OnnxNode& n, ValueId sum, const Requantisation& to) {
  auto wide = [&](ValueId value) { return n.cast(value, DType::f32); };
  const ValueId a = wide(to.a), b = wide(to.b), y = wide(to.y);
  const ValueId scale = n.div(n.mul(a, b), y);
  const ValueId rounded = n.op("round", {n.mul(wide(sum), scale)});
  return n.cast(n.add(rounded, wide(to.zero)), n.dtype(to.zero));
}

Results matmul_integer(OnnxNode& n) {
  if (!quantised(n, n.x()) || !quantised(n, n.input(1))) return ValueId{};
  const ValueId a = centred(n, n.x(), of_matrix(n, n.input(2), Side::left));
  const ValueId b = centred(n, n.input(1), of_matrix(n, n.input(3), Side::right));
  return n.matmul(a, b);
}

/// a, its scale and zero point, b and its own, and those of the result.
Results qlinear_matmul(OnnxNode& n) {
  for (const std::size_t i : {0, 3, 7})
    if (!quantised(n, n.input(i))) return ValueId{};
  auto left = [&](std::size_t i) { return of_matrix(n, n.input(i), Side::left); };
  auto right = [&](std::size_t i) { return of_matrix(n, n.input(i), Side::right); };
  const ValueId a = centred(n, n.x(), left(2));
  const ValueId b = centred(n, n.input(3), right(5));
  const ValueId sum = n.matmul(a, b);
  return requantise(n, sum, {left(1), right(4), left(6), left(7)});
}

/// A parameter of a convolution's weights or result: one number, or one for each channel, which is
/// axis `axis`.
ValueId of_channels(OnnxNode& n, ValueId parameter, std::size_t axis) {
  if (n.failed() || !parameter.valid()) return parameter;
  if (n.type(parameter).elements().is(1)) return n.reshape(parameter, {});
  return n.align(parameter, axis, n.rank(n.x()));
}

/// Padding has the zero point of x, which is 0 in the sum, so that taps in it can be skipped.
Results conv_integer(OnnxNode& n) {
  if (!quantised(n, n.x()) || !quantised(n, n.input(1))) return ValueId{};
  const ValueId x = centred(n, n.x(), of_channels(n, n.input(2), 1));
  const ValueId w = centred(n, n.input(1), of_channels(n, n.input(3), 0));
  return convolve(n, x, w, {});
}

/// x, its scale and zero point, the weights and their own, those of the result, and an int32 bias.
Results qlinear_conv(OnnxNode& n) {
  for (const std::size_t i : {0, 3, 7})
    if (!quantised(n, n.input(i))) return ValueId{};
  const ValueId x = centred(n, n.x(), of_channels(n, n.input(2), 1));
  const ValueId w = centred(n, n.input(3), of_channels(n, n.input(5), 0));
  const ValueId sum = convolve(n, x, w, n.input(8));
  auto channels = [&](std::size_t i) { return of_channels(n, n.input(i), 1); };
  return requantise(n, sum, {channels(1), channels(4), channels(6), channels(7)});
}

}  // namespace

void add_quantize_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(),
              {
                  {"ConvInteger", 10, newest_opset, 2, 4, conv_integer},
                  {"DequantizeLinear", 10, newest_opset, 2, 3, dequantize, NarrowUse::ask},
                  {"DynamicQuantizeLinear", 11, newest_opset, 1, 1, dynamic_quantize},
                  {"MatMulInteger", 10, newest_opset, 2, 4, matmul_integer},
                  {"QLinearConv", 10, newest_opset, 8, 9, qlinear_conv},
                  {"QLinearMatMul", 10, newest_opset, 8, 8, qlinear_matmul},
                  {"QuantizeLinear", 10, newest_opset, 2, 3, quantize, NarrowUse::ask},
              });
}

}  // namespace ingot::onnx
