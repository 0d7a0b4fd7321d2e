// SPDX-License-Identifier: Apache-2.0
// TensorFlow op -> core ops. A row per op, in tables by family; this is all that has to be extended
// when an op is added, and what `check` reads.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "import/compose.h"

namespace ingot::tensorflow {

class AttrValue;
class NodeDef;

/// One node while it is translated: a Composer that knows the node's operands and attributes.
/// Missing attributes are TensorFlow's defaults, which exporters strip.
class NodeContext : public Composer {
 public:
  NodeContext(Graph& graph, const NodeDef& def, std::string_view core,
              std::span<const ValueId> operands);

  /// The core op of the row, for rows of which it is the whole meaning.
  std::string_view core() const { return core_; }
  std::size_t count() const { return operands_.size(); }
  std::span<const ValueId> operands() const { return operands_; }
  ValueId in(std::size_t i) const { return operands_[i]; }

  bool flag(std::string_view attribute, bool otherwise = false) const;
  std::int64_t integer(std::string_view attribute, std::int64_t otherwise = 0) const;
  double real(std::string_view attribute, double otherwise) const;
  std::string_view text(std::string_view attribute, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view attribute) const;
  std::vector<float> reals(std::string_view attribute) const;
  /// -1 for an unknown dimension; none where not even the rank is known.
  std::optional<std::vector<std::int64_t>> shape_of(std::string_view attribute) const;
  /// Fails, and gives f32, for an element type that is not ours.
  DType dtype_of(std::string_view attribute, DType otherwise);
  using Composer::dtype;

  /// What an operand that steers the op contains, as far as sizes and constants tell; fails, with
  /// `what` in the message, where it depends on data.
  Shape known(std::size_t operand, std::string_view what);
  std::vector<std::int64_t> known_integers(std::size_t operand, std::string_view what);
  std::int64_t known_integer(std::size_t operand, std::string_view what);
  /// An operand that gives one axis of a value of `rank`.
  std::size_t known_axis(std::size_t operand, std::size_t rank);
  /// The axis of channels by `data_format`; fails for layouts that are not TensorFlow's two.
  std::size_t channel_axis(std::size_t rank);

 private:
  const AttrValue* find(std::string_view attribute) const;

  const NodeDef& def_;
  std::string_view core_;
  std::span<const ValueId> operands_;
};

/// The node's outputs; a failure stays in the context.
using Emit = std::vector<ValueId> (*)(NodeContext&);

struct OpRow {
  std::string_view name;
  int min_inputs;
  int max_inputs;  // -1: any number
  Emit emit;
  std::string_view core = {};
};

std::span<const OpRow> pointwise_rows();
std::span<const OpRow> shape_rows();
std::span<const OpRow> slice_rows();
std::span<const OpRow> dense_rows();
std::span<const OpRow> window_rows();
std::span<const OpRow> space_rows();
std::span<const OpRow> quantize_rows();
std::span<const OpRow> index_rows();
std::span<const OpRow> count_rows();
/// All of them.
std::vector<std::span<const OpRow>> row_families();

/// Null when there is no rule for it.
const OpRow* find_row(std::string_view op);
/// Why there is none, and what to do.
RefusedOp refused_op(std::string_view op);
/// A row, or an op that is no computation: constants, placeholders, and branches on constants.
bool is_known(std::string_view op);

}  // namespace ingot::tensorflow
