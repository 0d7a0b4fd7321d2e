// SPDX-License-Identifier: Apache-2.0
// Shape inference says which sizes must be equal; where it says what a symbol is, the symbol goes.
#include "import/inputs.h"
#include "ir/op.h"

namespace ingot {
namespace {

struct Replacement {
  std::string symbol;
  Dim by;
};

/// What `left == right` says of one symbol, if it says what that symbol is.
Expected<std::optional<Replacement>> solve(const Graph& graph, const Constraint& constraint) {
  if (constraint.relation != Constraint::Relation::equal) return std::optional<Replacement>{};
  const Dim gap = constraint.left - constraint.right;
  // What data give is equal to something when the call finds it so.
  if (depends_on_data(gap, graph.symbols())) return std::optional<Replacement>{};
  std::vector<std::pair<std::string, std::int64_t>> symbols;
  std::int64_t constant = 0;
  for (const Dim::Term& term : gap.terms()) {
    if (term.factors.empty()) {
      constant = term.coefficient;
    } else if (term.factors.size() == 1 && term.factors[0].kind == Dim::Kind::symbol) {
      symbols.emplace_back(term.factors[0].name, term.coefficient);
    } else {
      return std::optional<Replacement>{};
    }
  }
  if (symbols.size() == 1) {
    const auto& [symbol, factor] = symbols[0];
    const Symbol* known = graph.find_symbol(symbol);
    const std::int64_t number = -(constant / factor);
    if (constant % factor != 0 ||
        (known != nullptr && (number < known->range.lo || number > known->range.hi))) {
      return fail(ErrorCode::invalid_model, "{}: {} == {} holds for no {} in its range",
                  constraint.reason, constraint.left.str(), constraint.right.str(), symbol);
    }
    return std::optional<Replacement>{{symbol, number}};
  }
  if (symbols.size() == 2 && constant == 0 && symbols[0].second == -symbols[1].second) {
    for (const Symbol& known : graph.symbols()) {
      const bool first = known.name == symbols[0].first;
      if (!first && known.name != symbols[1].first) continue;
      const std::string& other = first ? symbols[1].first : symbols[0].first;
      return std::optional<Replacement>{{other, Dim::symbol(known.name)}};
    }
  }
  return std::optional<Replacement>{};
}

Expected<bool> merge_one(Graph& graph) {
  for (const Constraint& constraint : graph.constraints()) {
    INGOT_ASSIGN(const std::optional<Replacement> found, solve(graph, constraint));
    if (!found) continue;
    const Symbol* gone = graph.find_symbol(found->symbol);
    if (const auto kept = found->by.symbol_name(); kept && gone != nullptr) {
      graph.declare_symbol(*kept, gone->range);
      const Interval range = graph.find_symbol(*kept)->range;
      if (range.lo > range.hi) {
        return fail(ErrorCode::invalid_argument,
                    "{}: {} and {} must be equal, but no size is in both ranges", constraint.reason,
                    found->symbol, *kept);
      }
    }
    INGOT_TRY(graph.substitute(found->symbol, found->by));
    return true;
  }
  return false;
}

/// What could be said of free sizes may not hold for the numbers that they have become. Says
/// nothing new to the graph of what does.
Expected<void> infer_again(Graph& graph) {
  for (const Node& node : graph.nodes()) {
    const InferContext context(graph, *node.op, node.inputs, node.attributes, node.name);
    if (const auto types = node.op->infer(context); !types) return types.error();
  }
  return {};
}

}  // namespace

Expected<void> merge_symbols(Graph& graph) {
  bool merged = true;
  while (merged) {
    INGOT_ASSIGN(merged, merge_one(graph));
  }
  return infer_again(graph);
}

}  // namespace ingot
