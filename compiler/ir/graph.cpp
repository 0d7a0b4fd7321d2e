// SPDX-License-Identifier: Apache-2.0
// Building a graph: every node is checked and typed when it is added.
#include "ir/graph.h"

#include <algorithm>
#include <set>

#include "ir/op.h"

namespace ingot {
namespace {

// A node in messages.
std::string called(const OpDef& op, const std::string& node_name) {
  if (node_name.empty()) return fmt::format("unnamed node ({})", op.name);
  return fmt::format("node '{}' ({})", node_name, op.name);
}

Expected<void> check_schema(const OpDef& op, const std::vector<ValueId>& inputs,
                            const Attributes& attributes, const std::string& node_name) {
  const int count = static_cast<int>(inputs.size());
  if (count < op.min_inputs || (op.max_inputs >= 0 && count > op.max_inputs)) {
    const std::string wanted = op.max_inputs < 0 ? fmt::format("{} or more", op.min_inputs)
                               : op.max_inputs == op.min_inputs
                                   ? std::to_string(op.min_inputs)
                                   : fmt::format("{} to {}", op.min_inputs, op.max_inputs);
    return fail(ErrorCode::invalid_model, "{}: {} operand{} given, {} wanted",
                called(op, node_name), count, count == 1 ? "" : "s", wanted);
  }
  for (const auto& [key, value] : attributes.entries()) {
    auto spec = std::find_if(op.attributes.begin(), op.attributes.end(),
                             [&](const AttributeSpec& s) { return s.name == key; });
    if (spec == op.attributes.end()) {
      return fail(ErrorCode::invalid_model, "{}: unknown attribute '{}'", called(op, node_name),
                  key);
    }
    if (value.index() != static_cast<std::size_t>(spec->type)) {
      return fail(ErrorCode::invalid_model, "{}: attribute '{}' is of the wrong type",
                  called(op, node_name), key);
    }
  }
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.required && attributes.find(spec.name) == nullptr) {
      return fail(ErrorCode::invalid_model, "{}: attribute '{}' is missing", called(op, node_name),
                  spec.name);
    }
  }
  return {};
}

/// Sizes that do not fit are easier to understand beside the types.
Error with_operands(const Graph& graph, const std::vector<ValueId>& inputs, Error error) {
  constexpr std::size_t most_shown = 4;
  if (inputs.empty() || inputs.size() > most_shown) return error;
  std::string types;
  for (const ValueId input : inputs)
    types += (types.empty() ? "" : " and ") + str(graph.type(input));
  error.message += fmt::format("; its operand{} {}", inputs.size() == 1 ? " is" : "s are", types);
  return error;
}

}  // namespace

void Graph::declare_symbol(const std::string& symbol, Interval range, std::optional<Dim> bound) {
  for (Symbol& known : symbols_) {
    if (known.name == symbol) {
      known.range = {std::max(known.range.lo, range.lo), std::min(known.range.hi, range.hi)};
      return;
    }
  }
  symbols_.push_back({symbol, range, std::move(bound)});
}

ValueId Graph::new_value(Value value) {
  values_.push_back(std::move(value));
  return ValueId{static_cast<std::uint32_t>(values_.size() - 1)};
}

ValueId Graph::add_input(std::string input_name, TensorType type) {
  const ValueId id = new_value({Value::Kind::input,
                                std::move(type),
                                std::move(input_name),
                                {},
                                static_cast<std::uint32_t>(inputs_.size())});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_constant(Tensor tensor) {
  tensor = std::move(tensor).compact();
  const std::uint64_t hash = tensor.hash();
  const auto [begin, end] = constants_by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (constant(it->second) == tensor) return it->second;
  }
  const ValueId id = new_value({Value::Kind::constant,
                                tensor.type(),
                                {},
                                {},
                                static_cast<std::uint32_t>(constants_.size())});
  constants_.push_back(std::move(tensor));
  constants_by_hash_.emplace(hash, id);
  return id;
}

