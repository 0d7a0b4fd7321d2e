// SPDX-License-Identifier: Apache-2.0
// What an op must say of itself. The table of all ops is in ops/; ir/ only reads it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ingot {

/// How a kernel computes an op; decides what can be fused into what.
enum class OpKind : std::uint8_t {
  pointwise,  // one scalar formula per element, numpy broadcasting between operands
  move,       // elements change place only: reshape, transpose, slice, concat, broadcast
  reduce,     // along axes
  contract,   // products and sums
  window,     // over a window of each axis
  index,      // elements at places that data say
  source,     // no operands: iota, dims
  loop,       // a graph of its own, again and again
};

struct AttributeSpec {
  std::string_view name;
  AttributeType type;
  bool required = true;
};

/// What infer() may ask and must check.
class InferContext {
 public:
  InferContext(Graph& graph, const OpDef& op, const std::vector<ValueId>& inputs,
               const Attributes& attributes, const std::string& node_name)
      : graph_(graph), op_(op), inputs_(inputs), attributes_(attributes), name_(node_name) {}

  std::size_t input_count() const { return inputs_.size(); }
  const TensorType& input(std::size_t i) const { return graph_.type(inputs_[i]); }
  const Attributes& attributes() const { return attributes_; }
  /// Sizes must agree; see Graph::require.
  Expected<void> require_equal(const Dim& a, const Dim& b) const;
  Expected<void> require_at_least(const Dim& a, const Dim& b) const;
  /// What a graph within the node asks for.
  Expected<void> require(Constraint constraint) const {
    return graph_.require(std::move(constraint));
  }
  /// An invalid_model error that names the node and the op.
  Error error(std::string_view what) const;

 private:
  Graph& graph_;
  const OpDef& op_;
  const std::vector<ValueId>& inputs_;
  const Attributes& attributes_;
  const std::string& name_;
};

/// What evaluate() gets: operands with numbers, and output types with the symbols' values put in.
struct EvaluateContext {
  const Node& node;
  std::span<const Tensor* const> inputs;
  std::span<const std::vector<std::int64_t>> output_shapes;
  std::span<const DType> output_dtypes;
  const SymbolValues& symbols;
  Arithmetic arithmetic;

  const Attributes& attributes() const { return node.attributes; }
};

struct OpDef {
  std::string_view name;
  std::string_view summary;
  OpKind kind;
  int min_inputs;
  int max_inputs;  // -1: any number
  std::vector<AttributeSpec> attributes;
  Expected<std::vector<TensorType>> (*infer)(const InferContext&);
  Expected<std::vector<Tensor>> (*evaluate)(const EvaluateContext&);
};

/// Sorted by name.
std::span<const OpDef> all_ops();
/// Null when there is none.
const OpDef* find_op(std::string_view name);
/// An op that must exist.
const OpDef& op(std::string_view name);

}  // namespace ingot
