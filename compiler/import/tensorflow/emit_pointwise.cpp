// SPDX-License-Identifier: Apache-2.0
// Arithmetic, comparisons, logic, activations and casts.
#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// The row's core op on all operands as they are.
Values core(NodeContext& n) { return {n.op(n.core(), {n.operands().begin(), n.operands().end()})}; }

/// Some ops pass values on, and do something else only in training or on failure.
Values identity(NodeContext& n) { return {n.operands().begin(), n.operands().end()}; }

Values add_n(NodeContext& n) {
  ValueId sum = n.in(0);
  for (std::size_t i = 1; i < n.count(); ++i) sum = n.add(sum, n.in(i));
  return {sum};
}

/// 0 in the place of a quotient or product whose second operand is 0.
ValueId unless_zero(NodeContext& n, ValueId value) {
  const ValueId zero = n.number(0, n.in(1));
  return n.op("where", {n.op("eq", {n.in(1), zero}), zero, value});
}

Values div_no_nan(NodeContext& n) { return {unless_zero(n, n.div(n.in(0), n.in(1)))}; }
Values mul_no_nan(NodeContext& n) { return {unless_zero(n, n.mul(n.in(0), n.in(1)))}; }

Values floor_div(NodeContext& n) {
  const ValueId a = n.in(0);
  const ValueId b = n.in(1);
  const ValueId quotient = n.div(a, b);
  if (is_float(n.dtype(a))) return {n.op("floor", {quotient})};
  if (!is_signed(n.dtype(a))) return {quotient};
  const ValueId zero = n.number(0, a);
  const ValueId inexact = n.op("ne", {n.op("mod_trunc", {a, b}), zero});
  const ValueId opposite = n.op("ne", {n.op("lt", {a, zero}), n.op("lt", {b, zero})});
  const ValueId below = n.sub(quotient, n.number(1, a));
  return {n.op("where", {n.op("and", {inexact, opposite}), below, quotient})};
}

Values truncate_div(NodeContext& n) {
  const ValueId quotient = n.div(n.in(0), n.in(1));
  return {is_float(n.dtype(quotient)) ? n.op("trunc", {quotient}) : quotient};
}

Values squared_difference(NodeContext& n) { return {n.square(n.sub(n.in(0), n.in(1)))}; }
Values square(NodeContext& n) { return {n.square(n.in(0))}; }
Values erfc(NodeContext& n) { return {n.erfc(n.in(0))}; }
Values rsqrt(NodeContext& n) { return {n.rsqrt(n.in(0))}; }
Values reciprocal(NodeContext& n) { return {n.reciprocal(n.in(0))}; }

Values round(NodeContext& n) {
  return {is_float(n.dtype(n.in(0))) ? n.op("round", {n.in(0)}) : n.in(0)};
}

Values is_finite(NodeContext& n) {
  const ValueId x = n.in(0);
  return {n.op("not", {n.op("or", {n.op("is_nan", {x}), n.op("is_inf", {x})})})};
}

Values relu(NodeContext& n) { return {n.relu(n.in(0))}; }
Values relu6(NodeContext& n) { return {n.clip(n.in(0), 0, 6)}; }
Values leaky_relu(NodeContext& n) {
  constexpr float default_alpha = 0.2F;  // an attribute of type float, rounded as such
  return {n.leaky_relu(n.in(0), n.real("alpha", default_alpha))};
}
Values elu(NodeContext& n) { return {n.elu(n.in(0), 1)}; }
Values selu(NodeContext& n) { return {n.selu(n.in(0))}; }
Values softplus(NodeContext& n) { return {n.softplus(n.in(0))}; }
Values softsign(NodeContext& n) { return {n.softsign(n.in(0))}; }
Values clip(NodeContext& n) { return {n.clip(n.in(0), n.in(1), n.in(2))}; }

/// Version 1: the condition is of the operands' shape, or a scalar, or picks rows.
Values select_rows(NodeContext& n) {
  ValueId condition = n.in(0);
  const std::size_t rank = n.rank(n.in(1));
  if (n.rank(condition) == 1 && rank > 1) condition = n.align(condition, 0, rank);
  return {n.op("where", {condition, n.in(1), n.in(2)})};
}

Values cast(NodeContext& n) { return {n.cast(n.in(0), n.dtype_of("DstT", n.dtype(n.in(0))))}; }

