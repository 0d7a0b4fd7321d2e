// SPDX-License-Identifier: Apache-2.0
// Ops that find entries. Of NonZero's operand sizes alone may decide how many: of constants, and of
// a triangle of one number, which exporters make of triu_indices and tril_indices. Otherwise the
// number depends on data.
#include "import/compose_measured.h"
#include "import/onnx/rows_index.h"
#include "ir/op.h"
#include "ops/places.h"
#include "ops/shape_arithmetic.h"

namespace ingot::onnx {
namespace {

/// The half of a square matrix of `size` rows from (upper) or up to (lower) a diagonal, which is
/// not within the other half: `rows` rows have 1, 2, .. entries, or that many from the last one on.
struct Triangle {
  bool upper;
  Dim size, rows;
};

const Node* made_by(const Graph& graph, ValueId value, std::string_view op) {
  const Node* node = graph.producer(value);
  return node != nullptr && node->op->name == op ? node : nullptr;
}

/// All elements are one number that is, or is not, zero.
std::optional<bool> is_zero_splat(const Graph& graph, ValueId value) {
  while (const Node* spread = made_by(graph, value, "broadcast")) value = spread->inputs[0];
  if (!graph.is_constant(value)) return std::nullopt;
  const Tensor& tensor = graph.constant(value);
  if (!tensor.is_splat() && tensor.elements() != 1) return std::nullopt;
  return tensor.as_double(0) == 0;
}

/// What Trilu writes: where(column >= row + k, number, 0), or <=.
std::optional<Triangle> as_triangle(const Graph& graph, ValueId x) {
  const Node* choice = made_by(graph, x, "where");
  if (choice == nullptr || is_zero_splat(graph, choice->inputs[1]) != false ||
      is_zero_splat(graph, choice->inputs[2]) != true) {
    return std::nullopt;
  }
  const Node* lower = made_by(graph, choice->inputs[0], "le");
  const Node* upper = made_by(graph, choice->inputs[0], "ge");
  const Node* kept = lower != nullptr ? lower : upper;
  const Shape& shape = graph.type(x).shape;
  if (kept == nullptr || shape.size() != 2 || shape[0] != shape[1]) return std::nullopt;
  const auto column = ops::affine_of(graph, kept->inputs[0]);
  const auto row = ops::affine_of(graph, kept->inputs[1]);
  if (!column || !row || !column->offset.is(0)) return std::nullopt;
  const std::vector<Dim>&c = column->strides, &r = row->strides;
  const bool plain = c.size() == 1 && c[0].is(1) && r.size() == 2 && r[0].is(1) && r[1].is(0);
  const std::optional<std::int64_t> k = row->offset.value();
  if (!plain || !k) return std::nullopt;
  const bool is_upper = kept == upper;
  if (is_upper ? *k < 0 : *k > 0) return std::nullopt;
  return Triangle{is_upper, shape[0], Dim::max(shape[0] - (is_upper ? *k : -*k), 0)};
}

ValueId iota(OnnxNode& n, const Dim& size) {
  return n.op("iota", {},
              {{"shape", Shape{size}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
}

/// Entry i of a lower triangle, row-major, is in the row r that is the greatest with r(r + 1)/2 <=
/// i. In float64 the root is exact where it must be: 8i + 1 is, and rounding keeps order.
ValueId places_in(OnnxNode& n, const Triangle& triangle) {
  const Dim count = Dim::floor_div(triangle.rows * (triangle.rows + 1), 2);
  const ValueId last = n.size({count - 1}, DType::i64);
  ValueId entry = iota(n, count);
  if (triangle.upper) entry = n.sub(last, entry);
  const ValueId one = n.scalar(DType::f64, 1);
  const ValueId root =
      n.op("sqrt", {n.add(n.mul(n.cast(entry, DType::f64), n.scalar(DType::f64, 8)), one)});
  ValueId row = n.cast(n.mul(n.sub(root, one), n.scalar(DType::f64, 0.5)), DType::i64);
  const ValueId before =
      n.div(n.mul(row, n.add(row, n.scalar(DType::i64, 1))), n.scalar(DType::i64, 2));
  ValueId column = n.sub(entry, before);
  if (triangle.upper) {
    row = n.sub(n.size({triangle.rows - 1}, DType::i64), row);
    column = n.sub(n.size({triangle.size - 1}, DType::i64), column);
  } else {
    row = n.add(row, n.size({triangle.size - triangle.rows}, DType::i64));
  }
  return n.concat({n.unsqueeze(row, {0}), n.unsqueeze(column, {0})}, 0);
}

/// [rank, entries] coordinates of the entries that are not 0.
Tensor places_of(const Tensor& constant) {
  const Tensor dense = constant.dense();
  const std::size_t rank = dense.rank();
  std::vector<std::vector<std::int64_t>> found(rank);
  std::vector<std::int64_t> at(rank);
  for (std::int64_t i = 0; i < dense.elements(); ++i) {
    if (dense.as_double(i) != 0) {
      for (std::size_t d = 0; d < rank; ++d) found[d].push_back(at[d]);
    }
    for (std::size_t d = rank; d-- > 0;) {
      if (++at[d] < dense.shape()[d]) break;
      at[d] = 0;
    }
  }
  std::vector<std::int64_t> joined;
  for (const auto& axis : found) joined.insert(joined.end(), axis.begin(), axis.end());
  const std::int64_t count = rank == 0 ? 0 : std::ssize(found[0]);
  return Tensor::from_int64(joined).reshaped({static_cast<std::int64_t>(rank), count});
}

}  // namespace

Results nonzero(OnnxNode& n) {
  if (n.failed() || !n.x().valid()) return n.invalid("its input is missing");
  if (const std::optional<Triangle> triangle = as_triangle(n.graph(), n.x()))
    return places_in(n, *triangle);
  const std::optional<Tensor> constant = ops::known_constant(n.graph(), n.x());
  constexpr std::int64_t most = 1 << 24;
  if (constant && constant->elements() > most)
    return n.unsupported(Refused::data_dependent_size,
                         "a constant of {} elements is looked through for those that are not 0; {} "
                         "are the most",
                         constant->elements(), most);
  if (constant && constant->rank() > 0) return n.constant(places_of(*constant));
  return ingot::nonzero(n, n.cast(n.x(), DType::boolean));
}

Results compress(OnnxNode& n) {
  if (n.has("axis")) {
    const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
    return ingot::compress(n, n.x(), n.input(1), axis);
  }
  if (n.failed()) return ValueId{};
  return ingot::compress(n, n.reshape(n.x(), {product(n.shape(n.x()))}), n.input(1), 0);
}

Results unique(OnnxNode& n) {
  if (n.has("axis") && n.rank(n.x()) != 1)
    return n.unsupported(Refused::attribute, "slices along an axis are compared");
  const Unique found = ingot::unique(n, n.x(), n.flag("sorted", true));
  return std::vector{found.values, found.first, found.inverse, found.counts};
}

Results non_max_suppression(OnnxNode& n) {
  auto scalar = [&](std::size_t i, DType dtype) {
    return n.has_input(i) ? n.reshape(n.cast(n.input(i), dtype), {}) : ValueId{};
  };
  Boxes boxes{n.input(0),
              n.input(1),
              scalar(2, DType::i64),
              scalar(3, DType::f32),
              scalar(4, DType::f32),
              n.integer("center_point_box", 0) != 0};
  if (!boxes.most.valid()) boxes.most = n.scalar(DType::i64, 0);
  if (!boxes.share.valid()) boxes.share = n.scalar(DType::f32, 0);
  const Kept kept = suppress_non_maxima(n, boxes);
  return n.concat(
      {n.unsqueeze(kept.batch, {1}), n.unsqueeze(kept.of_class, {1}), n.unsqueeze(kept.box, {1})},
      1);
}

}  // namespace ingot::onnx
