// SPDX-License-Identifier: Apache-2.0
// A while loop becomes a scan: counters are made of the scan's number, arrays that are read entry
// by entry are sliced, and those that are written so are stacked. Where counters alone do not end
// it, its condition is evaluated around it, for the first turn, and at the end of each turn.
#include <algorithm>

#include "import/compose_measured.h"
#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/translator.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

/// Turns of a loop that data end, where nothing else is said: with arrays that grow, for which
/// there must be memory, and without.
constexpr std::int64_t most_stacked = 1024, most_turns = 1 << 20;

}  // namespace

/// A loop while it is translated.
struct Translator::LoopState {
  const Loop& loop;
  int number;
  Branches::Place place;
  Composer& around;
  LoopBuilder& builder;
  Dim trips;
  bool is_counted;
  Values inside = {};
  std::string refusal = {};
  /// Of each variable that is carried: at the beginning, and after a turn.
  std::vector<ValueId> starts = {}, nexts = {};
  /// Built only to see of what types values are.
  bool is_trial = false;
};

Expected<void> Translator::loop(int number) {
  const Loop& loop = loops_.all()[static_cast<std::size_t>(number)];
  auto refuse_all = [&](std::string why) -> Expected<void> {
    for (const std::uint32_t exit : loop.exits) blocked_.insert(exit);
    block_loop(loop);
    refuse(loop.exits[0],
           {Refused::control_flow, {}, {}, {}, std::move(why), std::string(loop_advice)});
    return {};
  };
  if (!loop.refusal.empty()) return refuse_all(loop.refusal);
  std::vector<Wire> entering;
  for (const Loop::Variable& variable : loop.variables) entering.push_back(variable.start);
  for (const std::uint32_t enter : loop.enters) {
    if (topology_.inputs(enter).empty()) return invalid(enter, "it has no input");
    entering.push_back(topology_.inputs(enter)[0]);
  }
  INGOT_TRY(demand(entering));
  for (const Wire wire : entering) {
    // What it hangs on was refused, and tells why.
    if (!is_blocked(wire) || value_of(wire).valid()) continue;
    for (const std::uint32_t exit : loop.exits) block(exit);
    block_loop(loop);
    return {};
  }
  Composer around(graph_, loop.frame);
  bool is_counted = loop.is_counted;
  INGOT_ASSIGN(std::optional<Dim> trips, turns(loop, is_counted));
  if (!trips) {
    const bool stacks = std::any_of(loop.variables.begin(), loop.variables.end(),
                                    [](const Loop::Variable& v) { return v.is_filled; });
    trips = asked_most(around, stacks ? most_stacked : most_turns);
    survey_.warnings.push_back(
        {"unbounded_loop", loop.frame,
         fmt::format("its number of turns depends on data: {} are the most", trips->str())});
  }
  LoopBuilder builder(around, loop.frame, *trips);
  LoopState state{loop, number, branches_.of(loop.exits[0]), around, builder, *trips, is_counted};
  const std::size_t refused = survey_.refusals.size();
  INGOT_ASSIGN(bool complete, begin(state));
  if (complete) INGOT_TRY(read_entries(state));
  if (complete && survey_.refusals.size() == refused) {
    INGOT_ASSIGN(complete, turn(state));
  }
  const bool keeps_last = std::any_of(loop.variables.begin(), loop.variables.end(),
                                      [](const Loop::Variable& v) { return v.keeps_last; });
  if (!state.is_counted && keeps_last)
    state.refusal = "it keeps the last entry of an array, and data say whether there is one";
  if (complete && !state.is_counted && survey_.refusals.size() == refused) {
    INGOT_ASSIGN(complete, condition(state));
  }
  if (!state.refusal.empty()) return refuse_all(state.refusal);
  if (!complete || survey_.refusals.size() != refused) {
    for (const std::uint32_t exit : loop.exits) block(exit);
    if (!complete) block_loop(loop);
    return {};
  }
  const std::vector<ValueId> results = builder.finish();
  if (around.failed()) return failure(loop.exits[0], *around.error(), around.refusal());
  return leave(state, results);
}

void Translator::block_loop(const Loop& loop) {
  for (const std::uint32_t node : loop.within) {
    if (!is_of_loops(topology_.op(node))) ++use(node).unseen;
  }
}

