// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/loops.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

/// The frame that an Exit leaves; empty where it leaves none.
std::string_view frame_left(const Topology& topology, std::uint32_t exit) {
  std::uint32_t node = exit;
  for (int steps = 0; steps < 4 && node != UINT32_MAX; ++steps) {
    if (is_enter(topology.op(node))) return frame_of(topology.node(node));
    const std::vector<Wire>& inputs = topology.inputs(node);
    if (inputs.empty()) break;
    const bool back =
        inputs.size() > 1 && inputs[0].node != UINT32_MAX && is_next(topology.op(inputs[0].node));
    node = inputs[back ? 1 : 0].node;
  }
  return {};
}

class Finder {
 public:
  Finder(const Topology& topology, const Selection& selection, const std::vector<int>& of_node,
         int number, Loop& loop)
      : topology_(topology),
        selection_(selection),
        of_node_(of_node),
        number_(number),
        loop_(loop),
        members_(loop.within) {}

  void run() {
    for (const std::uint32_t node : members_) {
      const std::string_view op = topology_.op(node);
      if (!is_own(node)) continue;
      if (is_exit(op) && frame_left(topology_, node) == loop_.frame) loop_.exits.push_back(node);
      if (is_loop_merge(topology_, node) && !selection_.chosen(node)) add_variable(node);
      if (is_merge(op) && !selection_.chosen(node) && topology_.inputs(node).size() != 2)
        refuse("a Merge of it has not two inputs");
    }
    if (!loop_.refusal.empty()) return;
    for (const std::uint32_t node : members_) {
      const std::string_view op = topology_.op(node);
      if (!is_own(node)) continue;
      if (is_enter(op) && !starts_variable(node)) loop_.enters.push_back(node);
      if (op == "LoopCond") read_condition(node);
    }
    for (Loop::Variable& variable : loop_.variables) understand(variable);
    for (Loop::Variable& variable : loop_.variables) {
      if (variable.keeps_last) find_same(variable);
    }
    for (const auto& [counter, bound] : loop_.bounds) {
      if (!loop_.variables[counter].counts) loop_.is_counted = false;
    }
    for (const auto& [flow, index] : indices_) {
      Loop::Variable& variable = loop_.variables[flow];
      variable.is_filled = loop_.variables[index].counts_turns() &&
                           variable.length.node != UINT32_MAX && !is_read(variable);
    }
    if (loop_.condition.node == UINT32_MAX) refuse("it has no condition");
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
    if (variable.start.node == UINT32_MAX || variable.next.node == UINT32_MAX)
      return refuse("a value of it does not begin or does not go on");
    loop_.variables.push_back(variable);
  }

  /// Not a node of a loop within this one.
  bool is_own(std::uint32_t node) const {
    if (is_enter(topology_.op(node))) return frame_of(topology_.node(node)) == loop_.frame;
    return of_node_[node] == number_;
  }

  bool starts_variable(std::uint32_t enter) const {
    return std::any_of(loop_.variables.begin(), loop_.variables.end(),
                       [&](const Loop::Variable& variable) {
                         const std::vector<Wire>& inputs = topology_.inputs(variable.merge);
                         return inputs[0].node == enter || inputs[1].node == enter;
                       });
  }

  void read_condition(std::uint32_t node) {
    if (topology_.inputs(node).size() != 1 || loop_.condition.node != UINT32_MAX)
      return refuse("it has not one condition");
    loop_.condition = topology_.inputs(node)[0];
    std::vector<Wire> open{loop_.condition};
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
      if (counter) {
        loop_.bounds.emplace_back(*counter, inputs[1]);
      } else {
        loop_.is_counted = false;
      }
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
        const auto first = constant_integer(topology_, variable.start);
        const auto step = constant_integer(topology_, inputs[1 - i]);
        if (!is_old(inputs[i], variable) || !first || !step || !is_small(*first) ||
            !is_small(*step) || *step < 1)
          continue;
        variable.counts = true;
        variable.first = *first;
        variable.step = *step;
      }
    }
    const Wire start = handed_on(topology_, variable.start);
    const std::string_view array = topology_.op(start.node);
    if (!array.starts_with("TensorArray") && !array.starts_with("TensorList")) return;
    variable.is_flow = true;
    // How long the array is, its maker says.
    const std::vector<Wire>& made_of = topology_.inputs(start.node);
    const std::size_t length = array == "TensorListReserve" ? 1 : 0;
    const bool is_new = array == "TensorListReserve" || array == "TensorArrayV3";
    if (is_new && length < made_of.size()) variable.length = made_of[length];
    const auto write = array_write(topology_, next.node);
    if (!write || !is_old(write->array, variable)) return;
    variable.written = write->value;
    const Wire index = handed_on(topology_, write->index);
    if (const auto counter = loop_.variable_of(topology_, index.node)) {
      indices_.emplace_back(&variable - loop_.variables.data(), *counter);
      return;
    }
    variable.keeps_last = constant_integer(topology_, index) == 0 &&
                          variable.length.node != UINT32_MAX &&
                          constant_integer(topology_, variable.length) == 1;
  }

  /// Whether a turn also asks the array for what earlier ones wrote.
  bool is_read(const Loop::Variable& variable) const {
    return std::any_of(members_.begin(), members_.end(), [&](std::uint32_t node) {
      const std::string_view op = topology_.op(node);
      if (!op.starts_with("TensorList") && !op.starts_with("TensorArray")) return false;
      const std::vector<Wire>& inputs = topology_.inputs(node);
      return node != handed_on(topology_, variable.next).node &&
             std::any_of(inputs.begin(), inputs.end(),
                         [&](Wire wire) { return is_old(wire, variable); });
    });
  }

  /// Numbers with which nothing overflows.
  static bool is_small(std::int64_t number) {
    return number > -(std::int64_t{1} << 31) && number < (std::int64_t{1} << 31);
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
  const std::vector<int>& of_node_;
  int number_;
  Loop& loop_;
  const std::vector<std::uint32_t>& members_;
  /// Variables that are arrays, and the variables at whose number they are written.
  std::vector<std::pair<std::size_t, std::size_t>> indices_;
};

}  // namespace

