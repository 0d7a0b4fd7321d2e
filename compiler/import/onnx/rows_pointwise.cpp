// SPDX-License-Identifier: Apache-2.0
// ONNX ops that compute each element by itself: arithmetic, comparisons, logic, casts.
#include <algorithm>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

/// Before opset 7 an operand was stretched only on demand (`broadcast`), from `axis` on.
ValueId right_operand(OnnxNode& n) {
  const ValueId b = n.input(1);
  if (n.opset() >= 7 || !n.flag("broadcast", false) || !n.has("axis") || n.failed()) return b;
  const std::size_t rank = n.rank(n.x());
  const std::size_t axis = n.axis(n.integer("axis", 0), rank);
  if (n.failed()) return {};
  if (axis + n.rank(b) > rank) return n.invalid("its second operand does not fit at axis {}", axis);
  Shape shape = n.shape(b);
  shape.resize(rank - axis, 1);
  return n.reshape(b, std::move(shape));
}

struct Name {
  std::string_view onnx;
  std::string_view core;
};

constexpr Name unary_ops[] = {
    {"Abs", "abs"},
    {"Neg", "neg"},
    {"Sign", "sign"},
    {"Ceil", "ceil"},
    {"Floor", "floor"},
    {"Round", "round"},
    {"Sqrt", "sqrt"},
    {"Exp", "exp"},
    {"Log", "log"},
    {"Erf", "erf"},
    {"Sin", "sin"},
    {"Cos", "cos"},
    {"Tan", "tan"},
    {"Asin", "asin"},
    {"Acos", "acos"},
    {"Atan", "atan"},
    {"Sinh", "sinh"},
    {"Cosh", "cosh"},
    {"Asinh", "asinh"},
    {"Acosh", "acosh"},
    {"Atanh", "atanh"},
    {"IsNaN", "is_nan"},
    {"BitwiseNot", "bit_not"},
    {"Tanh", "tanh"},
    {"Sigmoid", "sigmoid"},
};

constexpr Name binary_ops[] = {
    {"Add", "add"},
    {"Sub", "sub"},
    {"Mul", "mul"},
    {"Div", "div"},
    {"Equal", "eq"},
    {"Greater", "gt"},
    {"Less", "lt"},
    {"GreaterOrEqual", "ge"},
    {"LessOrEqual", "le"},
    {"And", "and"},
    {"Or", "or"},
    {"Xor", "xor"},
    {"BitwiseAnd", "bit_and"},
    {"BitwiseOr", "bit_or"},
    {"BitwiseXor", "bit_xor"},
};

std::string_view core_name(std::span<const Name> names, std::string_view onnx) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.onnx == onnx; });
  INGOT_CHECK(found != names.end(), "no core op for {}", onnx);
  return found->core;
}

Results unary(OnnxNode& n) { return n.op(core_name(unary_ops, n.op_type()), {n.x()}); }
Results binary(OnnxNode& n) {
  return n.op(core_name(binary_ops, n.op_type()), {n.x(), right_operand(n)});
}

Results logical_not(OnnxNode& n) { return n.op("not", {n.x()}); }

Results is_inf(OnnxNode& n) {
  const ValueId both = n.op("is_inf", {n.x()});
  const bool positive = n.flag("detect_positive", true);
  const bool negative = n.flag("detect_negative", true);
  if (positive && negative) return both;
  const ValueId zero = n.number(0, n.x());
  if (positive) return n.op("and", {both, n.op("gt", {n.x(), zero})});
  if (negative) return n.op("and", {both, n.op("lt", {n.x(), zero})});
  return n.op("and", {both, n.scalar(DType::boolean, 0)});
}

Results mod(OnnxNode& n) {
  return n.op(n.flag("fmod", false) ? "mod_trunc" : "mod_floor", {n.x(), n.input(1)});
}

/// The result is of the base's type. A float exponent of an integer base computes in floats.
Results power(OnnxNode& n) {
  const ValueId base = n.x();
  const ValueId exponent = right_operand(n);
  const DType type = n.dtype(base);
  if (is_integer(type) && is_float(n.dtype(exponent))) {
    return n.cast(n.op("pow", {n.cast(base, n.dtype(exponent)), exponent}), type);
  }
  return n.op("pow", {base, n.cast(exponent, type)});
}

