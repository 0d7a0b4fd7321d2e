// SPDX-License-Identifier: Apache-2.0
// ONNX's Loop, Scan and If: graphs within nodes become bodies of scans (ops/loop.h). What an If
// decides by data is a loop of no or one turn for each branch.
#include <algorithm>

#include "import/compose_loop.h"
#include "import/compose_measured.h"
#include "import/onnx/walk.h"
#include "ops/shape_arithmetic.h"

namespace ingot::onnx {

std::optional<int> first_opset_of_control_flow(std::string_view op) {
  if (op == "If" || op == "Loop") return 6;
  if (op == "Scan") return 9;  // in opset 8 it was about batches
  return std::nullopt;
}

/// One node with a graph that is repeated.
class ControlFlow {
 public:
  using Slots = Expected<std::vector<Slot>>;
  ControlFlow(Walker& walker, Scope& scope, const Walker::Call& call)
      : walker_(walker), scope_(scope), call_(call), node_(walker.view(scope, call)) {}

  Slots run() {
    const bool blocked = std::any_of(call_.inputs.begin(), call_.inputs.end(),
                                     [](const Slot& slot) { return slot.blocked; });
    if (blocked) {
      walker_.skim_branches(scope_, call_);
      return walker_.block(call_);
    }
    if (call_.proto.op_type() == "If") return branch();
    const GraphProto* body = node_.subgraph("body");
    if (body == nullptr) return fail(ErrorCode::invalid_model, "its body is missing");
    return call_.proto.op_type() == "Loop" ? loop(*body) : scan(*body);
  }

 private:
  /// Iterations of a loop that data end, where nothing else is said: with results that grow, for
  /// which there must be memory, and without.
  static constexpr std::int64_t most_stacked = 1024, most_turns = 1 << 20;

  // ---- If ----

  Slots branch() {
    if (call_.inputs.size() != 1) return fail(ErrorCode::invalid_model, "If takes one input");
    const ValueId condition = node_.x();
    if (ops::known_dims(walker_.graph_, condition)) return walker_.inline_branch(scope_, call_);
    if (!node_.type(condition).elements().is(1))
      return fail(ErrorCode::invalid_model, "its condition is {}", str(node_.type(condition)));
    const GraphProto* then_branch = node_.subgraph("then_branch");
    const GraphProto* else_branch = node_.subgraph("else_branch");
    if (then_branch == nullptr || else_branch == nullptr)
      return fail(ErrorCode::invalid_model, "a branch is missing");
    const Dim taken = measured_size(node_, node_.cast(condition, DType::i64), 1);
    std::vector<ValueId> results;
    for (const GraphProto* graph : {then_branch, else_branch}) {
      LoopBuilder once(node_, call_.name, graph == then_branch ? taken : 1 - taken);
      Scope inner = inside(*graph, once);
      Walker walker(once.body().graph(), walker_);
      INGOT_ASSIGN(const std::vector<Slot> outputs, walker.walk_body(inner, *graph));
      walker_.walked_ = walker.walked_;
      if (is_blocked(outputs)) return walker_.block(call_);
      for (const Slot& output : outputs) once.stack(output.value, 0, false);
      const std::vector<ValueId> made = once.finish();
      results.insert(results.end(), made.begin(), made.end());
    }
    const std::size_t count = results.size() / 2;
    std::vector<ValueId> joined;
    for (std::size_t i = 0; i < count && !node_.failed(); ++i) {
      const Shape &a = node_.shape(results[i]), &b = node_.shape(results[count + i]);
      if (a.size() != b.size() || !std::equal(a.begin() + 1, a.end(), b.begin() + 1) ||
          node_.dtype(results[i]) != node_.dtype(results[count + i])) {
        node_.unsupported(Refused::control_flow,
                          "its condition depends on data, and its branches give different types");
        break;
      }
      const Shape rest(a.begin() + 1, a.end());
      joined.push_back(node_.reshape(node_.concat({results[i], results[count + i]}, 0), rest));
    }
    return finish(std::move(joined));
  }

  // ---- Loop ----