constexpr OpRow rows[] = {
    {"Identity", 1, 1, identity},
    {"IdentityN", 1, -1, identity},
    {"ReadVariableOp", 1, 1, identity},
    {"StopGradient", 1, 1, identity},
    {"PreventGradient", 1, 1, identity},
    {"CheckNumerics", 1, 1, identity},
    {"Snapshot", 1, 1, identity},
    {"PlaceholderWithDefault", 1, 1, identity},

    {"Add", 2, 2, core, "add"},
    {"AddV2", 2, 2, core, "add"},
    {"AddN", 1, -1, add_n},
    {"Sub", 2, 2, core, "sub"},
    {"Mul", 2, 2, core, "mul"},
    {"MulNoNan", 2, 2, mul_no_nan},
    {"Div", 2, 2, core, "div"},
    {"RealDiv", 2, 2, core, "div"},
    {"DivNoNan", 2, 2, div_no_nan},
    {"FloorDiv", 2, 2, floor_div},
    {"TruncateDiv", 2, 2, truncate_div},
    {"FloorMod", 2, 2, core, "mod_floor"},
    {"Mod", 2, 2, core, "mod_trunc"},
    {"TruncateMod", 2, 2, core, "mod_trunc"},
    {"Minimum", 2, 2, core, "min"},
    {"Maximum", 2, 2, core, "max"},
    {"Pow", 2, 2, core, "pow"},
    {"SquaredDifference", 2, 2, squared_difference},
    {"ClipByValue", 3, 3, clip},

    {"Abs", 1, 1, core, "abs"},
    {"Neg", 1, 1, core, "neg"},
    {"Sign", 1, 1, core, "sign"},
    {"Exp", 1, 1, core, "exp"},
    {"Expm1", 1, 1, core, "expm1"},
    {"Log", 1, 1, core, "log"},
    {"Log1p", 1, 1, core, "log1p"},
    {"Sqrt", 1, 1, core, "sqrt"},
    {"Rsqrt", 1, 1, rsqrt},
    {"Square", 1, 1, square},
    {"Reciprocal", 1, 1, reciprocal},
    {"Inv", 1, 1, reciprocal},
    {"Floor", 1, 1, core, "floor"},
    {"Ceil", 1, 1, core, "ceil"},
    {"Round", 1, 1, round},
    {"Rint", 1, 1, core, "round"},
    {"Tanh", 1, 1, core, "tanh"},
    {"Sigmoid", 1, 1, core, "sigmoid"},
    {"Erf", 1, 1, core, "erf"},
    {"Erfc", 1, 1, erfc},
    {"Sin", 1, 1, core, "sin"},
    {"Cos", 1, 1, core, "cos"},
    {"Tan", 1, 1, core, "tan"},
    {"Asin", 1, 1, core, "asin"},
    {"Acos", 1, 1, core, "acos"},
    {"Atan", 1, 1, core, "atan"},
    {"Sinh", 1, 1, core, "sinh"},
    {"Cosh", 1, 1, core, "cosh"},
    {"Asinh", 1, 1, core, "asinh"},
    {"Acosh", 1, 1, core, "acosh"},
    {"Atanh", 1, 1, core, "atanh"},
    {"IsNan", 1, 1, core, "is_nan"},
    {"IsInf", 1, 1, core, "is_inf"},
    {"IsFinite", 1, 1, is_finite},

    {"Relu", 1, 1, relu},
    {"Relu6", 1, 1, relu6},
    {"LeakyRelu", 1, 1, leaky_relu},
    {"Elu", 1, 1, elu},
    {"Selu", 1, 1, selu},
    {"Softplus", 1, 1, softplus},
    {"Softsign", 1, 1, softsign},

    {"Equal", 2, 2, core, "eq"},
    {"NotEqual", 2, 2, core, "ne"},
    {"Less", 2, 2, core, "lt"},
    {"LessEqual", 2, 2, core, "le"},
    {"Greater", 2, 2, core, "gt"},
    {"GreaterEqual", 2, 2, core, "ge"},
    {"LogicalAnd", 2, 2, core, "and"},
    {"LogicalOr", 2, 2, core, "or"},
    {"LogicalNot", 1, 1, core, "not"},
    {"LeftShift", 2, 2, core, "shift_left"},
    {"RightShift", 2, 2, core, "shift_right"},
    {"BitwiseAnd", 2, 2, core, "bit_and"},
    {"BitwiseOr", 2, 2, core, "bit_or"},
    {"BitwiseXor", 2, 2, core, "bit_xor"},
    {"Invert", 1, 1, core, "bit_not"},
    {"Select", 3, 3, select_rows},
    {"SelectV2", 3, 3, core, "where"},
    {"Cast", 1, 1, cast},
};

}  // namespace

std::span<const OpRow> pointwise_rows() { return rows; }

}  // namespace ingot::tensorflow
