// SPDX-License-Identifier: Apache-2.0
// ONNX ops that write to places that are data.
#include "import/compose_scatter.h"
#include "import/onnx/rows_index.h"

namespace ingot::onnx {
namespace {

/// The core op's name of a reduction; empty for what is none.
std::string_view reduction_of(OnnxNode& n) {
  const std::string text = n.text("reduction", "none");
  if (text == "none") return "none";
  if (text == "add") return "sum";
  if (text == "mul") return "prod";
  if (text == "max") return "max";
  if (text == "min") return "min";
  n.invalid("reduction '{}'", text);
  return {};
}

}  // namespace

Results scatter_nd(OnnxNode& n) {
  return ingot::scatter_nd(n, n.x(), n.input(1), n.input(2), reduction_of(n), true);
}

/// result[indices[i, j], j] = updates[i, j] where axis is 0. What stands before the axis and has as
/// many indices as data stays apart: rows of a batch.
Results scatter_elements(OnnxNode& n) {
  const ValueId indices = n.input(1), updates = n.input(2);
  const std::size_t rank = n.rank(n.x());
  if (rank == 0 || n.rank(indices) != rank || n.rank(updates) != rank)
    return n.invalid("its operands differ in rank");
  const std::size_t axis = n.axis(n.integer("axis", 0), rank);
  const std::string_view reduction = reduction_of(n);
  if (n.failed()) return ValueId{};
  const Shape data = n.shape(n.x()), shape = n.shape(indices);
  std::size_t batch = 0;
  while (batch < axis && data[batch] == shape[batch]) ++batch;
  std::vector<ValueId> coordinates;
  for (std::size_t d = batch; d < rank; ++d) {
    // Along other axes the place is the update's own.
    const ValueId own = n.op(
        "iota", {}, {{"shape", Shape{shape[d]}}, {"axis", std::int64_t{0}}, {"dtype", DType::i64}});
    coordinates.push_back(d == axis ? indices : n.align(own, d, rank));
  }
  const auto begin = static_cast<std::ptrdiff_t>(batch);
  const Shape inner(data.begin() + begin, data.end());
  // Before opset 11 indices counted from the front only.
  const ValueId places = flat_place(n, coordinates, inner, n.opset() >= 11);
  Shape flat(data.begin(), data.begin() + begin);
  flat.push_back(product(inner));
  return n.reshape(scatter(n, n.reshape(n.x(), flat), places, updates, reduction, batch), data);
}

}  // namespace ingot::onnx
