// SPDX-License-Identifier: Apache-2.0
#include "import/compose_loop.h"

#include <algorithm>

#include "import/compose_measured.h"
#include "ir/op.h"

namespace ingot {
namespace {

using Activation = Recurrent::Activation;
using Formula = ValueId (*)(Composer&, ValueId, const Activation&);

ValueId op(Composer& c, std::string_view name, ValueId x) { return c.op(name, {x}); }

/// Sorted by name. Formulas: ONNX's operator RNN.
constexpr std::pair<std::string_view, Formula> activations[] = {
    {"affine",
     [](Composer& c, ValueId x, const Activation& a) {
       return c.add(c.mul(x, c.number(a.alpha, x)), c.number(a.beta, x));
     }},
    {"elu", [](Composer& c, ValueId x, const Activation& a) { return c.elu(x, a.alpha); }},
    {"hardsigmoid", [](Composer& c, ValueId x,
                       const Activation& a) { return c.hard_sigmoid(x, a.alpha, a.beta); }},
    {"leakyrelu",
     [](Composer& c, ValueId x, const Activation& a) { return c.leaky_relu(x, a.alpha); }},
    {"relu", [](Composer& c, ValueId x, const Activation&) { return c.relu(x); }},
    {"scaledtanh",
     [](Composer& c, ValueId x, const Activation& a) {
       return c.mul(op(c, "tanh", c.mul(x, c.number(a.beta, x))), c.number(a.alpha, x));
     }},
    {"sigmoid", [](Composer& c, ValueId x, const Activation&) { return op(c, "sigmoid", x); }},
    {"softplus", [](Composer& c, ValueId x, const Activation&) { return c.softplus(x); }},
    {"softsign", [](Composer& c, ValueId x, const Activation&) { return c.softsign(x); }},
    {"tanh", [](Composer& c, ValueId x, const Activation&) { return op(c, "tanh", x); }},
    {"thresholdedrelu",
     [](Composer& c, ValueId x, const Activation& a) {
       const ValueId above = c.op("gt", {x, c.number(a.alpha, x)});
       return c.op("where", {above, x, c.number(0, x)});
     }},
};

const std::pair<std::string_view, Formula>* find_activation(std::string_view name) {
  const auto* found = std::find_if(std::begin(activations), std::end(activations),
                                   [&](const auto& entry) { return entry.first == name; });
  return found == std::end(activations) ? nullptr : found;
}

/// The body of one direction.
class Step {
 public:
  Step(Composer& around, LoopBuilder& loop, const Recurrent& layer, Dim hidden)
      : around_(around), loop_(loop), b_(loop.body()), layer_(layer), hidden_(std::move(hidden)) {}

  struct State {
    ValueId h, c;
  };
  /// `x`: this step's projected input, biases of both kinds added where nothing is between them.
  State run(ValueId x, const State& old) {
    switch (layer_.cell) {
      case Recurrent::Cell::simple:
        return {activate(0, b_.add(x, b_.matmul(old.h, recurrence()))), {}};
      case Recurrent::Cell::gru:
        return {gru(x, old.h), {}};
      case Recurrent::Cell::lstm:
        return lstm(x, old);
    }
    return {};
  }

  /// `fresh` in rows that have not ended, else `old`.
  ValueId unless_ended(ValueId fresh, ValueId old, const Dim& steps) {
    const ValueId lengths = loop_.same(layer_.lengths);
    ValueId time = loop_.number();
    if (layer_.reversed) time = b_.sub(b_.size({steps - 1}, DType::i64), time);
    const ValueId running = b_.op("lt", {time, b_.cast(lengths, DType::i64)});
    return b_.op("where", {b_.unsqueeze(running, {1}), fresh, old});
  }

 private:
  ValueId recurrence() { return loop_.same(layer_.recurrence); }
  ValueId gate(ValueId gates, std::int64_t number) {
    return b_.slice(gates, 1, hidden_ * number, hidden_);
  }
  ValueId activate(std::size_t which, ValueId x) {
    if (layer_.clip > 0) x = b_.clip(x, -layer_.clip, layer_.clip);
    const Activation& activation = layer_.activations[which];
    return find_activation(activation.name)->second(b_, x, activation);
  }

