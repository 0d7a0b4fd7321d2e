// SPDX-License-Identifier: Apache-2.0
#include "plan/arena.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ingot::plan {
namespace {

/// A region of a number of bytes.
struct Item {
  std::int64_t bytes = 0;
  int first = 0, last = 0;
  std::int64_t offset = 0;
  bool meets(const Item& other) const { return first <= other.last && other.first <= last; }
};

std::int64_t least(const std::vector<Item>& items) {
  std::int64_t most = 0;
  for (const Item& here : items) {
    std::int64_t alive = 0;
    for (const Item& item : items) {
      if (item.first <= here.first && here.first <= item.last) alive += item.bytes;
    }
    most = std::max(most, alive);
  }
  return most;
}

/// Places items in an order, each into the smallest gap that it fits into, or on top.
std::int64_t place(std::vector<Item>& items, const std::vector<std::size_t>& order) {
  std::int64_t total = 0;
  std::vector<const Item*> placed, taken;
  for (const std::size_t i : order) {
    Item& item = items[i];
    taken.clear();
    for (const Item* other : placed) {
      if (other->meets(item)) taken.push_back(other);
    }
    std::sort(taken.begin(), taken.end(),
              [](const Item* a, const Item* b) { return a->offset < b->offset; });
    std::int64_t end = 0, best = -1, best_gap = INT64_MAX;
    for (const Item* other : taken) {
      const std::int64_t gap = other->offset - end;
      if (gap >= item.bytes && gap < best_gap) {
        best = end;
        best_gap = gap;
      }
      end = std::max(end, other->offset + other->bytes);
    }
    item.offset = best >= 0 ? best : end;
    total = std::max(total, item.offset + item.bytes);
    placed.push_back(&item);
  }
  return total;
}

/// The best of several orders. What no order gets tight is tried again with the items that stand
/// highest placed earlier.
std::int64_t pack(std::vector<Item>& items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::int64_t bound = least(items);
  std::int64_t best = INT64_MAX;
  std::vector<Item> best_items;
  auto attempt = [&] {
    if (best == bound) return;
    const std::int64_t total = place(items, order);
    if (total < best) {
      best = total;
      best_items = items;
    }
  };
  auto by = [&](auto&& key) {
    // Ties by number: the order must not depend on the library's sort.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(key(items[a]), a) < std::pair(key(items[b]), b);
    });
    attempt();
  };
  by([](const Item& item) { return -item.bytes; });
  by([](const Item& item) { return item.first; });
  by([](const Item& item) { return -item.last; });
  by([](const Item& item) { return std::pair(item.first - item.last, -item.bytes); });
  by([](const Item& item) { return -item.bytes * (item.last - item.first + 1); });
  for (int round = 0; round < 64 && best != bound; ++round) {
    items = best_items;
    // The item that makes the arena as high as it is moves to the front, round after round another.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(items[a].offset, a) < std::pair(items[b].offset, b);
    });
    const std::size_t from = items.size() - 1 - static_cast<std::size_t>(round) % items.size();
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(from),
                order.begin() + static_cast<std::ptrdiff_t>(from) + 1);
    attempt();
  }
  items = best_items;
  return best;
}

struct Packing {
  Dim total;
  std::vector<Dim> offsets;
};

/// Sizes that are numbers times the same expression are packed as these numbers; different
/// expressions one behind the other.
Packing pack_by_units(const std::vector<Region>& regions) {
  // Unit to regions; a size of several terms is a unit of its own.
  std::map<Dim, std::vector<std::size_t>> units;
  std::vector<std::int64_t> numbers(regions.size(), 1);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const std::vector<Dim::Term>& terms = regions[i].bytes.terms();
    Dim unit = regions[i].bytes;
    if (terms.size() == 1) {
      unit = 1;
      for (const Dim::Atom& atom : terms[0].factors) unit *= Dim::from_atom(atom);
      numbers[i] = terms[0].coefficient;
    }
    units[unit].push_back(i);
  }
  Packing packing;
  packing.offsets.resize(regions.size());
  for (const auto& [unit, members] : units) {
    std::vector<Item> items;
    for (const std::size_t i : members) {
      items.push_back({unit.is(0) ? 0 : numbers[i], regions[i].first, regions[i].last});
    }
    const std::int64_t total = pack(items);
    for (std::size_t m = 0; m < members.size(); ++m) {
      packing.offsets[members[m]] = packing.total + unit * items[m].offset;
    }
    packing.total += unit * total;
  }
  return packing;
}

