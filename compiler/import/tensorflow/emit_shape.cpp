// SPDX-License-Identifier: Apache-2.0
// Ops that ask for shapes, change them, or fill them.
#include <cmath>

#include "import/tensorflow/emit.h"
#include "ir/op.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

using Values = std::vector<ValueId>;

/// Reshapes of reshapes read from the first one: Keras's Tensordot flattens, multiplies and
/// restores, which is then seen to be a product along the last axis.
ValueId before_reshapes(const Graph& graph, ValueId x) {
  while (x.valid()) {
    const Node* node = graph.producer(x);
    if (node == nullptr || node->op->name != "reshape") break;
    x = node->inputs[0];
  }
  return x;
}

Values reshape(NodeContext& n) {
  Shape shape = n.known(1, "shape");
  if (n.failed()) return {};
  const Dim elements = n.type(n.in(0)).elements();
  std::optional<std::size_t> unknown;
  Dim others = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!shape[i].is(-1)) {
      others *= shape[i];
    } else if (unknown) {
      return {n.invalid("its shape {} has two unknown dimensions", str(shape))};
    } else {
      unknown = i;
    }
  }
  if (unknown) {
    if (others.is(0)) {
      return {n.invalid("its shape {} leaves the dimension -1 undefined", str(shape))};
    }
    const std::optional<Dim> exact = Dim::exact_div(elements, others);
    shape[*unknown] = exact ? *exact : Dim::floor_div(elements, others);
  }
  return {n.reshape(before_reshapes(n.graph(), n.in(0)), std::move(shape))};
}

Values squeeze(NodeContext& n) {
  const Shape& shape = n.shape(n.in(0));
  std::vector<std::int64_t> axes = n.integers("squeeze_dims");
  if (axes.empty()) axes = n.integers("axis");
  axes = n.axes(axes, shape.size());
  for (const std::int64_t axis : axes) {
    const Dim& size = shape[static_cast<std::size_t>(axis)];
    if (size.value() && !size.is(1)) {
      return {n.invalid("axis {} has size {}, not 1", axis, size.str())};
    }
  }
  if (axes.empty()) {
    // A symbol is never squeezed: the rank must not depend on a size.
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (shape[d].is(1)) axes.push_back(static_cast<std::int64_t>(d));
    }
  }
  return {n.squeeze(n.in(0), axes)};
}

Values expand_dims(NodeContext& n) {
  const std::size_t axis = n.known_axis(1, n.rank(n.in(0)) + 1);
  return {n.unsqueeze(n.in(0), {static_cast<std::int64_t>(axis)})};
}

Values transpose(NodeContext& n) {
  std::vector<std::int64_t> perm = n.known_integers(1, "permutation");
  for (std::int64_t& axis : perm) {
    axis = static_cast<std::int64_t>(n.axis(axis, n.rank(n.in(0))));
  }
  return {n.transpose(n.in(0), std::move(perm))};
}

Values invert_permutation(NodeContext& n) {
  const std::vector<std::int64_t> perm = n.known_integers(0, "permutation");
  std::vector<std::int64_t> inverse(perm.size(), -1);
  for (std::size_t i = 0; i < perm.size(); ++i) {
    const auto place = static_cast<std::size_t>(perm[i]);
    if (perm[i] < 0 || place >= perm.size() || inverse[place] >= 0) {
      return {n.invalid("{} is not a permutation", fmt::join(perm, ", "))};
    }
    inverse[place] = static_cast<std::int64_t>(i);
  }
  return {n.cast(n.constant(Tensor::from_int64(inverse)), n.dtype(n.in(0)))};
}

Values shape(NodeContext& n) {
  Values results;
  const DType dtype = n.dtype_of("out_type", DType::i32);
  for (const ValueId x : n.operands()) results.push_back(n.cast(n.dims(n.shape(x)), dtype));
  return results;
}

Values size(NodeContext& n) {
  return {n.size(n.shape(n.in(0)), n.dtype_of("out_type", DType::i32))};
}

Values rank(NodeContext& n) { return {n.scalar(DType::i32, static_cast<double>(n.rank(n.in(0))))}; }

/// What it would check at run time becomes part of the types, or a constraint.
Values ensure_shape(NodeContext& n) {
  const std::optional<std::vector<std::int64_t>> sizes = n.shape_of("shape");
  const Shape& shape = n.shape(n.in(0));
  if (!sizes) return {n.in(0)};
  if (sizes->size() != shape.size()) {
    return {n.invalid("{} axes stated, {} given", sizes->size(), shape.size())};
  }
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if ((*sizes)[d] < 0) continue;
    const auto possible =
        n.graph().require({shape[d], Constraint::Relation::equal, (*sizes)[d], "EnsureShape"});
    if (!possible) n.fail_with(possible.error());
  }
  return {n.in(0)};
}

