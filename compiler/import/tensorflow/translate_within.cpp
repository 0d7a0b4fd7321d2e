// SPDX-License-Identifier: Apache-2.0
// What turns and branches need of what is around them.
#include <unordered_set>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/translator.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {

Translator::Needed Translator::needed(std::vector<Wire> roots, int loop,
                                      const Inside& inside) const {
  Needed result;
  std::unordered_set<std::uint32_t> seen;
  std::set<Wire> outside;
  std::set<int> loops;
  std::vector<Wire> open = std::move(roots);
  auto follow = [&](std::uint32_t node, int within) {
    const std::vector<Wire>& inputs = topology_.inputs(node);
    const std::string_view op = topology_.op(node);
    const auto choice = selection_.chosen(node);
    if (choice && !inputs.empty()) {
      open.push_back(inputs[is_merge(op) ? *choice : 0]);
      return;
    }
    for (const Wire wire : inputs) {
      if (wire.node != UINT32_MAX && (within < 0 || loops_.child(loop, wire.node) != within))
        open.push_back(wire);
    }
  };
  while (!open.empty()) {
    const Wire wire = open.back();
    open.pop_back();
    const int child = loops_.child(loop, wire.node);
    if (child >= 0) {
      const Loop& whole = loops_.all()[static_cast<std::size_t>(child)];
      if (whole.exits.empty() || !inside(whole.exits[0])) {
        if (outside.insert(wire).second) result.outside.push_back(wire);
      } else if (loops.insert(child).second) {
        result.nodes.insert(result.nodes.end(), whole.within.begin(), whole.within.end());
        for (const std::uint32_t node : whole.within) follow(node, child);
      }
    } else if (loops_.of(wire.node) == loop && inside(wire.node)) {
      if (!seen.insert(wire.node).second) continue;
      result.nodes.push_back(wire.node);
      follow(wire.node, -1);
    } else if (outside.insert(wire).second) {
      result.outside.push_back(wire);
    }
  }
  return result;
}

ValueId Translator::value_of(Wire wire) const {
  for (std::size_t steps = 0; steps < topology_.size() && wire.node != UINT32_MAX; ++steps) {
    if (const ValueId value = values_.get(wire); value.valid()) return value;
    const std::string_view op = topology_.op(wire.node);
    const std::vector<Wire>& inputs = topology_.inputs(wire.node);
    if (op == "IdentityN" && wire.output < inputs.size()) {
      wire = inputs[wire.output];
    } else if (!inputs.empty() && (op == "Identity" || is_enter(op) ||
                                   is_open_switch(topology_, selection_, wire.node))) {
      wire = inputs[0];
    } else {
      break;
    }
  }
  return {};
}

bool Translator::is_blocked(Wire wire) const {
  for (std::size_t steps = 0; steps < topology_.size() && wire.node != UINT32_MAX; ++steps) {
    if (blocked_.contains(wire.node)) return true;
    const std::vector<Wire>& inputs = topology_.inputs(wire.node);
    const std::string_view op = topology_.op(wire.node);
    if (inputs.empty() ||
        (op != "Identity" && !is_enter(op) && !is_open_switch(topology_, selection_, wire.node)))
      return false;
    wire = inputs[0];
  }
  return false;
}

Expected<void> Translator::demand(const std::vector<Wire>& wires) {
  std::vector<Wire> missing;
  for (const Wire wire : wires) {
    if (!value_of(wire).valid() && !is_blocked(wire)) missing.push_back(wire);
  }
  if (missing.empty()) return {};
  const auto is_here = [&](std::uint32_t node) {
    const std::string_view op = topology_.op(node);
    const bool steers = is_merge(op) || is_switch(op) || is_exit(op) || is_next(op);
    return !steers && values_.count(node) == 0 && !blocked_.contains(node) &&
           branches_.is_within(place_, branches_.of(node));
  };
  return translate_all(needed(std::move(missing), loop_, is_here).nodes);
}

Expected<bool> Translator::bring(const std::vector<Wire>& outside, const Bring& bring,
                                 Values& inside) {
  INGOT_TRY(demand(outside));
  for (const Wire wire : outside) {
    if (inside.get(wire).valid()) continue;
    const ValueId value = value_of(wire);
    // What it hangs on was refused, and tells why.
    if (!value.valid() && is_blocked(wire)) return false;
    if (value.valid()) inside.give(wire, bring(value));
  }
  return true;
}

ValueId Translator::same(LoopBuilder& builder, ValueId value) const {
  Composer& body = builder.body();
  if (graph_.is_constant(value)) return body.constant(graph_.constant(value));
  // Shapes that steer ops must be known within, too.
  const TensorType& type = graph_.type(value);
  const auto sizes = is_integer(type.dtype) ? ops::known_dims(graph_, value) : std::nullopt;
  if (!sizes || sizes->empty()) return builder.same(value);
  return body.cast(body.reshape(body.dims(*sizes), type.shape), type.dtype);
}

}  // namespace ingot::tensorflow
