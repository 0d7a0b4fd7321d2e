// SPDX-License-Identifier: Apache-2.0
#include "plan/pin.h"

#include <fmt/ranges.h>

#include <string_view>

#include "plan/blocks.h"

namespace ingot::plan {
namespace {

/// A known number of rows that is more than a block has: as a number it would lose the blocks, and
/// with them the bound on the workspace.
bool keeps_blocks(const Plan& whole, const std::string& symbol, std::int64_t value) {
  return in_one_block(whole) && whole.blocks[0].extent == Dim::symbol(symbol) &&
         value > whole.blocks[0].size;
}

/// Of the symbols that calls choose.
std::string names_of(const std::vector<Symbol>& symbols) {
  std::vector<std::string_view> names;
  for (const Symbol& symbol : symbols) {
    if (!symbol.measured()) names.push_back(symbol.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Expected<Graph> pin(const Graph& graph, const Plan& whole, const SymbolValues& pins) {
  Graph pinned = graph;
  for (const auto& [name, value] : pins) {
    const Symbol* symbol = graph.find_symbol(name);
    if (symbol == nullptr) {
      if (names_of(graph.symbols()).empty()) {
        return fail(ErrorCode::invalid_argument,
                    "--variant {}={}: the model has no size to choose; leave it out", name, value);
      }
      return fail(ErrorCode::invalid_argument,
                  "--variant {}={}: no such symbol; the model's are {}", name, value,
                  names_of(graph.symbols()));
    }
    if (symbol->measured()) {
      return fail(ErrorCode::invalid_argument,
                  "--variant {}={}: {} follows from data, calls don't choose it; leave it out",
                  name, value, name);
    }
    if (value < symbol->range.lo || value > symbol->range.hi) {
      return fail(ErrorCode::invalid_argument,
                  "--variant {}={}: {} is from {} to {}; --dim {}=LO:HI sets its range", name,
                  value, name, symbol->range.lo, symbol->range.hi, name);
    }
    if (keeps_blocks(whole, name, value)) continue;
    if (const Expected<void> done = pinned.substitute(name, value); !done) {
      return fail(done.error().code, "--variant {}={}: {}", name, value, done.error().message);
    }
  }
  return pinned;
}

Expected<Plan> make_pinned_plan(const Graph& pinned, const Plan& whole, const SymbolValues& pins,
                                const PlanOptions& options) {
  INGOT_ASSIGN(Plan plan, make_plan(pinned, options));
  plan.symbols = whole.symbols;
  plan.independent = whole.independent;
  plan.constraints = whole.constraints;
  for (Symbol& symbol : plan.symbols) {
    if (const auto pin = pins.find(symbol.name); pin != pins.end())
      symbol.range = {pin->second, pin->second};
  }
  plan.name = fmt::format("{}:{}", whole.name, pins_text(plan));
  return plan;
}

std::vector<std::uint32_t> pins_of(const Plan& plan) {
  std::vector<std::uint32_t> pins;
  for (std::uint32_t i = 0; i < plan.symbols.size(); ++i) {
    const Symbol& symbol = plan.symbols[i];
    if (!symbol.measured() && symbol.range.lo == symbol.range.hi) pins.push_back(i);
  }
  return pins;
}

std::string pins_text(const Plan& plan) {
  std::string text;
  for (const std::uint32_t i : pins_of(plan)) {
    const Symbol& symbol = plan.symbols[i];
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", symbol.name, symbol.range.lo);
  }
  return text;
}

}  // namespace ingot::plan
