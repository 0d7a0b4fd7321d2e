// SPDX-License-Identifier: Apache-2.0
// Shape inference says which sizes must be equal; where it says what a symbol is, the symbol goes.
#include <algorithm>
#include <set>

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

/// The symbols of `a + b + c`; none of another sum, or of a single symbol.
std::set<std::string> symbols_of_sum(const Dim& dim) {
  std::set<std::string> names;
  for (const Dim::Term& term : dim.terms()) {
    const bool lone = term.coefficient == 1 && term.factors.size() == 1 &&
                      term.factors[0].kind == Dim::Kind::symbol;
    if (!lone) return {};
    names.insert(term.factors[0].name);
  }
  return names.size() < 2 ? std::set<std::string>{} : names;
}

/// The order in which a concat puts parts of these sizes one behind the other.
std::vector<std::string> order_of_parts(const Graph& graph, const std::set<std::string>& symbols) {
  for (const Node& node : graph.nodes()) {
    if (node.op->name != "concat" || node.inputs.size() != symbols.size()) continue;
    const Shape& whole = graph.type(node.outputs[0]).shape;
    for (std::size_t axis = 0; axis < whole.size(); ++axis) {
      if (symbols_of_sum(whole[axis]) != symbols) continue;
      std::vector<std::string> order;
      for (const ValueId part : node.inputs) {
        const auto name = graph.type(part).shape[axis].symbol_name();
        if (name && symbols.contains(*name)) order.push_back(*name);
      }
      if (order.size() == symbols.size()) return order;
    }
  }
  return {};
}

/// What `a + b + c == d + e + f` says where both are the sizes of concatenated parts: that the
/// first parts meet, and the second, and so on (docs/decisions/0018).
std::optional<Replacement> pair_parts(const Graph& graph, const Constraint& constraint) {
  if (constraint.relation != Constraint::Relation::equal) return std::nullopt;
  if (depends_on_data(constraint.left - constraint.right, graph.symbols())) return std::nullopt;
  const std::set<std::string> left = symbols_of_sum(constraint.left);
  const std::set<std::string> right = symbols_of_sum(constraint.right);
  if (left.size() != right.size()) return std::nullopt;
  const std::vector<std::string> first = order_of_parts(graph, left);
  const std::vector<std::string> second = order_of_parts(graph, right);
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    if (first[i] == second[i]) continue;
    for (const Symbol& known : graph.symbols()) {
      if (known.name == first[i]) return Replacement{second[i], Dim::symbol(first[i])};
      if (known.name == second[i]) return Replacement{first[i], Dim::symbol(second[i])};
    }
  }
  return std::nullopt;
}

Expected<bool> merge_one(Graph& graph) {
  for (const Constraint& constraint : graph.constraints()) {
    INGOT_ASSIGN(std::optional<Replacement> found, solve(graph, constraint));
    if (!found) found = pair_parts(graph, constraint);
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
