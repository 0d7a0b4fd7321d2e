// SPDX-License-Identifier: Apache-2.0
// Tensor arrays and tensor lists outside of the turns that fill them: each is a tensor with an axis
// more than its entries have.
#include "import/compose_scatter.h"
#include "import/tensorflow/emit.h"
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
  if (array_write(topology_, node)) return write_entry(node);
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

Wire Translator::maker_of(Wire array) const {
  for (std::size_t steps = 0; steps < topology_.size(); ++steps) {
    array = handed_on(topology_, array);
    if (array.node == UINT32_MAX || !is_open_switch(topology_, selection_, array.node)) break;
    array = topology_.inputs(array.node)[0];
  }
  return array;
}

std::optional<TensorType> Translator::entry_type(Wire maker) {
  const bool is_list = topology_.op(maker.node) == "TensorListReserve";
  NodeContext context(graph_, topology_.node(maker.node), "", {});
  TensorType type{context.dtype_of(is_list ? "element_dtype" : "dtype", DType::f32), {}};
  if (context.failed()) return std::nullopt;
  if (!is_list) {
    const auto sizes = context.shape_of("element_shape");
    if (!sizes) return std::nullopt;
    type.shape.assign(sizes->begin(), sizes->end());
  } else {
    if (topology_.inputs(maker.node).empty()) return std::nullopt;
    const ValueId shape = value_of(topology_.inputs(maker.node)[0]);
    const auto sizes = shape.valid() ? ops::known_dims(graph_, shape) : std::nullopt;
    // A scalar of -1 is any shape.
    if (!sizes || graph_.type(shape).rank() != 1) return std::nullopt;
    type.shape = *sizes;
  }
  for (const Dim& size : type.shape) {
    if (size.bounds(graph_.symbol_ranges()).lo < 0) return std::nullopt;
  }
  return type;
}

ValueId Translator::new_array(Composer& composer, Wire maker, const TensorType& entry) {
  const std::string_view op = topology_.op(maker.node);
  const std::size_t place = op == "TensorListReserve" ? 1 : 0;
  if (op != "TensorListReserve" && op != "TensorArrayV3") return {};
  if (topology_.inputs(maker.node).size() <= place) return {};
  const ValueId length = value_of(topology_.inputs(maker.node)[place]);
  const auto known = length.valid() ? ops::known_dims(graph_, length) : std::nullopt;
  if (!known || known->size() != 1) return {};
  Shape shape{Dim::max((*known)[0], 0)};
  shape.insert(shape.end(), entry.shape.begin(), entry.shape.end());
  return composer.broadcast(composer.scalar(entry.dtype, 0), shape);
}

Expected<void> Translator::write_entry(std::uint32_t node) {
  const auto write = array_write(topology_, node);
  const ValueId item = value_of(write->value), index = value_of(write->index);
  if (!item.valid() || !index.valid()) return block(node), Expected<void>();
  Composer composer(graph_, topology_.node(node).name());
  ValueId whole = value_of(write->array);
  const Wire maker = maker_of(write->array);
  if (!whole.valid() && is_blocked(write->array)) return block(node), Expected<void>();
  if (!whole.valid() && maker.node != UINT32_MAX)
    whole = new_array(composer, maker, graph_.type(item));
  if (!whole.valid()) {
    refuse(node, {Refused::control_flow,
                  {},
                  {},
                  {},
                  "it writes to an array of which nothing says how long it is",
                  std::string(loop_advice)});
    return {};
  }
  // An array that may grow does so where it is known how far.
  const Dim size = composer.shape(whole)[0];
  const auto place = ops::known_dims(graph_, index);
  if (place && place->size() == 1 && (*place)[0].value() && size.value() &&
      *(*place)[0].value() >= *size.value()) {
    Shape rest = composer.shape(whole);
    rest[0] = (*place)[0] + 1 - size;
    constexpr std::int64_t most = 65536;
    if (*rest[0].value() > most) return invalid(node, "it writes far beyond its array");
    whole = composer.concat({whole, composer.broadcast(composer.number(0, whole), rest)}, 0);
  }
  const Shape entry(composer.shape(whole).begin() + 1, composer.shape(whole).end());
  if (graph_.type(item) != TensorType{composer.dtype(whole), entry}) {
    refuse(node, {Refused::control_flow,
                  {},
                  {},
                  {},
                  fmt::format("it writes {} to an array of {}", str(graph_.type(item)),
                              str(TensorType{composer.dtype(whole), entry})),
                  std::string(loop_advice)});
    return {};
  }
  const ValueId at = composer.reshape(composer.cast(index, DType::i64), {1});
  const ValueId result = scatter(composer, whole, at, composer.unsqueeze(item, {0}), "none");
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
  }
  const auto values = composer.results({result});
  if (!values) return failure(node, values.error(), composer.refusal());
  values_.set(node, *values);
  return {};
}

}  // namespace ingot::tensorflow
