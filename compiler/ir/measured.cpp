// SPDX-License-Identifier: Apache-2.0
// Bounds of expressions in symbols that data give.
#include <algorithm>
#include <set>

#include "ir/op.h"

namespace ingot {
namespace {

class Extremes {
 public:
  explicit Extremes(std::span<const Symbol> symbols) : symbols_(symbols) {}

  /// An expression without measured symbols that is never less (`most`) or never more.
  Dim of(const Dim& dim, bool most) const {
    Dim total;
    for (const Dim::Term& term : dim.terms()) {
      const bool grows = most == (term.coefficient > 0);
      Dim product = term.coefficient;
      for (const Dim::Atom& factor : term.factors) product *= of(factor, grows, term.factors);
      total += product;
    }
    return total;
  }

 private:
  const Symbol* measured(const Dim::Atom& atom) const {
    if (atom.kind != Dim::Kind::symbol) return nullptr;
    const auto found = std::find_if(symbols_.begin(), symbols_.end(), [&](const Symbol& symbol) {
      return symbol.name == atom.name && symbol.measured();
    });
    return found == symbols_.end() ? nullptr : &*found;
  }
  static Dim unknown() { return Dim(INT64_MAX) * Dim(INT64_MAX); }

  bool at_least(const Dim& dim, std::int64_t least) const {
    SymbolRanges ranges;
    for (const Symbol& symbol : symbols_) ranges[symbol.name] = symbol.range;
    return dim.bounds(ranges).lo >= least;
  }

  /// Of factors that are never negative, a product grows with each of them.
  Dim of(const Dim::Atom& atom, bool most, const std::vector<Dim::Atom>& factors) const {
    const Dim whole = Dim::from_atom(atom);
    if (!depends_on_data(whole, symbols_)) return whole;
    for (const Dim::Atom& factor : factors) {
      if (!at_least(Dim::from_atom(factor), 0)) return unknown();
    }
    if (const Symbol* symbol = measured(atom)) return most ? *symbol->bound : symbol->range.lo;
    const Dim &a = atom.args[0], &b = atom.args[1];
    switch (atom.kind) {
      case Dim::Kind::floor_div:
        if (depends_on_data(b, symbols_) || !at_least(b, 1)) return unknown();
        return Dim::floor_div(of(a, most), b);
      case Dim::Kind::mod:
        if (depends_on_data(b, symbols_) || !at_least(b, 1)) return unknown();
        return most ? b - 1 : Dim(0);
      case Dim::Kind::min:
        return Dim::min(of(a, most), of(b, most));
      case Dim::Kind::max:
        return Dim::max(of(a, most), of(b, most));
      case Dim::Kind::symbol:
        break;
    }
    return unknown();
  }

  std::span<const Symbol> symbols_;
};

}  // namespace

std::optional<std::string> measured_by(const Node& node) {
  if (node.op->name == "measure") return node.attributes.get<Shape>("size")[0].symbol_name();
  if (node.op->name != "scan" || node.attributes.find("turns") == nullptr) return std::nullopt;
  return node.attributes.get<Shape>("turns")[0].symbol_name();
}

bool depends_on_data(const Dim& dim, std::span<const Symbol> symbols) {
  std::set<std::string> names;
  dim.collect_symbols(names);
  return std::any_of(symbols.begin(), symbols.end(), [&](const Symbol& symbol) {
    return symbol.measured() && names.count(symbol.name) != 0;
  });
}

Dim at_most(const Dim& dim, std::span<const Symbol> symbols) {
  return depends_on_data(dim, symbols) ? Extremes(symbols).of(dim, true) : dim;
}

}  // namespace ingot
