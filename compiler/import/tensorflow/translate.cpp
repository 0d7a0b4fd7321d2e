// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/translate.h"

#include <algorithm>
#include <map>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

/// All that stands in the way, grouped by op and reason.
class Obstacles {
 public:
  void add(std::string_view op, std::string_view node, std::string reason) {
    std::vector<std::string>& nodes = by_reason_[{std::string(op), std::move(reason)}];
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.emplace_back(node);
  }
  bool empty() const { return by_reason_.empty(); }
  Error error() const {
    std::size_t count = 0;
    for (const auto& [key, nodes] : by_reason_) count += nodes.size();
    std::string text = count == 1
                           ? "one node of this model cannot be compiled yet:"
                           : fmt::format("{} nodes of this model cannot be compiled yet:", count);
    for (const auto& [key, nodes] : by_reason_) {
      text +=
          fmt::format("\n  {}: {}; nodes '{}'", key.first, key.second, fmt::join(nodes, "', '"));
    }
    return {ErrorCode::unsupported, std::move(text)};
  }

 private:
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_reason_;
};

class Translator {
 public:
  Translator(Graph& graph, const Topology& topology, const Selection& selection,
             const std::unordered_set<std::string_view>& functions, Values& values)
      : graph_(graph),
        topology_(topology),
        selection_(selection),
        functions_(functions),
        values_(values),
        blocked_(topology.size()) {}

  Expected<void> run() {
    for (const std::uint32_t node : selection_.order) {
      INGOT_TRY(translate(node));
    }
    if (!obstacles_.empty()) return obstacles_.error();
    return {};
  }

 private:
  Expected<void> translate(std::uint32_t node) {
    const std::string_view op = topology_.op(node);
    if (is_placeholder(op)) return {};  // an input of the graph
    if (op == "Const") return constant(node);
    if (is_switch(op)) return branch(node);
    if (is_merge(op)) return join(node);
    const OpRow* row = find_row(op);
    if (row == nullptr) {
      block(node, functions_.contains(op) ? unsupported_reason("PartitionedCall")
                                          : unsupported_reason(op));
      return {};
    }
    std::vector<ValueId> operands;
    for (const Wire wire : topology_.inputs(node)) {
      const ValueId value = values_.get(wire);
      if (!value.valid()) {
        if (!blocked_[wire.node]) {
          block(node, fmt::format("it reads '{}', an output that {} does not give in inference",
                                  topology_.describe(wire), topology_.op(wire.node)));
        }
        blocked_[node] = true;
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
    if (!result) return failure(node, result.error());
    values_.set(node, *std::move(result));
    return {};
  }

  Expected<void> constant(std::uint32_t node) {
    const auto& attributes = topology_.node(node).attr();
    const auto value = attributes.find("value");
    if (value == attributes.end()) return invalid(node, "a constant without a value");
    Expected<Tensor> tensor = decode_tensor(value->second.tensor(), expansion_budget_);
    if (!tensor) return failure(node, tensor.error());
    values_.set(node, {graph_.add_constant(*std::move(tensor))});
    return {};
  }

  Expected<void> branch(std::uint32_t node) {
    if (topology_.inputs(node).size() != 2) return invalid(node, "not two inputs");
    const Wire data = topology_.inputs(node)[0];
    if (!selection_.chosen(node)) {
      const Wire predicate = origin(topology_.inputs(node)[1]);
      const std::string_view source = topology_.op(predicate.node);
      blocked_[node] = true;
      if (source == "LoopCond") {
        obstacles_.add("Switch", topology_.node(node).name(),
                       std::string(unsupported_reason("LoopCond")));
      } else {
        // One line for each predicate, however many nodes it steers.
        const std::string name = topology_.describe(predicate);
        const bool fixable = source.starts_with("Placeholder");
        obstacles_.add("Switch", name,
                       fixable ? fmt::format("chooses a branch by an input; fix it with "
                                             "--constant {}=false",
                                             name)
                               : "chooses a branch by data");
      }
      return {};
    }
    return forward(node, data, 2);
  }

  Expected<void> join(std::uint32_t node) {
    const std::optional<std::uint32_t> choice = selection_.chosen(node);
    if (!choice) {
      const auto& inputs = topology_.inputs(node);
      const bool loop = std::any_of(inputs.begin(), inputs.end(), [&](Wire wire) {
        return topology_.op(wire.node).ends_with("NextIteration");
      });
      if (loop) block(node, unsupported_reason("NextIteration"));
      if (obstacles_.empty()) block(node, "more than one of its inputs can have a value");
      blocked_[node] = true;
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

  Expected<void> forward(std::uint32_t node, Wire from, std::size_t outputs) {
    const ValueId value = values_.get(from);
    blocked_[node] = !value.valid();
    if (value.valid()) values_.set(node, std::vector<ValueId>(outputs, value));
    return {};
  }

  /// Where a predicate comes from, through nodes that hand it on.
  Wire origin(Wire wire) const {
    for (std::size_t steps = 0; steps < topology_.size(); ++steps) {
      const std::string_view op = topology_.op(wire.node);
      const bool hands_on = op == "Identity" || op == "LogicalNot" || is_switch(op);
      if (!hands_on || topology_.inputs(wire.node).empty()) break;
      wire = topology_.inputs(wire.node)[0];
    }
    return wire;
  }

  void block(std::uint32_t node, std::string_view reason) {
    blocked_[node] = true;
    obstacles_.add(topology_.op(node), topology_.node(node).name(), std::string(reason));
  }

  Error invalid(std::uint32_t node, std::string_view what) const {
    return fail(ErrorCode::invalid_model, "node '{}' ({}): {}", topology_.node(node).name(),
                topology_.op(node), what);
  }

  Expected<void> failure(std::uint32_t node, const Error& error) {
    if (error.code == ErrorCode::unsupported) {
      block(node, error.message);
      return {};
    }
    if (error.message.starts_with("node '")) return error;
    return fail(error.code, "node '{}' ({}): {}", topology_.node(node).name(), topology_.op(node),
                error.message);
  }

  Graph& graph_;
  const Topology& topology_;
  const Selection& selection_;
  const std::unordered_set<std::string_view>& functions_;
  Values& values_;
  std::vector<bool> blocked_;
  Obstacles obstacles_;
  std::int64_t expansion_budget_ = std::int64_t{256} << 20;
};

}  // namespace

Expected<void> translate(Graph& graph, const Topology& topology, const Selection& selection,
                         const std::unordered_set<std::string_view>& functions, Values& values) {
  return Translator(graph, topology, selection, functions, values).run();
}

}  // namespace ingot::tensorflow
