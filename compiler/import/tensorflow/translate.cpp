// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/translate.h"

#include <algorithm>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/library.h"
#include "import/tensorflow/tensor.h"
#include "import/tensorflow/translator.h"

namespace ingot::tensorflow {

Expected<void> Translator::run() {
  for (const std::uint32_t node : selection_.order) ++use(node).nodes;
  INGOT_TRY(translate_all(selection_.order));
  // From the innermost ones on.
  for (std::size_t i = loops_.all().size(); i-- > 0;) {
    const Loop& loop = loops_.all()[i];
    // Only an output within a loop makes it necessary, but not its end.
    if (!loop.exits.empty() || survey_.refused()) continue;
    return fail(ErrorCode::invalid_argument,
                "an output is within the loop '{}': take a value after it as output", loop.frame);
  }
  if (survey_.refused()) return survey_.error();
  return {};
}

Expected<void> Translator::translate_all(std::vector<std::uint32_t> nodes) {
  branches_.sort(nodes, place_);
  for (const std::uint32_t node : nodes) {
    const std::string_view op = topology_.op(node);
    if (branches_.of(node) != place_ && branches_.is_within(branches_.of(node), place_)) continue;
    if (loops_.of(node) != loop_) {
      const int child = loops_.child(loop_, node);
      if (child >= 0 && is_exit(op) && loops_.of(node) == child && done_.insert(child).second)
        INGOT_TRY(loop(child));
      continue;
    }
    if (is_open_switch(topology_, selection_, node)) continue;
    if (structure_.steps == 0) {
      return fail(ErrorCode::limit,
                  "its loops and branches are nested so that their nodes would have to be repeated "
                  "more than a million times");
    }
    if (loop_ >= 0 || place_ != 0) --structure_.steps;
    INGOT_TRY(translate(node));
  }
  return {};
}

Expected<void> Translator::translate(std::uint32_t node) {
  const std::string_view op = topology_.op(node);
  if (values_.count(node) != 0 || blocked_.contains(node)) return {};
  if (is_placeholder(op)) {  // an input of the graph, or one that was refused
    if (!values_.get({node, 0}).valid()) blocked_.insert(node);
    return {};
  }
  if (op == "Const") return constant(node);
  if (is_of_loops(op)) return array(node);
  if (is_switch(op)) {
    if (topology_.inputs(node).size() != 2) return invalid(node, "not two inputs");
    return forward(node, topology_.inputs(node)[0], 2);
  }
  if (is_merge(op)) return join(node);
  const OpRow* row = find_row(op);
  if (row == nullptr) {
    use(node).known = false;
    const Library& library = structure_.library;
    refuse(node, refused_op(library.calls(op) ? "PartitionedCall" : op));
    library.skim(topology_.node(node), survey_);
    return {};
  }
  std::vector<ValueId> operands;
  for (const Wire wire : topology_.inputs(node)) {
    const ValueId value = values_.get(wire);
    if (!value.valid()) {
      if (!is_blocked(wire)) {
        refuse(node, refusal_of_output(wire));
        return {};
      }
      block(node);
      return {};
    }
    operands.push_back(value);
  }
  const int count = static_cast<int>(operands.size());
  if (count < row->min_inputs || (row->max_inputs >= 0 && count > row->max_inputs)) {
    const std::string wanted = row->max_inputs == row->min_inputs
                                   ? fmt::format("{}", row->min_inputs)
                                   : fmt::format("{} or more", row->min_inputs);
    return invalid(node, fmt::format("{} inputs, {} wanted", count, wanted));
  }
  NodeContext context(graph_, topology_.node(node), row->core, operands);
  std::vector<ValueId> outputs = row->emit(context);
  Expected<std::vector<ValueId>> result = context.results(std::move(outputs));
  if (!result) return failure(node, result.error(), context.refusal());
  values_.set(node, *std::move(result));
  return {};
}

Expected<void> Translator::constant(std::uint32_t node) {
  const auto& attributes = topology_.node(node).attr();
  const auto value = attributes.find("value");
  if (value == attributes.end()) return invalid(node, "a constant without a value");
  Expected<Tensor> tensor = decode_tensor(value->second.tensor(), structure_.expansion_budget);
  if (!tensor) {
    return failure(node, tensor.error(),
                   {Refused::element_type, {}, {}, {}, tensor.error().message, {}});
  }
  values_.set(node, {graph_.add_constant(*std::move(tensor))});
  return {};
}

Expected<void> Translator::join(std::uint32_t node) {
  if (const std::optional<std::uint32_t> choice = selection_.chosen(node)) {
    INGOT_TRY(forward(node, topology_.inputs(node)[*choice], 1));
    if (!blocked_.contains(node)) {
      const ValueId index =
          graph_.add_constant(Tensor::scalar(DType::i32, static_cast<std::int32_t>(*choice)));
      values_.set(node, {values_.get({node, 0}), index});
    }
    return {};
  }
  const int number = branches_.join_of(node);
  if (number < 0) {
    refuse(node, {Refused::control_flow,
                  {},
                  {},
                  {},
                  "more than one of its inputs can have a value, not one for each branch",
                  {}});
    return {};
  }
  const auto place = static_cast<std::size_t>(number);
  if (!joined_.insert(place).second) return {};
  return join_branches(branches_.joins()[place]);
}

Expected<void> Translator::forward(std::uint32_t node, Wire from, std::size_t outputs) {
  const ValueId value = values_.get(from);
  if (!value.valid()) block(node);
  if (value.valid()) values_.set(node, std::vector<ValueId>(outputs, value));
  return {};
}

/// Where a predicate comes from, through nodes that hand it on.
Wire Translator::origin(Wire wire) const {
  for (std::size_t steps = 0; steps < topology_.size(); ++steps) {
    const std::string_view op = topology_.op(wire.node);
    const bool hands_on = op == "Identity" || op == "LogicalNot" || is_switch(op);
    if (!hands_on || topology_.inputs(wire.node).empty()) break;
    wire = topology_.inputs(wire.node)[0];
  }
  return wire;
}

/// A node's output that its row leaves out, or that it does not have.
Refusal Translator::refusal_of_output(Wire wire) const {
  const std::string_view op = topology_.op(wire.node);
  const bool norm = op.starts_with("FusedBatchNorm");
  return {norm ? Refused::training : Refused::output,
          {},
          {},
          {},
          fmt::format("it reads '{}', an output that {}", topology_.describe(wire),
                      norm ? fmt::format("{} gives in training only", op)
                           : fmt::format("Ingot does not compute for {}, if it has one", op)),
          norm ? "" : "check the number after the colon, or name other --outputs"};
}

/// Not looked at, because of what it reads.
void Translator::block(std::uint32_t node) {
  blocked_.insert(node);
  ++use(node).unseen;
}
void Translator::refuse(std::uint32_t node, Refusal refusal) {
  blocked_.insert(node);
  ++use(node).refused;
  refusal.op = topology_.op(node);
  refusal.node = topology_.node(node).name();
  survey_.refuse(std::move(refusal));
}
void Translator::refuse(std::uint32_t node, const RefusedOp& row) {
  refuse(node, {row.kind, {}, {}, {}, std::string(row.reason), std::string(row.advice)});
}

Error Translator::invalid(std::uint32_t node, std::string_view what) const {
  return fail(ErrorCode::invalid_model, "node '{}' ({}): {}", topology_.node(node).name(),
              topology_.op(node), what);
}

Expected<void> Translator::failure(std::uint32_t node, const Error& error, Refusal refusal) {
  if (error.code == ErrorCode::unsupported) {
    refuse(node, std::move(refusal));
    return {};
  }
  return in_node(error, topology_.node(node).name(), std::string(topology_.op(node)));
}

Expected<void> translate(Graph& graph, const Topology& topology, const Selection& selection,
                         const Library& library, Values& values, Survey& survey) {
  const Loops loops(topology, selection);
  const Branches branches(topology, selection, loops);
  Translator::Structure structure{topology, selection, loops, branches, library};
  return Translator(graph, structure, values, survey).run();
}

}  // namespace ingot::tensorflow
