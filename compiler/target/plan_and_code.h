// SPDX-License-Identifier: Apache-2.0
// For tests only: a graph of one symbol N as plan, as the plan that its text is read back as, and
// as code of all levels, against the interpreter.
#pragma once

#include <functional>

#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/planned.h"
#include "target/against_interpreter.h"

namespace ingot::target::against_interpreter {

using MakeInputs = std::function<std::vector<Tensor>(std::int64_t n)>;

inline void check_plan_and_code(const Graph& graph, const std::vector<std::int64_t>& sizes,
                                const MakeInputs& make_inputs) {
  const auto plan = plan::make_plan(graph);
  ASSERT_TRUE(plan) << plan.error().message;
  const std::string text = plan::print(*plan).text;
  const auto again = plan::parse_plan(text, plan->weights);
  ASSERT_TRUE(again) << again.error().message << text;
  EXPECT_EQ(plan::print(*again).text, text);
  Options options;
  options.isa_levels = levels(graph.arithmetic == Arithmetic::strict);
  const CompiledCode code(*again, options);
  for (const std::int64_t size : sizes) {
    const SymbolValues symbols{{"N", size}};
    const std::vector<Tensor> inputs = make_inputs(size);
    const auto meant = interpret(graph, inputs, symbols);
    ASSERT_TRUE(meant) << meant.error().message;
    const auto planned = plan::interpret_plan(*again, inputs, symbols);
    ASSERT_TRUE(planned) << planned.error().message << text;
    expect_same(*planned, *meant, fmt::format("{} N={} plan", graph.name, size));
    for (const int level : options.isa_levels) {
      expect_same(code.run(level, {size}, inputs), *meant,
                  fmt::format("{} N={} v{}", graph.name, size, level));
    }
  }
}

}  // namespace ingot::target::against_interpreter
