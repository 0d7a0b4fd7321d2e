// SPDX-License-Identifier: Apache-2.0
// The graph: SSA values of tensor type, computed by nodes that stand in topological order.
// A graph only grows: passes build a new one from an old one (see ir/rebuild.h), and what nobody
// uses is left behind.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/expected.h"
#include "ir/attributes.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace ingot {

struct OpDef;

struct ValueId {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
  friend auto operator<=>(const ValueId&, const ValueId&) = default;
};

struct NodeId {
  std::uint32_t index = UINT32_MAX;
  bool valid() const { return index != UINT32_MAX; }
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

/// A named integer; every size is an expression over symbols. A caller gives it with each call, or
/// it is measured: a node `measure` finds it in data.
struct Symbol {
  std::string name;
  Interval range;
  /// Of a measured one: never more than this, which mentions none that is measured.
  std::optional<Dim> bound = {};
  bool measured() const { return bound.has_value(); }
  friend bool operator==(const Symbol&, const Symbol&) = default;
};

/// What must hold between sizes; checked when a compiled model is entered.
struct Constraint {
  enum class Relation : std::uint8_t { equal, greater_equal };
  Dim left;
  Relation relation = Relation::equal;
  Dim right;
  std::string reason;  // which op asks for it
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

struct Value {
  enum class Kind : std::uint8_t { input, constant, node };
  Kind kind = Kind::node;
  TensorType type;
  std::string name;            // of an input; may be empty otherwise
  NodeId producer;             // of a node's output
  std::uint32_t position = 0;  // among the inputs, the constants or the node's outputs
};

struct Node {
  const OpDef* op = nullptr;
  std::vector<ValueId> inputs;
  Attributes attributes;
  std::vector<ValueId> outputs;
  std::string name;  // as the user's model calls it; may be empty
};

struct Output {
  std::string name;
  ValueId value;
};

/// How float products are summed: `fused` rounds a*b + c once, `strict` twice (for CPUs without
/// FMA). A property of the whole graph, because it changes results.
enum class Arithmetic : std::uint8_t { fused, strict };

class Graph {
 public:
  std::string name;
  Arithmetic arithmetic = Arithmetic::fused;

  // --- building ---
  /// A symbol that already exists is narrowed to the common range.
  void declare_symbol(const std::string& symbol, Interval range, std::optional<Dim> bound = {});
  void declare_symbol(const Symbol& symbol) {
    declare_symbol(symbol.name, symbol.range, symbol.bound);
  }
  ValueId add_input(std::string input_name, TensorType type);
  /// Equal constants are stored once.
  ValueId add_constant(Tensor tensor);
  /// Checks arity and attributes against the op's schema and infers the output types; sizes that
  /// must agree become constraints.
  Expected<std::vector<ValueId>> add_node(const OpDef& op, std::vector<ValueId> inputs,
                                          Attributes attributes, std::string node_name);
  /// The same by name, and the first of its outputs; an unknown name is a bug.
  Expected<ValueId> add(std::string_view op, std::vector<ValueId> inputs,
                        Attributes attributes = {}, std::string node_name = {});
  void add_output(std::string output_name, ValueId value);
  /// Does nothing when the relation holds for all values of the symbols; an error when it can't
  /// hold for any; else remembers it.
  Expected<void> require(Constraint constraint);
  /// Replaces a symbol everywhere by an expression and forgets it: pinning, merging.
  Expected<void> substitute(const std::string& symbol, const Dim& by);

  // --- reading ---
  const std::vector<Symbol>& symbols() const { return symbols_; }
  const Symbol* find_symbol(std::string_view symbol) const;
  SymbolRanges symbol_ranges() const;
  /// Bounds for all calls, knowing what measured symbols cannot exceed.
  Interval bounds(const Dim& dim) const;
  const std::vector<Constraint>& constraints() const { return constraints_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }

  std::size_t value_count() const { return values_.size(); }
  const Value& value(ValueId id) const { return values_[id.index]; }
  const TensorType& type(ValueId id) const { return values_[id.index].type; }
  bool is_constant(ValueId id) const { return values_[id.index].kind == Value::Kind::constant; }
  /// The numbers of a constant.
  const Tensor& constant(ValueId id) const { return constants_[values_[id.index].position]; }
  const std::deque<Tensor>& constants() const { return constants_; }
  /// The node that computes a value, or null.
  const Node* producer(ValueId id) const;

  /// In topological order.
  const std::deque<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[id.index]; }
  /// Name for messages: the user's name of the node, else op and number.
  std::string describe(const Node& node) const;

 private:
  ValueId new_value(Value value);

  std::vector<Symbol> symbols_;
  std::vector<Constraint> constraints_;
  std::vector<Value> values_;
  std::deque<Node> nodes_;
  std::deque<Tensor> constants_;
  std::unordered_multimap<std::uint64_t, ValueId> constants_by_hash_;
  std::vector<ValueId> inputs_;
  std::vector<Output> outputs_;
};

/// An expression that is never less, and mentions no measured symbol; overflowed where none is
/// known.
Dim at_most(const Dim& dim, std::span<const Symbol> symbols);
/// Whether a measured symbol is mentioned.
bool depends_on_data(const Dim& dim, std::span<const Symbol> symbols);
/// The symbol that a node measures: its last result is the value.
std::optional<std::string> measured_by(const Node& node);

/// For each value, the nodes that read it (a node that reads it twice stands twice).
std::vector<std::vector<NodeId>> compute_uses(const Graph& graph);

}  // namespace ingot
