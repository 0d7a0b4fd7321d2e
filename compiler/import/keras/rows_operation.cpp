// SPDX-License-Identifier: Apache-2.0
// Functions of keras.ops that stand between the layers of a functional model of Keras 3: `x + y`,
// `x[:, 0]`, ops.mean(x, axis=1). Those that are here are read; others can be exported.
#include <algorithm>
#include <limits>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

using Integers = std::vector<std::int64_t>;

struct Named {
  std::string_view name, op;
};
constexpr Named unary_ops[] = {
    {"Abs", "abs"},         {"Absolute", "abs"},   {"Arctan", "atan"},  {"Ceil", "ceil"},
    {"Cos", "cos"},         {"Erf", "erf"},        {"Exp", "exp"},      {"Expm1", "expm1"},
    {"Floor", "floor"},     {"Isinf", "is_inf"},   {"Isnan", "is_nan"}, {"Log", "log"},
    {"Log1p", "log1p"},     {"LogicalNot", "not"}, {"Negative", "neg"}, {"Round", "round"},
    {"Sigmoid", "sigmoid"}, {"Sign", "sign"},      {"Sin", "sin"},      {"Sqrt", "sqrt"},
    {"Tanh", "tanh"},
};
constexpr Named binary_ops[] = {
    {"Add", "add"},         {"Divide", "div"},  {"Equal", "eq"},     {"Greater", "gt"},
    {"GreaterEqual", "ge"}, {"Less", "lt"},     {"LessEqual", "le"}, {"LogicalAnd", "and"},
    {"LogicalOr", "or"},    {"Maximum", "max"}, {"Minimum", "min"},  {"Mod", "mod_floor"},
    {"Multiply", "mul"},    {"NotEqual", "ne"}, {"Power", "pow"},    {"Subtract", "sub"},
    {"TrueDivide", "div"},
};

template <class Table>
std::string_view op_of(const Table& table, std::string_view name) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [&](const Named& one) { return one.name == name; });
  return found == std::end(table) ? std::string_view() : found->op;
}

/// An operand as it is; a number takes its type from the tensors beside it.
ValueId operand(LayerContext& n, std::size_t place, std::string_view name, DType type) {
  const Argument* found = n.argument(name, place);
  if (found != nullptr && !found->flows.empty()) return found->flows[0].value;
  const Json& number = found == nullptr ? n.setting(name) : found->literal;
  if (number.is_number()) return n.scalar(type, number.get<double>());
  if (number.is_boolean()) return n.scalar(type, number.get<bool>() ? 1 : 0);
  return n.unsupported(Refused::attribute, "its operand '{}' is {}", name, number.dump());
}

/// Two operands of one type: floats before integers.
std::pair<ValueId, ValueId> pair(LayerContext& n, std::size_t first, std::string_view a,
                                 std::string_view b) {
  std::optional<DType> type;
  bool fraction = false;
  for (const auto& [name, place] : {std::pair(a, first), std::pair(b, first + 1)}) {
    const Argument* found = n.argument(name, place);
    if (found == nullptr) continue;
    fraction = fraction || found->literal.is_number_float();
    if (found->flows.empty()) continue;
    const DType other = n.dtype(found->flows[0].value);
    const auto rank = [](DType one) { return std::pair(is_float(one), bytes_of(one)); };
    if (!type || rank(*type) < rank(other)) type = other;
  }
  if (fraction && type && !is_float(*type)) type = DType::f32;
  const DType common = type.value_or(DType::f32);
  return {n.cast(operand(n, first, a, common), common),
          n.cast(operand(n, first + 1, b, common), common)};
}

ValueId tensor_at(LayerContext& n, std::size_t place) {
  const Argument* found = n.argument("x", place);
  if (n.failed()) return {};
  if (found == nullptr || found->flows.empty()) return n.invalid("it is called without a tensor");
  return found->flows[0].value;
}

Flows unary(LayerContext& n) {
  ValueId x = tensor_at(n, 0);
  const std::string_view op = op_of(unary_ops, n.layer().class_name);
  const bool whole = op == "abs" || op == "neg" || op == "sign" || op == "not";
  if (!n.failed() && !whole && !is_float(n.dtype(x))) x = n.cast(x, DType::f32);
  return {{n.op(op, {x})}};
}

Flows binary(LayerContext& n) {
  auto [a, b] = pair(n, 0, "x1", "x2");
  const std::string_view op = op_of(binary_ops, n.layer().class_name);
  if (op == "and" || op == "or") {
    a = n.cast(a, DType::boolean), b = n.cast(b, DType::boolean);
  } else if (op == "div" && !n.failed() && !is_float(n.dtype(a))) {
    a = n.cast(a, DType::f32), b = n.cast(b, DType::f32);
  }
  return {{n.op(op, {a, b})}};
}

