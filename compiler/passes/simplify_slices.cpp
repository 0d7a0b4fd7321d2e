// SPDX-License-Identifier: Apache-2.0
#include "passes/simplify_slices.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "passes/match.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;

struct Range {
  Shape start, size;
  Integers step;
};

Range range_of(const Node& slice) {
  return {slice.attributes.get<Shape>("start"), slice.attributes.get<Shape>("size"),
          slice.attributes.get<Integers>("step")};
}

Expected<ValueId> add_slice(Graph& graph, ValueId x, const Range& range, const std::string& name) {
  const bool whole =
      graph.type(x).shape == range.size && std::all_of(range.step.begin(), range.step.end(),
                                                       [](std::int64_t step) { return step == 1; });
  if (whole) return x;
  return graph.add("slice", {x},
                   {{"start", range.start}, {"size", range.size}, {"step", range.step}}, name);
}

/// A slice of one operand of a concatenation.
struct Part {
  std::size_t operand;
  Range range;
};

std::optional<Part> within_one_part(const Graph& graph, const Node& concat, Range range) {
  const auto axis = static_cast<std::size_t>(concat.attributes.get<std::int64_t>("axis"));
  const auto first = range.start[axis].value(), count = range.size[axis].value();
  if (!first || !count || *count == 0) return std::nullopt;
  const std::int64_t last = *first + (*count - 1) * range.step[axis];
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < concat.inputs.size(); ++i) {
    const auto size = graph.type(concat.inputs[i]).shape[axis].value();
    if (!size) return std::nullopt;
    if (std::min(*first, last) >= begin && std::max(*first, last) < begin + *size) {
      range.start[axis] = *first - begin;
      return Part{i, std::move(range)};
    }
    begin += *size;
  }
  return std::nullopt;
}

class Slices {
 public:
  explicit Slices(const Graph& graph)
      : graph_(graph), uses_(compute_uses(graph)), is_output_(graph.value_count()) {
    for (const Output& output : graph.outputs()) is_output_[output.value.index] = true;
  }

  /// What a node becomes; none if it stays.
  Expected<std::optional<ValueId>> simplify(Rebuilder& rebuilder, const Node& node) const {
    if (node.op->name == "concat") return join(rebuilder, node);
    if (node.op->name != "slice") return std::optional<ValueId>();
    const Node* inner = graph_.producer(node.inputs[0]);
    if (inner == nullptr) return std::optional<ValueId>();
    Range range = range_of(node);
    std::optional<ValueId> result;
    if (inner->op->name == "concat" && is_taken_apart(*inner)) {
      const Part part = *within_one_part(graph_, *inner, std::move(range));
      INGOT_ASSIGN(result, add_slice(rebuilder.graph(), rebuilder.map(inner->inputs[part.operand]),
                                     part.range, node.name));
    } else if (inner->op->kind == OpKind::pointwise && comes_from_memory(inner->outputs[0]) &&
               is_cut_up(*inner)) {
      INGOT_ASSIGN(result, slice_operands(rebuilder, *inner, range));
    }
    return result;
  }

 private:
  template <class Test>
  bool only_slices_read(const Node& node, const Test& test) const {
    const ValueId value = node.outputs[0];
    if (is_output_[value.index]) return false;
    return std::all_of(uses_[value.index].begin(), uses_[value.index].end(), [&](NodeId user) {
      return graph_.node(user).op->name == "slice" && test(graph_.node(user));
    });
  }

  bool is_taken_apart(const Node& concat) const {
    return only_slices_read(concat, [&](const Node& slice) {
      return within_one_part(graph_, concat, range_of(slice)).has_value();
    });
  }

  /// No element of a pointwise op would be computed twice, and each slice can be computed where it
  /// is wanted.
  bool is_cut_up(const Node& node) const {
    double read = 0;
    const bool cut = only_slices_read(node, [&](const Node& slice) {
      const ValueId result = slice.outputs[0];
      read += weigh(graph_, graph_.type(result).shape);
      return !is_output_[result.index] &&
             std::all_of(uses_[result.index].begin(), uses_[result.index].end(), [&](NodeId user) {
               const Node& reader = graph_.node(user);
               return reader.op->kind == OpKind::pointwise || reader.op->name == "concat";
             });
    });
    return cut && read <= weigh(graph_, graph_.type(node.outputs[0]).shape);
  }

