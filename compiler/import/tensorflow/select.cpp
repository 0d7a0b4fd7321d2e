// SPDX-License-Identifier: Apache-2.0
// Which nodes the outputs need. Three walks over the nodes that can be reached: an order, forward
// to see which branches can run, and back to collect what is read by those that do.
#include <algorithm>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/loops.h"
#include "import/tensorflow/topology.h"

namespace ingot::tensorflow {
namespace {

class Selector {
 public:
  Selector(const Topology& topology, const std::vector<Wire>& outputs, const Given& given)
      : topology_(topology),
        outputs_(outputs),
        given_(given),
        state_(topology.size(), State::unseen),
        life_(topology.size()) {
    for (std::uint32_t node = 0; node < topology.size(); ++node) {
      if (is_enter(topology.op(node))) enters_[frame_of(topology.node(node))].push_back(node);
    }
  }

  Expected<Selection> run() {
    for (const Wire output : outputs_) {
      if (!given_.contains(output)) roots_.push_back(output.node);
    }
    while (!roots_.empty()) {
      const std::uint32_t root = roots_.back();
      roots_.pop_back();
      INGOT_TRY(visit(root));
    }
    for (const std::uint32_t node : order_) decide(node);
    for (const Wire output : outputs_) {
      if (!alive(output)) {
        return fail(ErrorCode::invalid_argument,
                    "output '{}' is in a branch that a constant switches off",
                    topology_.describe(output));
      }
    }
    collect();
    selection_.reached = std::move(order_);
    return std::move(selection_);
  }

 private:
  enum class State : std::uint8_t { unseen, open, done };
  /// Bit k of `dead`: output k never gets a value (a Switch has two such bits, others one).
  struct Life {
    std::uint8_t dead = 0;
    std::optional<bool> truth;
  };
  struct Frame {
    std::uint32_t node;
    std::size_t next = 0;
  };

  /// All that comes into a loop comes before what leaves it.
  const std::vector<std::uint32_t>& before(std::uint32_t node) const {
    static const std::vector<std::uint32_t> none;
    if (!is_exit(topology_.op(node))) return none;
    for (int steps = 0; node != UINT32_MAX && steps < 4; ++steps) {
      if (is_enter(topology_.op(node))) return enters_.at(frame_of(topology_.node(node)));
      const std::vector<Wire>& inputs = topology_.inputs(node);
      if (inputs.empty()) return none;
      // Of a Merge, the one that is not the back edge.
      const bool back = inputs[0].node != UINT32_MAX && inputs.size() > 1 &&
                        topology_.op(inputs[0].node).ends_with("NextIteration");
      node = inputs[back ? 1 : 0].node;
    }
    return none;
  }

  std::uint32_t source(std::uint32_t node, std::size_t edge) const {
    const std::vector<Wire>& inputs = topology_.inputs(node);
    if (edge < inputs.size()) return inputs[edge].node;
    edge -= inputs.size();
    const std::vector<std::uint32_t>& controls = topology_.controls(node);
    return edge < controls.size() ? controls[edge] : before(node)[edge - controls.size()];
  }

  std::size_t edge_count(std::uint32_t node) const {
    return topology_.inputs(node).size() + topology_.controls(node).size() + before(node).size();
  }

  /// Depth-first with a stack of its own: graphs are tens of thousands of nodes deep.
  Expected<void> visit(std::uint32_t root) {
    if (state_[root] != State::unseen) return {};
    state_[root] = State::open;
    std::vector<Frame> stack{{root}};
    while (!stack.empty()) {
      const std::uint32_t node = stack.back().node;
      const std::size_t edge = stack.back().next++;
      if (edge == edge_count(node)) {
        state_[node] = State::done;
        order_.push_back(node);
        stack.pop_back();
        continue;
      }
      const std::vector<Wire>& inputs = topology_.inputs(node);
      const std::uint32_t source = this->source(node, edge);
      if (edge < inputs.size() && source == UINT32_MAX) return topology_.missing_input(node);
      if (given_.contains(edge < inputs.size() ? inputs[edge] : Wire{source, 0})) continue;
      if (is_merge(topology_.op(node)) && topology_.op(source).ends_with("NextIteration")) {
        roots_.push_back(source);
        continue;
      }
      if (state_[source] == State::open) {
        return fail(ErrorCode::invalid_model, "the graph has a cycle through nodes '{}' and '{}'",
                    topology_.node(source).name(), topology_.node(node).name());
      }
      if (state_[source] == State::unseen) {
        state_[source] = State::open;
        stack.push_back({source});
      }
    }
    return {};
  }

  bool alive(Wire wire) const {
    if (given_.contains(wire)) return true;
    const Life& life = life_[wire.node];
    const bool two = is_switch(topology_.op(wire.node));
    return ((life.dead >> (two ? std::min(wire.output, 1U) : 0U)) & 1U) == 0;
  }

  std::optional<bool> truth(Wire wire) const {
    const auto it = given_.find(wire);
    return it == given_.end() ? life_[wire.node].truth : it->second;
  }