/// Each above all neighbours that were placed before, largest first.
Packing pack_above(const std::vector<Region>& regions, const SymbolRanges& ranges,
                   const SymbolValues& reference) {
  std::vector<std::int64_t> sizes;
  for (const Region& region : regions) {
    const Expected<std::int64_t> size = region.bytes.evaluate(reference);
    sizes.push_back(size ? *size : INT64_MAX);
  }
  std::vector<std::size_t> order(regions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(-sizes[a], a) < std::pair(-sizes[b], b);
  });
  Packing packing;
  packing.offsets.resize(regions.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Region& region = regions[order[i]];
    Dim offset;
    for (std::size_t j = 0; j < i; ++j) {
      const Region& placed = regions[order[j]];
      if (placed.first <= region.last && region.first <= placed.last) {
        offset = larger(offset, packing.offsets[order[j]] + placed.bytes, ranges);
      }
    }
    packing.total = larger(packing.total, offset + region.bytes, ranges);
    packing.offsets[order[i]] = std::move(offset);
  }
  return packing;
}

SymbolValues values_at(const SymbolRanges& ranges, std::int64_t size) {
  SymbolValues values;
  for (const auto& [name, range] : ranges) values[name] = std::clamp(size, range.lo, range.hi);
  return values;
}

/// Over the sizes that matter most: single rows, and some.
double cost(const Packing& packing, const SymbolRanges& ranges) {
  double sum = 0;
  for (const std::int64_t size : {1, 64}) {
    const Expected<std::int64_t> total = packing.total.evaluate(values_at(ranges, size));
    sum += (total ? static_cast<double>(*total) : 1e30) / static_cast<double>(size);
  }
  return sum;
}

}  // namespace

Dim align_bytes(const Dim& bytes) {
  Dim aligned;
  for (const Dim::Term& term : bytes.terms()) {
    const std::int64_t unit = term.coefficient >= 4096 ? 64 : term.coefficient >= 128 ? 16 : 8;
    Dim product = (term.coefficient + unit - 1) / unit * unit;
    for (const Dim::Atom& atom : term.factors) {
      product *= Dim::from_atom(atom);
    }
    aligned += product;
  }
  return aligned;
}

Dim larger(const Dim& a, const Dim& b, const SymbolRanges& ranges) {
  if (a == b) return a;
  // Most that are not comparable show it at small sizes, without a proof being tried.
  bool above = false, below = false;
  for (const std::int64_t size : {0, 1, 3, 20, 500}) {
    const SymbolValues values = values_at(ranges, size);
    const Expected<std::int64_t> first = a.evaluate(values), second = b.evaluate(values);
    if (!first || !second) continue;
    above = above || *first > *second;
    below = below || *first < *second;
  }
  if (above && below) return Dim::max(a, b);
  const Interval gap = (a - b).bounds(ranges);
  if (gap.lo >= 0) return a;
  if (gap.hi <= 0) return b;
  return Dim::max(a, b);
}

Dim pack_arena(std::vector<Region>& regions, const SymbolRanges& ranges) {
  Packing best = pack_by_units(regions);
  const bool one_unit = best.total.terms().size() <= 1;
  if (!one_unit) {
    for (const std::int64_t size : {1, 64, 4096}) {
      Packing other = pack_above(regions, ranges, values_at(ranges, size));
      if (cost(other, ranges) < cost(best, ranges)) best = std::move(other);
    }
  }
  for (std::size_t i = 0; i < regions.size(); ++i) regions[i].offset = std::move(best.offsets[i]);
  return best.total;
}

Dim least_arena(const std::vector<Region>& regions, const SymbolRanges& ranges) {
  Dim most;
  for (const Region& here : regions) {
    Dim alive;
    for (const Region& region : regions) {
      if (region.first <= here.first && here.first <= region.last) alive += region.bytes;
    }
    most = larger(most, alive, ranges);
  }
  return most;
}

}  // namespace ingot::plan
