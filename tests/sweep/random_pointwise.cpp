// SPDX-License-Identifier: Apache-2.0
// Steps of a random graph that compute element by element.
#include "random_generator.h"

namespace ingot::sweep {

ValueId Generator::unary(Composer& c) {
  if (smooth_) {
    const ValueId x = any_real();
    switch (below(5)) {
      case 0:
        return c.op("abs", {x});
      case 1:
        return c.op("neg", {x});
      case 2:
        return c.op("sqrt", {c.add(c.op("abs", {x}), c.number(0.5, x))});
      case 3:
        return c.reciprocal(c.add(c.square(x), c.number(1, x)));
      default:
        return c.softsign(x);
    }
  }
  static const std::vector<std::string> names{
      "abs",   "neg",  "sign",  "ceil", "floor",   "trunc", "round", "sqrt", "exp",
      "expm1", "log",  "log1p", "tanh", "sigmoid", "erf",   "sin",   "cos",  "tan",
      "asin",  "acos", "atan",  "sinh", "cosh",    "asinh", "acosh", "atanh"};
  static const std::vector<std::string> everywhere{"abs",   "neg",   "sign",  "ceil",
                                                   "floor", "trunc", "round", "sqrt"};
  const ValueId x = chance(80) ? any_real() : any_float();
  if (!x.valid()) return {};
  return c.op(type(x).dtype == DType::f64 ? one_of(everywhere) : one_of(names), {x});
}

ValueId Generator::activate(Composer& c, ValueId x) {
  if (smooth_) return chance(50) ? c.relu(x) : chance(50) ? c.leaky_relu(x, 0.2) : c.softsign(x);
  switch (below(15)) {
    case 0:
    case 1:
      return c.relu(x);
    case 2:
      return c.leaky_relu(x, 0.1);
    case 3:
      return c.elu(x, 1.5);
    case 4:
      return c.selu(x);
    case 5:
      return c.softplus(x);
    case 6:
      return c.softsign(x);
    case 7:
      return c.hard_sigmoid(x, 0.2, 0.5);
    case 8:
      return c.swish(x);
    case 9:
      return c.gelu(x);
    case 10:
      return c.gelu_tanh(x);
    case 11:
      return c.mish(x);
    case 12:
      return c.clip(x, -1, 6);
    case 13:
      return c.op("tanh", {x});
    default:
      return c.op("sigmoid", {x});
  }
}

ValueId Generator::activation(Composer& c) { return activate(c, any_real()); }

ValueId Generator::arithmetic(Composer& c) {
  const ValueId a = chance(80) ? any_real() : any_float();
  const ValueId b = partner(c, a);
  if (smooth_) {
    switch (below(6)) {
      case 0:
        return tame(c, c.add(a, b));
      case 1:
        return tame(c, c.sub(b, a));
      case 2:
        return tame(c, c.mul(a, b));
      case 3:
        return tame(c, c.div(a, c.add(c.op("abs", {b}), c.number(0.5, b))));
      case 4:
        return c.op("max", {a, b});
      default:
        return c.op("min", {a, b});
    }
  }
  static const std::vector<std::string> names{"add", "add", "sub", "mul",       "mul",      "div",
                                              "max", "min", "pow", "mod_trunc", "mod_floor"};
  std::string op = one_of(names);
  if (type(a).dtype == DType::f64 && op == "pow") op = "add";
  ValueId x = a, y = b;
  if (chance(30)) std::swap(x, y);
  return c.op(op, {x, y});
}

ValueId Generator::convert(Composer& c) {
  if (smooth_) return {};
  const ValueId x = any();
  const DType to = chance(40) ? real_ : one_of(kTypes);
  return type(x).dtype == to ? ValueId{} : c.cast(x, to);
}

ValueId Generator::compare(Composer& c) {
  if (smooth_) return {};
  const ValueId a = any_that([](const TensorType& t) { return t.dtype != DType::boolean; });
  if (is_float(type(a).dtype) && chance(20)) {
    return c.op(chance(50) ? "is_nan" : "is_inf", {a});
  }
  static const std::vector<std::string> names{"eq", "ne", "lt", "le", "gt", "ge"};
  return c.op(one_of(names), {a, partner(c, a)});
}

ValueId Generator::choose(Composer& c) {
  const ValueId condition = any_boolean();
  if (!condition.valid()) return {};
  const ValueId a = any_that([&](const TensorType& t) {
    return provably_broadcast(t.shape, shape(condition)) && t.rank() == rank(condition);
  });
  const ValueId b = partner(c, a);
  return c.op("where", {condition, a, provably_broadcast(shape(b), shape(condition)) ? b : a});
}

ValueId Generator::integers(Composer& c) {
  const ValueId a = any_integer();
  if (!a.valid()) return {};
  static const std::vector<std::string> names{
      "add",         "sub",     "mul",     "div",    "mod_trunc", "mod_floor",
      "max",         "min",     "pow",     "bit_or", "bit_and",   "shift_left",
      "shift_right", "bit_xor", "bit_not", "neg",    "abs",       "sign"};
  const std::string& op = one_of(names);
  if (op == "bit_not" || op == "neg" || op == "abs" || op == "sign") return c.op(op, {a});
  return c.op(op, {a, partner(c, a)});
}

ValueId Generator::booleans(Composer& c) {
  const ValueId a = any_boolean();
  if (!a.valid()) return {};
  static const std::vector<std::string> names{"and", "or", "xor", "eq", "ne", "not"};
  const std::string& op = one_of(names);
  if (op == "not") return c.op(op, {a});
  return c.op(op, {a, partner(c, a)});
}
}  // namespace ingot::sweep
