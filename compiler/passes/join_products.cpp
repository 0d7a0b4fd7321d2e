// SPDX-License-Identifier: Apache-2.0
#include "passes/join_products.h"

#include <algorithm>
#include <cstring>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "passes/branch.h"

namespace ingot::passes {
namespace {

using Integers = std::vector<std::int64_t>;
/// Of weights that are one number repeated, in elements.
constexpr std::int64_t most_written_out = std::int64_t{1} << 24;

using Branches = std::vector<Branch>;

/// Whether result `step` of each branch is an operand of one concatenation, in this order.
bool side_by_side(const Branches& branches, std::size_t step, const Node& concat) {
  const std::vector<ValueId>& parts = concat.inputs;
  const auto first = std::find(parts.begin(), parts.end(), branches[0].value(step));
  if (parts.end() - first < static_cast<std::ptrdiff_t>(branches.size())) return false;
  return std::equal(branches.begin(), branches.end(), first,
                    [&](const Branch& branch, ValueId part) { return branch.value(step) == part; });
}

class Joiner {
 public:
  Joiner(const Graph& graph, Report& report) : graph_(graph), report_(report), finder_(graph) {
    for (const Node& node : graph.nodes()) {
      std::optional<Branch> branch = finder_.find(node);
      if (!branch) continue;
      const auto same = std::find_if(sets_.begin(), sets_.end(), [&](const Branches& others) {
        return same_form(graph_, others[0], *branch);
      });
      if (same == sets_.end()) {
        sets_.push_back({std::move(*branch)});
      } else {
        same->push_back(std::move(*branch));
      }
    }
    for (Branches& branches : sets_) select(branches);
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      if (sets_[i].size() < 2 || !report.fire()) continue;
      for (const Branch& branch : sets_[i]) {
        for (const Branch::Step& step : branch.steps) member_of_[step.node->outputs[0]] = i;
      }
    }
  }

  Expected<std::vector<ValueId>> rewrite(Rebuilder& rebuilder, const Node& node) {
    const auto member = member_of_.find(node.outputs[0]);
    if (member == member_of_.end()) return rebuilder.copy(node);
    if (parts_.count(node.outputs[0]) == 0) INGOT_TRY(join(rebuilder, sets_[member->second]));
    return std::vector{parts_.at(node.outputs[0])};
  }

 private:
  void miss(const Branch& branch, std::string_view why) {
    report_.miss(graph_, branch.product(), fmt::format("it shares its operand, but {}", why));
  }

  /// Takes out what must not or need not be joined.
  void select(Branches& branches) {
    if (branches.size() < 2) return;
    auto drop = [&](auto&& bad, std::string_view why) {
      std::erase_if(branches, [&](const Branch& branch) {
        const bool dropped = bad(branch);
        if (dropped) miss(branch, why);
        return dropped;
      });
    };
    auto any_reader = [&](const Branch& branch, auto&& test) {
      for (std::size_t step = 0; step < branch.steps.size(); ++step) {
        if (test(step, finder_.readers(branch, step))) return true;
      }
      return false;
    };
    drop(
        [&](const Branch& branch) {
          return any_reader(branch, [](std::size_t, const BranchFinder::Readers& readers) {
            return readers.apart;
          });
        },
        "its result is wanted by itself");
    if (branches.size() < 2) return;
    const Branches all = branches;
    drop(
        [&](const Branch& branch) {
          return any_reader(branch, [&](std::size_t step, const BranchFinder::Readers& readers) {
            return readers.joins != nullptr && !side_by_side(all, step, *readers.joins);
          });
        },
        "its result is written into a concatenation without the others at its side");
    std::int64_t written = 0;
    bool splat = false;
    for (const Branch& branch : branches) {
      const Tensor& weights = graph_.constant(branch.product().inputs[1]);
      splat = splat || weights.is_splat();
      written += weights.elements();
    }
    if (splat && written > most_written_out && !one_number(operands(branches, 0, 1)))
      branches.clear();
  }

  /// Operand `index` of a step of each branch.
  std::vector<ValueId> operands(const Branches& branches, std::size_t step,
                                std::size_t index) const {
    std::vector<ValueId> result;
    for (const Branch& branch : branches) {
      const std::vector<ValueId>& inputs = branch.steps[step].node->inputs;
      result.push_back(index < inputs.size() ? inputs[index] : ValueId{});
    }
    return result;
  }

  bool one_number(const std::vector<ValueId>& constants) const {
    const Tensor& first = graph_.constant(constants[0]);
    return std::all_of(constants.begin(), constants.end(), [&](ValueId value) {
      const Tensor& tensor = graph_.constant(value);
      return (tensor.is_splat() || tensor.elements() == 1) &&
             std::equal(tensor.bytes().begin(), tensor.bytes().end(), first.bytes().begin());
    });
  }

