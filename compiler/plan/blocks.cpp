// SPDX-License-Identifier: Apache-2.0
#include "plan/blocks.h"

#include <algorithm>
#include <bit>
#include <set>

#include "plan/arena.h"
#include "plan/lower.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

bool mentions(const Dim& dim, const std::string& symbol) {
  std::set<std::string> symbols;
  dim.collect_symbols(symbols);
  return symbols.count(symbol) != 0;
}
bool mentions(const std::vector<Dim>& dims, const std::string& symbol) {
  return std::any_of(dims.begin(), dims.end(),
                     [&](const Dim& dim) { return mentions(dim, symbol); });
}

/// Rows of the symbol lie one behind the other: nothing stands before their axis.
bool rows_lead(const Shape& shape, const std::string& symbol) {
  std::size_t d = 0;
  while (d < shape.size() && shape[d].is(1)) ++d;
  if (d == shape.size() || !Dim::exact_div(shape[d], Dim::symbol(symbol))) return false;
  return !mentions(Shape(shape.begin() + static_cast<std::ptrdiff_t>(d) + 1, shape.end()), symbol);
}

/// One dimension of a kernel's space walks rows, its coordinate is not asked for, and in memory
/// that outlives a block no stride depends on their number.
bool fits(const Plan& plan, const Kernel& kernel, const std::string& symbol) {
  std::optional<std::size_t> axis;
  for (std::size_t d = 0; d < kernel.space.size(); ++d) {
    if (!mentions(kernel.space[d], symbol)) continue;
    if (axis || !Dim::exact_div(kernel.space[d], Dim::symbol(symbol))) return false;
    axis = d;
  }
  bool fit = axis.has_value() && !plan.measures();
  visit_views(kernel, [&](const View& view, const Use&) {
    if (plan.buffers[view.buffer].kind == Buffer::Kind::arena) return;
    fit = fit && !mentions(view.offset, symbol) && !mentions(view.strides, symbol);
  });
  visit_bodies(kernel, [&](const Body& body) {
    for (const Step& step : body.steps) {
      fit = fit && !mentions(step.dim, symbol);
      fit = fit && !(step.kind == Step::Kind::index && axis && step.index == *axis);
    }
  });
  if (const auto* contract = std::get_if<Contract>(&kernel.work)) {
    fit = fit && !mentions(contract->k, symbol);
    for (const Contract::Taps& taps : contract->taps)
      fit = fit && !mentions(taps.window.size, symbol);
  }
  if (const auto* scatter = std::get_if<Scatter>(&kernel.work))
    fit = fit && !mentions(scatter->size, symbol);
  if (const auto* top = std::get_if<TopK>(&kernel.work)) fit = fit && !mentions(top->k, symbol);
  if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
    for (const Window& window : reduce->windows) fit = fit && !mentions(window.size, symbol);
  }
  return fit;
}

/// The symbol whose rows all kernels can take in blocks.
std::optional<std::string> leading_symbol(const Plan& plan) {
  for (std::size_t s = 0; s < plan.symbols.size(); ++s) {
    const std::string& symbol = plan.symbols[s].name;
    if (!plan.independent[s]) continue;
    bool all = !plan.kernels.empty();
    for (const Block& loop : plan.blocks) all = all && !mentions(loop.extent, symbol);
    for (const Plan::Port& input : plan.inputs)
      all = all && (!mentions(input.type.shape, symbol) || rows_lead(input.type.shape, symbol));
    for (const Plan::Port& output : plan.outputs) all = all && rows_lead(output.type.shape, symbol);
    for (const Kernel& kernel : plan.kernels) all = all && fits(plan, kernel, symbol);
    if (all) return symbol;
  }
  return std::nullopt;
}

void substitute(std::vector<Dim>& dims, const std::string& symbol, const Dim& by) {
  for (Dim& dim : dims) dim = dim.substitute(symbol, by);
}

/// Spaces, and what lies in the arena, have the block's rows; the caller's tensors are walked from
/// the block's first row on.
void rewrite(Plan& plan, const Block& block, const std::string& symbol) {
  const Dim count = Dim::symbol(block.count), begin = Dim::symbol(block.begin);
  for (Kernel& kernel : plan.kernels) {
    substitute(kernel.space, symbol, count);
    visit_views(kernel, [&](View& view, const Use&) {
      const Buffer& buffer = plan.buffers[view.buffer];
      if (buffer.kind == Buffer::Kind::arena) {
        view.offset = view.offset.substitute(symbol, count);
        substitute(view.strides, symbol, count);
      } else if (mentions(buffer.shape, symbol)) {
        view.offset += begin * row_elements(buffer, block);
      }
    });
  }
  for (Buffer& buffer : plan.buffers) {
    if (buffer.kind == Buffer::Kind::arena) substitute(buffer.shape, symbol, count);
  }
}

/// Blocks of one row: their number of rows is known.
void make_single(Plan& plan, const Block& block) {
  for (Kernel& kernel : plan.kernels) {
    substitute(kernel.space, block.count, 1);
    visit_views(kernel, [&](View& view, const Use&) {
      view.offset = view.offset.substitute(block.count, 1);
      substitute(view.strides, block.count, 1);
    });
    collapse(kernel);
  }
  for (Buffer& buffer : plan.buffers) substitute(buffer.shape, block.count, 1);
}

std::int64_t evaluate_at(const Plan& plan, const Dim& bytes, std::int64_t rows) {
  SymbolValues values;
  for (const Symbol& symbol : plan.symbols) {
    const bool leads = !plan.blocks.empty() && plan.blocks[0].extent == Dim::symbol(symbol.name);
    values[symbol.name] =
        std::clamp<std::int64_t>(leads ? rows : 64, symbol.range.lo, symbol.range.hi);
  }
  const Expected<std::int64_t> result = bytes.evaluate(values);
  return result ? *result : INT64_MAX;
}

