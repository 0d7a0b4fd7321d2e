// SPDX-License-Identifier: Apache-2.0
// Products, biases, normalisation, softmax and reductions.
#include "import/tensorflow/emit.h"
#include "ir/op.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// Where `a` is a flattened tensor [m0 * m1, k] whose last axis was k before, the product is taken
/// along the last axis and flattened afterwards: rows that are positions are then seen to be such.
Values matmul(NodeContext& n) {
  ValueId a = n.in(0);
  ValueId b = n.in(1);
  if (n.rank(a) != 2 || n.rank(b) != 2) return {n.invalid("its operands are not matrices")};
  if (n.flag("transpose_b")) b = n.transpose_matrix(b);
  if (n.flag("transpose_a")) return {n.matmul(n.transpose_matrix(a), b)};
  const Node* flatten = n.graph().producer(a);
  if (flatten != nullptr && flatten->op->name == "reshape") {
    const ValueId full = flatten->inputs[0];
    const Shape shape = n.shape(full);
    if (shape.size() > 2 && shape.back() == n.shape(a)[1] &&
        product(Shape(shape.begin(), shape.end() - 1)) == n.shape(a)[0]) {
      const Shape flat{n.shape(a)[0], n.shape(b)[1]};
      return {n.reshape(n.matmul(full, b), flat)};
    }
  }
  return {n.matmul(a, b)};
}

Values batch_matmul(NodeContext& n) {
  ValueId a = n.in(0);
  ValueId b = n.in(1);
  if (n.rank(a) < 2 || n.rank(b) < 2) return {n.invalid("its operands are not matrices")};
  if (n.flag("adj_x")) a = n.transpose_matrix(a);
  if (n.flag("adj_y")) b = n.transpose_matrix(b);
  return {n.matmul(a, b)};
}

Values einsum(NodeContext& n) {
  return {n.einsum(n.text("equation", ""), {n.operands().begin(), n.operands().end()})};
}

/// Of matrices, the entries from `num_lower` diagonals below the main one to `num_upper` above it;
/// negative: all on that side. The others become 0.
Values matrix_band_part(NodeContext& n) {
  const ValueId x = n.in(0);
  const std::int64_t lower = n.known_integer(1, "num_lower");
  const std::int64_t upper = n.known_integer(2, "num_upper");
  if (n.failed()) return {};
  const std::size_t rank = n.rank(x);
  if (rank < 2) return {n.invalid("its operand is not a matrix")};
  auto places = [&](const Shape& shape, std::int64_t axis) {
    return n.op("iota", {}, {{"shape", shape}, {"axis", axis}, {"dtype", DType::i64}});
  };
  const ValueId row = places({n.shape(x)[rank - 2], 1}, 0);
  const ValueId column = places({n.shape(x)[rank - 1]}, 0);
  const ValueId zero = n.number(0, x);
  ValueId y = x;
  auto keep = [&](ValueId above, ValueId below, std::int64_t count) {
    if (count < 0) return;
    const ValueId within =
        n.op("le", {n.sub(above, below), n.constant(Tensor::scalar(DType::i64, count))});
    y = n.op("where", {within, y, zero});
  };
  keep(row, column, lower);
  keep(column, row, upper);
  return {y};
}

/// Of matrices, the main diagonal.
Values matrix_diagonal(NodeContext& n) {
  if (n.count() > 1 && n.known_integers(1, "k") != std::vector<std::int64_t>{0}) {
    return {n.unsupported(Refused::attribute, "diagonals besides the main one")};
  }
  const std::size_t rank = n.rank(n.in(0));
  if (rank < 2) return {n.invalid("its operand is not a matrix")};
  const Dim rows = n.shape(n.in(0))[rank - 2], columns = n.shape(n.in(0))[rank - 1];
  const Dim size = Dim::min(rows, columns);
  const ValueId square = n.slice(n.slice(n.in(0), rank - 2, 0, size), rank - 1, 0, size);
  return {n.einsum("...ii->...i", {square})};
}

Values bias_add(NodeContext& n) {
  const ValueId x = n.in(0);
  if (n.rank(n.in(1)) != 1) return {n.invalid("its bias is not a vector")};
  const std::size_t axis = n.channel_axis(n.rank(x));
  return {n.add(x, n.align(n.in(1), axis, n.rank(x)))};
}

