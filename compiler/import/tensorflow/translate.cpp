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
  for (const std::uint32_t node : selection_.order) {
    ++use(node).nodes;
    const int number = loops_.of(node);
    if (number < 0) {
      INGOT_TRY(translate(node));
    } else if (const auto place = static_cast<std::size_t>(number);
               is_exit(topology_.op(node)) && !done_[place]) {
      done_[place] = true;
      INGOT_TRY(loop(loops_.all()[place]));
    }
  }
  for (std::size_t i = 0; i < done_.size(); ++i) {
    // Only an output within a loop makes it necessary, but not its end.
    if (done_[i] || survey_.refused()) continue;
    return fail(ErrorCode::invalid_argument,
                "an output is within the loop '{}': take a value after it as output",
                loops_.all()[i].frame);
  }
  if (survey_.refused()) return survey_.error();
  return {};
}

Expected<void> Translator::translate(std::uint32_t node) {
  const std::string_view op = topology_.op(node);
  if (!values_.of_node(node).empty()) return {};  // a variable
  if (is_placeholder(op)) {                       // an input of the graph, or one that was refused
    blocked_[node] = !values_.get({node, 0}).valid();
    return {};
  }
  if (op == "Const") return constant(node);
  if (is_of_loops(op)) return array(node);
  if (is_switch(op)) return branch(node);
  if (is_merge(op)) return join(node);
  const OpRow* row = find_row(op);
  if (row == nullptr) {
    use(node).known = false;
    refuse(node, refused_op(library_.calls(op) ? "PartitionedCall" : op));
    library_.skim(topology_.node(node), survey_);
    return {};
  }
  std::vector<ValueId> operands;
  for (const Wire wire : topology_.inputs(node)) {
    const ValueId value = values_.get(wire);
    if (!value.valid()) {
      if (!blocked_[wire.node]) {
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
  Expected<Tensor> tensor = decode_tensor(value->second.tensor(), expansion_budget_);
  if (!tensor) {
    return failure(node, tensor.error(),
                   {Refused::element_type, {}, {}, {}, tensor.error().message, {}});
  }
  values_.set(node, {graph_.add_constant(*std::move(tensor))});
  return {};
}

Expected<void> Translator::branch(std::uint32_t node) {
  if (topology_.inputs(node).size() != 2) return invalid(node, "not two inputs");
  const Wire data = topology_.inputs(node)[0];
  if (!selection_.chosen(node)) {
    const Wire predicate = origin(topology_.inputs(node)[1]);
    const std::string_view source = topology_.op(predicate.node);
    // One line for each predicate, however many nodes it steers.
    const std::string name = topology_.describe(predicate);
    blocked_[node] = true;
    ++use(node).refused;
    Refusal refusal{Refused::control_flow, "Switch", name, {}, "chooses a branch by data", {}};
    if (source.starts_with("Placeholder")) {
      refusal.reason = "chooses a branch by an input";
      refusal.advice = fmt::format("fix it with --constant {0}=false, or {0}=true", name);
    }
    survey_.refuse(std::move(refusal));
    return {};
  }
  return forward(node, data, 2);
}

Expected<void> Translator::join(std::uint32_t node) {
  const std::optional<std::uint32_t> choice = selection_.chosen(node);
  if (!choice) {
    if (!survey_.refused()) {
      refuse(
          node,
          {Refused::control_flow, {}, {}, {}, "more than one of its inputs can have a value", {}});
    } else {
      block(node);
    }
    return {};
  }
  INGOT_TRY(forward(node, topology_.inputs(node)[*choice], 1));
  if (!blocked_[node]) {
    const ValueId index =
        graph_.add_constant(Tensor::scalar(DType::i32, static_cast<std::int32_t>(*choice)));
    values_.set(node, {values_.of_node(node)[0], index});
  }
  return {};
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
  blocked_[node] = true;
  ++use(node).unseen;
}
void Translator::refuse(std::uint32_t node, Refusal refusal) {
  blocked_[node] = true;
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
  return Translator(graph, topology, selection, loops, library, values, survey).run();
}

}  // namespace ingot::tensorflow