bool is_enter(std::string_view op) { return op == "Enter" || op == "RefEnter"; }
bool is_exit(std::string_view op) { return op == "Exit" || op == "RefExit"; }
bool is_next(std::string_view op) { return op == "NextIteration" || op == "RefNextIteration"; }

bool is_loop_merge(const Topology& topology, std::uint32_t node) {
  const std::vector<Wire>& inputs = topology.inputs(node);
  return is_merge(topology.op(node)) && std::any_of(inputs.begin(), inputs.end(), [&](Wire wire) {
           return wire.node != UINT32_MAX &&
                  (is_enter(topology.op(wire.node)) || is_next(topology.op(wire.node)));
         });
}

bool is_loop_switch(const Topology& topology, std::uint32_t node) {
  const std::vector<Wire>& inputs = topology.inputs(node);
  return is_switch(topology.op(node)) && inputs.size() == 2 && inputs[1].node != UINT32_MAX &&
         topology.op(inputs[1].node) == "LoopCond";
}

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

int Loops::child(int outer, std::uint32_t node) const {
  int loop = of_node_[node];
  while (loop >= 0 && loops_[static_cast<std::size_t>(loop)].parent != outer)
    loop = loops_[static_cast<std::size_t>(loop)].parent;
  return loop;
}

Loops::Loops(const Topology& topology, const Selection& selection) : of_node_(topology.size(), -1) {
  std::vector<std::vector<std::uint32_t>> readers(topology.size());
  std::map<std::string_view, std::vector<std::uint32_t>> enters;  // by frame
  for (const std::uint32_t node : selection.reached) {
    for (const Wire wire : topology.inputs(node)) {
      if (wire.node != UINT32_MAX) readers[wire.node].push_back(node);
    }
    for (const std::uint32_t control : topology.controls(node)) readers[control].push_back(node);
    if (is_enter(topology.op(node))) enters[frame_of(topology.node(node))].push_back(node);
  }
  std::vector<bool> chosen(topology.size());
  for (const std::uint32_t node : selection.order) chosen[node] = true;
  // What is nested deeper than anybody writes is not followed.
  std::size_t steps = 64 * (selection.reached.size() + 1024);
  for (const auto& [frame, into] : enters) {
    std::vector<std::uint32_t> within, open = into;
    std::vector<bool> seen(topology.size());
    bool needed = false;
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      if (seen[node] || steps == 0) continue;
      seen[node] = true;
      --steps;
      within.push_back(node);
      needed = needed || chosen[node];
      // Behind an Exit of another frame, one within this, it goes on.
      if (is_exit(topology.op(node)) && frame_left(topology, node) == frame) continue;
      open.insert(open.end(), readers[node].begin(), readers[node].end());
    }
    if (!needed) continue;
    std::erase_if(within, [&](std::uint32_t node) { return !chosen[node]; });
    std::sort(within.begin(), within.end());
    Loop& loop = loops_.emplace_back();
    loop.frame = frame;
    loop.within = std::move(within);
    if (steps == 0) loop.refusal = "the graph has too many loops within loops";
  }
  // Those around others first, so that what is within is left to the innermost one.
  std::sort(loops_.begin(), loops_.end(), [](const Loop& a, const Loop& b) {
    return std::tuple(b.within.size(), std::string_view(a.frame)) <
           std::tuple(a.within.size(), std::string_view(b.frame));
  });
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    for (const std::uint32_t node : loops_[i].within) {
      loops_[i].parent = std::max(loops_[i].parent, of_node_[node]);
      of_node_[node] = static_cast<int>(i);
    }
  }
  // A constant enters an inner loop without coming from the one around it.
  for (std::size_t i = loops_.size(); i-- > 0;) {
    if (loops_[i].parent < 0) continue;
    std::vector<std::uint32_t>& around = loops_[static_cast<std::size_t>(loops_[i].parent)].within;
    std::vector<std::uint32_t> both;
    std::set_union(around.begin(), around.end(), loops_[i].within.begin(), loops_[i].within.end(),
                   std::back_inserter(both));
    around = std::move(both);
  }
  for (std::size_t i = 0; i < loops_.size(); ++i)
    Finder(topology, selection, of_node_, static_cast<int>(i), loops_[i]).run();
}

}  // namespace ingot::tensorflow
