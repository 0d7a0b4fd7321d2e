// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/loops.h"

#include <algorithm>
#include <set>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

bool is_next(std::string_view op) { return op == "NextIteration" || op == "RefNextIteration"; }

class Finder {
 public:
  Finder(const Topology& topology, const Selection& selection, Loop& loop,
         const std::set<std::uint32_t>& members)
      : topology_(topology), selection_(selection), loop_(loop), members_(members) {}

  void run() {
    for (const std::uint32_t node : members_) {
      const std::string_view op = topology_.op(node);
      if (is_exit(op)) loop_.exits.push_back(node);
      if (is_enter(op) && frame_of(topology_.node(node)) != loop_.frame)
        refuse("a loop within it is not supported yet");
      if (is_merge(op) && !selection_.chosen(node)) add_variable(node);
    }
    if (!loop_.refusal.empty()) return;
    for (const std::uint32_t node : members_) {
      const std::string_view op = topology_.op(node);
      if (is_enter(op) && !starts_variable(node)) loop_.enters.push_back(node);
      if (op == "LoopCond") read_condition(node);
    }
    for (Loop::Variable& variable : loop_.variables) understand(variable);
    for (Loop::Variable& variable : loop_.variables) {
      if (variable.keeps_last) find_same(variable);
    }
    if (loop_.bounds.empty()) refuse("its condition is not that a counter is below a number");
    for (const auto& [counter, bound] : loop_.bounds) {
      if (!loop_.variables[counter].counts) refuse("its number of turns is not counted by ones");
    }
    for (const std::size_t index : indices_) {
      if (!loop_.variables[index].counts) refuse("an array is not filled entry by entry");
    }
  }

 private:
  void refuse(std::string_view why) {
    if (loop_.refusal.empty()) loop_.refusal = why;
  }

  void add_variable(std::uint32_t merge) {
    const std::vector<Wire>& inputs = topology_.inputs(merge);
    if (inputs.size() != 2) return refuse("a Merge of it has not two inputs");
    Loop::Variable variable{.merge = merge};
    for (const Wire input : inputs) {
      const std::string_view op = topology_.op(input.node);
      if (topology_.inputs(input.node).empty()) continue;
      if (is_enter(op)) variable.start = topology_.inputs(input.node)[0];
      if (is_next(op)) variable.next = topology_.inputs(input.node)[0];
    }
    // A Merge of two branches within a turn.
    if (variable.start.node == UINT32_MAX || variable.next.node == UINT32_MAX)
      return refuse("a branch within it depends on data");
    loop_.variables.push_back(variable);
  }

  bool starts_variable(std::uint32_t enter) const {
    return std::any_of(loop_.variables.begin(), loop_.variables.end(),
                       [&](const Loop::Variable& variable) {
                         const std::vector<Wire>& inputs = topology_.inputs(variable.merge);
                         return inputs[0].node == enter || inputs[1].node == enter;
                       });
  }

  void read_condition(std::uint32_t node) {
    std::vector<Wire> open(topology_.inputs(node).begin(), topology_.inputs(node).end());
    while (!open.empty()) {
      const Wire wire = handed_on(topology_, open.back());
      open.pop_back();
      const std::string_view op = topology_.op(wire.node);
      const std::vector<Wire>& inputs = topology_.inputs(wire.node);
      if (op == "LogicalAnd" && inputs.size() == 2) {
        open.insert(open.end(), inputs.begin(), inputs.end());
        continue;
      }
      const auto counter = op == "Less" && inputs.size() == 2
                               ? loop_.variable_of(topology_, handed_on(topology_, inputs[0]).node)
                               : std::nullopt;
      if (!counter) return refuse("its condition is not that a counter is below a number");
      loop_.bounds.emplace_back(*counter, inputs[1]);
    }
  }

  /// A wire of a turn that is this variable, as it was at the beginning of the turn.
  bool is_old(Wire wire, const Loop::Variable& variable) const {
    const auto found = loop_.variable_of(topology_, handed_on(topology_, wire).node);
    return found && loop_.variables[*found].merge == variable.merge;
  }

