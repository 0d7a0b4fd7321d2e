// SPDX-License-Identifier: Apache-2.0
// Sizes that data give: `places_of_true` finds how many there are, and `measure` makes the number a
// size.
#include "ops/common.h"

namespace ingot::ops {
namespace {

Expected<std::vector<TensorType>> infer_places(const InferContext& context) {
  const TensorType& mask = context.input(0);
  if (mask.dtype != DType::boolean || mask.rank() != 1)
    return context.error(fmt::format("its operand is {}, bool[n] wanted", str(mask)));
  return std::vector<TensorType>{{DType::i64, mask.shape}, {DType::i64, {}}};
}

Expected<std::vector<Tensor>> evaluate_places(const EvaluateContext& context) {
  const Tensor mask = context.inputs[0]->dense();
  Tensor places(DType::i64, mask.shape()), count(DType::i64, {});
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < mask.elements(); ++i) {
    if (mask.at<std::uint8_t>(i) != 0) places.set<std::int64_t>(found++, i);
  }
  count.set<std::int64_t>(0, found);
  std::vector<Tensor> results;
  results.push_back(std::move(places));
  results.push_back(std::move(count));
  return results;
}

Expected<std::vector<TensorType>> infer_measure(const InferContext& context) {
  if (context.input(0) != TensorType{DType::i64, {}})
    return context.error(fmt::format("its operand is {}, i64[] wanted", str(context.input(0))));
  const auto& size = context.attributes().get<Shape>("size");
  if (size.size() != 1 || !size[0].symbol_name()) return context.error("'size' is no symbol");
  return std::vector<TensorType>{context.input(0)};
}

/// What makes it a size is done by whoever walks the graph: see measure() of interpret.h.
Expected<std::vector<Tensor>> evaluate_measure(const EvaluateContext& context) {
  return std::vector<Tensor>{*context.inputs[0]};
}

}  // namespace

void add_measure_ops(std::vector<OpDef>& table) {
  table.push_back({"places_of_true",
                   "where a vector of truths is true, in order and then zeros, and how often",
                   OpKind::index,
                   1,
                   1,
                   {},
                   infer_places,
                   evaluate_places});
  table.push_back({"measure",
                   "a number that becomes the size of a name from here on",
                   OpKind::index,
                   1,
                   1,
                   {{"size", AttributeType::dims}},
                   infer_measure,
                   evaluate_measure});
}

}  // namespace ingot::ops
