// SPDX-License-Identifier: Apache-2.0
#include "passes/simplify_loops.h"

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ops/loop.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;

/// What becomes of each operand and each result.
struct Decisions {
  enum class Operand : std::uint8_t { stays, dropped, enters, same };
  std::vector<Operand> operands;  // enters: a constant of the body; same: was carried unchanged
  std::vector<bool> results;      // which of the body's outputs are left
};

class Loop {
 public:
  Loop(Rebuilder& rebuilder, const Node& node, const std::vector<bool>& is_read)
      : rebuilder_(rebuilder), node_(node), scan_(node), body_(*scan_.body), is_read_(is_read) {}

  Expected<std::vector<ValueId>> run(Report& report) {
    if (!decide() || !report.fire()) return rebuilder_.copy(node_);
    INGOT_ASSIGN(Graph body, make_body());
    Attributes attributes = node_.attributes;
    attributes.set("axes", axes_);
    attributes.set("reversed", reversed_);
    attributes.set("carried", carried_);
    attributes.set("body", Subgraph{std::make_shared<const Graph>(std::move(body))});
    INGOT_ASSIGN(
        const std::vector<ValueId> made,
        rebuilder_.graph().add_node(*node_.op, operands_, std::move(attributes), node_.name));
    std::vector<ValueId> results;
    std::size_t next = 0;
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (decisions_.results[i]) {
        results.push_back(made[next++]);
      } else if (i < scan_.carried) {
        results.push_back(rebuilder_.map(node_.inputs[i]));
      } else {
        results.push_back(made[0]);  // nobody reads it
      }
    }
    return results;
  }

 private:
  using Operand = Decisions::Operand;

  /// Whether anything changes.
  bool decide() {
    const std::vector<std::vector<NodeId>> uses = compute_uses(body_);
    std::vector<bool> used(body_.value_count());
    for (std::size_t v = 0; v < used.size(); ++v) used[v] = !uses[v].empty();
    decisions_.results.assign(node_.outputs.size(), true);
    bool changes = false;
    std::size_t left = node_.outputs.size();
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      const ValueId inside = body_.outputs()[i].value;
      const bool unchanged = i < scan_.carried && inside == scan_.body_input(i);
      const bool stacked = i >= scan_.carried && i < scan_.carried + scan_.stacked;
      const bool unread = stacked && !is_read_[node_.outputs[i].index];
      // A node has at least one result.
      if ((unchanged || unread) && left > 1) {
        decisions_.results[i] = false;
        --left;
        changes = true;
      } else {
        used[inside.index] = true;
      }
    }
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const bool is_carried = i < scan_.carried;
      Operand fate = Operand::stays;
      if (is_condition(i)) {
        // It stays the last one.
      } else if (is_carried) {
        if (!decisions_.results[i]) fate = Operand::same;
      } else if (!used[scan_.body_input(i).index]) {
        fate = Operand::dropped;
      } else if (i >= scan_.carried + scan_.sliced &&
                 rebuilder_.old().is_constant(node_.inputs[i])) {
        fate = Operand::enters;
      }
      changes = changes || fate != Operand::stays;
      decisions_.operands.push_back(fate);
    }
    return changes;
  }

  Expected<Graph> make_body() {
    Graph graph;
    graph.name = body_.name;
    graph.arithmetic = body_.arithmetic;
    for (const Symbol& symbol : body_.symbols()) graph.declare_symbol(symbol);
    for (const Constraint& constraint : body_.constraints()) INGOT_TRY(graph.require(constraint));
    std::vector<ValueId> mapped(body_.value_count());
    auto add_input = [&](ValueId input) {
      mapped[input.index] = graph.add_input(body_.value(input).name, body_.type(input));
    };
    add_input(body_.inputs()[0]);
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (decisions_.operands[i] != Operand::stays || is_condition(i)) continue;
      add_input(scan_.body_input(i));
      operands_.push_back(rebuilder_.map(node_.inputs[i]));
      if (i < scan_.carried) ++carried_;
      if (i < scan_.carried || i >= scan_.carried + scan_.sliced) continue;
      add_along(scan_.of_operand(i - scan_.carried));
    }
    // What was carried comes behind all that is sliced.
    for (std::size_t i = 0; i < scan_.carried; ++i) {
      if (decisions_.operands[i] != Operand::same) continue;
      add_input(scan_.body_input(i));
      operands_.push_back(rebuilder_.map(node_.inputs[i]));
    }
    if (scan_.turns) {
      add_input(scan_.body_input(node_.inputs.size() - 1));
      operands_.push_back(rebuilder_.map(node_.inputs.back()));
    }
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (decisions_.operands[i] != Operand::enters) continue;
      mapped[scan_.body_input(i).index] =
          graph.add_constant(rebuilder_.old().constant(node_.inputs[i]));
    }
    for (std::uint32_t v = 0; v < body_.value_count(); ++v) {
      const ValueId id{v};
      if (body_.is_constant(id)) mapped[v] = graph.add_constant(body_.constant(id));
    }
    for (const Node& node : body_.nodes()) {
      // What reads a dropped input cannot happen; what only led to dropped outputs goes later.
      std::vector<ValueId> inputs;
      for (const ValueId input : node.inputs) inputs.push_back(mapped[input.index]);
      INGOT_ASSIGN(const std::vector<ValueId> outputs,
                   graph.add_node(*node.op, std::move(inputs), node.attributes, node.name));
      for (std::size_t i = 0; i < outputs.size(); ++i) mapped[node.outputs[i].index] = outputs[i];
    }
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (!decisions_.results[i]) continue;
      const Output& output = body_.outputs()[i];
      graph.add_output(output.name, mapped[output.value.index]);
      if (i >= scan_.carried && i < scan_.carried + scan_.stacked)
        add_along(scan_.of_result(i - scan_.carried));
    }
    return rebuild(graph,
                   [](Rebuilder& rebuilder, const Node& node) { return rebuilder.copy(node); });
  }

  bool is_condition(std::size_t operand) const {
    return scan_.turns && operand + 1 == node_.inputs.size();
  }

  void add_along(const ops::Scan::Along& along) {
    axes_.push_back(static_cast<std::int64_t>(along.axis));
    reversed_.push_back(along.reversed ? 1 : 0);
  }

  Rebuilder& rebuilder_;
  const Node& node_;
  const ops::Scan scan_;
  const Graph& body_;
  const std::vector<bool>& is_read_;
  Decisions decisions_;
  std::vector<ValueId> operands_;
  Integers axes_, reversed_;
  std::int64_t carried_ = 0;
};

}  // namespace

Expected<Graph> simplify_loops(const Graph& graph, Report& report) {
  std::vector<bool> is_read(graph.value_count());
  for (const Node& node : graph.nodes()) {
    for (const ValueId input : node.inputs) is_read[input.index] = true;
  }
  for (const Output& output : graph.outputs()) is_read[output.value.index] = true;
  return rebuild(graph, [&](Rebuilder& rebuilder, const Node& node) {
    if (node.op->kind != OpKind::loop) return rebuilder.copy(node);
    return Loop(rebuilder, node, is_read).run(report);
  });
}

}  // namespace ingot::passes