Values fused_batch_norm(NodeContext& n) {
  constexpr float default_epsilon = 1e-4F;  // an attribute of type float, rounded as such
  const ValueId x = n.in(0);
  const std::size_t axis = n.channel_axis(n.rank(x));
  const DType wide = n.dtype(n.in(1));
  if (n.flag("is_training", true)) {
    // Keras 2 normalises layers so, as images of a batch of one.
    if (n.rank(x) != 4 || !n.shape(x)[0].is(1))
      return {n.unsupported(Refused::training, "it normalises by the batch (is_training)")};
    std::vector<std::int64_t> others;
    for (std::int64_t i = 0; i < 4; ++i) {
      if (i != static_cast<std::int64_t>(axis)) others.push_back(i);
    }
    ValueId y = n.standardize(n.cast(x, wide), others, n.real("epsilon", default_epsilon));
    y = n.add(n.mul(y, n.align(n.in(1), axis, 4)), n.align(n.in(2), axis, 4));
    return {n.cast(y, n.dtype(x))};
  }
  const ValueId y = n.batch_norm(n.cast(x, wide), n.in(1), n.in(2), n.in(3), n.in(4),
                                 n.real("epsilon", default_epsilon), axis);
  return {n.cast(y, n.dtype(x))};
}

Values softmax(NodeContext& n) {
  const std::size_t rank = n.rank(n.in(0));
  return {n.softmax(n.in(0), rank == 0 ? 0 : rank - 1)};
}

Values log_softmax(NodeContext& n) {
  const std::size_t rank = n.rank(n.in(0));
  return {n.log_softmax(n.in(0), rank == 0 ? 0 : rank - 1)};
}

std::vector<std::int64_t> reduction_axes(NodeContext& n) {
  return n.axes(n.known_integers(1, "axes"), n.rank(n.in(0)));
}

Values reduce(NodeContext& n) {
  return {n.reduce(n.core(), n.in(0), reduction_axes(n), n.flag("keep_dims"))};
}

Values mean(NodeContext& n) { return {n.mean(n.in(0), reduction_axes(n), n.flag("keep_dims"))}; }

Values one_hot(NodeContext& n) {
  const Shape depth = n.known(1, "depth");
  const std::int64_t at = n.integer("axis", -1);
  if (n.failed()) return {};
  if (depth.size() != 1) return {n.invalid("its depth is not a scalar")};
  const std::size_t axis = n.axis(at, n.rank(n.in(0)) + 1);
  return {n.one_hot(n.in(0), depth[0], n.in(2), n.in(3), axis, false)};
}

constexpr OpRow rows[] = {
    {"MatMul", 2, 2, matmul},
    {"BatchMatMul", 2, 2, batch_matmul},
    {"BatchMatMulV2", 2, 2, batch_matmul},
    {"BatchMatMulV3", 2, 2, batch_matmul},
    {"Einsum", 1, -1, einsum},
    {"MatrixBandPart", 3, 3, matrix_band_part},
    {"MatrixDiagPart", 1, 1, matrix_diagonal},
    {"MatrixDiagPartV2", 3, 3, matrix_diagonal},
    {"MatrixDiagPartV3", 3, 3, matrix_diagonal},
    {"BiasAdd", 2, 2, bias_add},
    {"BiasAddV1", 2, 2, bias_add},
    {"FusedBatchNorm", 5, 5, fused_batch_norm},
    {"FusedBatchNormV2", 5, 5, fused_batch_norm},
    {"FusedBatchNormV3", 5, 5, fused_batch_norm},
    {"Softmax", 1, 1, softmax},
    {"LogSoftmax", 1, 1, log_softmax},
    {"Sum", 2, 2, reduce, "reduce_sum"},
    {"Prod", 2, 2, reduce, "reduce_prod"},
    {"Max", 2, 2, reduce, "reduce_max"},
    {"Min", 2, 2, reduce, "reduce_min"},
    {"All", 2, 2, reduce, "reduce_min"},
    {"Any", 2, 2, reduce, "reduce_max"},
    {"Mean", 2, 2, mean},
    {"OneHot", 4, 4, one_hot},
};

}  // namespace

std::span<const OpRow> dense_rows() { return rows; }

}  // namespace ingot::tensorflow