  void understand(Loop::Variable& variable) {
    const Wire next = handed_on(topology_, variable.next);
    const std::string_view op = topology_.op(next.node);
    const std::vector<Wire>& inputs = topology_.inputs(next.node);
    if ((op == "Add" || op == "AddV2") && inputs.size() == 2) {
      for (const std::size_t i : {0, 1}) {
        if (is_old(inputs[i], variable) && constant_integer(topology_, inputs[1 - i]) == 1 &&
            constant_integer(topology_, variable.start) == 0)
          variable.counts = true;
      }
    }
    const Wire start = handed_on(topology_, variable.start);
    const std::string_view array = topology_.op(start.node);
    if (!array.starts_with("TensorArray") && !array.starts_with("TensorList")) return;
    variable.is_flow = true;
    const auto write = array_write(topology_, next.node);
    if (!write || !is_old(write->array, variable))
      return refuse("an array is not filled entry by entry");
    variable.written = write->value;
    const Wire index = handed_on(topology_, write->index);
    if (const auto counter = loop_.variable_of(topology_, index.node)) {
      indices_.push_back(*counter);
      return;
    }
    // How long the array is, its maker says.
    const std::vector<Wire>& made_of = topology_.inputs(start.node);
    const std::size_t length = array == "TensorListReserve" ? 1 : 0;
    variable.keeps_last = constant_integer(topology_, index) == 0 && length < made_of.size() &&
                          constant_integer(topology_, made_of[length]) == 1;
    if (!variable.keeps_last) refuse("an array is not filled entry by entry");
  }

  /// What an array of one entry is left with is usually a state, which is carried on anyway.
  void find_same(Loop::Variable& variable) {
    const Wire written = handed_on(topology_, variable.written);
    for (std::size_t i = 0; i < loop_.variables.size(); ++i) {
      const Loop::Variable& other = loop_.variables[i];
      if (!other.is_flow && !other.counts && handed_on(topology_, other.next) == written)
        variable.same_as = i;
    }
  }

  const Topology& topology_;
  const Selection& selection_;
  Loop& loop_;
  const std::set<std::uint32_t>& members_;
  std::vector<std::size_t> indices_;  // the counters that arrays are written at
};

}  // namespace

bool is_enter(std::string_view op) { return op == "Enter" || op == "RefEnter"; }
bool is_exit(std::string_view op) { return op == "Exit" || op == "RefExit"; }

bool is_of_loops(std::string_view op) {
  static constexpr std::string_view arrays[] = {
      "TensorArrayV3",       "TensorArrayReadV3",    "TensorArrayWriteV3", "TensorArraySizeV3",
      "TensorArrayGatherV3", "TensorArrayScatterV3", "TensorListReserve",  "TensorListFromTensor",
      "TensorListGetItem",   "TensorListSetItem",    "TensorListStack",    "TensorListLength",
      "TensorListGather"};
  return is_enter(op) || is_exit(op) || is_next(op) || op == "LoopCond" ||
         std::find(std::begin(arrays), std::end(arrays), op) != std::end(arrays);
}

std::optional<ArrayAccess> array_read(const Topology& topology, std::uint32_t node) {
  const std::string_view op = topology.op(node);
  const std::vector<Wire>& inputs = topology.inputs(node);
  if (inputs.size() != 3) return std::nullopt;
  if (op == "TensorArrayReadV3") return ArrayAccess{inputs[2], inputs[1], {}};
  if (op == "TensorListGetItem") return ArrayAccess{inputs[0], inputs[1], {}};
  return std::nullopt;
}

std::optional<ArrayAccess> array_write(const Topology& topology, std::uint32_t node) {
  if (node == UINT32_MAX) return std::nullopt;
  const std::string_view op = topology.op(node);
  const std::vector<Wire>& inputs = topology.inputs(node);
  if (op == "TensorArrayWriteV3" && inputs.size() == 4)
    return ArrayAccess{inputs[3], inputs[1], inputs[2]};
  if (op == "TensorListSetItem" && inputs.size() == 3)
    return ArrayAccess{inputs[0], inputs[1], inputs[2]};
  return std::nullopt;
}

