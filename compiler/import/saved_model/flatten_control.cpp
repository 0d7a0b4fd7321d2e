// SPDX-License-Identifier: Apache-2.0
// If, Case and While as TensorFlow lowers them (core/common_runtime/lower_if_op.cc and its like).
#include "import/saved_model/flattener.h"

namespace ingot::tensorflow {
namespace {

constexpr int tf_int32 = 3, tf_bool = 10;

}  // namespace

Expected<void> Flattener::branch(const Call& call, const std::vector<NameAttrList>& callees) {
  if (call.inputs.empty()) return broken(call.scope, call.node, "it has nothing to choose by");
  const bool is_if = call.node.op().ends_with("If");
  const std::string chooser = call.inputs[0];
  Wires arguments(call.inputs.begin() + 1, call.inputs.end());
  std::string pivot = call.scope.pivot;
  // A Case is an If within the other branch of an If: branch 0, else branch 1, .. else the last.
  Wires values, controls;
  std::vector<std::string> merges;  // prefixes, outermost first
  std::vector<Results> taken;
  for (std::size_t k = 0;; ++k) {
    if (k + 1 == callees.size()) {
      const std::string own = fmt::format("{}branch_{}/", call.prefix, k);
      INGOT_ASSIGN(Results last, enter(call, callees[k], own, arguments, pivot));
      taken.push_back(std::move(last));
      break;
    }
    const std::string prefix = k == 0 ? call.prefix : fmt::format("{}{}/", call.prefix, k);
    std::string predicate = chooser;
    if (!is_if) {
      NodeDef& number = add("Const", prefix + "number", {}, {});
      if (!pivot.empty()) number.add_input("^" + pivot);
      TensorProto& tensor = *(*number.mutable_attr())["value"].mutable_tensor();
      tensor.set_dtype(tf_int32);
      tensor.mutable_tensor_shape();
      tensor.add_int_val(static_cast<int>(k));
      // Of an If, branch 0 is what is not taken; a Case asks for it by number.
      predicate = add("NotEqual", prefix + "is_other", {chooser, prefix + "number"}).name();
    } else if (const AttrValue* type = find_attribute(call.attributes, "Tcond");
               type != nullptr && type->type() != tf_bool) {
      NodeDef& cast = add("Cast", prefix + "is_set", {chooser});
      (*cast.mutable_attr())["DstT"].set_type(tf_bool);
      predicate = cast.name();
    }
    // A pivot has no operands of its own that could keep it from running.
    const Wires after = pivot.empty() ? Wires{} : Wires{"^" + pivot};
    add("Switch", prefix + "pivot", {predicate, predicate}, after);
    add("Identity", prefix + "no", {prefix + "pivot"});
    add("Identity", prefix + "yes", {prefix + "pivot:1"});
    Wires inside;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      inside.push_back(
          add("Switch", fmt::format("{}switch_{}", prefix, i), {arguments[i], predicate}, after)
              .name());
    }
    const std::string own = fmt::format("{}branch_{}/", call.prefix, k);
    INGOT_ASSIGN(Results results, enter(call, callees[k], own, inside, prefix + "no"));
    taken.push_back(std::move(results));
    for (std::string& wire : inside) wire += ":1";
    arguments = std::move(inside);
    pivot = prefix + "yes";
    merges.push_back(prefix);
  }
  // Back out: each If gives one branch's values, or those of the If within the other.
  values = taken.back().values;
  controls = taken.back().controls;
  for (std::size_t k = merges.size(); k-- > 0;) {
    const std::string& prefix = merges[k];
    if (taken[k].values.size() != values.size())
      return broken(call.scope, call.node, "its branches give different numbers of values");
    add("Identity", prefix + "no_done", {prefix + "no"}, taken[k].controls);
    add("Identity", prefix + "yes_done", {prefix + "yes"}, controls);
    add("Merge", prefix + "done", {prefix + "no_done", prefix + "yes_done"});
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] =
          add("Merge", fmt::format("{}merge_{}", prefix, i), {taken[k].values[i], values[i]})
              .name();
    }
    controls = {"^" + prefix + "done"};
  }
  add_result(call, values, controls);
  return {};
}

