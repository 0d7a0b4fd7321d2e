// SPDX-License-Identifier: Apache-2.0
// Recurrent layers as scans, with masks as Keras has them: a step that is masked leaves the states
// as they are, and gives the result of the step before.
#include <algorithm>

#include "import/compose_loop.h"
#include "import/keras/cell.h"
#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

void own_cell(Layer& cell, const Layer& around, std::string class_name) {
  cell.class_name = std::move(class_name);
  cell.config = around.config;
  for (const char* name : {"kernel", "recurrent_kernel"}) cell.variables.push_back({name});
  if (around.flag("use_bias", true)) cell.variables.push_back({"bias"});
}

void refuse_settings(LayerContext& n) {
  if (n.flag("stateful", false)) {
    n.unsupported(Refused::state, "it is stateful: it keeps its states from call to call");
    n.advise(
        "build it with stateful=False and return_state=True, and give the states as inputs, "
        "initial_state=..");
  }
  if (n.flag("time_major", false))
    n.unsupported(Refused::attribute, "it is time_major; build it with the batch first");
  if (n.argument("constants") != nullptr)
    n.unsupported(Refused::attribute, "it is called with constants");
  // Dropout is drawn at random in training alone.
  for (const char* rate : {"dropout", "recurrent_dropout"})
    if (n.real(rate, 0) != 0) n.only_inference();
}

/// Of [batch, ..] by a mask of [batch].
ValueId choose(Composer& c, ValueId mask, ValueId a, ValueId b) {
  return c.op("where", {c.unsqueeze(mask, {1}), a, b});
}

/// The states before the first step: given, or zeros.
std::vector<ValueId> first_states(LayerContext& n, const std::vector<Cell>& cells, ValueId x,
                                  const Flows& given) {
  std::vector<ValueId> states;
  std::size_t count = 0;
  for (const Cell& cell : cells) count += cell.states();
  if (!given.empty() && given.size() != count) {
    n.invalid("it is called with {} states, and has {}", given.size(), count);
    return {};
  }
  for (const Cell& cell : cells) {
    for (std::size_t i = 0; i < cell.states(); ++i) {
      const Shape shape{n.shape(x)[0], cell.units()};
      const ValueId start = given.empty() ? n.number(0, x) : n.computed(given[states.size()].value);
      states.push_back(n.broadcast(start, shape));
    }
  }
  return states;
}

}  // namespace

Expected<void> is_simple_cell(LayerBuilder& b) {
  b.own("kernel");
  b.own("recurrent_kernel");
  if (b.flag("use_bias", true)) b.own("bias");
  return {};
}

Expected<void> has_simple_cell(LayerBuilder& b) {
  own_cell(b.owner("cell"), b.layer(), b.layer().class_name + "Cell");
  return {};
}

Expected<void> has_cell(LayerBuilder& b) { return b.part("cell", b.setting("cell")); }
Expected<void> has_cells(LayerBuilder& b) { return b.parts("cells", b.setting("cells")); }