/// A negative size is a mistake in the model; what depends on symbols is checked by its users.
Shape known_shape(NodeContext& n, std::size_t operand, std::string_view what) {
  Shape shape = n.known(operand, what);
  for (const Dim& dim : shape) {
    if (dim.value() && *dim.value() < 0) n.invalid("its {} {} is negative", what, str(shape));
  }
  return shape;
}

Values fill(NodeContext& n) { return {n.broadcast(n.in(1), known_shape(n, 0, "shape"))}; }

Values fill_like(NodeContext& n, double number) {
  return {n.broadcast(n.number(number, n.in(0)), n.shape(n.in(0)))};
}
Values zeros_like(NodeContext& n) { return fill_like(n, 0); }
Values ones_like(NodeContext& n) { return fill_like(n, 1); }

Values tile(NodeContext& n) { return {n.tile(n.in(0), known_shape(n, 1, "multiples"))}; }

Values broadcast_to(NodeContext& n) { return {n.broadcast(n.in(0), known_shape(n, 1, "shape"))}; }

/// start + i * step for `count` elements, of the type of `start`.
ValueId sequence(NodeContext& n, const Dim& count, ValueId start, ValueId step) {
  const DType dtype = is_float(n.dtype(start)) ? DType::i64 : n.dtype(start);
  const ValueId index =
      n.op("iota", {}, {{"shape", Shape{count}}, {"axis", std::int64_t{0}}, {"dtype", dtype}});
  return n.add(n.mul(n.cast(index, n.dtype(start)), step), start);
}

Values range(NodeContext& n) {
  const ValueId first = n.in(0);
  if (is_float(n.dtype(first))) {
    double numbers[3];
    for (std::size_t i = 0; i < 3; ++i) {
      const auto tensor = ops::known_constant(n.graph(), n.in(i));
      if (!tensor || tensor->elements() != 1) {
        return {n.unsupported(Refused::constant_operand,
                              "a range of floats whose operands are not constant")};
      }
      numbers[i] = tensor->as_double(0);
    }
    const double count = std::ceil((numbers[1] - numbers[0]) / numbers[2]);
    constexpr double most = 2147483647;
    if (!(count <= most)) return {n.invalid("a range without an end")};
    const auto whole = count > 0 ? static_cast<std::int64_t>(count) : 0;
    return {sequence(n, whole, first, n.in(2))};
  }
  const Shape start = n.known(0, "start");
  const Shape limit = n.known(1, "limit");
  const std::int64_t step = n.known_integer(2, "delta");
  if (n.failed()) return {};
  if (start.size() != 1 || limit.size() != 1) return {n.invalid("its operands are not scalars")};
  if (step == 0 || step == INT64_MIN) return {n.invalid("a delta of {}", step)};
  const Dim distance = step > 0 ? limit[0] - start[0] : start[0] - limit[0];
  const Interval bounds = distance.bounds(n.graph().symbol_ranges());
  Dim count = bounds.hi <= 0 ? Dim(0) : Dim::ceil_div(distance, step > 0 ? step : -step);
  if (bounds.hi > 0 && bounds.lo < 0) count = Dim::max(count, 0);
  return {sequence(n, count, first, n.in(2))};
}

constexpr OpRow rows[] = {
    {"Reshape", 2, 2, reshape},
    {"Squeeze", 1, 1, squeeze},
    {"ExpandDims", 2, 2, expand_dims},
    {"Transpose", 2, 2, transpose},
    {"InvertPermutation", 1, 1, invert_permutation},
    {"EnsureShape", 1, 1, ensure_shape},
    {"Shape", 1, 1, shape},
    {"VariableShape", 1, 1, shape},
    {"ShapeN", 1, -1, shape},
    {"Size", 1, 1, size},
    {"Rank", 1, 1, rank},
    {"Fill", 2, 2, fill},
    {"ZerosLike", 1, 1, zeros_like},
    {"OnesLike", 1, 1, ones_like},
    {"Tile", 2, 2, tile},
    {"BroadcastTo", 2, 2, broadcast_to},
    {"Range", 3, 3, range},
};

}  // namespace

std::span<const OpRow> shape_rows() { return rows; }

}  // namespace ingot::tensorflow