  Slots loop(const GraphProto& body) {
    if (call_.inputs.size() < 2)
      return fail(ErrorCode::invalid_model, "{} inputs, at least 2 wanted", call_.inputs.size());
    const auto carried = static_cast<int>(call_.inputs.size()) - 2;
    if (body.input_size() != carried + 2 || body.output_size() < carried + 1) {
      return fail(ErrorCode::invalid_model,
                  "{} values are carried, its body has {} inputs and {} outputs", carried,
                  body.input_size(), body.output_size());
    }
    const ValueId limit = node_.input(0), first = node_.input(1);
    const bool stacks = body.output_size() > carried + 1;
    std::optional<Dim> known = limit.valid() ? known_size(limit) : std::nullopt;
    if (known) known = Dim::max(*known, 0);
    LoopBuilder loop(node_, call_.name,
                     known ? Dim::min(*known, asked_most(node_, *known))
                           : asked_most(node_, stacks ? most_stacked : most_turns));
    std::vector<ValueId> starts;
    for (int i = 0; i < carried; ++i) {
      if (!node_.has_input(static_cast<std::size_t>(i) + 2))
        return fail(ErrorCode::invalid_model, "input {} is missing", i + 2);
      starts.push_back(
          loop.carry(node_.input(static_cast<std::size_t>(i) + 2), body.input(i + 2).name()));
    }
    Scope inner = inside(body, loop);
    Composer& b = loop.body();
    inner.values[body.input(0).name()] = {loop.number()};
    inner.values[body.input(1).name()] = {b.cast(b.scalar(DType::i64, 1), DType::boolean)};
    for (int i = 0; i < carried; ++i)
      inner.values[body.input(i + 2).name()] = {starts[static_cast<std::size_t>(i)]};
    Walker walker(b.graph(), walker_);
    INGOT_ASSIGN(const std::vector<Slot> outputs, walker.walk_body(inner, body));
    walker_.walked_ = walker.walked_;
    if (is_blocked(outputs)) return walker_.block(call_);
    for (int i = 0; i < carried; ++i) {
      const ValueId next = outputs[static_cast<std::size_t>(i) + 1].value;
      const TensorType &before = node_.type(node_.input(static_cast<std::size_t>(i) + 2)),
                       &after = b.type(next);
      if (before.dtype != after.dtype || before.shape != after.shape) {
        node_.unsupported(Refused::control_flow, "'{}' is {} in one iteration and {} in the next",
                          body.input(i + 2).name(), str(before), str(after));
        return finish({});
      }
      loop.next(next);
    }
    for (std::size_t i = static_cast<std::size_t>(carried) + 1; i < outputs.size(); ++i)
      loop.stack(outputs[i].value, 0, false);

    const bool always =
        is_true(b.graph(), outputs[0].value) && (!first.valid() || is_true(walker_.graph_, first));
    if (!known || !always) {
      const ValueId zero = node_.scalar(DType::i64, 0), one = b.scalar(DType::i64, 1);
      ValueId begins = first.valid() ? scalar_truth(node_, first)
                                     : node_.cast(node_.scalar(DType::i64, 1), DType::boolean);
      ValueId goes_on = scalar_truth(b, outputs[0].value);
      if (limit.valid()) {
        const ValueId turns = node_.reshape(node_.cast(limit, DType::i64), {});
        begins = node_.op("and", {begins, node_.op("gt", {turns, zero})});
        const ValueId inside = bring(loop, turns).value;
        goes_on = b.op("and", {goes_on, b.op("lt", {b.add(loop.number(), one), inside})});
      }
      const Dim turns = loop.until(begins, goes_on);
      if (!limit.valid() && !node_.failed()) {
        walker_.survey_.warnings.push_back(
            {"unbounded_loop", call_.name,
             fmt::format("its number of iterations depends on data: {} are the most; --dim "
                         "{}=0:MOST says otherwise",
                         node_.graph().find_symbol(turns.str())->range.hi, turns.str())});
      }
    }
    std::vector<ValueId> results = loop.finish();
    results.resize(outputs.size() - 1);  // without the number of iterations
    return finish(std::move(results));
  }

  // ---- Scan ----

