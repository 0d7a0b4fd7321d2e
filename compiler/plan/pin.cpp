// SPDX-License-Identifier: Apache-2.0
#include "plan/pin.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

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

// ---- weights -----------------------------------------------------------------------------------

/// Bytes of the weights section that move as one: a constant, a packed matrix, or several that
/// overlap.
struct Piece {
  std::int64_t begin = 0, end = 0;
};

/// Where an offset into the section begins, whatever an iteration adds to it.
std::int64_t start_of(const Dim& offset) {
  for (const Dim::Term& term : offset.terms()) {
    if (term.factors.empty()) return term.coefficient;
  }
  return 0;
}

/// Every place of a plan that says where weights lie, with the bytes that are there.
void visit_weights(Plan& plan, const std::function<void(Dim& offset, std::int64_t bytes)>& visit) {
  for (Buffer& buffer : plan.buffers) {
    if (buffer.kind != Buffer::Kind::weights) continue;
    const Dim bytes = product(buffer.shape) * static_cast<std::int64_t>(bytes_of(buffer.dtype));
    visit(buffer.offset, *bytes.value());
  }
  for (Kernel& kernel : plan.kernels) {
    auto* contract = std::get_if<Contract>(&kernel.work);
    auto* packed = contract == nullptr ? nullptr : std::get_if<PackedWeights>(&contract->b);
    if (packed == nullptr) continue;
    const std::int64_t groups =
        contract->group_dim ? kernel.space[*contract->group_dim].value().value_or(1) : 1;
    visit(packed->offset, packed->bytes + (groups - 1) * contract->group_bytes);
  }
}

std::vector<Piece> pieces_of(Plan& plan) {
  std::vector<Piece> all;
  visit_weights(plan, [&](Dim& offset, std::int64_t bytes) {
    all.push_back({start_of(offset), start_of(offset) + bytes});
  });
  std::sort(all.begin(), all.end(), [](const Piece& a, const Piece& b) {
    return std::pair(a.begin, b.end) < std::pair(b.begin, a.end);
  });
  std::vector<Piece> pieces;
  for (const Piece& piece : all) {
    INGOT_CHECK(piece.begin >= 0, "weights at byte {}", piece.begin);
    if (!pieces.empty() && (piece.begin < pieces.back().end || piece.begin == pieces.back().begin))
      pieces.back().end = std::max(pieces.back().end, piece.end);
    else
      pieces.push_back(piece);
  }
  return pieces;
}

/// The section of all plans, with an index of what is in it.
class Section {
 public:
  explicit Section(Plan& whole) : bytes_(whole.weights) {
    for (const Piece& piece : pieces_of(whole)) note(piece);
  }

  /// Where these bytes are; appends them if they are nowhere.
  std::int64_t place(std::string_view content) {
    const auto [first, last] = by_hash_.equal_range(hash(content));
    for (auto found = first; found != last; ++found) {
      if (text(found->second) == content) return found->second.begin;
    }
    bytes_.resize((bytes_.size() + 63) / 64 * 64);
    const auto begin = static_cast<std::int64_t>(bytes_.size());
    bytes_.resize(bytes_.size() + content.size());
    std::memcpy(bytes_.data() + begin, content.data(), content.size());
    note({begin, begin + static_cast<std::int64_t>(content.size())});
    return begin;
  }

 private:
  static std::size_t hash(std::string_view content) {
    return std::hash<std::string_view>()(content);
  }
  std::string_view text(const Piece& piece) const {
    return std::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size())
        .substr(static_cast<std::size_t>(piece.begin),
                static_cast<std::size_t>(piece.end - piece.begin));
  }
  void note(const Piece& piece) { by_hash_.emplace(hash(text(piece)), piece); }

  std::vector<std::byte>& bytes_;
  std::multimap<std::size_t, Piece> by_hash_;  // equal keys: in the order in which they came
};

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

void share_weights(Plans& plans) {
  if (plans.pinned.empty()) return;
  Section section(plans.whole);
  for (Plan& plan : plans.pinned) {
    const std::vector<Piece> pieces = pieces_of(plan);
    std::vector<std::int64_t> moved;
    for (const Piece& piece : pieces) {
      INGOT_CHECK(static_cast<std::size_t>(piece.end) <= plan.weights.size(),
                  "weights end at byte {} of {}", piece.end, plan.weights.size());
      moved.push_back(
          section.place({reinterpret_cast<const char*>(plan.weights.data()) + piece.begin,
                         static_cast<std::size_t>(piece.end - piece.begin)}));
    }
    visit_weights(plan, [&](Dim& offset, std::int64_t) {
      const std::int64_t start = start_of(offset);
      const auto next = std::upper_bound(
          pieces.begin(), pieces.end(), start,
          [](std::int64_t place, const Piece& piece) { return place < piece.begin; });
      const auto number = static_cast<std::size_t>(next - pieces.begin()) - 1;
      offset = offset + (moved[number] - pieces[number].begin);
    });
    plan.weights = {};
  }
  plans.whole.weights.resize((plans.whole.weights.size() + 63) / 64 * 64);
}

}  // namespace ingot::plan
