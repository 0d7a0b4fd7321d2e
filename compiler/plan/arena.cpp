// SPDX-License-Identifier: Apache-2.0
#include "plan/arena.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

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

/// A term as an expression of its own.
Dim lone(const Dim::Term& term) {
  Dim product = term.coefficient;
  for (const Dim::Atom& atom : term.factors) product *= Dim::from_atom(atom);
  return product;
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
      unit = lone({terms[0].factors, 1});
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

SymbolValues values_at(const SymbolRanges& ranges, std::int64_t size) {
  SymbolValues values;
  for (const auto& [name, range] : ranges) values[name] = std::clamp(size, range.lo, range.hi);
  return values;
}

/// True when each term on its own shows it: cheap, as hundreds of comparisons need it.
bool never_negative(const Dim& dim, const SymbolRanges& ranges) {
  if (dim.overflowed()) return false;
  std::int64_t sum = 0;
  for (const Dim::Term& term : dim.terms()) {
    const std::int64_t lo = lone(term).bounds(ranges).lo;
    if (__builtin_add_overflow(sum, lo, &sum)) return false;
  }
  return sum >= 0;
}

/// A maximum of sums, kept apart as long as they are few. Of several symbols there is an endless
/// supply of sums of which none is always the largest.
class Maxima {
 public:
  struct Sum {
    Dim dim;
    std::vector<std::int64_t> values;  // at the samples
  };

  explicit Maxima(const SymbolRanges& ranges) : ranges_(ranges) {
    for (const std::int64_t size : {0, 1, 3, 20, 500}) samples_.push_back(values_at(ranges, size));
    // Each symbol by itself, large and small.
    for (const auto& [name, range] : ranges) {
      for (const auto& [own, others] : {std::pair{200, 2}, std::pair{2, 200}}) {
        samples_.push_back(values_at(ranges, others));
        samples_.back()[name] = std::clamp<std::int64_t>(own, range.lo, range.hi);
      }
    }
  }

  Sum sum(Dim dim) const {
    Sum result{std::move(dim), {}};
    for (const SymbolValues& values : samples_) {
      const Expected<std::int64_t> value = result.dim.evaluate(values);
      result.values.push_back(value ? *value : INT64_MAX);
    }
    return result;
  }

  /// Takes `next` up among `sums`. Those that are never the largest go; where too many stay, one
  /// sum that is nowhere below any takes their place.
  void add(std::vector<Sum>& sums, const Sum& next) const {
    for (const Sum& known : sums) {
      if (covers(known, next)) return;
    }
    std::erase_if(sums, [&](const Sum& known) { return covers(next, known); });
    sums.push_back(next);
    if (sums.size() <= most) return;
    Dim all = sums[0].dim;
    for (const Sum& other : sums) all = join(all, other.dim);
    sums = {sum(std::move(all))};
  }

  static Dim max(const std::vector<Sum>& sums) {
    Dim result;
    for (const Sum& sum : sums) result = result.is(0) ? sum.dim : Dim::max(result, sum.dim);
    return result;
  }

 private:
  static constexpr std::size_t most = 2;

  bool covers(const Sum& a, const Sum& b) const {
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      if (a.values[i] < b.values[i]) return false;
    }
    return never_negative(a.dim - b.dim, ranges_);
  }

  /// Each term as often as the one that has more of it does, if it cannot be negative.
  Dim join(const Dim& a, const Dim& b) const {
    Dim result = a;
    const Dim gap = b - a;
    for (const Dim::Term& term : gap.terms()) {
      const Dim part = lone(term);
      const Interval range = part.bounds(ranges_);
      if (range.hi <= 0) continue;
      result += range.lo >= 0 ? part : Dim::max(0, part);
    }
    return result;
  }

  const SymbolRanges& ranges_;
  std::vector<SymbolValues> samples_;
};

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
  const Maxima maxima(ranges);
  std::vector<std::vector<Maxima::Sum>> ends(regions.size());
  std::vector<Maxima::Sum> total;
  Packing packing;
  packing.offsets.resize(regions.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Region& region = regions[order[i]];
    std::vector<Maxima::Sum> below{maxima.sum(0)};
    for (std::size_t j = 0; j < i; ++j) {
      const Region& placed = regions[order[j]];
      if (placed.first > region.last || region.first > placed.last) continue;
      for (const Maxima::Sum& end : ends[order[j]]) maxima.add(below, end);
    }
    for (const Maxima::Sum& start : below) {
      ends[order[i]].push_back(maxima.sum(start.dim + region.bytes));
      maxima.add(total, ends[order[i]].back());
    }
    packing.offsets[order[i]] = Maxima::max(below);
  }
  packing.total = Maxima::max(total);
  return packing;
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
    aligned += lone({term.factors, (term.coefficient + unit - 1) / unit * unit});
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
  std::set<int> kernels;
  for (const Region& region : regions) kernels.insert(region.first);
  const Maxima maxima(ranges);
  std::vector<Maxima::Sum> sums;
  for (const int kernel : kernels) {
    Dim alive;
    for (const Region& region : regions) {
      if (region.first <= kernel && kernel <= region.last) alive += region.bytes;
    }
    sums.push_back(maxima.sum(std::move(alive)));
  }
  // Those that are the largest at one of the samples: any packing needs these at least.
  std::set<Dim> largest;
  for (std::size_t i = 0; !sums.empty() && i < sums[0].values.size(); ++i) {
    auto less = [&](const auto& a, const auto& b) { return a.values[i] < b.values[i]; };
    largest.insert(std::max_element(sums.begin(), sums.end(), less)->dim);
  }
  Dim result;
  for (const Dim& sum : largest) result = result.is(0) ? sum : Dim::max(result, sum);
  return result;
}

}  // namespace ingot::plan
