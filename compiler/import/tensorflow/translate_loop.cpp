// SPDX-License-Identifier: Apache-2.0
// A while loop whose turns are counted becomes a scan: the counter is the scan's number, arrays
// that are read entry by entry are sliced, and those that are written so are stacked.
#include <algorithm>
#include <set>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/translator.h"
#include "ir/op.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

constexpr std::string_view advice =
    "export the layer unrolled (unroll=True in Keras), or cut the loop out: --outputs before it, "
    "and "
    "a second model with --input after it";

}  // namespace

Expected<void> Translator::loop(const Loop& loop) {
  auto refuse_all = [&](std::string why) -> Expected<void> {
    for (const std::uint32_t exit : loop.exits) blocked_[exit] = true;
    for (const std::uint32_t node : loop.body) ++use(node).unseen;
    refuse(loop.exits[0], {Refused::control_flow, {}, {}, {}, std::move(why), std::string(advice)});
    return {};
  };
  if (!loop.refusal.empty()) return refuse_all(loop.refusal);
  std::vector<Wire> entering;
  for (const Loop::Variable& variable : loop.variables) entering.push_back(variable.start);
  for (const std::uint32_t enter : loop.enters) entering.push_back({enter, 0});
  for (const Wire wire : entering) {
    // What it hangs on was refused, and tells why.
    const Wire from = handed_on(topology_, wire);
    if (values_.get(from).valid() || !blocked_[from.node]) continue;
    for (const std::uint32_t exit : loop.exits) block(exit);
    for (const std::uint32_t node : loop.body) ++use(node).unseen;
    return {};
  }
  INGOT_ASSIGN(const std::optional<Dim> turns, this->turns(loop));
  if (!turns) return refuse_all("its number of turns depends on data");

  Composer around(graph_, loop.frame);
  LoopBuilder builder(around, loop.frame, *turns);
  Values inside(topology_.size());
  INGOT_TRY(fill(loop, *turns, around, builder, inside));
  if (around.failed()) return failure(loop.exits[0], *around.error(), around.refusal());
  Translator body(builder.body().graph(), topology_, selection_, loops_, library_, inside, survey_);
  const std::size_t refused = survey_.refusals.size();
  for (const std::uint32_t node : loop.body) {
    // What reads an entry or writes one has its value already.
    if (is_of_loops(topology_.op(node))) continue;
    const Wire from = handed_on(topology_, {node, 0});
    if (from.node != UINT32_MAX && array_write(topology_, from.node)) continue;
    const auto variable = loop.variable_of(topology_, from.node);
    if (variable && loop.variables[*variable].is_flow) continue;
    INGOT_TRY(body.translate(node));
  }
  const bool blocked = survey_.refusals.size() != refused;
  for (const Loop::Variable& variable : loop.variables) {
    if (variable.counts || blocked) continue;
    const ValueId value = inside.get(variable.is_flow ? variable.written : variable.next);
    if (!value.valid()) return refuse_all("what a turn computes is not understood");
    if (variable.is_flow) {
      if (!variable.same_as) builder.stack(value, 0, false);
    } else {
      builder.next(value);
    }
  }
  if (blocked) {
    for (const std::uint32_t exit : loop.exits) block(exit);
    return {};
  }
  const std::vector<ValueId> results = builder.finish();
  if (around.failed()) return failure(loop.exits[0], *around.error(), around.refusal());
  return leave(loop, *turns, results);
}

Expected<std::optional<Dim>> Translator::turns(const Loop& loop) {
  std::optional<Dim> least;
  for (const auto& [counter, wire] : loop.bounds) {
    INGOT_ASSIGN(const ValueId value, unchanging(loop, wire));
    if (!value.valid()) return std::optional<Dim>();
    const auto known = ops::known_dims(graph_, value);
    if (!known || known->size() != 1) return std::optional<Dim>();
    least = least ? Dim::min(*least, (*known)[0]) : (*known)[0];
  }
  return least;
}

Expected<ValueId> Translator::unchanging(const Loop& loop, Wire wire) {
  wire = handed_on(topology_, wire);
  const int number = loops_.of(loop.variables[0].merge);
  std::set<std::uint32_t> needed;
  std::vector<Wire> open{wire};
  while (!open.empty()) {
    const Wire at = open.back();
    open.pop_back();
    if (loops_.of(at.node) != number) {
      if (topology_.op(at.node) == "Const" && !values_.get(at).valid())
        INGOT_TRY(constant(at.node));
      if (!values_.get(at).valid()) return ValueId{};
      continue;
    }
    const std::string_view op = topology_.op(at.node);
    if (is_enter(op)) {
      const ValueId value = values_.get(handed_on(topology_, at));
      if (!value.valid() || loop.variable_of(topology_, at.node)) return ValueId{};
      values_.set(at.node, {value});
      continue;
    }
    if (is_merge(op) || is_switch(op) || is_of_loops(op)) return ValueId{};
    if (!needed.insert(at.node).second) continue;
    open.insert(open.end(), topology_.inputs(at.node).begin(), topology_.inputs(at.node).end());
  }
  for (const std::uint32_t node : loop.body) {
    if (needed.contains(node)) INGOT_TRY(translate(node));
  }
  return values_.get(wire);
}