  Slots scan(const GraphProto& body) {
    const auto count = node_.integer("num_scan_inputs", 0);
    const auto inputs = static_cast<std::int64_t>(call_.inputs.size());
    if (count < 1 || count > inputs || body.input_size() != inputs)
      return fail(ErrorCode::invalid_model, "{} of its {} inputs are scanned, its body has {}",
                  count, inputs, body.input_size());
    const auto states = static_cast<std::size_t>(inputs - count);
    const auto stacked =
        static_cast<std::int64_t>(body.output_size()) - static_cast<std::int64_t>(states);
    if (stacked < 0) return fail(ErrorCode::invalid_model, "its body has too few outputs");
    const auto list = [&](std::string_view name, std::int64_t size) {
      std::vector<std::int64_t> all(static_cast<std::size_t>(size), 0);
      if (const auto given = node_.integers(name)) {
        if (std::ssize(*given) != size) {
          node_.invalid("attribute '{}' has {} entries, {} wanted", name, given->size(), size);
        } else {
          all = *given;
        }
      }
      return all;
    };
    const auto axes = list("scan_input_axes", count),
               directions = list("scan_input_directions", count);
    const auto out_axes = list("scan_output_axes", stacked);
    const auto out_directions = list("scan_output_directions", stacked);
    for (std::size_t i = 0; i < call_.inputs.size(); ++i) {
      if (!node_.has_input(i)) return fail(ErrorCode::invalid_model, "input {} is missing", i);
    }
    std::vector<std::size_t> along;
    for (std::size_t i = 0; i < axes.size(); ++i)
      along.push_back(node_.axis(axes[i], node_.rank(node_.input(states + i))));
    if (node_.failed()) return finish({});
    LoopBuilder loop(node_, call_.name, node_.shape(node_.input(states))[along[0]]);
    std::vector<ValueId> given;
    for (std::size_t i = 0; i < states; ++i)
      given.push_back(loop.carry(node_.input(i), body.input(static_cast<int>(i)).name()));
    for (std::size_t i = 0; i < axes.size(); ++i)
      given.push_back(loop.slice(node_.input(states + i), along[i], directions[i] != 0,
                                 body.input(static_cast<int>(states + i)).name()));
    Scope inner = inside(body, loop);
    for (std::size_t i = 0; i < given.size(); ++i)
      inner.values[body.input(static_cast<int>(i)).name()] = {given[i]};
    Walker walker(loop.body().graph(), walker_);
    INGOT_ASSIGN(const std::vector<Slot> outputs, walker.walk_body(inner, body));
    walker_.walked_ = walker.walked_;
    if (is_blocked(outputs)) return walker_.block(call_);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (i < states) {
        loop.next(outputs[i].value);
        continue;
      }
      const std::size_t rank = loop.body().rank(outputs[i].value) + 1;
      loop.stack(outputs[i].value, node_.axis(out_axes[i - states], rank),
                 out_directions[i - states] != 0);
    }
    return finish(loop.finish());
  }

  // ---- all ----

  /// Names of the graph around are brought in where they are read.
  Scope inside(const GraphProto& body, LoopBuilder& loop) {
    Scope inner = Walker::inner_scope(scope_, call_, body);
    inner.outside = [this, &loop](const std::string& name) -> Expected<Slot> {
      INGOT_ASSIGN(const Slot slot, walker_.find(scope_, name));
      if (slot.blocked || !slot.value.valid()) return slot;
      Slot brought = bring(loop, slot.value);
      brought.narrow = slot.narrow;
      return brought;
    };
    return inner;
  }

  /// Constants and sizes are known inside, too.
  Slot bring(LoopBuilder& loop, ValueId value) {
    Graph& around = walker_.graph_;
    Composer& b = loop.body();
    if (around.is_constant(value)) return {b.constant(around.constant(value))};
    const TensorType& type = around.type(value);
    if (type.dtype == DType::i64 && type.rank() <= 1) {
      if (const auto dims = ops::known_dims(around, value))
        return {b.reshape(b.dims(*dims), type.shape)};
    }
    return {loop.same(value)};
  }

  std::optional<Dim> known_size(ValueId value) const {
    const auto dims = ops::known_dims(walker_.graph_, value);
    if (!dims || dims->size() != 1) return std::nullopt;
    return (*dims)[0];
  }
  static bool is_true(const Graph& graph, ValueId value) {
    const auto dims = ops::known_dims(graph, value);
    return dims && dims->size() == 1 && (*dims)[0].is(1);
  }
  static ValueId scalar_truth(Composer& c, ValueId value) {
    return c.reshape(c.cast(value, DType::boolean), {});
  }
  static bool is_blocked(const std::vector<Slot>& slots) {
    return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) { return slot.blocked; });
  }

  Slots finish(std::vector<ValueId> values) {
    const Expected<std::vector<ValueId>> sound = node_.results(std::move(values));
    if (!sound) {
      if (sound.error().code != ErrorCode::unsupported) return sound.error();
      return walker_.refuse(scope_, call_, node_.refusal());
    }
    std::vector<Slot> slots;
    for (const ValueId value : *sound) slots.push_back({value});
    return slots;
  }

  Walker& walker_;
  Scope& scope_;
  const Walker::Call& call_;
  OnnxNode node_;
};

Expected<std::vector<Slot>> Walker::control_flow(Scope& scope, const Call& call) {
  return ControlFlow(*this, scope, call).run();
}

}  // namespace ingot::onnx
