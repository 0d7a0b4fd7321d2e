// SPDX-License-Identifier: Apache-2.0
#include "agree.h"

#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/interpret.h"
#include "passes/pass.h"
#include "plan/check.h"
#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/print.h"
#include "tests/sweep/tensors.h"

namespace ingot::fuzz {
namespace {

constexpr double most_steps = 5e4;  // of an interpreter: a fraction of a second with sanitizers

double elements(const TensorType& type, const SymbolValues& symbols) {
  double count = 1;
  for (const Dim& dim : type.shape) {
    const auto size = dim.evaluate(symbols);
    count *= size ? std::fmax(1, static_cast<double>(*size)) : most_steps;
  }
  return count;
}

/// How many numbers one of a node's results is made of.
double depth(const Graph& graph, const Node& node, const SymbolValues& symbols) {
  if (node.op->kind == OpKind::contract && node.inputs.size() > 1)
    return elements(graph.type(node.inputs[1]), symbols);
  double taps = 1;
  if (node.op->kind == OpKind::window) {
    for (const std::int64_t size : node.attributes.get<std::vector<std::int64_t>>("window"))
      taps *= static_cast<double>(size);
  }
  return taps;
}

bool is_quick(const Graph& graph, const SymbolValues& symbols) {
  double steps = 0;
  for (const ValueId input : graph.inputs()) steps += elements(graph.type(input), symbols);
  for (const Output& output : graph.outputs()) steps += elements(graph.type(output.value), symbols);
  for (const Node& node : graph.nodes()) {
    for (const ValueId input : node.inputs) steps += elements(graph.type(input), symbols);
    for (const ValueId output : node.outputs)
      steps += elements(graph.type(output), symbols) * depth(graph, node, symbols);
  }
  return steps < most_steps;
}

/// Whether a pass that only reassociates kept what it is about.
std::string beyond_rounding(const Tensor& got, const Tensor& wanted) {
  double size = 1;
  for (std::int64_t i = 0; i < wanted.elements(); ++i)
    size = std::fmax(size, std::fabs(wanted.as_double(i)));
  for (std::int64_t i = 0; i < wanted.elements(); ++i) {
    const double a = got.as_double(i), b = wanted.as_double(i);
    if (std::fabs(a - b) > 1e-6 * size || std::isnan(a) != std::isnan(b))
      return fmt::format("element {} is {} instead of {}", i, a, b);
  }
  return {};
}

std::string broken_by_passes(const Graph& imported, const std::vector<passes::Applied>& log,
                             const std::vector<Tensor>& inputs, const SymbolValues& symbols,
                             bool smooth) {
  Graph before = imported;
  auto expected = interpret(before, inputs, symbols);
  if (!expected) return {};  // an index out of range, say
  for (const passes::Applied& applied : log) {
    if (applied.report.times == 0) continue;
    const passes::PassInfo& pass = *passes::find_pass(applied.pass);
    passes::Report report;
    auto after = pass.run(before, report);
    if (!after) return fmt::format("{}: {}", pass.name, after.error().message);
    if (!is_quick(*after, symbols)) return {};
    auto got = interpret(*after, inputs, symbols);
    if (!got) return fmt::format("after {}: {}", pass.name, got.error().message);
    for (std::size_t i = 0; i < got->size(); ++i) {
      std::string wrong;
      if (pass.numerics == passes::Numerics::exact) {
        wrong = sweep::different_bits((*got)[i], (*expected)[i]);
      } else if (smooth) {
        wrong = beyond_rounding((*got)[i], (*expected)[i]);
      }
      if (!wrong.empty()) return fmt::format("{}: output {} {}", pass.name, i, wrong);
    }
    before = *std::move(after);
    expected = std::move(got);
  }
  return {};
}

std::string broken_by_plan(const Graph& graph, const plan::Plan& plan, const plan::Plan& read,
                           const std::vector<Tensor>& inputs, const SymbolValues& symbols) {
  const auto meant = interpret(graph, inputs, symbols);
  const auto got = plan::interpret_plan(read, inputs, symbols);
  if (!meant) return {};
  if (!got) return "plan: " + got.error().message;
  for (std::size_t i = 0; i < got->size(); ++i) {
    const std::string wrong = sweep::different_bits((*got)[i], (*meant)[i]);
    if (!wrong.empty()) return fmt::format("plan: output '{}' {}", plan.outputs[i].name, wrong);
  }
  return {};
}

}  // namespace

std::string broken_promise(const Graph& imported, std::uint64_t seed, bool smooth) {
  if (const auto sound = verify(imported); !sound) return sound.error().message;
  const std::string text = print(imported, {.constants_in_full = true});
  const auto again = parse_graph(text);
  if (!again) return "does not read back: " + again.error().message;
  if (print(*again, {.constants_in_full = true}) != text) return "reads back as something else";

  std::vector<passes::Applied> log;
  const auto graph = passes::optimize(imported, {}, &log);
  if (!graph) return {};
  // Small blocks and forks, which graphs of this size would not have.
  const auto plan = plan::make_plan(*graph, {.block_bytes = 4096, .part_work = 64});
  if (!plan) return {};
  if (const auto sound = plan::check_plan(*plan); !sound) return "plan: " + sound.error().message;
  const std::string plan_text = plan::print(*plan).text;
  const auto read = plan::parse_plan(plan_text, plan->weights);
  if (!read) return "the plan does not read back: " + read.error().message;
  if (plan::print(*read).text != plan_text) return "the plan reads back as something else";

  SymbolValues symbols;
  for (const Symbol& symbol : imported.symbols()) {
    const auto size = static_cast<std::int64_t>(seed % 4 + symbols.size());
    symbols[symbol.name] = std::clamp(size, symbol.range.lo, symbol.range.hi);
  }
  if (!check_constraints(imported.constraints(), symbols)) return {};
  if (!is_quick(imported, symbols) || !is_quick(*graph, symbols)) return {};
  std::vector<Tensor> inputs;
  for (const ValueId id : imported.inputs()) {
    if (!evaluate_shape(imported.type(id).shape, symbols)) return {};
    inputs.push_back(sweep::random_rows(imported.type(id), symbols, !smooth, seed + inputs.size()));
  }
  std::string wrong = broken_by_passes(imported, log, inputs, symbols, smooth);
  if (wrong.empty()) wrong = broken_by_plan(*graph, *plan, *read, inputs, symbols);
  return wrong;
}

}  // namespace ingot::fuzz
