// SPDX-License-Identifier: Apache-2.0
// Tensor arrays and tensor lists outside of the turns that fill them: each is a tensor with an axis
// more than its entries have.
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/translator.h"
#include "ir/op.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {

bool Translator::are_all(ValueId indices, const Dim& size) const {
  if (graph_.type(indices).shape != Shape{size}) return false;
  if (const auto known = ops::known_constant(graph_, indices)) {
    for (std::int64_t i = 0; i < known->elements(); ++i) {
      if (known->as_int64(i) != i) return false;
    }
    return true;
  }
  // A range of symbolic length: what it adds and multiplies by changes nothing.
  auto is_neutral = [&](const Node& node, std::size_t operand) {
    const auto known = ops::known_dims(graph_, node.inputs[operand]);
    const std::int64_t neutral = node.op->name == "mul" ? 1 : 0;
    return (node.op->name == "mul" || node.op->name == "add") && known && known->size() == 1 &&
           (*known)[0].is(neutral);
  };
  const Node* node = graph_.producer(indices);
  while (node != nullptr) {
    if (node->op->name == "iota") return true;
    if (node->op->name == "cast") {
      node = graph_.producer(node->inputs[0]);
    } else if (node->inputs.size() == 2 && is_neutral(*node, 1)) {
      node = graph_.producer(node->inputs[0]);
    } else if (node->inputs.size() == 2 && is_neutral(*node, 0)) {
      node = graph_.producer(node->inputs[1]);
    } else {
      return false;
    }
  }
  return false;
}

Expected<void> Translator::array(std::uint32_t node) {
  const std::string_view op = topology_.op(node);
  const std::vector<Wire>& inputs = topology_.inputs(node);
  // Its handle and its flow are followed, not computed.
  if (op == "TensorArrayV3" || op == "TensorListReserve") return {};
  auto refuse_as = [&](std::string why) -> Expected<void> {
    refuse(node, {Refused::control_flow, {}, {}, {}, std::move(why), std::string(loop_advice)});
    return {};
  };
  if (op.starts_with("TensorList")) return list(node);
  const std::size_t wanted = op == "TensorArraySizeV3" ? 2 : op == "TensorArrayScatterV3" ? 4 : 3;
  if (inputs.size() != wanted) return invalid(node, fmt::format("not {} inputs", wanted));
  Composer composer(graph_, topology_.node(node).name());
  if (op == "TensorArrayScatterV3") {
    const ValueId indices = values_.get(inputs[1]), value = values_.get(inputs[2]);
    if (!indices.valid() || !value.valid()) return block(node), Expected<void>();
    if (graph_.type(value).rank() == 0) return invalid(node, "its value has no entries");
    if (!are_all(indices, graph_.type(value).shape[0]))
      return refuse_as("it fills a tensor array in another order than entry by entry");
    values_.set(node, {value});
    return {};
  }
  const ValueId whole = value_of(inputs.back());
  if (!whole.valid()) {
    if (is_blocked(inputs.back())) return block(node), Expected<void>();
    return refuse_as("a tensor array that no loop and no TensorArrayScatterV3 fills");
  }
  const Shape& shape = graph_.type(whole).shape;
  ValueId result;
  if (op == "TensorArraySizeV3") {
    result = composer.size({shape[0]}, DType::i32);
  } else if (op == "TensorArrayReadV3" || op == "TensorArrayGatherV3") {
    const ValueId indices = values_.get(inputs[1]);
    if (!indices.valid()) return block(node), Expected<void>();
    const auto place = ops::known_dims(graph_, indices);
    if (op == "TensorArrayReadV3" && place && place->size() == 1) {
      result = composer.squeeze(composer.slice(whole, 0, (*place)[0], 1), {0});
    } else if (graph_.type(indices).rank() == 1 && are_all(indices, shape[0])) {
      result = whole;
    } else {
      result = composer.gather(whole, indices, 0, false);
    }
  } else {
    return refuse_as("it is not part of a loop that is understood");
  }
  const auto values = composer.results({result});
  if (!values) return failure(node, values.error(), composer.refusal());
  values_.set(node, *values);
  return {};
}

Expected<void> Translator::list(std::uint32_t node) {
  const std::string_view op = topology_.op(node);
  const std::vector<Wire>& inputs = topology_.inputs(node);
  const std::size_t wanted = op == "TensorListLength"                                  ? 1
                             : op == "TensorListFromTensor" || op == "TensorListStack" ? 2
                                                                                       : 3;
  if (inputs.size() != wanted) return invalid(node, fmt::format("not {} inputs", wanted));
  const ValueId whole = value_of(inputs[0]);
  auto refuse_as = [&](std::string why) -> Expected<void> {
    refuse(node, {Refused::control_flow, {}, {}, {}, std::move(why), std::string(loop_advice)});
    return {};
  };
  if (!whole.valid()) {
    if (is_blocked(inputs[0])) return block(node), Expected<void>();
    return refuse_as("a tensor list that no loop and no TensorListFromTensor fills");
  }
  if (graph_.type(whole).rank() == 0) return invalid(node, "its list has no entries");
  Composer composer(graph_, topology_.node(node).name());
  ValueId result = whole;
  if (op == "TensorListLength") {
    result = composer.size({graph_.type(whole).shape[0]}, DType::i32);
  } else if (op == "TensorListGetItem" || op == "TensorListGather") {
    const ValueId indices = values_.get(inputs[1]);
    if (!indices.valid()) return block(node), Expected<void>();
    result = composer.gather(whole, indices, 0, false);
  } else if (op == "TensorListSetItem") {
    return refuse_as("it is not part of a loop that is understood");
  }
  const auto values = composer.results({result});
  if (!values) return failure(node, values.error(), composer.refusal());
  values_.set(node, *values);
  return {};
}

}  // namespace ingot::tensorflow
