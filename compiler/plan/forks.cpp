// SPDX-License-Identifier: Apache-2.0
#include "plan/forks.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "plan/arena.h"
#include "plan/blocks.h"
#include "plan/print.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

/// What is moved as one: a kernel, or all of a block within a row.
struct Unit {
  std::uint32_t first = 0, last = 0;
  double work = 0;
};

/// Operations of a call of one row, other sizes being usual ones.
double work_of(const Plan& plan, const Kernel& kernel) {
  SymbolValues values;
  for (const Symbol& symbol : plan.symbols) {
    const bool leads = !plan.blocks.empty() && plan.blocks[0].extent == Dim::symbol(symbol.name);
    values[symbol.name] =
        std::clamp<std::int64_t>(leads ? 1 : 64, symbol.range.lo, symbol.range.hi);
  }
  const Expected<std::int64_t> total = in_all(plan, kernel, flops(kernel)).evaluate(values);
  return total ? static_cast<double>(*total) : 0;
}

std::vector<Unit> units_of(const Plan& plan) {
  std::vector<Unit> units;
  for (std::uint32_t k = 0; k < plan.kernels.size(); ++k) {
    Unit unit{k, k, 0};
    for (const Block& block : plan.blocks) {
      const bool whole = block.first == 0 && block.last + 1 == plan.kernels.size();
      if (!whole && block.first == k) unit.last = std::max(unit.last, block.last);
    }
    for (k = unit.first; k <= unit.last; ++k) unit.work += work_of(plan, plan.kernels[k]);
    k = unit.last;
    units.push_back(unit);
  }
  return units;
}

/// Which units must run before which: those that share a buffer that one of them reads and one
/// writes. Two that write into one buffer write different elements of it.
class Order {
 public:
  Order(const Plan& plan, const std::vector<Unit>& units) : before_(units.size()) {
    struct Users {
      std::vector<std::size_t> readers, writers;
    };
    std::map<BufferId, Users> users;
    for (std::size_t u = 0; u < units.size(); ++u) {
      before_[u].resize(units.size());
      for (std::uint32_t k = units[u].first; k <= units[u].last; ++k) {
        visit_views(plan.kernels[k], [&](const View& view, const Use& use) {
          auto& list = use.write ? users[view.buffer].writers : users[view.buffer].readers;
          if (list.empty() || list.back() != u) list.push_back(u);
        });
      }
    }
    direct_.resize(units.size());
    for (const auto& [buffer, of] : users) {
      for (const std::size_t w : of.writers) {
        for (const std::size_t r : of.readers) {
          if (w != r) direct_[std::max(w, r)].push_back(std::min(w, r));
        }
      }
    }
    for (std::size_t u = 0; u < units.size(); ++u) {
      for (const std::size_t d : direct_[u]) {
        before_[u][d] = true;
        for (std::size_t a = 0; a < d; ++a) before_[u][a] = before_[u][a] || before_[d][a];
      }
    }
  }

  bool related(std::size_t a, std::size_t b) const {
    return before_[std::max(a, b)][std::min(a, b)];
  }
  /// The units that must stand directly before one.
  const std::vector<std::size_t>& direct(std::size_t unit) const { return direct_[unit]; }

 private:
  std::vector<std::vector<bool>> before_;  // [u][a]: a comes before u
  std::vector<std::vector<std::size_t>> direct_;
};

/// Units that hang together: numbers by unit of `members`, from 0.
std::vector<std::vector<std::size_t>> components(const std::vector<std::size_t>& members,
                                                 const Order& order) {
  std::map<std::size_t, std::size_t> parent;
  auto root = [&](std::size_t u) {
    while (parent[u] != u) u = parent[u] = parent[parent[u]];
    return u;
  };
  for (const std::size_t u : members) parent[u] = u;
  for (const std::size_t u : members) {
    for (const std::size_t d : order.direct(u)) {
      if (parent.count(d) != 0) parent[root(u)] = root(d);
    }
  }
  std::map<std::size_t, std::vector<std::size_t>> found;
  for (const std::size_t u : members) found[root(u)].push_back(u);
  std::vector<std::vector<std::size_t>> result;
  for (auto& [head, list] : found) result.push_back(std::move(list));
  return result;
}

/// Units in a new order, of which those from `begin` on are parts.
struct Candidate {
  std::size_t first = 0;                        // unit
  std::vector<std::size_t> before, after;       // units around the parts
  std::vector<std::vector<std::size_t>> parts;  // most work first
};

class Finder {
 public:
  Finder(const Plan& plan, std::int64_t part_work)
      : units_(units_of(plan)), order_(plan, units_), part_work_(static_cast<double>(part_work)) {}

  /// Their units are runs without a common one, so that each can be taken or left.
  std::vector<Candidate> run() const {
    std::vector<Candidate> found;
    std::vector<std::size_t> run;
    for (std::size_t u = 0; u <= units_.size(); ++u) {
      if (u < units_.size() && !everybody_waits(u)) {
        run.push_back(u);
        continue;
      }
      if (!run.empty()) add(run, found);
      run.clear();
    }
    return found;
  }

  const std::vector<Unit>& units() const { return units_; }

 private:
  /// Less in a unit is no reason to keep branches apart or together.
  bool heavy(std::size_t u) const { return units_[u].work >= part_work_ / 16; }
  bool everybody_waits(std::size_t u) const {
    for (std::size_t v = 0; v < units_.size(); ++v) {
      if (v != u && heavy(v) && !order_.related(u, v)) return false;
    }
    return true;
  }
  double work(const std::vector<std::size_t>& part) const {
    return std::accumulate(part.begin(), part.end(), 0.0,
                           [&](double sum, std::size_t u) { return sum + units_[u].work; });
  }

