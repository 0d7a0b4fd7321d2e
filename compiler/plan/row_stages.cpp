// SPDX-License-Identifier: Apache-2.0
#include "plan/row_stages.h"

#include <algorithm>
#include <set>

#include "ir/op.h"

namespace ingot::plan {
namespace {

class Assigner {
 public:
  Assigner(const Graph& graph, const Clusters& clusters, const Group& group, int number)
      : graph_(graph), clusters_(clusters), group_(group), number_(number) {}

  RowStages run() {
    for (const NodeId id : group_.nodes) place(id);
    for (std::size_t s = 0; s < result_.stages.size(); ++s) {
      for (const NodeId id : result_.stages[s].stored) need(output(id), s);
      const NodeId reduction = result_.stages[s].reduction;
      if (reduction.valid()) need(graph_.node(reduction).inputs[0], s);
    }
    return std::move(result_);
  }

 private:
  ValueId output(NodeId id) const { return graph_.node(id).outputs[0]; }
  bool internal(ValueId value) const { return clusters_.group_of[value.index] == number_; }
  RowStages::Stage& stage(std::size_t s) {
    if (result_.stages.size() <= s) result_.stages.resize(s + 1);
    return result_.stages[s];
  }

  /// The earliest stage in which a node's operands are there.
  std::size_t ready(const Node& node) const {
    std::size_t s = 0;
    for (const ValueId input : node.inputs) {
      if (internal(input)) s = std::max(s, available_.at(input));
    }
    return s;
  }

  void place(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId value = output(id);
    std::size_t s = ready(node);
    if (node.op->kind == OpKind::reduce) {
      while (stage(s).reduction.valid()) ++s;
      stage(s).reduction = id;
      result_.reduced_in[value] = s;
      available_[value] = s + 1;
      rows_.insert(value);
    } else {
      available_[value] = s;
      const bool of_row = graph_.type(value).shape != group_.space;
      if (of_row) rows_.insert(value);
      if (!of_row && clusters_.stored[value.index]) stage(s).stored.push_back(id);
    }
    if (clusters_.stored[value.index] && rows_.count(value) != 0) result_.finish.push_back(id);
  }

  /// Marks what stage s needs of earlier stages: kept, if the earlier one keeps nothing else yet;
  /// otherwise it will be computed again.
  void need(ValueId value, std::size_t s) {
    if (!internal(value) || result_.reduced_in.count(value) != 0) return;
    const std::size_t made = available_.at(value);
    if (made < s && rows_.count(value) == 0) {
      ValueId& kept = stage(made).kept;
      if (!kept.valid() || kept == value) {
        kept = value;
        result_.kept_in[value] = made;
        return;
      }
    }
    for (const ValueId input : graph_.producer(value)->inputs) need(input, s);
  }

  const Graph& graph_;
  const Clusters& clusters_;
  const Group& group_;
  int number_;
  std::map<ValueId, std::size_t> available_;
  std::set<ValueId> rows_;  // values of whole rows
  RowStages result_;
};

}  // namespace

std::optional<Step> RowStages::internal(const Graph& graph, ValueId value,
                                        std::size_t stage) const {
  const DType dtype = graph.type(value).dtype;
  if (const auto reduced = reduced_in.find(value); reduced != reduced_in.end()) {
    return Step{.kind = Step::Kind::scalar,
                .dtype = dtype,
                .index = static_cast<std::uint32_t>(reduced->second)};
  }
  if (const auto kept = kept_in.find(value); kept != kept_in.end() && kept->second < stage) {
    return Step{.kind = Step::Kind::temp,
                .dtype = dtype,
                .index = static_cast<std::uint32_t>(kept->second)};
  }
  return std::nullopt;
}

RowStages assign_stages(const Graph& graph, const Clusters& clusters, const Group& group,
                        int number) {
  return Assigner(graph, clusters, group, number).run();
}

}  // namespace ingot::plan