Flows recurrent(LayerContext& n) {
  refuse_settings(n);
  const ValueId x = n.computed(n.x(3));
  if (n.failed()) return {};
  if (n.rank(x) != 3)
    return {{n.unsupported(Refused::op, "its operand has {} axes; steps of vectors are supported",
                           n.rank(x))}};
  const std::vector<Cell> cells = Cell::read(n, *n.layer().part("cell"));
  Flows given(n.inputs().begin() + 1, n.inputs().end());
  if (const Argument* states = n.argument("initial_state"); states != nullptr)
    given = states->flows;
  const std::vector<ValueId> start = first_states(n, cells, x, given);
  const std::optional<Flow> told = n.tensor("mask");
  // Keras 3 looks for a mask of its own where the sequences are the only tensors it is called with.
  const bool looks = n.keras2() || given.empty();
  const ValueId mask = told ? told->value : looks ? n.mask() : ValueId{};
  const bool all = n.flag("return_sequences", false), backwards = n.flag("go_backwards", false);
  const bool zero = n.flag("zero_output_for_mask", false);
  if (n.failed()) return {};
  if (mask.valid() && n.rank(mask) != 2)
    return {{n.unsupported(Refused::op, "its mask has {} axes", n.rank(mask))}};
  const ValueId projected = cells[0].project(n, [](ValueId v) { return v; }, x);
  const ValueId nothing = n.broadcast(n.number(0, x), Shape{n.shape(x)[0], cells.back().units()});
  if (n.failed()) return {};

  LoopBuilder loop(n, n.node_name(), n.shape(x)[1]);
  Composer& b = loop.body();
  std::vector<ValueId> states;
  for (const ValueId value : start) states.push_back(loop.carry(value, "state"));
  // What was shown last is not always a state: where a mask is over it, it begins as zeros.
  const bool apart = mask.valid() && (zero || !given.empty());
  const ValueId shown_before = apart ? loop.carry(nothing, "shown") : ValueId{};
  const ValueId step = loop.slice(projected, 1, backwards, "x");
  const ValueId there =
      mask.valid() ? loop.slice(n.cast(mask, DType::boolean), 1, backwards, "mask") : ValueId{};
  const Inside inside = [&](ValueId value) { return loop.same(value); };
  std::vector<ValueId> next;
  ValueId flowing;
  for (std::size_t i = 0, first = 0; i < cells.size(); first = next.size(), ++i) {
    const ValueId input = i == 0 ? step : cells[i].project(b, inside, flowing);
    const std::vector<ValueId> old(
        states.begin() + static_cast<std::ptrdiff_t>(first),
        states.begin() + static_cast<std::ptrdiff_t>(first + cells[i].states()));
    const std::vector<ValueId> fresh = cells[i].step(b, inside, input, old);
    flowing = fresh[0];
    next.insert(next.end(), fresh.begin(), fresh.end());
  }
  ValueId shown = flowing;
  if (mask.valid()) {
    for (std::size_t i = 0; i < next.size(); ++i) next[i] = choose(b, there, next[i], states[i]);
    const std::size_t last = next.size() - cells.back().states();
    shown =
        !apart ? next[last] : choose(b, there, flowing, zero ? b.number(0, flowing) : shown_before);
  }
  for (const ValueId value : next) loop.next(value);
  if (apart) loop.next(shown);
  if (all) loop.stack(shown, 1, false);
  const std::vector<ValueId> results = loop.finish();
  if (n.failed()) return {};

  const std::size_t last = next.size() - cells.back().states();
  Flows flows{{all ? results.back() : results[apart ? next.size() : last]}};
  if (all) flows[0].mask = mask.valid() ? mask : n.mask();
  if (n.flag("return_state", false))
    for (std::size_t i = 0; i < next.size(); ++i) flows.push_back({results[i]});
  return flows;
}

/// A cell that is called by itself, with its states.
Flows single_step(LayerContext& n) {
  const ValueId x = n.computed(n.x(2));
  const std::vector<Cell> cells = Cell::read(n, n.layer());
  Flows given(n.inputs().begin() + 1, n.inputs().end());
  if (const Argument* states = n.argument("states"); states != nullptr) given = states->flows;
  if (n.failed()) return {};
  if (given.empty()) return {{n.invalid("it is called without its states")}};
  const std::vector<ValueId> states = first_states(n, cells, x, given);
  if (n.failed()) return {};
  const Inside inside = [](ValueId value) { return value; };
  Flows flows{{x}};
  std::size_t first = 0;
  for (const Cell& cell : cells) {
    const std::vector<ValueId> old(
        states.begin() + static_cast<std::ptrdiff_t>(first),
        states.begin() + static_cast<std::ptrdiff_t>(first + cell.states()));
    first += cell.states();
    for (const ValueId value : cell.step(n, inside, cell.project(n, inside, flows[0].value), old))
      flows.push_back({value});
    flows[0] = flows[flows.size() - cell.states()];
  }
  return flows;
}

}  // namespace ingot::keras
