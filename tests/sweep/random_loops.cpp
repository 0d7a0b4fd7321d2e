// SPDX-License-Identifier: Apache-2.0
// Loops of a random graph: a state that is carried along an axis.
#include "import/compose_loop.h"
#include "random_generator.h"

namespace ingot::sweep {

ValueId Generator::loop(Composer& c) {
  const ValueId x = any_real();
  const auto axis = axis_of(x);
  if (!axis || rank(x) > 4) return {};
  constexpr std::int64_t most_turns = 40;
  const Dim trips = shape(x)[*axis];
  if (trips.value() && *trips.value() > most_turns) return {};
  Shape state = shape(x);
  state.erase(state.begin() + static_cast<std::ptrdiff_t>(*axis));

  LoopBuilder loop(c, "loop", trips);
  const ValueId quarter = c.broadcast(c.number(0.25, x), state);
  const ValueId start =
      chance(50)
          ? quarter
          : c.op("min",
                 {quarter, c.reduce("reduce_sum", x, {static_cast<std::int64_t>(*axis)}, false)});
  const bool reversed = chance(30), carries_sum = chance(30);
  const ValueId before = loop.carry(smooth_ ? quarter : start, "state");
  const ValueId sum =
      carries_sum ? loop.carry(c.broadcast(c.number(0, x), state), "sum") : ValueId{};
  const ValueId entry = loop.slice(x, *axis, reversed, "entry");
  Composer& b = loop.body();
  ValueId after;
  switch (below(4)) {
    case 0: {
      const std::int64_t width = state.size() < 2 ? 0 : state.back().value().value_or(0);
      ValueId mixed = b.mul(before, b.number(0.5, before));
      if (width > 0) {
        const ValueId weights = c.constant(random_constant(real_, {width, width}, 0.2));
        mixed = b.matmul(before, loop.same(weights));
      }
      after = smooth_ ? b.softsign(b.add(mixed, entry)) : b.op("tanh", {b.add(mixed, entry)});
      break;
    }
    case 1:
      after = smooth_ ? b.softsign(b.add(before, entry)) : b.op("max", {before, entry});
      break;
    case 2:
      after = b.add(b.mul(before, b.number(0.5, before)), entry);
      break;
    default: {
      const ValueId count = b.cast(loop.number(), type(x).dtype);
      after = b.div(b.add(before, entry), b.add(count, b.number(2, count)));
    }
  }
  loop.next(after);
  if (sum.valid()) loop.next(b.add(b.mul(sum, b.number(0.5, sum)), after));
  const bool stacks = chance(60);
  const std::size_t to =
      first_axis() +
      static_cast<std::size_t>(below(static_cast<int>(state.size() + 1 - first_axis())));
  if (stacks) loop.stack(after, to, chance(50) == reversed);
  const std::vector<ValueId> results = loop.finish();
  if (stacks && !fits(shape(results.back()))) return {};
  return chance(50) ? results.back() : results.front();
}

}  // namespace ingot::sweep
