// SPDX-License-Identifier: Apache-2.0
// What a dimension is worth: its value for given symbols, and bounds for ranges of symbols.
#include <algorithm>
#include <limits>

#include "ir/dim.h"

namespace ingot {
namespace {

using Term = Dim::Term;
using Atom = Dim::Atom;
using Kind = Dim::Kind;

// Bounds are computed in 128 bits. What leaves +-2^118 counts as infinite and stays so, or a
// saturated bound minus something would look like a finite one.
using Wide = __int128;
constexpr Wide infinity = Wide{1} << 118;
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t default_limit = (std::int64_t{1} << 31) - 1;

struct Range {
  Wide lo = -infinity;
  Wide hi = infinity;
};

Wide clamp(Wide value) { return std::clamp(value, -infinity, infinity); }

Wide times(Wide a, Wide b) {
  Wide result;
  if (!__builtin_mul_overflow(a, b, &result)) return clamp(result);
  return (a < 0) == (b < 0) ? infinity : -infinity;
}

Wide floor_quotient(Wide a, Wide b) {
  if (a == infinity || a == -infinity) return b > 0 ? a : -a;
  const Wide quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

Range hull(std::initializer_list<Wide> values) { return {std::min(values), std::max(values)}; }
Range hull(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

Range add(const Range& a, const Range& b) {
  return {a.lo == -infinity || b.lo == -infinity ? -infinity : clamp(a.lo + b.lo),
          a.hi == infinity || b.hi == infinity ? infinity : clamp(a.hi + b.hi)};
}

Range multiply(const Range& a, const Range& b) {
  return hull({times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)});
}

// x^n with the same x throughout: an even power is never negative.
Range power(const Range& x, std::size_t n) {
  Range ends{1, 1};
  for (std::size_t i = 0; i < n; ++i) ends = {times(ends.lo, x.lo), times(ends.hi, x.hi)};
  if (n % 2 != 0) return ends;
  return {x.lo < 0 && x.hi > 0 ? 0 : std::min(ends.lo, ends.hi), std::max(ends.lo, ends.hi)};
}

// The parts of a divisor's range that are not zero.
std::vector<Range> nonzero_parts(const Range& b) {
  std::vector<Range> parts;
  if (b.lo < 0) parts.push_back({b.lo, std::min<Wide>(b.hi, -1)});
  if (b.hi > 0) parts.push_back({std::max<Wide>(b.lo, 1), b.hi});
  return parts;
}

Range quotient(const Range& a, const Range& b) {
  std::optional<Range> result;
  for (const Range& part : nonzero_parts(b)) {
    const Range range = hull({floor_quotient(a.lo, part.lo), floor_quotient(a.lo, part.hi),
                              floor_quotient(a.hi, part.lo), floor_quotient(a.hi, part.hi)});
    result = result ? hull(*result, range) : range;
  }
  return result.value_or(Range{});
}

Range remainder(const Range& a, const Range& b) {
  std::optional<Range> result;
  for (const Range& part : nonzero_parts(b)) {
    Range range = part.lo > 0 ? Range{0, part.hi - 1} : Range{part.lo + 1, 0};
    if (part.lo > 0 && a.lo >= 0) {
      range = a.hi < part.lo ? a : Range{0, std::min(range.hi, a.hi)};
    }
    result = result ? hull(*result, range) : range;
  }
  return result.value_or(Range{});
}

class Bounds {
 public:
  explicit Bounds(const SymbolRanges& ranges) : ranges_(ranges) {}

  Range of(const Dim& dim, int splits) const {
    if (dim.overflowed()) return {};
    Range result = by_terms(dim, splits);
    if (dim.terms().size() < 2 || splits == 0) return result;
    const Range tighter = by_cases(dim, splits - 1);
    return {std::max(result.lo, tighter.lo), std::min(result.hi, tighter.hi)};
  }

 private:
  // Each term on its own, as if the same symbol could differ from term to term.
  Range by_terms(const Dim& dim, int splits) const {
    Range sum{0, 0};
    for (const Term& term : dim.terms()) {
      Range product{term.coefficient, term.coefficient};
      for (auto first = term.factors.begin(); first != term.factors.end();) {
        auto last = first;
        while (last != term.factors.end() && *last == *first) ++last;
        const auto count = static_cast<std::size_t>(last - first);
        product = multiply(product, power(of_atom(*first, splits), count));
        first = last;
      }
      sum = add(sum, product);
    }
    return sum;
  }

  Range of_atom(const Atom& atom, int splits) const {
    if (atom.kind == Kind::symbol) {
      const auto known = ranges_.find(atom.name);
      if (known == ranges_.end()) return {0, default_limit};
      return {known->second.lo, known->second.hi};
    }
    const Range a = of(atom.args[0], std::max(splits - 1, 0));
    const Range b = of(atom.args[1], std::max(splits - 1, 0));
    switch (atom.kind) {
      case Kind::floor_div:
        return quotient(a, b);
      case Kind::mod:
        return remainder(a, b);
      case Kind::min:
        return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
      case Kind::max:
        return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
      case Kind::symbol:
        break;
    }
    return {};
  }

  // Takes one function out of a sum, so that what it has in common with the rest can cancel:
  // N - floor_div(N, 2) is never negative, although its terms on their own could be.
  Range by_cases(const Dim& dim, int splits) const {
    for (const Term& term : dim.terms()) {
      if (term.factors.size() != 1) continue;
      const Atom& atom = term.factors[0];
      const Dim k = term.coefficient;
      const bool extremum = atom.kind == Kind::min || atom.kind == Kind::max;
      const bool division = atom.kind == Kind::floor_div && atom.args[1].value() > 1;
      if (!extremum && !division) continue;

      Dim rest = dim - k * lone(atom);
      if (extremum) {
        const Range a = of(rest + k * atom.args[0], splits);
        const Range b = of(rest + k * atom.args[1], splits);
        const bool takes_greater = (atom.kind == Kind::max) == (term.coefficient > 0);
        if (takes_greater) return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
        return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
      }
      // c * floor(e / c) lies between e - (c - 1) and e.
      const Dim& e = atom.args[0];
      const Dim& c = atom.args[1];
      const Dim above = rest * c + k * e;
      const Dim below = rest * c + k * (e - c + Dim(1));
      const bool rising = term.coefficient > 0;
      const Range scaled{of(rising ? below : above, splits).lo,
                         of(rising ? above : below, splits).hi};
      const Wide by = *c.value();
      return {-floor_quotient(-scaled.lo, by), floor_quotient(scaled.hi, by)};
    }
    return {};
  }

  static Dim lone(const Atom& atom) {
    switch (atom.kind) {
      case Kind::floor_div:
        return Dim::floor_div(atom.args[0], atom.args[1]);
      case Kind::mod:
        return Dim::mod(atom.args[0], atom.args[1]);
      case Kind::min:
        return Dim::min(atom.args[0], atom.args[1]);
      case Kind::max:
        return Dim::max(atom.args[0], atom.args[1]);
      case Kind::symbol:
        break;
    }
    return Dim::symbol(atom.name);
  }

  const SymbolRanges& ranges_;
};

Expected<std::int64_t> evaluate_atom(const Atom& atom, const SymbolValues& values) {
  if (atom.kind == Kind::symbol) {
    const auto known = values.find(atom.name);
    if (known == values.end()) {
      return fail(ErrorCode::invalid_argument, "symbol '{}' has no value", atom.name);
    }
    return known->second;
  }
  INGOT_ASSIGN(const std::int64_t a, atom.args[0].evaluate(values));
  INGOT_ASSIGN(const std::int64_t b, atom.args[1].evaluate(values));
  if (atom.kind == Kind::min) return std::min(a, b);
  if (atom.kind == Kind::max) return std::max(a, b);
  if (b == 0) {
    return fail(ErrorCode::limit, "{}({}, {}) divides by zero",
                atom.kind == Kind::mod ? "mod" : "floor_div", atom.args[0].str(),
                atom.args[1].str());
  }
  if (b == -1) {
    if (atom.kind == Kind::mod) return 0;
    if (a == least) return fail(ErrorCode::limit, "{} / -1 is too large", a);
  }
  const bool uneven = a % b != 0 && (a < 0) != (b < 0);
  if (atom.kind == Kind::mod) return a % b + (uneven ? b : 0);
  return a / b - (uneven ? 1 : 0);
}

}  // namespace

Expected<std::int64_t> Dim::evaluate(const SymbolValues& values) const {
  if (overflowed_) return fail(ErrorCode::limit, "a dimension is too large to be written down");
  Wide sum = 0;
  bool too_large = false;
  for (const Term& term : terms()) {
    Wide product = term.coefficient;
    bool zero = false;
    for (const Atom& atom : term.factors) {
      INGOT_ASSIGN(const std::int64_t value, evaluate_atom(atom, values));
      product = times(product, value);
      zero = zero || value == 0;
    }
    // A zero among the factors counts, however large the others are.
    if (zero) continue;
    too_large = too_large || product == infinity || product == -infinity;
    sum += product;
  }
  if (too_large || sum < least || sum > greatest) {
    return fail(ErrorCode::limit, "{} is too large for these sizes", str());
  }
  return static_cast<std::int64_t>(sum);
}

Interval Dim::bounds(const SymbolRanges& ranges) const {
  // Each split doubles the work at most; four are plenty for what shape inference writes.
  constexpr int splits = 4;
  const Range range = Bounds(ranges).of(*this, splits);
  return {static_cast<std::int64_t>(std::clamp<Wide>(range.lo, least, greatest)),
          static_cast<std::int64_t>(std::clamp<Wide>(range.hi, least, greatest))};
}

}  // namespace ingot
