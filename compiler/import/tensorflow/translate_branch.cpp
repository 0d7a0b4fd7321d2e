// SPDX-License-Identifier: Apache-2.0
// Branches that data choose: each becomes a loop of no or one turn, so that what is not taken is
// not computed, and can neither fail nor take time.
#include <algorithm>

#include "import/compose_measured.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/translator.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {

Expected<void> Translator::join_branches(const Branches::Join& join) {
  INGOT_TRY(demand({join.predicate}));
  const ValueId predicate = value_of(join.predicate);
  if (!predicate.valid()) {
    if (is_blocked(join.predicate)) return block_join(join), Expected<void>();
    refuse(join.merges[0], refusal_of_output(join.predicate));
    return block_join(join), Expected<void>();
  }
  if (const auto known = ops::known_dims(graph_, predicate);
      known && known->size() == 1 && (*known)[0].value())
    return take_branch(join, !(*known)[0].is(0));
  const std::size_t refused = survey_.refusals.size();
  INGOT_TRY(both_branches(join, predicate));
  const Wire source = origin(join.predicate);
  if (survey_.refusals.size() != refused && topology_.op(source.node).starts_with("Placeholder")) {
    // Mostly Keras's learning phase, of which only one branch is wanted.
    const std::string name = topology_.describe(source);
    survey_.refuse({Refused::control_flow,
                    "Switch",
                    name,
                    {},
                    "an input chooses a branch of which something cannot be compiled",
                    fmt::format("fix it with --constant {0}=false, or {0}=true", name)});
  }
  return {};
}

void Translator::block_join(const Branches::Join& join) {
  for (const std::uint32_t merge : join.merges) {
    if (!blocked_.contains(merge)) block(merge);
  }
}

Translator::Needed Translator::branch_of(const Branches::Join& join, bool taken) const {
  const auto side = branches_.side(join.place, join.predicate, taken);
  std::vector<Wire> roots;
  for (std::size_t i = 0; i < join.merges.size(); ++i)
    roots.push_back(topology_.inputs(join.merges[i])[join.inputs[i][taken ? 1 : 0]]);
  return needed(std::move(roots), loop_, [&](std::uint32_t node) {
    return side && branches_.is_within(branches_.of(node), *side);
  });
}

Expected<void> Translator::take_branch(const Branches::Join& join, bool taken) {
  const Needed branch = branch_of(join, taken);
  const auto here = [](ValueId value) { return value; };
  INGOT_ASSIGN(const bool complete, bring(branch.outside, here, values_));
  if (!complete) return block_join(join), Expected<void>();
  const Branches::Place around = place_;
  if (const auto side = branches_.side(join.place, join.predicate, taken)) place_ = *side;
  const Expected<void> translated = translate_all(branch.nodes);
  place_ = around;
  INGOT_TRY(translated);
  for (std::size_t i = 0; i < join.merges.size(); ++i) {
    const std::uint32_t merge = join.merges[i], input = join.inputs[i][taken ? 1 : 0];
    INGOT_TRY(forward(merge, topology_.inputs(merge)[input], 1));
    if (blocked_.contains(merge)) continue;
    const ValueId number =
        graph_.add_constant(Tensor::scalar(DType::i32, static_cast<std::int32_t>(input)));
    values_.set(merge, {values_.get({merge, 0}), number});
  }
  return {};
}

Expected<void> Translator::both_branches(const Branches::Join& join, ValueId predicate) {
  const std::string& name = topology_.node(join.merges[0]).name();
  Composer around(graph_, name);
  if (!graph_.type(predicate).elements().is(1))
    return invalid(join.merges[0],
                   fmt::format("what chooses its branch is {}", str(graph_.type(predicate))));
  const Dim taken = measured_size(around, around.cast(predicate, DType::i64), 1);
  std::array<std::vector<ValueId>, 2> made;
  for (const bool side : {false, true}) {
    const Needed branch = branch_of(join, side);
    LoopBuilder once(around, name, side ? taken : 1 - taken);
    Values inside;
    INGOT_ASSIGN(const bool complete,
                 bring(branch.outside, [&](ValueId value) { return same(once, value); }, inside));
    if (!complete) return block_join(join), Expected<void>();
    const std::size_t refused = survey_.refusals.size();
    Translator body(once.body().graph(), structure_, inside, survey_, loop_,
                    branches_.side(join.place, join.predicate, side).value_or(place_));
    INGOT_TRY(body.translate_all(branch.nodes));
    if (survey_.refusals.size() != refused) return block_join(join), Expected<void>();
    for (std::size_t i = 0; i < join.merges.size(); ++i) {
      const Wire wire = topology_.inputs(join.merges[i])[join.inputs[i][side ? 1 : 0]];
      const ValueId value = body.value_of(wire);
      if (!value.valid()) {
        refuse(join.merges[i], body.refusal_of_output(wire));
        return block_join(join), Expected<void>();
      }
      once.stack(value, 0, false);
    }
    made[side ? 1 : 0] = once.finish();
  }
  std::vector<ValueId> joined;
  for (std::size_t i = 0; i < join.merges.size() && !around.failed(); ++i) {
    const ValueId no = made[0][i], yes = made[1][i];
    const Shape &a = around.shape(no), &b = around.shape(yes);
    if (a.size() != b.size() || !std::equal(a.begin() + 1, a.end(), b.begin() + 1) ||
        around.dtype(no) != around.dtype(yes)) {
      auto without = [](TensorType type) {
        type.shape.erase(type.shape.begin());
        return str(type);
      };
      refuse(join.merges[i],
             {Refused::control_flow,
              {},
              {},
              {},
              fmt::format("data choose its branch, and the branches give {} and {}",
                          without(around.type(no)), without(around.type(yes))),
              "give both branches the same shape, or compute both and choose with tf.where"});
      return block_join(join), Expected<void>();
    }
    joined.push_back(around.reshape(around.concat({no, yes}, 0), Shape(a.begin() + 1, a.end())));
  }
  const ValueId truth = around.reshape(around.cast(predicate, DType::i32), {});
  std::vector<ValueId> numbers;
  for (const auto& inputs : join.inputs) {
    numbers.push_back(inputs[1] == 1 ? truth : around.sub(around.scalar(DType::i32, 1), truth));
  }
  joined.insert(joined.end(), numbers.begin(), numbers.end());
  const Expected<std::vector<ValueId>> sound = around.results(std::move(joined));
  if (!sound) {
    INGOT_TRY(failure(join.merges[0], sound.error(), around.refusal()));
    return block_join(join), Expected<void>();
  }
  for (std::size_t i = 0; i < join.merges.size(); ++i)
    values_.set(join.merges[i], {(*sound)[i], (*sound)[join.merges.size() + i]});
  return {};
}

}  // namespace ingot::tensorflow
