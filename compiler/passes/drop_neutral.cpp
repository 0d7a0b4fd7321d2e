// SPDX-License-Identifier: Apache-2.0
#include "passes/drop_neutral.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"

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
    if (op == "mul" || op == "add") {
      const double neutral = op == "mul" ? 1 : 0;
      if (is_all(1, neutral)) return Result(keeps_type(0));
      if (is_all(0, neutral)) return Result(keeps_type(1));
      return Result();
    }
    if (op == "div") return Result(is_all(1, 1) ? keeps_type(0) : std::nullopt);
    if (op == "sub") return Result(is_all(1, 0) ? keeps_type(0) : std::nullopt);
    if (op == "cast" || op == "broadcast") return Result(keeps_type(0));
    if (op == "concat") return Result(operands_.size() == 1 ? keeps_type(0) : std::nullopt);
    if (op == "slice") return Result(takes_all() ? keeps_type(0) : std::nullopt);
    if (op == "transpose") return transpose();
    if (op == "reshape") return reshape();
    if (op == "matmul" && operands_.size() == 3 && is_all(2, 0)) {
      INGOT_ASSIGN(const ValueId product, graph_.add("matmul", {operands_[0], operands_[1]},
                                                     node_.attributes, node_.name));
      return Result(product);
    }
    return Result();
  }

 private:
  bool is_all(std::size_t operand, double number) const {
    const ValueId value = operands_[operand];
    if (!graph_.is_constant(value)) return false;
    const Tensor& tensor = graph_.constant(value);  // equal elements are a splat
    return (tensor.is_splat() || tensor.elements() == 1) && tensor.as_double(0) == number;
  }

  std::optional<ValueId> keeps_type(std::size_t operand) const {
    if (graph_.type(operands_[operand]) != type_) return std::nullopt;
    return operands_[operand];
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
};

}  // namespace

Expected<Graph> drop_neutral(const Graph& graph, Report& report) {
  return rebuild(
      graph, [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
        INGOT_ASSIGN(const std::optional<ValueId> instead, Dropper(rebuilder, node).run());
        if (!instead) return rebuilder.copy(node);
        ++report.times;
        return std::vector{*instead};
      });
}

}  // namespace ingot::passes