  ValueId gru(ValueId x, ValueId h) {
    ValueId candidate;
    ValueId z, r;
    if (layer_.linear_before_reset) {
      const ValueId bias = layer_.recurrence_bias;
      const ValueId gates = b_.matmul(h, recurrence());
      z = activate(0, b_.add(gate(x, 0), gate(gates, 0)));
      r = activate(0, b_.add(gate(x, 1), gate(gates, 1)));
      ValueId linear = gate(gates, 2);
      if (bias.valid())
        linear = b_.add(linear, loop_.same(around_.slice(bias, 0, hidden_ * 2, hidden_)));
      candidate = activate(1, b_.add(gate(x, 2), b_.mul(r, linear)));
    } else {
      const ValueId first = loop_.same(around_.slice(layer_.recurrence, 1, 0, hidden_ * 2));
      const ValueId last = loop_.same(around_.slice(layer_.recurrence, 1, hidden_ * 2, hidden_));
      const ValueId gates =
          activate(0, b_.add(b_.slice(x, 1, 0, hidden_ * 2), b_.matmul(h, first)));
      z = gate(gates, 0);
      r = gate(gates, 1);
      candidate = activate(1, b_.add(gate(x, 2), b_.matmul(b_.mul(r, h), last)));
    }
    const ValueId rest = b_.sub(b_.number(1, z), z);
    return b_.add(b_.mul(rest, candidate), b_.mul(z, h));
  }

  State lstm(ValueId x, const State& old) {
    const ValueId gates = b_.add(x, b_.matmul(old.h, recurrence()));
    auto peep = [&](ValueId z, std::int64_t number, ValueId c) {
      if (!layer_.peepholes.valid()) return z;
      const ValueId weights =
          loop_.same(around_.slice(layer_.peepholes, 0, hidden_ * number, hidden_));
      return b_.add(z, b_.mul(weights, c));
    };
    const ValueId i = activate(0, peep(gate(gates, 0), 0, old.c));
    const ValueId f = layer_.input_forget ? b_.sub(b_.number(1, i), i)
                                          : activate(0, peep(gate(gates, 2), 2, old.c));
    const ValueId g = activate(1, gate(gates, 3));
    const ValueId c = b_.add(b_.mul(f, old.c), b_.mul(i, g));
    const ValueId o = activate(0, peep(gate(gates, 1), 1, c));
    return {b_.mul(o, activate_state(c)), c};
  }

  /// The state itself is not clipped.
  ValueId activate_state(ValueId c) {
    const Activation& activation = layer_.activations[2];
    return find_activation(activation.name)->second(b_, c, activation);
  }

