// SPDX-License-Identifier: Apache-2.0
#include "ops/float64.h"

#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "ops/common.h"
#include "ops/interpret.h"
#include "ops/loop.h"
#include "ops/native_scalars.h"
#include "ops/pointwise.h"

namespace ingot {
namespace {

using Function = double (*)(double);

/// The functions of ops/math.h by the C library, so that an explanation owes nothing to ours.
Function find_function(std::string_view op) {
  static constexpr std::pair<std::string_view, Function> functions[] = {
      {"exp", [](double a) { return std::exp(a); }},
      {"expm1", [](double a) { return std::expm1(a); }},
      {"log", [](double a) { return std::log(a); }},
      {"log1p", [](double a) { return std::log1p(a); }},
      {"tanh", [](double a) { return std::tanh(a); }},
      {"sigmoid", [](double a) { return 1 / (1 + std::exp(-a)); }},
      {"erf", [](double a) { return std::erf(a); }},
      {"sin", [](double a) { return std::sin(a); }},
      {"cos", [](double a) { return std::cos(a); }},
      {"tan", [](double a) { return std::tan(a); }},
      {"asin", [](double a) { return std::asin(a); }},
      {"acos", [](double a) { return std::acos(a); }},
      {"atan", [](double a) { return std::atan(a); }},
      {"sinh", [](double a) { return std::sinh(a); }},
      {"cosh", [](double a) { return std::cosh(a); }},
      {"asinh", [](double a) { return std::asinh(a); }},
      {"acosh", [](double a) { return std::acosh(a); }},
      {"atanh", [](double a) { return std::atanh(a); }},
  };
  const auto* found = std::find_if(std::begin(functions), std::end(functions),
                                   [&](const auto& entry) { return entry.first == op; });
  return found == std::end(functions) ? nullptr : found->second;
}

Tensor apply(Function function, const Tensor& operand) {
  Tensor result(DType::f64, operand.shape());
  for (std::int64_t i = 0; i < result.elements(); ++i)
    result.set<double>(i, function(operand.at<double>(i)));
  return result;
}

Tensor power(const Tensor& a, const Tensor& b, const std::vector<std::int64_t>& shape) {
  const Tensor base = a.dense(), exponent = b.dense();
  Tensor result(DType::f64, shape);
  ops::Walk walk(shape, {ops::broadcast_strides(base.shape(), shape),
                         ops::broadcast_strides(exponent.shape(), shape)});
  for (std::int64_t i = 0; i < result.elements(); ++i, walk.next()) {
    result.set<double>(
        i, std::pow(base.at<double>(walk.offset(0)), exponent.at<double>(walk.offset(1))));
  }
  return result;
}

/// All nodes of a graph of a loop. Its inputs are wide already.
Expected<std::vector<Tensor>> run_in_float64(const Graph& graph, std::span<const Tensor> inputs,
                                             const SymbolValues& symbols) {
  std::vector<Tensor> values(graph.value_count());
  for (std::size_t i = 0; i < inputs.size(); ++i) values[graph.inputs()[i].index] = inputs[i];
  for (std::uint32_t v = 0; v < graph.value_count(); ++v) {
    if (graph.is_constant(ValueId{v})) values[v] = widen(graph.constant(ValueId{v}));
  }
  SymbolValues known = symbols;
  for (const Node& node : graph.nodes()) {
    std::vector<const Tensor*> operands;
    for (const ValueId input : node.inputs) operands.push_back(&values[input.index]);
    INGOT_ASSIGN(std::vector<Tensor> outputs, evaluate_in_float64(graph, node, operands, known));
    INGOT_TRY(measure(graph, node, outputs.back(), known));
    for (std::size_t i = 0; i < outputs.size(); ++i)
      values[node.outputs[i].index] = std::move(outputs[i]);
  }
  std::vector<Tensor> outputs;
  for (const Output& output : graph.outputs()) outputs.push_back(values[output.value.index]);
  return outputs;
}

}  // namespace

Tensor widen(const Tensor& tensor) {
  if (!is_float(tensor.dtype())) return tensor;
  if (tensor.is_splat()) {
    const double value = tensor.as_double(0);
    return Tensor::splat(DType::f64, tensor.shape(), std::as_bytes(std::span(&value, 1)));
  }
  Tensor result(DType::f64, tensor.shape());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) result.set<double>(i, tensor.as_double(i));
  return result;
}

Tensor narrow(const Tensor& tensor, DType to) {
  if (tensor.dtype() == to) return tensor.dense();
  INGOT_CHECK(tensor.dtype() == DType::f64 && is_float(to), "{} cannot be narrowed to {}",
              name(tensor.dtype()), name(to));
  Tensor result(to, tensor.shape());
  ops::visit_dtype(to, [&]<DType dtype>() {
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      const double value = tensor.at<double>(i);
      // Through float32 a 16-bit float would be rounded twice.
      if constexpr (dtype == DType::f16) {
        result.set<std::uint16_t>(i, f64_to_f16(value));
      } else if constexpr (dtype == DType::bf16) {
        result.set<std::uint16_t>(i, f64_to_bf16(value));
      } else if constexpr (dtype == DType::f32) {
        result.set<float>(i, static_cast<float>(value));
      }
    }
  });
  return result;
}

Expected<std::vector<Tensor>> evaluate_in_float64(const Graph& graph, const Node& node,
                                                  std::span<const Tensor* const> inputs,
                                                  const SymbolValues& symbols) {
  std::vector<std::vector<std::int64_t>> shapes;
  std::vector<DType> dtypes;
  SymbolValues known = symbols;
  if (const auto measured = measured_by(node)) known.emplace(*measured, 0);
  for (const ValueId output : node.outputs) {
    INGOT_ASSIGN(std::vector<std::int64_t> shape,
                 evaluate_shape(graph.type(output).shape, known));
    INGOT_TRY(element_count(shape));
    shapes.push_back(std::move(shape));
    const DType dtype = graph.type(output).dtype;
    dtypes.push_back(is_float(dtype) ? DType::f64 : dtype);
  }
  if (!inputs.empty() && inputs[0]->dtype() == DType::f64) {
    if (const Function function = find_function(node.op->name))
      return std::vector{apply(function, *inputs[0])};
    if (node.op->name == "pow") return std::vector{power(*inputs[0], *inputs[1], shapes[0])};
  }
  const EvaluateContext context{node, inputs, shapes, dtypes, symbols, graph.arithmetic};
  if (node.op->kind == OpKind::loop) {
    return ops::run_scan(context, [&](std::span<const Tensor> given) {
      return run_in_float64(*node.attributes.get<Subgraph>("body"), given, symbols);
    });
  }
  return node.op->evaluate(context);
}

}  // namespace ingot