Expected<std::optional<Dim>> Translator::turns(const Loop& loop, bool& all) {
  std::optional<Dim> least;
  for (const auto& [counter, wire] : loop.bounds) {
    const Loop::Variable& variable = loop.variables[counter];
    if (!variable.counts) continue;
    INGOT_ASSIGN(const ValueId value, unchanging(loop, wire));
    const auto known = value.valid() ? ops::known_dims(graph_, value) : std::nullopt;
    if (!known || known->size() != 1) {
      all = false;
      continue;
    }
    Dim turns = (*known)[0];
    if (!variable.counts_turns()) turns = Dim::ceil_div(turns - variable.first, variable.step);
    const Interval range = turns.bounds(graph_.symbol_ranges());
    if (range.lo < 0) turns = Dim::max(turns, 0);
    least = least ? Dim::min(*least, turns) : turns;
  }
  if (!least) all = false;
  return least;
}

Expected<ValueId> Translator::unchanging(const Loop& loop, Wire wire) {
  const int number = loops_.of(loop.variables[0].merge);
  const Needed limit = needed({wire}, number, [&](std::uint32_t node) {
    const std::string_view op = topology_.op(node);
    return !is_merge(op) && !is_switch(op) && !is_of_loops(op);
  });
  std::vector<Wire> outside;
  for (const Wire from : limit.outside) {
    const bool own = loops_.of(from.node) == number;
    if (own && (!is_enter(topology_.op(from.node)) || loop.variable_of(topology_, from.node)))
      return ValueId{};
    if (own && topology_.inputs(from.node).empty()) return ValueId{};
    outside.push_back(own ? topology_.inputs(from.node)[0] : from);
  }
  // Of a loop's variable, an Enter is a value that does not stay.
  for (const Loop::Variable& variable : loop.variables) {
    for (const Wire from : limit.outside) {
      const std::vector<Wire>& starts = topology_.inputs(variable.merge);
      if (from.node == starts[0].node || from.node == starts[1].node) return ValueId{};
    }
  }
  INGOT_TRY(demand(outside));
  Values values;
  for (const Wire from : limit.outside) {
    const ValueId value = value_of(from);
    if (!value.valid()) return ValueId{};
    values.give(from, value);
  }
  Survey aside;  // what is not understood is looked at again, in the condition
  Translator once(graph_, structure_, values, aside, number, branches_.of(loop.exits[0]));
  INGOT_TRY(once.translate_all(limit.nodes));
  return once.value_of(wire);
}

/// What each turn begins with; false where some of it was refused.
Expected<bool> Translator::begin(LoopState& state) {
  const Loop& loop = state.loop;
  std::vector<ValueId> old(loop.variables.size());
  state.starts.resize(loop.variables.size());
  state.nexts.resize(loop.variables.size());
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    ValueId start = value_of(variable.start);
    if (variable.is_flow && variable.stacks()) continue;
    if (!start.valid() && variable.is_flow) {
      if (state.is_trial) continue;
      INGOT_ASSIGN(start, first_array(state, variable));
    }
    if (!start.valid()) {
      state.refusal = variable.is_flow
                          ? "an array is not filled entry by entry, nor is its size known before"
                          : fmt::format("what '{}' begins with is not understood",
                                        topology_.node(variable.merge).name());
      return false;
    }
    state.starts[i] = start;
    if (!variable.counts) {
      old[i] = state.builder.carry(start, topology_.node(variable.merge).name());
      continue;
    }
    Composer& b = state.builder.body();
    const ValueId step = b.scalar(DType::i64, static_cast<double>(variable.step));
    const ValueId first = b.scalar(DType::i64, static_cast<double>(variable.first));
    ValueId number = state.builder.number();
    if (variable.step != 1) number = b.mul(number, step);
    if (variable.first != 0) number = b.add(number, first);
    old[i] = b.cast(number, graph_.type(start).dtype);
    state.nexts[i] = b.cast(b.add(number, step), graph_.type(start).dtype);
  }
  for (const std::uint32_t node : loop.within) {
    const std::string_view op = topology_.op(node);
    if (loops_.of(node) != state.number || (!is_merge(op) && !is_switch(op))) continue;
    if (!is_loop_merge(topology_, node) && !is_loop_switch(topology_, node)) continue;
    const auto variable = loop.variable_of(topology_, node);
    if (variable && old[*variable].valid())
      state.inside.set(node, {old[*variable], old[*variable]});
  }
  return true;
}