  Composer& around_;
  LoopBuilder& loop_;
  Composer& b_;
  const Recurrent& layer_;
  Dim hidden_;
};

}  // namespace

LoopBuilder::LoopBuilder(Composer& around, const std::string& name, Dim trips)
    : around_(around), trips_(std::move(trips)), body_(graph_, name) {
  graph_.name = "step";
  graph_.arithmetic = around.graph().arithmetic;
  for (const Symbol& symbol : around.graph().symbols()) graph_.declare_symbol(symbol);
  number_ = graph_.add_input("number", {DType::i64, {}});
}

ValueId LoopBuilder::add_input(const std::string& name, const TensorType& type) {
  std::string unique = name;
  for (int i = 2; std::any_of(graph_.inputs().begin(), graph_.inputs().end(),
                              [&](ValueId input) { return graph_.value(input).name == unique; });
       ++i)
    unique = fmt::format("{}_{}", name, i);
  return graph_.add_input(unique, type);
}

ValueId LoopBuilder::carry(ValueId start, const std::string& name) {
  INGOT_CHECK(sliced_.empty() && same_.empty(), "what is carried comes first");
  carried_.push_back(start);
  return add_input(name, around_.type(start));
}

ValueId LoopBuilder::slice(ValueId whole, std::size_t axis, bool reversed,
                           const std::string& name) {
  INGOT_CHECK(same_.empty(), "what is sliced comes before what stays the same");
  TensorType type = around_.type(whole);
  if (axis < type.rank())  // else the composer has failed already
    type.shape.erase(type.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  sliced_.push_back(whole);
  slice_axes_.push_back(static_cast<std::int64_t>(axis));
  slices_reversed_.push_back(reversed);
  return add_input(name, type);
}

ValueId LoopBuilder::same(ValueId value) {
  const auto known = known_.find(value);
  if (known != known_.end()) return known->second;
  same_.push_back(value);
  const ValueId inside = add_input("same", around_.type(value));
  known_.emplace(value, inside);
  return inside;
}

void LoopBuilder::stack(ValueId value, std::size_t axis, bool reversed) {
  stacked_.push_back(value);
  stack_axes_.push_back(static_cast<std::int64_t>(axis));
  stacks_reversed_.push_back(reversed);
}

Dim LoopBuilder::until(ValueId first, ValueId more) {
  first_ = first;
  more_ = more;
  const Dim turns = fresh_measured(around_, trips_);
  turns_ = *turns.symbol_name();
  return turns;
}

std::vector<ValueId> LoopBuilder::finish() {
  const std::size_t count = carried_.size() + stacked_.size() + (turns_.empty() ? 0 : 1);
  INGOT_CHECK(next_.size() == carried_.size(), "{} values are carried, but {} carried on",
              carried_.size(), next_.size());
  std::vector<ValueId> none(count);
  if (const auto sound = body_.results({}); !sound) around_.fail_with(sound.error());
  if (around_.failed()) return none;
  for (std::size_t i = 0; i < next_.size(); ++i)
    graph_.add_output(fmt::format("next_{}", i), next_[i]);
  for (std::size_t i = 0; i < stacked_.size(); ++i)
    graph_.add_output(fmt::format("stacked_{}", i), stacked_[i]);
  if (!turns_.empty()) {
    // Not same(): the body has an input of its own for it, which is the last.
    add_input("first", {DType::boolean, {}});
    graph_.add_output("more", more_);
  }
  for (const Symbol& symbol : graph_.symbols()) {
    if (around_.graph().find_symbol(symbol.name) == nullptr) around_.graph().declare_symbol(symbol);
  }
  std::vector<ValueId> operands = carried_;
  operands.insert(operands.end(), sliced_.begin(), sliced_.end());
  operands.insert(operands.end(), same_.begin(), same_.end());
  if (!turns_.empty()) operands.push_back(first_);
  auto both = [](std::vector<std::int64_t> a, const std::vector<std::int64_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  Attributes attributes = {{"axes", both(slice_axes_, stack_axes_)},
                           {"body", Subgraph{std::make_shared<const Graph>(std::move(graph_))}},
                           {"carried", static_cast<std::int64_t>(carried_.size())},
                           {"reversed", both(slices_reversed_, stacks_reversed_)},
                           {"trips", Shape{trips_}}};
  if (!turns_.empty()) attributes.set("turns", Shape{Dim::symbol(turns_)});
  return around_.several("scan", std::move(operands), std::move(attributes), count);
}

bool is_activation(std::string_view name) { return find_activation(name) != nullptr; }

RecurrentResult recurrent(Composer& composer, const Recurrent& layer) {
  if (composer.failed()) return {};
  const Dim steps = composer.shape(layer.x)[1];
  const Dim rows = composer.shape(layer.x)[0], hidden = composer.shape(layer.recurrence)[0];
  const bool lstm = layer.cell == Recurrent::Cell::lstm;
  const bool apart = layer.cell == Recurrent::Cell::gru && layer.linear_before_reset;
  ValueId bias = layer.bias;
  if (layer.recurrence_bias.valid()) {
    ValueId joined = layer.recurrence_bias;
    if (apart) {
      // The candidate's part stays with the product that the reset gate scales.
      const ValueId gates = composer.slice(joined, 0, 0, hidden * 2);
      const ValueId none = composer.broadcast(composer.number(0, joined), Shape{hidden});
      joined = composer.concat({gates, none}, 0);
    }
    bias = bias.valid() ? composer.add(bias, joined) : joined;
  }
  const ValueId projected = composer.matmul(layer.x, layer.weights, bias);
  auto start = [&](ValueId given) {
    return given.valid() ? given
                         : composer.broadcast(composer.number(0, layer.x), Shape{rows, hidden});
  };
  if (composer.failed()) return {};

  const ValueId first_h = start(layer.h), first_c = lstm ? start(layer.c) : ValueId{};
  if (composer.failed()) return {};
  LoopBuilder loop(composer, composer.node_name(), steps);
  const ValueId h = loop.carry(first_h, "h");
  const ValueId c = lstm ? loop.carry(first_c, "c") : ValueId{};
  const ValueId x = loop.slice(projected, 1, layer.reversed, "x");
  Composer& b = loop.body();
  Step step(composer, loop, layer, hidden);
  Step::State next = step.run(x, {h, c});
  ValueId shown = next.h;
  if (layer.lengths.valid()) {
    shown = step.unless_ended(next.h, b.number(0, next.h), steps);
    next.h = step.unless_ended(next.h, h, steps);
    if (lstm) next.c = step.unless_ended(next.c, c, steps);
  }
  loop.next(next.h);
  if (lstm) loop.next(next.c);
  if (layer.wants_all) loop.stack(shown, 1, layer.reversed);
  const std::vector<ValueId> results = loop.finish();
  return {layer.wants_all ? results.back() : ValueId{}, results[0], lstm ? results[1] : ValueId{}};
}

}  // namespace ingot