Expected<std::vector<ValueId>> Graph::add_node(const OpDef& op, std::vector<ValueId> inputs,
                                               Attributes attributes, std::string node_name) {
  INGOT_TRY(check_schema(op, inputs, attributes, node_name));
  Expected<std::vector<TensorType>> inferred =
      op.infer(InferContext(*this, op, inputs, attributes, node_name));
  if (!inferred) return with_operands(*this, inputs, inferred.error());
  std::vector<TensorType> types = *std::move(inferred);
  const NodeId node_id{static_cast<std::uint32_t>(nodes_.size())};
  Node node{&op, std::move(inputs), std::move(attributes), {}, std::move(node_name)};
  for (TensorType& type : types) {
    for (const Dim& dim : type.shape) {
      if (dim.overflowed() || (dim.value() && *dim.value() < 0)) {
        return fail(ErrorCode::limit, "{}: dimension {} of its result {}", called(op, node.name),
                    dim.str(), dim.overflowed() ? "is too large" : "is negative");
      }
    }
    if (const Expected<void> fits = check_extent(type); !fits) {
      return fail(ErrorCode::limit, "{}: its result: {}", called(op, node.name),
                  fits.error().message);
    }
    const auto position = static_cast<std::uint32_t>(node.outputs.size());
    node.outputs.push_back(new_value({Value::Kind::node, std::move(type), {}, node_id, position}));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

Expected<ValueId> Graph::add(std::string_view op_name, std::vector<ValueId> inputs,
                             Attributes attributes, std::string node_name) {
  INGOT_ASSIGN(
      const std::vector<ValueId> outputs,
      add_node(op(op_name), std::move(inputs), std::move(attributes), std::move(node_name)));
  return outputs.front();
}

void Graph::add_output(std::string output_name, ValueId value) {
  outputs_.push_back({std::move(output_name), value});
}

Expected<void> Graph::require(Constraint constraint) {
  if (constraint.left.overflowed() || constraint.right.overflowed()) {
    return fail(ErrorCode::limit, "{}: a size is too large to be represented", constraint.reason);
  }
  const bool equal = constraint.relation == Constraint::Relation::equal;
  const Interval gap = bounds(constraint.left - constraint.right);
  const bool impossible = equal ? gap.lo > 0 || gap.hi < 0 : gap.hi < 0;
  if (impossible && equal && constraint.left.value() && constraint.right.value()) {
    return fail(ErrorCode::invalid_model, "{}: sizes {} and {} must be equal", constraint.reason,
                constraint.left.str(), constraint.right.str());
  }
  if (impossible) {
    return fail(ErrorCode::invalid_model, "{}: {} {} {} does not hold", constraint.reason,
                constraint.left.str(), equal ? "==" : ">=", constraint.right.str());
  }
  const bool certain = equal ? gap.lo == 0 && gap.hi == 0 : gap.lo >= 0;
  if (certain) return {};
  for (const Constraint& known : constraints_) {
    if (known.left == constraint.left && known.right == constraint.right &&
        known.relation == constraint.relation) {
      return {};
    }
  }
  constraints_.push_back(std::move(constraint));
  return {};
}

Expected<void> Graph::substitute(const std::string& symbol, const Dim& by) {
  auto replace = [&](Dim& dim) { dim = dim.substitute(symbol, by); };
  for (Value& value : values_)
    std::for_each(value.type.shape.begin(), value.type.shape.end(), replace);
  std::set<std::string> heirs;
  by.collect_symbols(heirs);
  for (Node& node : nodes_) {
    for (auto& [key, attribute] : node.attributes.entries()) {
      if (auto* dims = std::get_if<std::vector<Dim>>(&attribute)) {
        std::for_each(dims->begin(), dims->end(), replace);
      }
      if (auto* body = std::get_if<Subgraph>(&attribute);
          body != nullptr && (*body)->find_symbol(symbol) != nullptr) {
        Graph changed = **body;
        for (const std::string& heir : heirs) {
          if (const Symbol* known = find_symbol(heir)) changed.declare_symbol(heir, known->range);
        }
        INGOT_TRY(changed.substitute(symbol, by));
        body->graph = std::make_shared<const Graph>(std::move(changed));
      }
    }
  }
  std::optional<Interval> range;
  if (const Symbol* known = find_symbol(symbol)) range = known->range;
  std::erase_if(symbols_, [&](const Symbol& known) { return known.name == symbol; });
  for (Symbol& other : symbols_) {
    if (other.bound) replace(*other.bound);
  }
  std::vector<Constraint> constraints = std::move(constraints_);
  constraints_.clear();
  for (Constraint& constraint : constraints) {
    replace(constraint.left);
    replace(constraint.right);
    INGOT_TRY(require(std::move(constraint)));
  }
  if (!range) return {};
  // The range outlives its symbol.
  const std::string reason = fmt::format("the range of {}", symbol);
  if (const auto heir = by.symbol_name(); heir && find_symbol(*heir) != nullptr) {
    declare_symbol(*heir, *range);
    const Interval common = find_symbol(*heir)->range;
    if (common.lo <= common.hi) return {};
    return fail(ErrorCode::invalid_model, "{} and that of {}, its equal, have nothing in common",
                reason, *heir);
  }
  INGOT_TRY(require({by, Constraint::Relation::greater_equal, range->lo, reason}));
  return require({range->hi, Constraint::Relation::greater_equal, by, reason});
}

const Symbol* Graph::find_symbol(std::string_view symbol) const {
  for (const Symbol& known : symbols_) {
    if (known.name == symbol) return &known;
  }
  return nullptr;
}

SymbolRanges Graph::symbol_ranges() const {
  SymbolRanges ranges;
  for (const Symbol& symbol : symbols_) ranges[symbol.name] = symbol.range;
  return ranges;
}

Interval Graph::bounds(const Dim& dim) const {
  const SymbolRanges ranges = symbol_ranges();
  Interval result = dim.bounds(ranges);
  if (!depends_on_data(dim, symbols_)) return result;
  if (const Dim most = at_most(dim, symbols_); !most.overflowed())
    result.hi = std::min(result.hi, most.bounds(ranges).hi);
  if (const Dim least = at_most(-dim, symbols_); !least.overflowed())
    result.lo = std::max(result.lo, (-least).bounds(ranges).lo);
  return result;
}

const Node* Graph::producer(ValueId id) const {
  const NodeId node = values_[id.index].producer;
  return node.valid() ? &nodes_[node.index] : nullptr;
}

std::string Graph::describe(const Node& node) const {
  if (!node.name.empty()) return node.name;
  const NodeId id = values_[node.outputs.front().index].producer;
  return fmt::format("{}_{}", node.op->name, id.index);
}

bool operator==(const Subgraph& first, const Subgraph& second) {
  const Graph &a = *first, &b = *second;
  if (&a == &b) return true;
  if (a.arithmetic != b.arithmetic || a.symbols() != b.symbols() ||
      a.constraints() != b.constraints() || a.inputs() != b.inputs() ||
      a.constants() != b.constants() || a.value_count() != b.value_count() ||
      a.nodes().size() != b.nodes().size() || a.outputs().size() != b.outputs().size())
    return false;
  for (std::size_t i = 0; i < a.outputs().size(); ++i) {
    if (a.outputs()[i].value != b.outputs()[i].value) return false;
  }
  for (std::uint32_t i = 0; i < a.value_count(); ++i) {
    const Value &left = a.value(ValueId{i}), &right = b.value(ValueId{i});
    if (left.kind != right.kind || left.type != right.type || left.producer != right.producer ||
        left.position != right.position)
      return false;
  }
  return std::equal(a.nodes().begin(), a.nodes().end(), b.nodes().begin(),
                    [](const Node& left, const Node& right) {
                      return left.op == right.op && left.inputs == right.inputs &&
                             left.attributes == right.attributes && left.outputs == right.outputs;
                    });
}

std::vector<std::vector<NodeId>> compute_uses(const Graph& graph) {
  std::vector<std::vector<NodeId>> uses(graph.value_count());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    for (const ValueId input : graph.nodes()[i].inputs) uses[input.index].push_back(NodeId{i});
  }
  return uses;
}

Expected<void> InferContext::require_equal(const Dim& a, const Dim& b) const {
  return graph_.require({a, Constraint::Relation::equal, b, called(op_, name_)});
}

Expected<void> InferContext::require_at_least(const Dim& a, const Dim& b) const {
  return graph_.require({a, Constraint::Relation::greater_equal, b, called(op_, name_)});
}

Error InferContext::error(std::string_view what) const {
  return fail(ErrorCode::invalid_model, "{}: {}", called(op_, name_), what);
}

}  // namespace ingot