std::vector<std::optional<std::size_t>> Flattener::handed_through(const Function& function) const {
  std::vector<std::optional<std::size_t>> arguments;
  for (const OpDef::ArgDef& output : function.def->signature().output_arg()) {
    const auto from = function.def->ret().find(output.name());
    std::string_view text = from == function.def->ret().end() ? "" : std::string_view(from->second);
    std::optional<std::size_t> argument;
    for (std::size_t steps = 0; steps <= function.nodes.size(); ++steps) {
      const std::string_view name = text.substr(0, text.find(':'));
      if (const auto it = function.arguments.find(name); it != function.arguments.end()) {
        argument = it->second;
        break;
      }
      const auto node = function.nodes.find(name);
      if (node == function.nodes.end() || node->second->op() != "Identity" ||
          node->second->input_size() == 0)
        break;
      text = node->second->input(0);
    }
    arguments.push_back(argument);
  }
  return arguments;
}

Expected<void> Flattener::loop(const Call& call, const NameAttrList& condition,
                               const NameAttrList& body) {
  const Function* function = functions_.find(body.name());
  if (function == nullptr) return broken(call.scope, call.node, "it has no body");
  const std::vector<std::optional<std::size_t>> handed = handed_through(*function);
  const std::size_t count = call.inputs.size();
  if (handed.size() != count)
    return broken(call.scope, call.node, "a turn does not give what it is given");
  const std::string& prefix = call.prefix;
  auto name = [&](std::string_view part, std::size_t i) {
    return fmt::format("{}{}_{}", prefix, part, i);
  };
  const Wires after = call.scope.pivot.empty() ? Wires{} : Wires{"^" + call.scope.pivot};
  // What a turn hands on as it is was never a variable.
  std::vector<bool> varies(count);
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < count; ++i) {
    varies[i] = handed[i] != i;
    if (varies[i] && !first) first = i;
  }
  if (!first) return broken(call.scope, call.node, "it changes nothing, so that it never ends");
  Wires before(count), inside(count);
  for (std::size_t i = 0; i < count; ++i) {
    NodeDef& enter = add("Enter", name("Enter", i), {call.inputs[i]}, after);
    (*enter.mutable_attr())["frame_name"].set_s(prefix);
    (*enter.mutable_attr())["is_constant"].set_b(!varies[i]);
    before[i] = inside[i] = enter.name();
    if (!varies[i]) continue;
    before[i] = add("Merge", name("Merge", i), {enter.name(), name("NextIteration", i)}).name();
    add("Switch", name("Switch", i), {before[i], prefix + "LoopCond"});
    inside[i] = add("Identity", name("Identity", i), {name("Switch", i) + ":1"}).name();
  }
  INGOT_ASSIGN(const Results goes_on,
               enter(call, condition, prefix + "cond/", before, before[*first]));
  if (goes_on.values.size() != 1)
    return broken(call.scope, call.node, "its condition is not one value");
  add("LoopCond", prefix + "LoopCond", {goes_on.values[0]}, goes_on.controls);
  INGOT_ASSIGN(const Results turn, enter(call, body, prefix + "body/", inside, inside[*first]));
  if (turn.values.size() != count)
    return broken(call.scope, call.node, "a turn does not give what it is given");
  Wires results(count);
  for (std::size_t i = 0; i < count; ++i) {
    results[i] = call.inputs[i];
    if (!varies[i]) continue;
    add("NextIteration", name("NextIteration", i), {turn.values[i]},
        i == *first ? turn.controls : Wires{});
    results[i] = add("Exit", name("Exit", i), {name("Switch", i)}).name();
  }
  add_result(call, results, {});
  return {};
}

}  // namespace ingot::tensorflow