Results bit_shift(OnnxNode& n) {
  const std::string direction = n.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") return n.invalid("direction '{}'", direction);
  return n.op(direction == "LEFT" ? "shift_left" : "shift_right", {n.x(), n.input(1)});
}

ValueId fold(OnnxNode& n, std::string_view op) {
  ValueId result = n.x();
  for (std::size_t i = 1; i < n.input_count(); ++i) result = n.op(op, {result, n.input(i)});
  return result;
}

Results variadic_max(OnnxNode& n) { return fold(n, "max"); }
Results variadic_min(OnnxNode& n) { return fold(n, "min"); }
Results variadic_sum(OnnxNode& n) { return fold(n, "add"); }
Results variadic_mean(OnnxNode& n) {
  return n.op("div", {fold(n, "add"), n.number(static_cast<double>(n.input_count()), n.x())});
}

Results where(OnnxNode& n) { return n.op("where", {n.x(), n.input(1), n.input(2)}); }

/// Integers of 2 and 4 bits wrap, floats having been truncated.
ValueId cast_to(OnnxNode& n, DType to, Narrow narrow) {
  n.set_result_narrow(narrow);
  if (narrow == Narrow::none || narrow == n.narrow(0)) return n.cast(n.x(), to);
  const ValueId wide = n.cast(n.x(), DType::i32);
  if (narrow == Narrow::u2 || narrow == Narrow::u4)
    return n.cast(n.op("bit_and", {wide, n.scalar(DType::i32, (1 << bits_of(narrow)) - 1)}), to);
  const ValueId above = n.scalar(DType::i32, 32 - bits_of(narrow));
  return n.cast(n.op("shift_right", {n.op("shift_left", {wide, above}), above}), to);
}

Results cast(OnnxNode& n) {
  Narrow narrow = Narrow::none;
  const std::optional<DType> to = n.dtype_attribute("to", &narrow);
  if (!to) return n.failed() ? ValueId{} : n.invalid("attribute 'to' is missing");
  return cast_to(n, *to, narrow);
}

Results cast_like(OnnxNode& n) { return cast_to(n, n.dtype(n.input(1)), n.narrow(1)); }

Results clip_attributes(OnnxNode& n) {
  const ValueId lo = n.has("min") ? n.number(n.real("min", 0), n.x()) : ValueId{};
  const ValueId hi = n.has("max") ? n.number(n.real("max", 0), n.x()) : ValueId{};
  return n.clip(n.x(), lo, hi);
}

Results clip_inputs(OnnxNode& n) { return n.clip(n.x(), n.input(1), n.input(2)); }

Results reciprocal(OnnxNode& n) { return n.reciprocal(n.x()); }

}  // namespace

void add_pointwise_rows(std::vector<OpRow>& rows) {
  for (const Name& name : unary_ops) rows.push_back({name.onnx, 6, newest_opset, 1, 1, unary});
  for (const Name& name : binary_ops) rows.push_back({name.onnx, 6, newest_opset, 2, 2, binary});
  rows.insert(rows.end(), {
                              {"BitShift", 11, newest_opset, 2, 2, bit_shift},
                              {"Cast", 6, newest_opset, 1, 1, cast, NarrowUse::ask},
                              {"CastLike", 15, newest_opset, 2, 2, cast_like, NarrowUse::ask},
                              {"Clip", 6, 10, 1, 1, clip_attributes},
                              {"Clip", 11, newest_opset, 1, 3, clip_inputs},
                              {"IsInf", 10, newest_opset, 1, 1, is_inf},
                              {"Max", 6, newest_opset, 1, -1, variadic_max},
                              {"Mean", 6, newest_opset, 1, -1, variadic_mean},
                              {"Min", 6, newest_opset, 1, -1, variadic_min},
                              {"Mod", 10, newest_opset, 2, 2, mod},
                              {"Not", 1, newest_opset, 1, 1, logical_not},
                              {"Pow", 6, newest_opset, 2, 2, power},
                              {"Reciprocal", 6, newest_opset, 1, 1, reciprocal},
                              {"Sum", 6, newest_opset, 1, -1, variadic_sum},
                              {"Where", 9, newest_opset, 3, 3, where},
                          });
}

}  // namespace ingot::onnx