Expected<ValueId> Translator::first_array(LoopState& state, const Loop::Variable& variable) {
  const Wire maker = maker_of(variable.start);
  const std::string_view op = topology_.op(maker.node);
  if (op != "TensorListReserve" && op != "TensorArrayV3") return ValueId{};
  std::optional<TensorType> entry = entry_type(maker);
  if (!entry && variable.written.node != UINT32_MAX) {
    // What a turn writes says it, if that does not hang on the array.
    LoopBuilder builder(state.around, state.loop.frame, state.trips);
    LoopState trial{state.loop, state.number, state.place,     state.around,
                    builder,    state.trips,  state.is_counted};
    trial.is_trial = true;
    Survey aside;
    INGOT_ASSIGN(const bool begun, begin(trial));
    if (!begun) return ValueId{};
    INGOT_TRY(read_entries(trial));
    const Needed written = needed({variable.written}, state.number, [&](std::uint32_t node) {
      return !is_enter(topology_.op(node)) && trial.inside.count(node) == 0;
    });
    const Bring in = [&](ValueId value) { return same(builder, value); };
    INGOT_ASSIGN(const bool complete, bring(written.outside, in, trial.inside));
    if (!complete) return ValueId{};
    Translator body(builder.body().graph(), structure_, trial.inside, aside, state.number,
                    state.place);
    INGOT_TRY(body.translate_all(written.nodes));
    if (const ValueId value = body.value_of(variable.written); value.valid())
      entry = builder.body().type(value);
  }
  return entry ? new_array(state.around, maker, *entry) : ValueId{};
}

/// Arrays around the loop of which each turn reads the entry with its number.
Expected<void> Translator::read_entries(LoopState& state) {
  const Loop& loop = state.loop;
  for (const std::uint32_t node : loop.within) {
    const std::string_view op = topology_.op(node);
    if (loops_.of(node) != state.number || branches_.of(node) != state.place ||
        (op != "TensorArrayReadV3" && op != "TensorListGetItem"))
      continue;
    const auto read = array_read(topology_, node);
    if (!read) return invalid(node, "not three inputs");
    const auto index = loop.variable_of(topology_, handed_on(topology_, read->index).node);
    const ValueId whole = value_of(read->array);
    const bool entry_by_entry = index && loop.variables[*index].counts_turns();
    if (!entry_by_entry || !whole.valid() || graph_.type(whole).rank() == 0) continue;
    // The turns may end before the array does.
    const bool all = graph_.type(whole).shape[0] == state.trips;
    if (!all && !state.is_counted) continue;
    const ValueId read_one = all ? whole : state.around.slice(whole, 0, 0, state.trips);
    state.inside.set(node, {state.builder.slice(read_one, 0, false, topology_.node(node).name())});
  }
  return {};
}

/// What a turn computes; false where what it reads was refused.
Expected<bool> Translator::turn(LoopState& state) {
  const Loop& loop = state.loop;
  std::vector<Wire> roots;
  for (const Loop::Variable& variable : loop.variables) {
    if (variable.counts) continue;
    roots.push_back(variable.stacks() ? variable.written : variable.next);
  }
  const Needed turn = needed(roots, state.number, [&](std::uint32_t node) {
    return !is_enter(topology_.op(node)) && state.inside.count(node) == 0;
  });
  const Bring in = [&](ValueId value) { return same(state.builder, value); };
  INGOT_ASSIGN(const bool complete, bring(turn.outside, in, state.inside));
  if (!complete) return false;
  Composer& b = state.builder.body();
  Translator body(b.graph(), structure_, state.inside, survey_, state.number, state.place);
  const std::size_t refused = survey_.refusals.size();
  INGOT_TRY(body.translate_all(turn.nodes));
  if (survey_.refusals.size() != refused) return true;
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (variable.counts) continue;
    const ValueId value = body.value_of(variable.stacks() ? variable.written : variable.next);
    if (!value.valid()) {
      state.refusal = "what a turn computes is not understood";
      return true;
    }
    if (variable.stacks()) {
      if (!variable.same_as) state.builder.stack(value, 0, false);
      continue;
    }
    const TensorType &before = graph_.type(state.starts[i]), &after = b.type(value);
    if (before.dtype != after.dtype || before.shape != after.shape) {
      state.refusal = fmt::format("'{}' is {} in one turn and {} in the next",
                                  topology_.node(variable.merge).name(), str(before), str(after));
      return true;
    }
    state.nexts[i] = value;
    state.builder.next(value);
  }
  return true;
}

