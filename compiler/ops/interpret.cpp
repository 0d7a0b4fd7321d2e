// SPDX-License-Identifier: Apache-2.0
#include "ops/interpret.h"

#include <algorithm>
#include <set>

#include "ir/op.h"

namespace ingot {

namespace {

/// Whether no symbol is yet to be measured.
bool is_known(const Dim& dim, const SymbolValues& symbols) {
  std::set<std::string> names;
  dim.collect_symbols(names);
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return symbols.count(name) != 0; });
}

}  // namespace

Expected<std::vector<std::int64_t>> evaluate_shape(const Shape& shape,
                                                   const SymbolValues& symbols) {
  std::vector<std::int64_t> sizes;
  for (const Dim& dim : shape) {
    INGOT_ASSIGN(const std::int64_t size, dim.evaluate(symbols));
    if (size < 0) return fail(ErrorCode::limit, "size {} is {}", dim.str(), size);
    sizes.push_back(size);
  }
  return sizes;
}

Expected<void> check_constraints(std::span<const Constraint> constraints,
                                 const SymbolValues& symbols) {
  for (const Constraint& constraint : constraints) {
    if (!is_known(constraint.left, symbols) || !is_known(constraint.right, symbols)) continue;
    INGOT_ASSIGN(const std::int64_t left, constraint.left.evaluate(symbols));
    INGOT_ASSIGN(const std::int64_t right, constraint.right.evaluate(symbols));
    const bool equal = constraint.relation == Constraint::Relation::equal;
    if (equal ? left != right : left < right) {
      return fail(ErrorCode::limit, "{} asks for {} {} {}, but they are {} and {}",
                  constraint.reason, constraint.left.str(),
                  equal ? "==" : ">=", constraint.right.str(), left, right);
    }
  }
  return {};
}

Expected<SymbolValues> bind_symbols(const Graph& graph, std::span<const Tensor> inputs,
                                    SymbolValues given) {
  if (inputs.size() != graph.inputs().size()) {
    return fail(ErrorCode::invalid_argument, "{} inputs given, the model has {}", inputs.size(),
                graph.inputs().size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& input = graph.value(graph.inputs()[i]);
    if (input.type.rank() != inputs[i].rank()) {
      return fail(ErrorCode::invalid_argument, "input '{}' has {} axes, {} wanted: {}", input.name,
                  inputs[i].rank(), input.type.rank(), str(input.type));
    }
    for (std::size_t d = 0; d < inputs[i].rank(); ++d) {
      const std::optional<std::string> symbol = input.type.shape[d].symbol_name();
      const std::int64_t size = inputs[i].shape()[d];
      if (!symbol) continue;
      const auto [known, fresh] = given.emplace(*symbol, size);
      if (!fresh && known->second != size) {
        return fail(ErrorCode::invalid_argument, "input '{}': axis {} ({}) is {}, but {} is {}",
                    input.name, d, *symbol, size, *symbol, known->second);
      }
    }
  }
  for (const Symbol& symbol : graph.symbols()) {
    const auto value = given.find(symbol.name);
    if (value == given.end()) {
      if (symbol.measured()) continue;
      return fail(ErrorCode::invalid_argument,
                  "no value for symbol {}; give one with --size {}=...", symbol.name, symbol.name);
    }
    if (value->second < symbol.range.lo || value->second > symbol.range.hi) {
      return fail(ErrorCode::limit, "{} is {}, outside its range {} to {}", symbol.name,
                  value->second, symbol.range.lo, symbol.range.hi);
    }
  }
  INGOT_TRY(check_constraints(graph.constraints(), given));
  return given;
}

Expected<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node,
                                            std::span<const Tensor* const> inputs,
                                            const SymbolValues& symbols) {
  std::vector<std::vector<std::int64_t>> shapes;
  std::vector<DType> dtypes;
  // What a node measures itself is 0 until it has.
  SymbolValues known = symbols;
  if (const auto measured = measured_by(node)) known.emplace(*measured, 0);
  for (const ValueId output : node.outputs) {
    INGOT_ASSIGN(std::vector<std::int64_t> shape,
                 evaluate_shape(graph.type(output).shape, known));
    INGOT_TRY(element_count(shape));
    shapes.push_back(std::move(shape));
    dtypes.push_back(graph.type(output).dtype);
  }
  return node.op->evaluate({node, inputs, shapes, dtypes, symbols, graph.arithmetic});
}

Expected<void> measure(const Graph& graph, const Node& node, const Tensor& size,
                       SymbolValues& symbols) {
  const std::optional<std::string> name = measured_by(node);
  if (!name) return {};
  const Symbol* symbol = graph.find_symbol(*name);
  INGOT_CHECK(symbol != nullptr && symbol->bound, "'{}' is not to be measured", *name);
  INGOT_ASSIGN(const std::int64_t bound, symbol->bound->evaluate(symbols));
  const std::int64_t value = size.at<std::int64_t>(0);
  const std::int64_t most = std::min(bound, symbol->range.hi);
  if (value < symbol->range.lo || value > most) {
    return fail(ErrorCode::limit, "{} is {}, outside of {} to {}", *name, value, symbol->range.lo,
                most);
  }
  symbols[*name] = value;
  std::vector<Constraint> asked;
  for (const Constraint& constraint : graph.constraints()) {
    if (depends_on_data(constraint.left - constraint.right, {symbol, 1}))
      asked.push_back(constraint);
  }
  return check_constraints(asked, symbols);
}

Expected<std::vector<Tensor>> interpret(const Graph& graph, std::span<const Tensor> inputs,
                                        const SymbolValues& symbols, SymbolValues* known) {
  INGOT_ASSIGN(SymbolValues bound, bind_symbols(graph, inputs, symbols));
  std::vector<const Tensor*> values(graph.value_count());
  std::deque<Tensor> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = graph.inputs()[i];
    const Value& input = graph.value(id);
    INGOT_ASSIGN(const std::vector<std::int64_t> shape, evaluate_shape(input.type.shape, bound));
    if (inputs[i].dtype() != input.type.dtype || inputs[i].shape() != shape) {
      return fail(ErrorCode::invalid_argument, "input '{}' is {}, {} wanted", input.name,
                  str(inputs[i].type()), str(input.type));
    }
    values[id.index] = &inputs[i];
  }
  auto find = [&](ValueId id) {
    return graph.is_constant(id) ? &graph.constant(id) : values[id.index];
  };
  for (const Node& node : graph.nodes()) {
    std::vector<const Tensor*> operands;
    for (const ValueId input : node.inputs) operands.push_back(find(input));
    Expected<std::vector<Tensor>> outputs = evaluate_node(graph, node, operands, bound);
    if (outputs) {
      if (auto measured = measure(graph, node, outputs->back(), bound); !measured)
        outputs = measured.error();
    }
    if (!outputs) {
      return fail(outputs.error().code, "{}: {}", graph.describe(node), outputs.error().message);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      results.push_back(std::move((*outputs)[i]));
      values[node.outputs[i].index] = &results.back();
    }
  }
  std::vector<Tensor> outputs;
  for (const Output& output : graph.outputs()) outputs.push_back(find(output.value)->dense());
  if (known != nullptr) *known = std::move(bound);
  return outputs;
}

}  // namespace ingot