std::string_view frame_of(const NodeDef& enter) {
  const auto name = enter.attr().find("frame_name");
  return name == enter.attr().end() ? std::string_view() : std::string_view(name->second.s());
}

std::optional<std::int64_t> constant_integer(const Topology& topology, Wire wire) {
  wire = handed_on(topology, wire);
  if (wire.node == UINT32_MAX || topology.op(wire.node) != "Const") return std::nullopt;
  const auto& attributes = topology.node(wire.node).attr();
  const auto value = attributes.find("value");
  if (value == attributes.end()) return std::nullopt;
  std::int64_t budget = 64;
  const Expected<Tensor> tensor = decode_tensor(value->second.tensor(), budget);
  if (!tensor || !is_integer(tensor->dtype()) || tensor->elements() != 1) return std::nullopt;
  return tensor->as_int64(0);
}

Wire handed_on(const Topology& topology, Wire wire) {
  for (std::size_t steps = 0; steps < topology.size() && wire.node != UINT32_MAX; ++steps) {
    const std::string_view op = topology.op(wire.node);
    const std::vector<Wire>& inputs = topology.inputs(wire.node);
    if (op == "IdentityN" && wire.output < inputs.size()) {
      wire = inputs[wire.output];
      continue;
    }
    if ((op != "Identity" && !is_enter(op)) || inputs.empty()) break;
    wire = inputs[0];
  }
  return wire;
}

std::optional<std::size_t> Loop::variable_of(const Topology& topology, std::uint32_t node) const {
  for (int steps = 0; steps < 3 && node != UINT32_MAX; ++steps) {
    const std::string_view op = topology.op(node);
    if (is_merge(op)) {
      for (std::size_t i = 0; i < variables.size(); ++i) {
        if (variables[i].merge == node) return i;
      }
      return std::nullopt;
    }
    if ((!is_switch(op) && !is_exit(op)) || topology.inputs(node).empty()) return std::nullopt;
    node = topology.inputs(node)[0].node;
  }
  return std::nullopt;
}

Loops::Loops(const Topology& topology, const Selection& selection) : of_node_(topology.size(), -1) {
  std::vector<std::vector<std::uint32_t>> readers(topology.size());
  for (const std::uint32_t node : selection.order) {
    for (const Wire wire : topology.inputs(node)) {
      if (wire.node != UINT32_MAX) readers[wire.node].push_back(node);
    }
    for (const std::uint32_t control : topology.controls(node)) readers[control].push_back(node);
  }
  for (const std::uint32_t first : selection.order) {
    if (!is_enter(topology.op(first)) || of_node_[first] >= 0) continue;
    Loop loop;
    loop.frame = frame_of(topology.node(first));
    std::set<std::uint32_t> members;
    std::vector<std::uint32_t> open;
    for (const std::uint32_t node : selection.order) {
      if (is_enter(topology.op(node)) && frame_of(topology.node(node)) == loop.frame)
        open.push_back(node);
    }
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      if (!members.insert(node).second || is_exit(topology.op(node))) continue;
      open.insert(open.end(), readers[node].begin(), readers[node].end());
    }
    for (const std::uint32_t node : members) of_node_[node] = static_cast<int>(loops_.size());
    Finder(topology, selection, loop, members).run();
    for (const std::uint32_t node : selection.order) {
      const std::string_view op = topology.op(node);
      const bool steers = (is_merge(op) || is_switch(op)) && !selection.chosen(node);
      const bool frame = is_enter(op) || is_exit(op) || is_next(op) || steers || op == "LoopCond";
      if (members.count(node) != 0 && !frame) loop.body.push_back(node);
    }
    loops_.push_back(std::move(loop));
  }
}

}  // namespace ingot::tensorflow