Flows activation_function(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  const std::string& name = n.layer().class_name;
  if (n.failed()) return {};
  if (name == "LeakyRelu") return {{n.leaky_relu(x, n.real("negative_slope", 0.2))}};
  if (name == "Gelu" && n.flag("approximate", true)) return {{n.gelu_tanh(x)}};
  if (name == "Softmax") return {{n.softmax(x, n.axis(n.integer("axis", -1), n.rank(x)))}};
  if (name == "LogSoftmax") return {{n.log_softmax(x, n.axis(n.integer("axis", -1), n.rank(x)))}};
  if (name == "Elu") return {{n.elu(x, n.real("alpha", 1))}};
  return {{activate(n, snake_case(name), x, false)}};
}

Flows square(LayerContext& n) { return {{n.square(tensor_at(n, 0))}}; }
Flows rsqrt(LayerContext& n) { return {{n.rsqrt(tensor_at(n, 0))}}; }

Flows reduction(LayerContext& n) {
  ValueId x = tensor_at(n, 0);
  if (n.failed()) return {};
  const std::string& name = n.layer().class_name;
  Integers axes = n.list("axis");
  if (!n.has("axis"))
    for (std::size_t d = 0; d < n.rank(x); ++d) axes.push_back(static_cast<std::int64_t>(d));
  axes = n.axes(axes, n.rank(x));
  const bool keep = n.flag("keepdims", false);
  if (name == "Mean") {
    if (!n.failed() && !is_float(n.dtype(x))) x = n.cast(x, DType::f32);
    return {{n.mean(x, axes, keep)}};
  }
  const std::string op = "reduce_" + snake_case(name);
  return {{n.reduce(op, x, axes, keep)}};
}

/// Of truths, which Keras' masks are made of.
Flows any_or_all(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  if (n.failed()) return {};
  Integers axes = n.list("axis");
  if (!n.has("axis"))
    for (std::size_t d = 0; d < n.rank(x); ++d) axes.push_back(static_cast<std::int64_t>(d));
  axes = n.axes(axes, n.rank(x));
  const ValueId bits = n.cast(n.cast(x, DType::boolean), DType::u8);
  const std::string_view op = n.layer().class_name == "Any" ? "reduce_max" : "reduce_min";
  return {{n.cast(n.reduce(op, bits, axes, n.flag("keepdims", false)), DType::boolean)}};
}

Flows filled_like(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  if (n.failed()) return {};
  const Expected<Policy> policy = read_policy(n.setting("dtype"));
  if (!policy) return {{n.fail_with(policy.error())}};
  const DType type = n.has("dtype") ? policy->compute : n.dtype(x);
  const double number = n.layer().class_name == "OnesLike" ? 1 : 0;
  return {{n.broadcast(n.scalar(type, number), n.shape(x))}};
}

Flows reshape_to(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  const Integers target = n.list("newshape");
  if (n.failed()) return {};
  Dim all = 1, known = 1;
  for (const Dim& size : n.shape(x)) all *= size;
  Shape shape;
  std::optional<std::size_t> open;
  for (const std::int64_t size : target) {
    if (size < 0 && open) return {{n.invalid("its new shape leaves two sizes open")}};
    if (size < 0) open = shape.size();
    if (size >= 0) known *= Dim(size);
    shape.emplace_back(size);
  }
  if (open && known.is(0)) return {{n.invalid("its new shape has a size of 0")}};
  if (open) {
    const auto rest = Dim::exact_div(all, known);
    shape[*open] = rest ? *rest : Dim::floor_div(all, known);
  }
  return {{n.reshape(x, shape)}};
}

Flows transposed(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  Integers axes = n.list("axes");
  if (n.failed()) return {};
  if (!n.has("axes"))
    for (std::size_t d = n.rank(x); d-- > 0;) axes.push_back(static_cast<std::int64_t>(d));
  return {{n.transpose(x, axes)}};
}

Flows expand_dims(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  Integers axes = n.list("axis");
  if (n.failed()) return {};
  return {{n.unsqueeze(x, n.axes(axes, n.rank(x) + axes.size()))}};
}

Flows squeeze(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  Integers axes = n.list("axis");
  if (n.failed()) return {};
  if (!n.has("axis"))
    for (std::size_t d = 0; d < n.rank(x); ++d)
      if (n.shape(x)[d].is(1)) axes.push_back(static_cast<std::int64_t>(d));
  return {{n.squeeze(x, n.axes(axes, n.rank(x)))}};
}

Flows joined(LayerContext& n) {
  std::vector<ValueId> parts;
  for (const Flow& flow : n.inputs()) parts.push_back(flow.value);
  if (parts.empty()) return {{n.invalid("it is called without tensors")}};
  const bool stacks = n.layer().class_name == "Stack";
  const std::size_t axis =
      n.axis(n.integer("axis", stacks ? 0 : -1), n.rank(parts[0]) + (stacks ? 1 : 0));
  if (n.failed()) return {};
  if (stacks)
    for (ValueId& part : parts) part = n.unsqueeze(part, {static_cast<std::int64_t>(axis)});
  return {{n.concat(parts, axis)}};
}

