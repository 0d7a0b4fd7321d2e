// SPDX-License-Identifier: Apache-2.0
#include "passes/drop_neutral.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "passes/match.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;

class Dropper {
 public:
  Dropper(Rebuilder& rebuilder, const Node& node)
      : graph_(rebuilder.graph()),
        node_(node),
        operands_(rebuilder.map_all(node.inputs)),
        type_(rebuilder.old().type(node.outputs[0])) {}

  /// The value that the node can be replaced by.
  Expected<std::optional<ValueId>> run() {
    using Result = std::optional<ValueId>;
    const std::string_view op = node_.op->name;
    if (node_.op->kind == OpKind::pointwise) {
      INGOT_ASSIGN(const Result plain, without_broadcasts());
      if (plain) return plain;
    }
    if (op == "mul" || op == "add") {
      const double neutral = op == "mul" ? 1 : 0;
      if (is_all(1, neutral)) return Result(without(1));
      if (is_all(0, neutral)) return Result(without(0));
      return Result();
    }
    if (op == "div") return Result(is_all(1, 1) ? without(1) : std::nullopt);
    if (op == "sub") return Result(is_all(1, 0) ? without(1) : std::nullopt);
    if (op == "cast" || op == "broadcast") return Result(keeps_type(0));
    if (op == "concat") return Result(operands_.size() == 1 ? keeps_type(0) : std::nullopt);
    if (op == "slice") return slice();
    if (op == "transpose") return transpose();
    if (op == "reshape") return reshape();
    if (node_.op->kind == OpKind::contract && operands_.size() == 3 && is_all(2, 0)) {
      dropped_ = bytes(2);
      INGOT_ASSIGN(const ValueId product,
                   graph_.add(op, {operands_[0], operands_[1]}, node_.attributes, node_.name));
      return Result(product);
    }
    return Result();
  }

  /// Of the parameter that went.
  std::int64_t dropped_bytes() const { return dropped_; }

 private:
  bool is_all(std::size_t operand, double number) const {
    return passes::is_all(graph_, operands_[operand], number);
  }

  /// As the model's file has them: splats are written out there.
  std::int64_t bytes(std::size_t operand) const {
    const Tensor& tensor = graph_.constant(operands_[operand]);
    return tensor.elements() * static_cast<std::int64_t>(bytes_of(tensor.dtype()));
  }

  /// The other of two operands, if a parameter that changes no number changes no shape either.
  std::optional<ValueId> without(std::size_t parameter) {
    const std::optional<ValueId> other = keeps_type(1 - parameter);
    if (other) dropped_ = bytes(parameter);
    return other;
  }

  std::optional<ValueId> keeps_type(std::size_t operand) const {
    if (graph_.type(operands_[operand]) != type_) return std::nullopt;
    return operands_[operand];
  }

  /// Pointwise ops broadcast by themselves. Constants are worth a broadcast of the result: they
  /// fold.
  Expected<std::optional<ValueId>> without_broadcasts() {
    std::vector<ValueId> operands = operands_;
    bool any = false;
    for (ValueId& operand : operands) {
      const Node* inner = made_by(graph_, operand, "broadcast");
      if (inner == nullptr) continue;
      operand = inner->inputs[0];
      any = true;
    }
    if (!any) return std::optional<ValueId>();
    const bool constant = std::all_of(operands.begin(), operands.end(),
                                      [&](ValueId operand) { return graph_.is_constant(operand); });
    INGOT_ASSIGN(const std::vector<ValueId> results,
                 graph_.add_node(*node_.op, std::move(operands), node_.attributes, node_.name));
    if (graph_.type(results[0]) == type_) return std::optional(results[0]);
    if (!constant) return std::optional<ValueId>();
    INGOT_ASSIGN(const ValueId wide,
                 graph_.add("broadcast", results, {{"shape", type_.shape}}, node_.name));
    return std::optional(wide);
  }

  bool takes_all() const {
    const Integers& step = node_.attributes.get<Integers>("step");
    return std::all_of(step.begin(), step.end(), [](std::int64_t s) { return s == 1; });
  }

  const Node* operand_node(std::string_view op) const {
    const Node* producer = graph_.producer(operands_[0]);
    return producer != nullptr && producer->op->name == op ? producer : nullptr;
  }

  Expected<std::optional<ValueId>> transpose() {
    Integers perm = node_.attributes.get<Integers>("perm");
    ValueId from = operands_[0];
    const Node* inner = operand_node("transpose");
    if (inner != nullptr) {
      const Integers& first = inner->attributes.get<Integers>("perm");
      for (std::int64_t& axis : perm) axis = first[static_cast<std::size_t>(axis)];
      from = inner->inputs[0];
    }
    if (std::is_sorted(perm.begin(), perm.end())) return std::optional(from);
    // Only axes of size 1 change their place: that is a reshape, which moves nothing.
    Integers wide;
    for (const std::int64_t axis : perm) {
      if (!graph_.type(from).shape[static_cast<std::size_t>(axis)].is(1)) wide.push_back(axis);
    }
    if (std::is_sorted(wide.begin(), wide.end())) {
      INGOT_ASSIGN(from, graph_.add("reshape", {from}, {{"shape", type_.shape}}, node_.name));
      return std::optional(from);
    }
    if (inner == nullptr) return std::optional<ValueId>();
    INGOT_ASSIGN(from, graph_.add("transpose", {from}, {{"perm", perm}}, node_.name));
    return std::optional(from);
  }

  Expected<std::optional<ValueId>> slice() {
    if (takes_all() && keeps_type(0)) return keeps_type(0);
    const Node* inner = operand_node("slice");
    if (inner == nullptr) return std::optional<ValueId>();
    const Shape& first = inner->attributes.get<Shape>("start");
    const Integers& first_step = inner->attributes.get<Integers>("step");
    Shape start = node_.attributes.get<Shape>("start");
    Integers step = node_.attributes.get<Integers>("step");
    for (std::size_t d = 0; d < step.size(); ++d) {
      constexpr std::int64_t most = std::int64_t{1} << 31;  // products of these are no problem
      if (std::abs(step[d]) > most || std::abs(first_step[d]) > most)
        return std::optional<ValueId>();
      start[d] = first[d] + start[d] * Dim(first_step[d]);
      step[d] *= first_step[d];
    }
    INGOT_ASSIGN(const ValueId joined,
                 graph_.add("slice", {inner->inputs[0]},
                            {{"start", start}, {"size", type_.shape}, {"step", step}}, node_.name));
    return std::optional(joined);
  }

  Expected<std::optional<ValueId>> reshape() {
    const Node* inner = operand_node("reshape");
    ValueId from = inner != nullptr ? inner->inputs[0] : operands_[0];
    if (graph_.type(from) == type_) return std::optional(from);
    if (inner == nullptr) return std::optional<ValueId>();
    INGOT_ASSIGN(from, graph_.add("reshape", {from}, node_.attributes, node_.name));
    return std::optional(from);
  }

  Graph& graph_;
  const Node& node_;
  std::vector<ValueId> operands_;
  const TensorType& type_;
  std::int64_t dropped_ = 0;
};

}  // namespace

Expected<Graph> drop_neutral(const Graph& graph, Report& report) {
  return rebuild(graph,
                 [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
                   Dropper dropper(rebuilder, node);
                   INGOT_ASSIGN(const std::optional<ValueId> instead, dropper.run());
                   if (!instead || !report.fire()) return rebuilder.copy(node);
                   report.dropped_bytes += dropper.dropped_bytes();
                   return std::vector{*instead};
                 });
}

}  // namespace ingot::passes
