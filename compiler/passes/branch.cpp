// SPDX-License-Identifier: Apache-2.0
#include "passes/branch.h"

#include <algorithm>
#include <set>

#include "ir/op.h"
#include "passes/layout.h"

namespace ingot::passes {
namespace {

/// A reshape that may split the columns, and may join or split the rows, but mixes neither with the
/// other: a part of wider rows has strides for that.
bool keeps_columns(const Graph& graph, const Node& reshape) {
  const Dim columns = graph.type(reshape.inputs[0]).shape.back();
  const Shape& shape = graph.type(reshape.outputs[0]).shape;
  Dim size = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    size *= shape[d];
    if (size == columns) return true;
  }
  return false;
}

/// What depends on any result of the branch.
std::set<ValueId> descendants(const Graph& graph, const Branch& branch) {
  std::set<ValueId> found{branch.value(0)};
  for (const Node& node : graph.nodes()) {
    if (std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](ValueId input) { return found.count(input) != 0; }))
      found.insert(node.outputs.begin(), node.outputs.end());
  }
  return found;
}

}  // namespace

BranchFinder::BranchFinder(const Graph& graph)
    : graph_(graph), uses_(compute_uses(graph)), is_output_(graph.value_count()) {
  for (const Output& output : graph.outputs()) is_output_[output.value.index] = true;
}

bool BranchFinder::is_per_column(ValueId value, const TensorType& type) const {
  if (!graph_.is_constant(value)) return false;
  const Tensor& tensor = graph_.constant(value);
  const std::int64_t columns = *type.shape.back().value();
  if (tensor.rank() > type.rank()) return false;
  return tensor.elements() == 1 ||
         (tensor.elements() == columns && tensor.shape().back() == columns);
}

std::optional<Branch> BranchFinder::find(const Node& product) const {
  if (product.op->kind != OpKind::contract || !graph_.is_constant(product.inputs[1]))
    return std::nullopt;
  const bool conv = product.op->name == "conv";
  const Tensor& weights = graph_.constant(product.inputs[1]);
  const TensorType& type = graph_.type(product.outputs[0]);
  const bool joinable = conv ? product.attributes.get<std::int64_t>("groups") == 1
                             : weights.rank() == 2 && type.rank() > 1;
  if (!joinable || graph_.is_constant(product.inputs[0]) || weights.shape().back() == 0)
    return std::nullopt;
  if (product.inputs.size() == 3 && !graph_.is_constant(product.inputs[2])) return std::nullopt;

  Branch branch{{{&product, {}}}, {{product.outputs[0], 0}}};
  // In the order of the graph, so that operands that belong to the branch are known by then.
  std::set<NodeId> next(uses_[product.outputs[0].index].begin(),
                        uses_[product.outputs[0].index].end());
  while (!next.empty()) {
    const Node& node = graph_.node(*next.begin());
    next.erase(next.begin());
    if (node.op->kind != OpKind::pointwise || graph_.type(node.outputs[0]).shape != type.shape)
      continue;
    Branch::Step step{&node, {}};
    for (const ValueId operand : node.inputs) {
      const auto known = branch.computed.find(operand);
      if (known != branch.computed.end()) {
        step.operands.push_back(known->second);
      } else if (is_per_column(operand, type)) {
        step.operands.push_back(Branch::constant);
      }
    }
    if (step.operands.size() != node.inputs.size()) continue;
    const ValueId result = node.outputs[0];
    branch.computed[result] = static_cast<int>(branch.steps.size());
    branch.steps.push_back(std::move(step));
    next.insert(uses_[result.index].begin(), uses_[result.index].end());
  }
  return branch;
}

/// Of a value that moving ops made of columns: what reads it is a kernel of its own in any case,
/// unless a reshape has to write it out first.
bool BranchFinder::reads_in_place(ValueId value) const {
  return std::all_of(uses_[value.index].begin(), uses_[value.index].end(), [&](NodeId user) {
    const Node& node = graph_.node(user);
    if (node.op->kind != OpKind::move || node.op->name == "concat") return true;
    const bool view = node.op->name != "reshape" || view_map(graph_, node);
    return view && reads_in_place(node.outputs[0]);
  });
}

BranchFinder::Readers BranchFinder::readers(const Branch& branch, std::size_t step) const {
  const ValueId value = branch.value(step);
  Readers readers;
  readers.apart = is_output_[value.index];
  std::optional<std::set<ValueId>> later;
  int outside = 0;
  for (const NodeId user : uses_[value.index]) {
    const Node& node = graph_.node(user);
    if (branch.computed.count(node.outputs[0]) != 0) continue;
    ++outside;
    switch (node.op->kind) {
      case OpKind::contract:
      case OpKind::reduce:
      case OpKind::window:
      case OpKind::loop:
        break;
      case OpKind::index:
        // Indices are computed where they are used.
        if (node.op->name == "gather" && node.inputs[1] == value) readers.apart = true;
        break;
      case OpKind::pointwise: {
        // It is computed where its last operand is. That is not here if the operand depends on what
        // is computed here: e.g. in a softmax, where the maximum is subtracted.
        if (!later) later = descendants(graph_, branch);
        const bool elsewhere =
            std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId operand) {
              return later->count(operand) != 0 && branch.computed.count(operand) == 0;
            });
        if (!elsewhere) readers.apart = true;
        break;
      }
      case OpKind::move:
        if (node.op->name == "concat") {
          const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
          readers.joins = &node;
          if (axis + 1 != graph_.type(value).rank()) readers.apart = true;
        } else if (node.op->name == "reshape" && !keeps_columns(graph_, node)) {
          readers.apart = true;
        } else if (!reads_in_place(node.outputs[0])) {
          readers.apart = true;
        }
        break;
      case OpKind::source:
        break;
    }
  }
  if (readers.joins != nullptr && outside > 1) readers.apart = true;
  return readers;
}

bool same_form(const Graph& graph, const Branch& a, const Branch& b) {
  const Node &p = a.product(), &q = b.product();
  if (p.op != q.op || p.inputs[0] != q.inputs[0] || p.attributes != q.attributes) return false;
  const auto& v = graph.constant(p.inputs[1]).shape();
  const auto& w = graph.constant(q.inputs[1]).shape();
  if (!std::equal(v.begin(), v.end() - 1, w.begin(), w.end() - 1)) return false;
  return std::equal(a.steps.begin() + 1, a.steps.end(), b.steps.begin() + 1, b.steps.end(),
                    [](const Branch::Step& s, const Branch::Step& t) {
                      return s.node->op == t.node->op && s.operands == t.operands &&
                             s.node->attributes == t.node->attributes;
                    });
}

}  // namespace ingot::passes