Expected<void> Translator::fill(const Loop& loop, const Dim& turns, Composer& around,
                                LoopBuilder& builder, Values& inside) {
  auto is_blocked = [&](Wire wire) { return !values_.get(wire).valid(); };
  // What is carried: its Merge and its Switch are the value at the beginning of a turn.
  std::vector<ValueId> old(loop.variables.size());
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (variable.is_flow) continue;
    if (is_blocked(variable.start)) continue;  // refused already, and so will be what reads it
    const ValueId start = values_.get(variable.start);
    old[i] = variable.counts ? builder.body().cast(builder.number(), graph_.type(start).dtype)
                             : builder.carry(start, topology_.node(variable.merge).name());
  }
  const int number = loops_.of(loop.variables[0].merge);
  for (std::uint32_t node = 0; node < topology_.size(); ++node) {
    const std::string_view op = topology_.op(node);
    if (loops_.of(node) != number || (!is_merge(op) && !is_switch(op))) continue;
    const auto variable = loop.variable_of(topology_, node);
    if (variable && old[*variable].valid()) inside.set(node, {old[*variable], old[*variable]});
  }
  // Entries of tensor arrays.
  for (const std::uint32_t node : loop.body) {
    const std::string_view op = topology_.op(node);
    if (op != "TensorArrayReadV3" && op != "TensorListGetItem") continue;
    const auto read = array_read(topology_, node);
    if (!read) return invalid(node, "not three inputs");
    const auto index = loop.variable_of(topology_, handed_on(topology_, read->index).node);
    const ValueId whole = values_.get(handed_on(topology_, read->array));
    if (!index || !loop.variables[*index].counts || !whole.valid()) {
      refuse(node, {Refused::control_flow,
                    {},
                    {},
                    {},
                    "it reads an array in another order than entry by entry",
                    std::string(advice)});
      continue;
    }
    // The turns may end before the array does.
    const Shape& shape = graph_.type(whole).shape;
    const bool all = shape.empty() || shape[0] == turns;
    inside.set(node, {builder.slice(all ? whole : around.slice(whole, 0, 0, turns), 0, false,
                                    topology_.node(node).name())});
  }
  // What stays the same: through an Enter, or (after an optimizer) read as it is.
  for (const std::uint32_t enter : loop.enters) {
    const ValueId value = values_.get(handed_on(topology_, {enter, 0}));
    if (value.valid()) inside.set(enter, {same(builder, value)});
  }
  for (const std::uint32_t node : loop.body) {
    for (const Wire wire : topology_.inputs(node)) {
      if (loops_.of(wire.node) == number || inside.get(wire).valid()) continue;
      // The turns come after the loop's end in the order of nodes, and so may their constants.
      if (topology_.op(wire.node) == "Const") INGOT_TRY(constant(wire.node));
      if (const ValueId value = values_.get(wire); value.valid())
        inside.give(wire, same(builder, value));
    }
  }
  return {};
}

ValueId Translator::same(LoopBuilder& builder, ValueId value) {
  Composer& body = builder.body();
  if (graph_.is_constant(value)) return body.constant(graph_.constant(value));
  // Shapes that steer ops must be known within, too.
  const TensorType& type = graph_.type(value);
  const auto sizes = is_integer(type.dtype) ? ops::known_dims(graph_, value) : std::nullopt;
  if (!sizes || sizes->empty()) return builder.same(value);
  return body.cast(body.reshape(body.dims(*sizes), type.shape), type.dtype);
}

Expected<void> Translator::leave(const Loop& loop, const Dim& turns,
                                 const std::vector<ValueId>& results) {
  Composer after(graph_, loop.frame);
  std::vector<ValueId> of_variable(loop.variables.size());
  std::size_t carried = 0;
  for (const Loop::Variable& variable : loop.variables) {
    if (!variable.counts && !variable.is_flow) ++carried;
  }
  std::size_t state = 0, stack = carried;
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (variable.counts) {
      of_variable[i] = after.size({turns}, graph_.type(values_.get(variable.start)).dtype);
    } else if (!variable.same_as) {
      of_variable[i] = results[variable.is_flow ? stack++ : state++];
    }
  }
  // What TensorFlow gives for an array that no turn wrote is no value of the model's.
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (!variable.keeps_last) continue;
    const Constraint some{turns, Constraint::Relation::greater_equal, Dim(1), loop.frame};
    if (const auto kept = graph_.require(some); !kept) return kept.error();
    of_variable[i] = variable.same_as ? after.unsqueeze(of_variable[*variable.same_as], {0})
                                      : after.slice(of_variable[i], 0, turns - 1, 1);
  }
  if (after.failed()) return failure(loop.exits[0], *after.error(), after.refusal());
  for (const std::uint32_t exit : loop.exits) {
    const auto variable = loop.variable_of(topology_, exit);
    if (!variable) return invalid(exit, "it leaves a loop that it is not of");
    values_.set(exit, {of_variable[*variable]});
  }
  return {};
}

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
    refuse(node, {Refused::control_flow, {}, {}, {}, std::move(why), std::string(advice)});
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
  const Wire flow = handed_on(topology_, inputs.back());
  const ValueId whole = values_.get(flow);
  if (!whole.valid()) {
    if (blocked_[flow.node]) return block(node), Expected<void>();
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
  const Wire from = handed_on(topology_, inputs[0]);
  const ValueId whole = values_.get(from);
  auto refuse_as = [&](std::string why) -> Expected<void> {
    refuse(node, {Refused::control_flow, {}, {}, {}, std::move(why), std::string(advice)});
    return {};
  };
  if (!whole.valid()) {
    if (blocked_[from.node]) return block(node), Expected<void>();
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