  /// Constants with their columns side by side; where one is missing, zeros, and where one is a
  /// single number, as many as its branch has columns.
  ValueId beside(Rebuilder& rebuilder, const Branches& branches, const std::vector<ValueId>& parts,
                 DType dtype, Integers shape) const {
    shape.back() = 0;
    for (const Branch& branch : branches) shape.back() += branch.columns(graph_);
    const bool given = std::all_of(parts.begin(), parts.end(), [](ValueId v) { return v.valid(); });
    if (given && one_number(parts)) {
      return rebuilder.graph().add_constant(
          Tensor::splat(dtype, shape, graph_.constant(parts[0]).bytes()));
    }
    Tensor joined(dtype, shape);
    const auto size = static_cast<std::int64_t>(bytes_of(dtype));
    const std::int64_t rows = joined.elements() / shape.back();
    std::int64_t column = 0;
    for (std::size_t i = 0; i < branches.size(); ++i) {
      const std::int64_t columns = branches[i].columns(graph_);
      if (parts[i].valid()) {
        const Tensor& part = graph_.constant(parts[i]);
        const bool one = part.is_splat() || part.elements() == 1;
        const std::byte* from = part.bytes().data();
        for (std::int64_t row = 0; row < rows; ++row) {
          std::byte* to = joined.mutable_bytes().data() + (row * shape.back() + column) * size;
          for (std::int64_t c = 0; c < columns; ++c)
            std::memcpy(to + c * size, from + (one ? 0 : (row * columns + c) * size),
                        static_cast<std::size_t>(size));
        }
      }
      column += columns;
    }
    return rebuilder.graph().add_constant(std::move(joined).compact());
  }

  Expected<ValueId> join_step(Rebuilder& rebuilder, const Branches& branches, std::size_t number,
                              const std::vector<ValueId>& joined) const {
    const Branch::Step& step = branches[0].steps[number];
    const Node& node = *step.node;
    std::vector<ValueId> inputs;
    if (number == 0) {
      const Tensor& weights = graph_.constant(node.inputs[1]);
      inputs = {rebuilder.map(node.inputs[0]), beside(rebuilder, branches, operands(branches, 0, 1),
                                                      weights.dtype(), weights.shape())};
      const std::vector<ValueId> biases = operands(branches, 0, 2);
      if (std::any_of(biases.begin(), biases.end(), [](ValueId v) { return v.valid(); }))
        inputs.push_back(beside(rebuilder, branches, biases, weights.dtype(), {0}));
    }
    for (std::size_t i = 0; i < step.operands.size(); ++i) {
      if (step.operands[i] != Branch::constant) {
        inputs.push_back(joined[static_cast<std::size_t>(step.operands[i])]);
        continue;
      }
      const std::vector<ValueId> constants = operands(branches, number, i);
      const Tensor& first = graph_.constant(constants[0]);
      const bool same = std::all_of(constants.begin(), constants.end(),
                                    [&](ValueId value) { return value == constants[0]; });
      inputs.push_back(same && first.elements() == 1
                           ? rebuilder.map(constants[0])
                           : beside(rebuilder, branches, constants, first.dtype(), {0}));
    }
    std::string name;
    for (const Branch& branch : branches) {
      const std::string& own = branch.steps[number].node->name;
      if (!own.empty()) name += (name.empty() ? "" : " | ") + own;
    }
    INGOT_ASSIGN(const std::vector<ValueId> results,
                 rebuilder.graph().add_node(*node.op, std::move(inputs), node.attributes, name));
    return results[0];
  }

  Expected<void> join(Rebuilder& rebuilder, const Branches& branches) {
    Graph& graph = rebuilder.graph();
    std::vector<ValueId> joined;
    for (std::size_t step = 0; step < branches[0].steps.size(); ++step) {
      INGOT_ASSIGN(const ValueId value, join_step(rebuilder, branches, step, joined));
      joined.push_back(value);
      std::int64_t column = 0;
      for (const Branch& branch : branches) {
        // Those that nobody reads go with the next rebuilding.
        const Shape& shape = graph_.type(branch.value(step)).shape;
        Shape start(shape.size(), 0);
        start.back() = column;
        column += branch.columns(graph_);
        INGOT_ASSIGN(
            parts_[branch.value(step)],
            graph.add("slice", {value},
                      {{"start", start}, {"size", shape}, {"step", Integers(shape.size(), 1)}},
                      branch.steps[step].node->name));
      }
    }
    return {};
  }

  const Graph& graph_;
  Report& report_;
  BranchFinder finder_;
  std::vector<Branches> sets_;  // of the same form
  std::map<ValueId, std::size_t> member_of_;
  std::map<ValueId, ValueId> parts_;  // of the new graph
};

}  // namespace

Expected<Graph> join_products(const Graph& graph, Report& report) {
  Joiner joiner(graph, report);
  return rebuild(graph, [&](Rebuilder& rebuilder, const Node& node) {
    return joiner.rewrite(rebuilder, node);
  });
}

}  // namespace ingot::passes
