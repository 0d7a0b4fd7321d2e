// SPDX-License-Identifier: Apache-2.0
#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace ingot::plan {

Dim align_bytes(const Dim& bytes) {
  Dim aligned;
  for (const Dim::Term& term : bytes.terms()) {
    const std::int64_t unit = term.factors.empty() || term.coefficient >= 512 ? 64 : 16;
    Dim product = (term.coefficient + unit - 1) / unit * unit;
    for (const Dim::Atom& atom : term.factors) {
      product *= Dim::from_atom(atom);
    }
    aligned += product;
  }
  return aligned;
}

Dim larger(const Dim& a, const Dim& b, const SymbolRanges& ranges) {
  const Interval gap = (a - b).bounds(ranges);
  if (gap.lo >= 0) return a;
  if (gap.hi <= 0) return b;
  return Dim::max(a, b);
}

Dim pack_arena(std::vector<Region>& blocks, const SymbolRanges& ranges) {
  SymbolValues reference;
  for (const auto& [name, range] : ranges) reference[name] = std::min<std::int64_t>(range.hi, 4096);
  std::vector<std::int64_t> sizes;
  for (const Region& block : blocks) {
    const Expected<std::int64_t> size = block.bytes.evaluate(reference);
    sizes.push_back(size ? *size : INT64_MAX);
  }
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Ties by number: the order must not depend on the library's sort.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(-sizes[a], a) < std::pair(-sizes[b], b);
  });

  Dim total;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Region& block = blocks[order[i]];
    block.offset = 0;
    for (std::size_t j = 0; j < i; ++j) {
      const Region& placed = blocks[order[j]];
      if (placed.first <= block.last && block.first <= placed.last) {
        block.offset = larger(block.offset, placed.offset + placed.bytes, ranges);
      }
    }
    total = larger(total, block.offset + block.bytes, ranges);
  }
  return total;
}

}  // namespace ingot::plan