  bool split(const std::vector<std::size_t>& members, Candidate& candidate) const {
    candidate.parts = components(members, order_);
    std::sort(candidate.parts.begin(), candidate.parts.end(), [&](const auto& a, const auto& b) {
      return std::pair(-work(a), a.front()) < std::pair(-work(b), b.front());
    });
    return candidate.parts.size() > 1 && work(candidate.parts[1]) >= part_work_;
  }

  void add(const std::vector<std::size_t>& run, std::vector<Candidate>& found) const {
    Candidate candidate;
    candidate.first = run.front();
    if (split(run, candidate)) {
      found.push_back(std::move(candidate));
      return;
    }
    // Something small that all branches need, or that takes all their results, holds them together.
    std::vector<std::size_t> members;
    for (const std::size_t u : run) {
      bool waits = heavy(u), awaited = heavy(u);
      for (const std::size_t v : run) {
        if (!heavy(v) || !order_.related(u, v)) continue;
        waits = waits || v < u;
        awaited = awaited || v > u;
      }
      (!waits ? candidate.before : !awaited ? candidate.after : members).push_back(u);
    }
    if (split(members, candidate)) found.push_back(std::move(candidate));
  }

  std::vector<Unit> units_;
  Order order_;
  double part_work_;
};

/// The plan with the candidate's kernels part by part, and the fork.
Plan with_fork(const Plan& plan, const std::vector<Unit>& units, const Candidate& candidate) {
  Plan result = plan;
  std::uint32_t next = units[candidate.first].first;
  auto append = [&](const std::vector<std::size_t>& list) {
    for (const std::size_t u : list) {
      for (std::size_t b = 0; b < plan.blocks.size(); ++b) {
        const Block& block = plan.blocks[b];
        if (block.first < units[u].first || units[u].last < block.last) continue;
        result.blocks[b].first = next + block.first - units[u].first;
        result.blocks[b].last = next + block.last - units[u].first;
      }
      for (std::uint32_t k = units[u].first; k <= units[u].last; ++k, ++next) {
        result.kernels[next] = plan.kernels[k];
        result.kernels[next].id = next;
      }
    }
  };
  Fork fork;
  append(candidate.before);
  for (const std::vector<std::size_t>& part : candidate.parts) {
    const std::uint32_t first = next;
    append(part);
    fork.parts.push_back({first, next - 1});
  }
  append(candidate.after);
  // Loops may have changed places; blocks of the same kernels stay as they are to each other.
  std::vector<std::size_t> order(result.blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    const Block &x = result.blocks[i], &y = result.blocks[j];
    return std::tuple(x.first, y.last, i) < std::tuple(y.first, x.last, j);
  });
  std::vector<Block> blocks;
  for (const std::size_t i : order) blocks.push_back(std::move(result.blocks[i]));
  result.blocks = std::move(blocks);
  const auto place = std::find_if(result.forks.begin(), result.forks.end(), [&](const Fork& other) {
    return other.parts.front().first > fork.parts.front().first;
  });
  result.forks.insert(place, std::move(fork));
  return result;
}

}  // namespace

void make_forks(Plan& plan, std::int64_t part_work) {
  const Finder finder(plan, part_work);
  const std::vector<Candidate> candidates = finder.run();
  if (candidates.empty()) return;
  std::vector<std::byte> weights = std::move(plan.weights);
  for (const Candidate& candidate : candidates) {
    Plan forked = with_fork(plan, finder.units(), candidate);
    place_in_arena(forked);
    const SymbolRanges ranges = plan.ranges();
    if (larger(plan.workspace_bytes, forked.workspace_bytes, ranges) == plan.workspace_bytes)
      plan = std::move(forked);
  }
  plan.weights = std::move(weights);
}

const Fork* fork_of(const Plan& plan, std::uint32_t kernel) {
  const auto found = std::find_if(plan.forks.begin(), plan.forks.end(), [&](const Fork& fork) {
    return fork.first() <= kernel && kernel <= fork.last();
  });
  return found == plan.forks.end() ? nullptr : &*found;
}

std::uint32_t most_parts(const Plan& plan) {
  std::size_t most = 1;
  for (const Fork& fork : plan.forks) most = std::max(most, fork.parts.size());
  return static_cast<std::uint32_t>(most);
}

std::vector<bool> buffers_of_parts(const Plan& plan) {
  // By buffer, the part that uses it, counted over all forks; 0: not one.
  std::vector<std::size_t> part_of(plan.kernels.size(), 0), user(plan.buffers.size(), SIZE_MAX);
  std::size_t number = 0;
  for (const Fork& fork : plan.forks) {
    for (const Fork::Part& part : fork.parts) {
      ++number;
      for (std::uint32_t k = part.first; k <= part.last; ++k) part_of[k] = number;
    }
  }
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    visit_views(plan.kernels[k], [&](const View& view, const Use&) {
      std::size_t& known = user[view.buffer];
      known = known == SIZE_MAX || known == part_of[k] ? part_of[k] : 0;
    });
  }
  std::vector<bool> result(plan.buffers.size());
  for (std::size_t b = 0; b < result.size(); ++b) {
    result[b] = plan.buffers[b].kind == Buffer::Kind::arena && user[b] != SIZE_MAX && user[b] != 0;
  }
  return result;
}

}  // namespace ingot::plan