/// Whether there is a first turn, and whether there is another.
Expected<bool> Translator::condition(LoopState& state) {
  const Loop& loop = state.loop;
  const Needed condition = needed({loop.condition}, state.number, [&](std::uint32_t node) {
    return !is_enter(topology_.op(node)) && !is_loop_merge(topology_, node);
  });
  std::vector<Wire> outside;
  std::array<Values, 2> of;
  for (const Wire wire : condition.outside) {
    const auto variable = loops_.of(wire.node) == state.number
                              ? loop.variable_of(topology_, wire.node)
                              : std::nullopt;
    if (!variable) {
      outside.push_back(wire);
    } else if (state.nexts[*variable].valid()) {
      of[0].give(wire, state.starts[*variable]);
      of[1].give(wire, state.nexts[*variable]);
    }
  }
  const std::array<Bring, 2> in = {[](ValueId value) { return value; },
                                   [&](ValueId value) { return same(state.builder, value); }};
  std::array<ValueId, 2> goes_on;
  for (const std::size_t i : {0U, 1U}) {
    INGOT_ASSIGN(const bool complete, bring(outside, in[i], of[i]));
    if (!complete) return false;
    Composer& c = i == 0 ? state.around : state.builder.body();
    Translator once(c.graph(), structure_, of[i], survey_, state.number, state.place);
    const std::size_t refused = survey_.refusals.size();
    INGOT_TRY(once.translate_all(condition.nodes));
    if (survey_.refusals.size() != refused) return true;
    const ValueId value = once.value_of(loop.condition);
    if (!value.valid() || !c.type(value).elements().is(1)) {
      state.refusal = "its condition is not understood";
      return true;
    }
    goes_on[i] = c.reshape(c.cast(value, DType::boolean), {});
  }
  state.builder.until(goes_on[0], goes_on[1]);
  return true;
}

/// An array as it is after the loop: of entries that no turn has filled, zeros. Invalid, with a
/// refusal, where its length is not known.
ValueId Translator::whole_array(LoopState& state, const Loop::Variable& variable, ValueId filled) {
  Composer after(graph_, state.loop.frame);
  if (variable.length.node == UINT32_MAX) return filled;
  const Dim turns = after.shape(filled)[0];
  for (const auto& [counter, bound] : state.loop.bounds) {
    const bool is_limit = handed_on(topology_, bound) == handed_on(topology_, variable.length);
    if (is_limit && state.is_counted) return filled;
  }
  const ValueId length = value_of(variable.length);
  const auto known = length.valid() ? ops::known_dims(graph_, length) : std::nullopt;
  if (!known || known->size() != 1) {
    state.refusal = "how long an array is that it fills depends on data";
    return {};
  }
  // An array that turns make longer has as many entries as they wrote.
  const Dim size = state.trips == (*known)[0] ? state.trips : Dim::max((*known)[0], turns);
  if (size == turns || (*known)[0].is(0)) return filled;
  Shape rest = after.shape(filled);
  rest[0] = size - turns;
  return after.concat({filled, after.broadcast(after.number(0, filled), rest)}, 0);
}

Expected<void> Translator::leave(LoopState& state, const std::vector<ValueId>& results) {
  const Loop& loop = state.loop;
  Composer after(graph_, loop.frame);
  std::vector<ValueId> of_variable(loop.variables.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    if (!loop.variables[i].counts && !loop.variables[i].stacks()) of_variable[i] = results[at++];
  }
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (variable.stacks() && !variable.same_as) of_variable[i] = results[at++];
    if (variable.is_filled) of_variable[i] = whole_array(state, variable, of_variable[i]);
    if (!variable.counts) continue;
    const DType dtype = graph_.type(state.starts[i]).dtype;
    const ValueId turns = state.is_counted ? after.size({state.trips}, DType::i64) : results.back();
    const ValueId step = after.scalar(DType::i64, static_cast<double>(variable.step));
    const ValueId first = after.scalar(DType::i64, static_cast<double>(variable.first));
    of_variable[i] = after.cast(
        variable.counts_turns() ? turns : after.add(after.mul(turns, step), first), dtype);
  }
  if (!state.refusal.empty()) {
    refuse(loop.exits[0],
           {Refused::control_flow, {}, {}, {}, state.refusal, std::string(loop_advice)});
    for (const std::uint32_t exit : loop.exits) blocked_.insert(exit);
    return {};
  }
  // What TensorFlow gives for an array that no turn wrote is no value of the model's.
  for (std::size_t i = 0; i < loop.variables.size(); ++i) {
    const Loop::Variable& variable = loop.variables[i];
    if (!variable.keeps_last) continue;
    const Constraint some{state.trips, Constraint::Relation::greater_equal, Dim(1), loop.frame};
    if (const auto kept = graph_.require(some); !kept) return kept.error();
    of_variable[i] = variable.same_as ? after.unsqueeze(of_variable[*variable.same_as], {0})
                                      : after.slice(of_variable[i], 0, state.trips - 1, 1);
  }
  if (after.failed()) return failure(loop.exits[0], *after.error(), after.refusal());
  for (const std::uint32_t exit : loop.exits) {
    const auto variable = loop.variable_of(topology_, exit);
    if (!variable) return invalid(exit, "it leaves a loop that it is not of");
    if (of_variable[*variable].valid()) values_.set(exit, {of_variable[*variable]});
  }
  return {};
}

}  // namespace ingot::tensorflow
