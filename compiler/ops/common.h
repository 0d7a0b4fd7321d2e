// SPDX-License-Identifier: Apache-2.0
// What several ops share: broadcasting, walking an index space, and the declarations from which the
// table of ops is made.
#pragma once

#include <vector>

#include "ir/op.h"

namespace ingot::ops {

/// The common shape of operands under numpy's rules; a literal 1 stretches, other sizes must agree.
Expected<Shape> broadcast_shapes(const InferContext& context, const Shape& a, const Shape& b);

/// Row-major strides in elements.
std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape);
/// Strides that walk an operand of `shape` along `result`, aligned at the right; 0 where it
/// repeats.
std::vector<std::int64_t> broadcast_strides(const std::vector<std::int64_t>& shape,
                                            const std::vector<std::int64_t>& result);

/// Walks a shape in row-major order and keeps offsets into any number of strided operands.
class Walk {
 public:
  Walk(std::vector<std::int64_t> shape, std::vector<std::vector<std::int64_t>> strides)
      : shape_(std::move(shape)),
        strides_(std::move(strides)),
        index_(shape_.size()),
        offsets_(strides_.size()) {}
  std::int64_t offset(std::size_t operand) const { return offsets_[operand]; }
  const std::vector<std::int64_t>& index() const { return index_; }
  void next();

 private:
  std::vector<std::int64_t> shape_;
  std::vector<std::vector<std::int64_t>> strides_;
  std::vector<std::int64_t> index_;
  std::vector<std::int64_t> offsets_;
};

/// Each family of ops adds its rows to the table; called once (ops/table.cpp).
void add_pointwise_ops(std::vector<OpDef>& table);
void add_cast_op(std::vector<OpDef>& table);
void add_move_ops(std::vector<OpDef>& table);
void add_reduce_ops(std::vector<OpDef>& table);
void add_contract_ops(std::vector<OpDef>& table);
void add_window_ops(std::vector<OpDef>& table);
void add_index_ops(std::vector<OpDef>& table);
void add_loop_ops(std::vector<OpDef>& table);
void add_measure_ops(std::vector<OpDef>& table);
void add_source_ops(std::vector<OpDef>& table);

}  // namespace ingot::ops