Flows split(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  const std::size_t axis = n.failed() ? 0 : n.axis(n.integer("axis", 0), n.rank(x));
  if (n.failed()) return {};
  const Dim size = n.shape(x)[axis];
  std::vector<Dim> ends;
  const Integers given = n.list("indices_or_sections");
  constexpr std::int64_t most = 65536;
  if (n.setting("indices_or_sections").is_array()) {
    for (const std::int64_t end : given) ends.emplace_back(end);
    ends.push_back(size);
  } else {
    const std::int64_t sections = given.empty() ? 0 : given[0];
    const auto each =
        sections > 0 && sections <= most ? Dim::exact_div(size, sections) : std::nullopt;
    if (!each) return {{n.invalid("{} entries in {} sections", size.str(), sections)}};
    for (std::int64_t i = 1; i <= sections; ++i) ends.push_back(*each * Dim(i));
  }
  Flows flows;
  Dim begin = 0;
  for (const Dim& end : ends) {
    flows.push_back({n.strided_slice(x, axis, begin, end, 1)});
    begin = end;
  }
  return flows;
}

Flows cast_to(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  if (!n.has("dtype")) return {{x}};
  const Expected<Policy> policy = read_policy(n.setting("dtype"));
  if (!policy) return {{n.fail_with(policy.error())}};
  return {{n.cast(x, policy->compute)}};
}

Flows where(LayerContext& n) {
  const ValueId condition = operand(n, 0, "condition", DType::boolean);
  const auto [a, b] = pair(n, 1, "x1", "x2");
  return {{n.op("where", {n.cast(condition, DType::boolean), a, b})}};
}

Flows product(LayerContext& n) {
  const auto [a, b] = pair(n, 0, "x1", "x2");
  return {{n.matmul(a, b)}};
}

Flows clip(LayerContext& n) {
  const ValueId x = tensor_at(n, 0);
  if (n.failed()) return {};
  return {{n.clip(x, n.number(n.real("x_min", 0), x), n.number(n.real("x_max", 0), x))}};
}

/// x[:, 0, 1:3, None]: numbers and slices of numbers.
Flows get_item(LayerContext& n) {
  ValueId x = tensor_at(n, 0);
  const Argument* key = n.argument("key", 1);
  if (n.failed()) return {};
  if (key == nullptr || !key->flows.empty())
    return {{n.unsupported(Refused::constant_operand, "its index is a tensor")}};
  const Json all = key->literal.is_array() ? key->literal : Json::array({key->literal});
  std::size_t left = n.rank(x);  // axes that no index has taken
  std::size_t taken = 0;
  for (const Json& one : all)
    if (!one.is_null() && text_of(one, "class_name") != "__ellipsis__") ++taken;
  if (taken > left) return {{n.invalid("{} indices for {} axes", taken, left)}};
  std::size_t axis = 0;
  for (const Json& one : all) {
    if (n.failed()) return {};
    const Json& slice = member(one, "config");
    auto bound = [&](std::string_view name) {
      const Json& value = member(slice, name);
      return value.is_number_integer() ? std::optional(Dim(value.get<std::int64_t>()))
                                       : std::nullopt;
    };
    if (one.is_null()) {
      x = n.unsqueeze(x, {static_cast<std::int64_t>(axis++)});
    } else if (text_of(one, "class_name") == "__ellipsis__") {
      axis += left - taken;
    } else if (one.is_number_integer()) {
      x = n.select(x, axis, one.get<std::int64_t>());
    } else if (text_of(one, "class_name") == "__slice__") {
      const auto step = bound("step");
      const std::int64_t by = step ? step->value().value_or(1) : 1;
      if (by == 0) return {{n.invalid("a step of 0")}};
      x = n.strided_slice(x, axis++, bound("start"), bound("stop"), by);
    } else {
      return {{n.unsupported(Refused::attribute, "its index is {}", one.dump())}};
    }
  }
  return {{x}};
}

std::vector<Row> make_rows() {
  std::vector<Row> rows;
  for (const Named& one : unary_ops) rows.push_back({one.name, unary});
  for (const Named& one : binary_ops) rows.push_back({one.name, binary});
  for (const char* name :
       {"Celu", "Elu", "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu", "LogSigmoid",
        "LogSoftmax", "Relu", "Relu6", "Selu", "Silu", "SoftShrink", "Softmax", "Softplus",
        "Softsign", "Squareplus", "TanhShrink"})
    rows.push_back({name, activation_function});
  for (const char* name : {"Max", "Mean", "Min", "Prod", "Sum"}) rows.push_back({name, reduction});
  const Row others[] = {
      {"All", any_or_all},
      {"Any", any_or_all},
      {"OnesLike", filled_like},
      {"ZerosLike", filled_like},
      {"Cast", cast_to},
      {"ConvertToTensor", cast_to},
      {"Clip", clip},
      {"Concatenate", joined},
      {"ExpandDims", expand_dims},
      {"GetItem", get_item},
      {"Matmul", product},
      {"Reshape", reshape_to},
      {"Rsqrt", rsqrt},
      {"Split", split},
      {"Square", square},
      {"Squeeze", squeeze},
      {"Stack", joined},
      {"Transpose", transposed},
      {"Where", where},
  };
  rows.insert(rows.end(), std::begin(others), std::end(others));
  return rows;
}

}  // namespace

std::span<const Row> operation_rows() {
  static const std::vector<Row> rows = make_rows();
  return rows;
}

}  // namespace ingot::keras
