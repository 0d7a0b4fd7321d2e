// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constants.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ops/interpret.h"
#include "ops/shape_arithmetic.h"

namespace ingot::passes {
namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 24;

/// What fold_sizes makes: dims, a reshape to one number of it, a cast of these.
bool is_plain(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  if (node != nullptr && node->op->name == "cast") node = graph.producer(node->inputs[0]);
  if (node != nullptr && node->op->name == "reshape") node = graph.producer(node->inputs[0]);
  return node != nullptr && node->op->name == "dims";
}

/// A node whose result, though not a constant, is a vector of sizes.
Expected<std::optional<ValueId>> fold_sizes(Rebuilder& rebuilder, ValueId value) {
  const TensorType type = rebuilder.graph().type(value);
  if (type.dtype != DType::i64 && type.dtype != DType::i32) return std::optional<ValueId>();
  const std::optional<std::vector<Dim>> sizes = ops::known_dims(rebuilder.graph(), value, true);
  if (!sizes || type.rank() > 1 || sizes->empty()) return std::optional<ValueId>();
  const bool numbers = std::all_of(sizes->begin(), sizes->end(),
                                   [](const Dim& size) { return size.value().has_value(); });
  Graph& graph = rebuilder.graph();
  if (numbers) {
    std::vector<std::int64_t> shape;
    if (type.rank() == 1) shape.push_back(static_cast<std::int64_t>(sizes->size()));
    Tensor tensor(type.dtype, shape);
    for (std::size_t i = 0; i < sizes->size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      const std::int64_t size = *(*sizes)[i].value();
      if (type.dtype == DType::i64) tensor.set(place, size);
      if (type.dtype == DType::i32) tensor.set(place, static_cast<std::int32_t>(size));
    }
    return std::optional(graph.add_constant(std::move(tensor)));
  }
  if (is_plain(graph, value)) return std::optional<ValueId>();
  INGOT_ASSIGN(ValueId folded, graph.add("dims", {}, {{"values", *sizes}}));
  if (type.rank() == 0) {
    INGOT_ASSIGN(folded, graph.add("reshape", {folded}, {{"shape", Shape{}}}));
  }
  if (type.dtype != DType::i64) {
    INGOT_ASSIGN(folded, graph.add("cast", {folded}, {{"to", type.dtype}}));
  }
  return std::optional(folded);
}

/// The result of a node all of whose operands are one number each: computed once. None where
/// places matter, too.
Expected<std::optional<Tensor>> fold_splat(const Graph& graph, ValueId value) {
  const Node& node = *graph.producer(value);
  const bool once = node.op->kind == OpKind::pointwise ||
                    (node.op->kind == OpKind::move && node.inputs.size() == 1);
  const std::optional<std::vector<std::int64_t>> shape = static_shape(graph.type(value).shape);
  if (!once || !shape) return std::optional<Tensor>();
  std::vector<Tensor> numbers;
  for (const ValueId operand : node.inputs) {
    const Tensor& tensor = graph.constant(operand);
    if (!tensor.is_splat() && tensor.elements() != 1) return std::optional<Tensor>();
    numbers.emplace_back(tensor.dtype(), std::vector<std::int64_t>{},
                         std::vector<std::byte>(tensor.bytes().begin(), tensor.bytes().end()));
  }
  const Expected<std::int64_t> count = element_count(*shape);
  if (!count || *count < 2) return std::optional<Tensor>();
  if (node.op->kind == OpKind::move)
    return std::optional(Tensor::splat(numbers[0].dtype(), *shape, numbers[0].bytes()));
  Graph one;
  one.arithmetic = graph.arithmetic;
  std::vector<ValueId> operands;
  for (const Tensor& number : numbers) operands.push_back(one.add_constant(number));
  INGOT_ASSIGN(const std::vector<ValueId> results,
               one.add_node(*node.op, operands, node.attributes, node.name));
  std::vector<const Tensor*> tensors;
  for (const Tensor& number : numbers) tensors.push_back(&number);
  INGOT_ASSIGN(const std::vector<Tensor> folded,
               evaluate_node(one, *one.producer(results[0]), tensors, {}));
  return std::optional(Tensor::splat(folded[0].dtype(), *shape, folded[0].bytes()));
}

}  // namespace

Expected<Graph> fold_constants(const Graph& graph, Report& report) {
  return rebuild(
      graph, [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
        INGOT_ASSIGN(const std::vector<ValueId> copies, rebuilder.copy(node));
        if (copies.size() != 1) return copies;
        const ValueId value = copies[0];
        Graph& result = rebuilder.graph();
        const std::vector<ValueId>& operands = result.producer(value)->inputs;
        const bool constant = !operands.empty() &&
                              std::all_of(operands.begin(), operands.end(), [&](ValueId operand) {
                                return result.is_constant(operand);
                              });
        const std::optional<std::int64_t> count = result.type(value).elements().value();
        // Weights in another order are no more bytes than before, however many they are.
        const bool moved = constant && count && node.op->kind == OpKind::move &&
                           operands.size() == 1 &&
                           *count <= result.constant(operands[0]).elements();
        const bool small = moved || (count && *count <= most_elements);
        const bool spreads = constant && node.op->name == "broadcast" && count && *count > 1024 &&
                             result.constant(operands[0]).elements() == 1;
        if (constant && !spreads) {
          INGOT_ASSIGN(std::optional<Tensor> splat, fold_splat(result, value));
          if (splat && report.fire()) return std::vector{result.add_constant(std::move(*splat))};
        }
        if (constant && small && !spreads && report.fire()) {
          std::vector<const Tensor*> tensors;
          tensors.reserve(operands.size());
          for (const ValueId operand : operands) tensors.push_back(&result.constant(operand));
          INGOT_ASSIGN(std::vector<Tensor> folded,
                       evaluate_node(result, *result.producer(value), tensors, {}));
          std::vector<ValueId> constants;
          constants.reserve(folded.size());
          for (Tensor& each : folded) constants.push_back(result.add_constant(std::move(each)));
          return constants;
        }
        INGOT_ASSIGN(const std::optional<ValueId> sizes, fold_sizes(rebuilder, value));
        if (!sizes || !report.fire()) return copies;
        return std::vector{*sizes};
      });
}

}  // namespace ingot::passes