  /// It is computed from what stands in memory, in a kernel with nothing before it.
  bool comes_from_memory(ValueId value) const {
    const Node* node = graph_.producer(value);
    if (node == nullptr || node->op->kind == OpKind::move) return true;
    if (node->op->kind != OpKind::pointwise) return false;
    return std::all_of(node->inputs.begin(), node->inputs.end(), [&](ValueId operand) {
      const Node* inner = graph_.producer(operand);
      const bool computed = inner != nullptr && inner->op->kind == OpKind::pointwise;
      return comes_from_memory(operand) && (!computed || uses_[operand.index].size() == 1);
    });
  }

  Expected<ValueId> slice_operands(Rebuilder& rebuilder, const Node& node,
                                   const Range& range) const {
    std::vector<ValueId> operands;
    for (const ValueId operand : node.inputs) {
      const Shape& shape = graph_.type(operand).shape;
      const std::size_t skip = range.step.size() - shape.size();
      Range own{Shape(shape.size(), 0), shape, Integers(shape.size(), 1)};
      for (std::size_t d = 0; d < shape.size(); ++d) {
        if (shape[d].is(1)) continue;
        own.start[d] = range.start[d + skip];
        own.size[d] = range.size[d + skip];
        own.step[d] = range.step[d + skip];
      }
      INGOT_ASSIGN(const ValueId part,
                   add_slice(rebuilder.graph(), rebuilder.map(operand), own, node.name));
      operands.push_back(part);
    }
    INGOT_ASSIGN(
        const std::vector<ValueId> results,
        rebuilder.graph().add_node(*node.op, std::move(operands), node.attributes, node.name));
    return results[0];
  }

  /// Slices that go on where the one before them ends become one.
  Expected<std::optional<ValueId>> join(Rebuilder& rebuilder, const Node& concat) const {
    const auto axis = static_cast<std::size_t>(concat.attributes.get<std::int64_t>("axis"));
    struct Piece {
      ValueId value;  // of the old graph: what is sliced, or the operand itself
      std::optional<Range> range;
    };
    std::vector<Piece> pieces;
    for (const ValueId operand : concat.inputs) {
      const Node* slice = made_by(graph_, operand, "slice");
      if (slice == nullptr) {
        pieces.push_back({operand, std::nullopt});
        continue;
      }
      Range range = range_of(*slice);
      if (!pieces.empty() && pieces.back().range && pieces.back().value == slice->inputs[0]) {
        Range& last = *pieces.back().range;
        Range next = last;
        next.start[axis] = last.start[axis] + last.size[axis];
        next.size[axis] = range.size[axis];
        if (last.step[axis] == 1 && range.step == next.step && range.start == next.start &&
            range.size == next.size) {
          last.size[axis] += range.size[axis];
          continue;
        }
      }
      pieces.push_back({slice->inputs[0], std::move(range)});
    }
    if (pieces.size() == concat.inputs.size()) return std::optional<ValueId>();
    std::vector<ValueId> operands;
    for (const Piece& piece : pieces) {
      ValueId value = rebuilder.map(piece.value);
      if (piece.range) {
        INGOT_ASSIGN(value, add_slice(rebuilder.graph(), value, *piece.range, concat.name));
      }
      operands.push_back(value);
    }
    if (operands.size() == 1) return std::optional(operands[0]);
    INGOT_ASSIGN(const ValueId joined, rebuilder.graph().add("concat", std::move(operands),
                                                             concat.attributes, concat.name));
    return std::optional(joined);
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> uses_;
  std::vector<bool> is_output_;
};

}  // namespace

Expected<Graph> simplify_slices(const Graph& graph, Report& report) {
  const Slices slices(graph);
  return rebuild(
      graph, [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
        INGOT_ASSIGN(const std::optional<ValueId> simple, slices.simplify(rebuilder, node));
        if (!simple || !report.fire()) return rebuilder.copy(node);
        return std::vector{*simple};
      });
}

}  // namespace ingot::passes