/// A power of two of rows of so many bytes.
std::int64_t rows_within(std::int64_t budget, std::int64_t bytes) {
  const std::int64_t rows = budget / std::max<std::int64_t>(bytes, 1);
  return std::bit_floor(
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(rows, 1, most_block_rows)));
}

}  // namespace

std::int64_t bytes_at(const Plan& plan, std::int64_t rows) {
  return evaluate_at(plan, plan.workspace_bytes, rows);
}

std::int64_t least_bytes_at(const Plan& plan, std::int64_t rows) {
  return evaluate_at(plan, plan.least_bytes, rows);
}

std::string fresh_symbol(const Plan& plan, const std::string& wanted) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(plan.symbols.begin(), plan.symbols.end(),
                       [&](const Symbol& symbol) { return symbol.name == name; }) ||
           std::any_of(plan.blocks.begin(), plan.blocks.end(), [&](const Block& block) {
             return block.begin == name || block.count == name;
           });
  };
  std::string name = wanted;
  while (taken(name)) name += "_";
  return name;
}

bool in_one_block(const Plan& plan) {
  return !plan.blocks.empty() && !plan.blocks[0].loop && plan.blocks[0].first == 0 &&
         plan.blocks[0].last + 1 == plan.kernels.size();
}

std::vector<bool> local_buffers(const Plan& plan, const Block& block) {
  std::vector<bool> local(plan.buffers.size(), true);
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    if (block.first <= k && k <= block.last) continue;
    visit_views(plan.kernels[k], [&](const View& view, const Use&) { local[view.buffer] = false; });
  }
  return local;
}

Dim row_elements(const Buffer& buffer, const Block& block) {
  const std::optional<Dim> elements = Dim::exact_div(product(buffer.shape), block.extent);
  INGOT_CHECK(elements.has_value(), "'{}' is not made of rows", buffer.name);
  return *elements;
}

Dim in_all(const Plan& plan, const Kernel& kernel, Dim per_block) {
  // Inner ones first: their extents may speak of the outer ones.
  for (auto block = plan.blocks.rbegin(); block != plan.blocks.rend(); ++block) {
    if (kernel.id < block->first || kernel.id > block->last) continue;
    // Kernels that are made for one row do not mention how many a block has.
    per_block = block->size == 1 ? per_block.substitute(block->count, 1) * block->extent
                                 : per_block.substitute(block->count, block->extent);
    per_block = per_block.substitute(block->begin, 0);
  }
  return per_block;
}

Dim in_a_block(const Plan& plan, Dim per_block) {
  for (const Block& block : plan.blocks) {
    per_block = per_block.substitute(block.count, Dim::min(block.extent, block.size));
  }
  return per_block;
}

void make_nested_blocks(Plan& plan, const Plan& whole, Block inner, std::int64_t budget) {
  plan.blocks.clear();
  if (!whole.blocks.empty()) {
    Block outer = whole.blocks[0];
    outer.last = static_cast<std::uint32_t>(plan.kernels.size() - 1);
    outer.size = 1;
    // What is known of single rows is walked from the block's row on.
    for (const bool outputs : {false, true}) {
      auto& ports = outputs ? plan.outputs : plan.inputs;
      for (std::size_t i = 0; i < ports.size(); ++i) {
        ports[i].type = (outputs ? whole.outputs : whole.inputs)[i].type;
        plan.buffers[ports[i].buffer].shape = ports[i].type.shape;
      }
    }
    const std::string symbol = *outer.extent.symbol_name();
    for (Kernel& kernel : plan.kernels) {
      visit_views(kernel, [&](View& view, const Use&) {
        const Buffer& buffer = plan.buffers[view.buffer];
        if (buffer.kind == Buffer::Kind::arena || !mentions(buffer.shape, symbol)) return;
        view.offset += Dim::symbol(outer.begin) * row_elements(buffer, outer);
      });
    }
    plan.blocks.push_back(outer);
  }
  // What a row of the inner axis takes beyond what is there once.
  auto bytes_of_size = [&](std::int64_t size) {
    inner.size = size;
    plan.blocks.resize(whole.blocks.empty() ? 0 : 1);
    plan.blocks.push_back(inner);
    place_in_arena(plan);
    return bytes_at(plan, 1);
  };
  const std::int64_t one = bytes_of_size(16);
  const std::int64_t more = (bytes_of_size(32) - one) / 16;
  std::int64_t size = rows_within(budget - one, more);
  while (size > 1 && bytes_of_size(size) > budget) size /= 2;
  bytes_of_size(size);
}

void make_blocks(Plan& plan, std::int64_t budget) {
  const std::optional<std::string> symbol = leading_symbol(plan);
  if (!symbol) {
    place_in_arena(plan);
    return;
  }
  Block block{0,
              static_cast<std::uint32_t>(plan.kernels.size() - 1),
              Dim::symbol(*symbol),
              most_block_rows,
              fresh_symbol(plan, *symbol + ".begin"),
              fresh_symbol(plan, *symbol + ".count")};
  rewrite(plan, block, *symbol);
  plan.blocks.insert(plan.blocks.begin(), block);
  place_in_arena(plan);
  std::int64_t& size = plan.blocks.front().size;
  while (size > 1 && bytes_at(plan, size) > budget) size /= 2;
  if (size == 1) make_single(plan, block);
  place_in_arena(plan);
}

}  // namespace ingot::plan
