// SPDX-License-Identifier: Apache-2.0
// ONNX ops that change a shape and keep the elements, and those that do nothing at inference.
#include <algorithm>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

/// 0 copies the operand's size, one -1 is what is left over.
Results reshape(OnnxNode& n) {
  const ValueId x = n.x();
  auto target = n.known_dims(1, "shape");
  if (!target) return ValueId{};
  const bool allow_zero = n.flag("allowzero", false);
  std::optional<std::size_t> rest;
  for (std::size_t d = 0; d < target->size(); ++d) {
    Dim& dim = (*target)[d];
    if (dim.is(0) && !allow_zero) {
      if (d >= n.rank(x))
        return n.invalid("axis {} of its shape is 0, but the input has {} axes", d, n.rank(x));
      dim = n.shape(x)[d];
    } else if (dim.is(-1)) {
      if (rest) return n.invalid("two sizes of its shape are -1");
      rest = d;
    } else if (dim.value() && *dim.value() < 0) {
      return n.invalid("a size of {}", *dim.value());
    }
  }
  if (rest) {
    (*target)[*rest] = 1;
    const Dim known = product(*target);
    const Dim all = n.type(x).elements();
    if (known.is(0)) return n.invalid("a size of -1 beside a size of 0");
    (*target)[*rest] = Dim::exact_div(all, known).value_or(Dim::floor_div(all, known));
  }
  return n.reshape(x, *std::move(target));
}

Results flatten(OnnxNode& n) {
  const auto rank = static_cast<std::int64_t>(n.rank(n.x()));
  const std::int64_t axis = n.integer("axis", 1);
  if (axis < -rank || axis > rank) return n.invalid("axis {} is not one of {} axes", axis, rank);
  return n.flatten(n.x(), static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
}

Results squeeze(OnnxNode& n) {
  const std::size_t rank = n.rank(n.x());
  const auto given = n.integers_or_input("axes", 1);
  std::vector<std::int64_t> axes;
  if (given) {
    axes = n.axes(*given, rank);
  } else {
    for (std::size_t d = 0; d < rank; ++d) {
      if (n.shape(n.x())[d].is(1)) axes.push_back(static_cast<std::int64_t>(d));
    }
  }
  return n.squeeze(n.x(), axes);
}

Results unsqueeze(OnnxNode& n) {
  const auto given = n.integers_or_input("axes", 1);
  if (!given) return n.failed() ? ValueId{} : n.invalid("it has no axes");
  const std::vector<std::int64_t> axes = n.axes(*given, n.rank(n.x()) + given->size());
  if (!n.failed() && axes.size() != given->size()) return n.invalid("an axis stands twice");
  return n.unsqueeze(n.x(), axes);
}

Results transpose(OnnxNode& n) {
  std::vector<std::int64_t> perm;
  for (std::size_t d = n.rank(n.x()); d-- > 0;) perm.push_back(static_cast<std::int64_t>(d));
  return n.transpose(n.x(), n.integers("perm").value_or(perm));
}

Results expand(OnnxNode& n) {
  const auto shape = n.known_dims(1, "shape");
  if (!shape) return ValueId{};
  const std::optional<Shape> common = common_shape(n.shape(n.x()), *shape);
  if (!common) return n.invalid("{} does not stretch to {}", str(n.shape(n.x())), str(*shape));
  return n.broadcast(n.x(), *common);
}

Results tile(OnnxNode& n) {
  const auto repeats = n.known_dims(1, "repeats");
  return repeats ? n.tile(n.x(), *repeats) : ValueId{};
}

Results identity(OnnxNode& n) { return n.x(); }

/// All elements are kept: the mask is true, in old opsets 1 of the data's type.
Results dropout_of(OnnxNode& n) {
  if (!n.uses_output(1)) return n.x();
  const DType mask = n.opset() < 10 ? n.dtype(n.x()) : DType::boolean;
  return std::vector{n.x(), n.broadcast(n.scalar(mask, 1), n.shape(n.x()))};
}

Results dropout_by_attribute(OnnxNode& n) {
  if (n.opset() < 7 && !n.flag("is_test", false) && n.real("ratio", 0.5) != 0) {
    return n.unsupported(Refused::training, "it is exported for training (is_test = 0)");
  }
  return dropout_of(n);
}

Results dropout_by_input(OnnxNode& n) {
  if (!n.has_input(2)) return dropout_of(n);
  const auto training = n.known_integers(2, "training_mode");
  if (!training) return ValueId{};
  if (training->size() == 1 && (*training)[0] != 0) {
    const auto ratio = n.has_input(1) ? n.known_constant(1, "ratio") : std::nullopt;
    if (n.failed()) return ValueId{};
    if (!ratio || ratio->elements() != 1 || ratio->as_double(0) != 0) {
      return n.unsupported(Refused::training, "it drops at random (training_mode)");
    }
  }
  return dropout_of(n);
}

}  // namespace

void add_shape_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"Dropout", 6, 11, 1, 1, dropout_by_attribute},
                              {"Dropout", 12, newest_opset, 1, 3, dropout_by_input},
                              {"Expand", 8, newest_opset, 2, 2, expand},
                              {"Flatten", 6, newest_opset, 1, 1, flatten, NarrowUse::move},
                              {"Identity", 6, newest_opset, 1, 1, identity, NarrowUse::move},
                              {"Reshape", 6, newest_opset, 2, 2, reshape, NarrowUse::move},
                              {"Squeeze", 6, newest_opset, 1, 2, squeeze, NarrowUse::move},
                              {"Tile", 6, newest_opset, 2, 2, tile},
                              {"Transpose", 6, newest_opset, 1, 1, transpose, NarrowUse::move},
                              {"Unsqueeze", 6, newest_opset, 1, 2, unsqueeze, NarrowUse::move},
                          });
}

}  // namespace ingot::onnx