  void decide(std::uint32_t node) {
    const std::vector<Wire>& inputs = topology_.inputs(node);
    const std::string_view op = topology_.op(node);
    Life& life = life_[node];
    if (is_merge(op)) return decide_merge(node);
    const auto& controls = topology_.controls(node);
    const bool runs =
        std::all_of(inputs.begin(), inputs.end(), [&](Wire wire) { return alive(wire); }) &&
        std::all_of(controls.begin(), controls.end(), [&](std::uint32_t control) {
          // A control edge from a Switch waits for the node, not for one of its branches.
          return is_switch(topology_.op(control)) ? life_[control].dead != 3
                                                  : alive(Wire{control, 0});
        });
    if (!runs) {
      life.dead = 3;
      return;
    }
    auto input_truth = [&](std::size_t i) {
      return i < inputs.size() ? truth(inputs[i]) : std::nullopt;
    };
    if (is_switch(op)) {
      life.truth = input_truth(0);
      if (const auto predicate = input_truth(1)) {
        life.dead = *predicate ? 1 : 2;
        selection_.choice[node] = *predicate ? 1 : 0;
      }
    } else if (op == "Const") {
      life.truth = constant_truth(topology_.node(node));
    } else if (op == "Identity" || op == "PlaceholderWithDefault" || op == "StopGradient" ||
               op == "Snapshot" || (op == "IdentityN" && inputs.size() == 1)) {
      life.truth = input_truth(0);
    } else if (op == "LogicalNot") {
      if (const auto a = input_truth(0)) life.truth = !*a;
    } else if ((op == "Equal" || op == "NotEqual") && inputs.size() == 2) {
      // What a Case chooses by.
      const auto a = constant_integer(topology_, inputs[0]);
      const auto b = constant_integer(topology_, inputs[1]);
      const bool given = given_.contains(inputs[0]) || given_.contains(inputs[1]);
      if (a && b && !given) life.truth = (*a == *b) == (op == "Equal");
    } else if (op == "LogicalAnd" || op == "LogicalOr") {
      const bool absorbing = op == "LogicalOr";
      const auto a = input_truth(0);
      const auto b = input_truth(1);
      if (a == absorbing || b == absorbing) {
        life.truth = absorbing;
      } else if (a && b) {
        life.truth = !absorbing;
      }
    }
  }

  void decide_merge(std::uint32_t node) {
    const std::vector<Wire>& inputs = topology_.inputs(node);
    std::size_t running = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      // The back edge of a loop has not been decided yet, so it counts as running.
      if (!alive(inputs[i])) continue;
      if (++running == 1) selection_.choice[node] = static_cast<std::uint32_t>(i);
    }
    if (running == 1) {
      life_[node].truth = truth(inputs[selection_.choice[node]]);
      return;
    }
    selection_.choice.erase(node);
    if (running == 0) life_[node].dead = 3;
  }

  static std::optional<bool> constant_truth(const NodeDef& def) {
    const auto value = def.attr().find("value");
    if (value == def.attr().end()) return std::nullopt;
    const TensorProto& tensor = value->second.tensor();
    constexpr int tf_bool = 10;
    if (tensor.dtype() != tf_bool || tensor.tensor_shape().dim_size() != 0) return std::nullopt;
    if (!tensor.tensor_content().empty()) return tensor.tensor_content()[0] != 0;
    return tensor.bool_val_size() > 0 && tensor.bool_val(0);
  }

  void collect() {
    std::vector<bool> needed(topology_.size());
    std::vector<std::uint32_t> open;
    auto need = [&](Wire wire) {
      if (given_.contains(wire) || needed[wire.node]) return;
      needed[wire.node] = true;
      open.push_back(wire.node);
    };
    for (const Wire output : outputs_) need(output);
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      const std::vector<Wire>& inputs = topology_.inputs(node);
      const auto choice = selection_.chosen(node);
      if (choice && !inputs.empty()) {
        need(inputs[is_merge(topology_.op(node)) ? *choice : 0]);
      } else {
        for (const Wire wire : inputs) need(wire);
      }
    }
    for (const std::uint32_t node : order_) {
      if (needed[node]) selection_.order.push_back(node);
      if (!needed[node] && life_[node].dead == 0) selection_.besides.push_back(node);
    }
  }

  const Topology& topology_;
  const std::vector<Wire>& outputs_;
  const Given& given_;
  std::vector<State> state_;
  std::vector<Life> life_;
  std::map<std::string_view, std::vector<std::uint32_t>> enters_;  // by frame
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> order_;
  Selection selection_;
};

}  // namespace

bool is_placeholder(std::string_view op) { return op == "Placeholder" || op == "PlaceholderV2"; }
bool is_switch(std::string_view op) { return op == "Switch" || op == "RefSwitch"; }
bool is_merge(std::string_view op) { return op == "Merge" || op == "RefMerge"; }

Expected<Selection> select_nodes(const Topology& topology, const std::vector<Wire>& outputs,
                                 const Given& given) {
  return Selector(topology, outputs, given).run();
}

}  // namespace ingot::tensorflow
