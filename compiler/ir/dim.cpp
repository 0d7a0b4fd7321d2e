// SPDX-License-Identifier: Apache-2.0
// The algebra of dimensions: polynomials with integer coefficients over atoms, in canonical form.
#include "ir/dim.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace ingot {
namespace {

using Term = Dim::Term;
using Atom = Dim::Atom;
using Kind = Dim::Kind;

// Far beyond any model, small enough that a hostile expression cannot grow without end.
constexpr std::size_t max_terms = 256;
constexpr std::size_t max_factors = 32;
constexpr std::size_t max_atoms = 1024;
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

// Graded order, highest degree first: a monomial order, so that division by leading terms ends.
std::strong_ordering compare_factors(const Term& a, const Term& b) {
  if (a.factors.size() != b.factors.size()) return b.factors.size() <=> a.factors.size();
  return a.factors <=> b.factors;
}

std::size_t count_atoms(const Dim& dim) {
  std::size_t count = 0;
  for (const Term& term : dim.terms()) {
    for (const Atom& atom : term.factors) {
      ++count;
      for (const Dim& arg : atom.args) count += count_atoms(arg);
    }
  }
  return count;
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

// a / b for single terms, if nothing is left over.
std::optional<Term> divide(const Term& a, const Term& b) {
  if (a.coefficient % b.coefficient != 0 || (a.coefficient == least && b.coefficient == -1)) {
    return std::nullopt;
  }
  Term quotient{{}, a.coefficient / b.coefficient};
  if (!std::includes(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end())) {
    return std::nullopt;
  }
  std::set_difference(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end(),
                      std::back_inserter(quotient.factors));
  return quotient;
}

// The greatest term that divides all terms of both; its coefficient is positive.
Term common_divisor(const Dim& a, const Dim& b) {
  std::uint64_t gcd = 0;
  std::vector<Atom> factors = b.terms().front().factors;
  for (const Dim* dim : {&a, &b}) {
    for (const Term& term : dim->terms()) {
      const auto magnitude = static_cast<std::uint64_t>(term.coefficient);
      gcd = std::gcd(gcd, term.coefficient < 0 ? 0 - magnitude : magnitude);
      std::vector<Atom> shared;
      std::set_intersection(factors.begin(), factors.end(), term.factors.begin(),
                            term.factors.end(), std::back_inserter(shared));
      factors = std::move(shared);
    }
  }
  const bool fits = gcd <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return {std::move(factors), fits ? static_cast<std::int64_t>(gcd) : 1};
}

}  // namespace

bool operator==(const Atom& a, const Atom& b) { return (a <=> b) == 0; }

std::strong_ordering operator<=>(const Atom& a, const Atom& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  if (const auto order = a.name <=> b.name; order != 0) return order;
  return a.args <=> b.args;
}

bool operator==(const Dim& a, const Dim& b) {
  return (a.terms_ == b.terms_ && a.overflowed_ == b.overflowed_) || (a <=> b) == 0;
}

std::strong_ordering operator<=>(const Dim& a, const Dim& b) {
  if (a.overflowed_ != b.overflowed_) return a.overflowed_ <=> b.overflowed_;
  const std::size_t common = std::min(a.terms().size(), b.terms().size());
  for (std::size_t i = 0; i < common; ++i) {
    const Term& left = a.terms()[i];
    const Term& right = b.terms()[i];
    if (const auto order = compare_factors(left, right); order != 0) return order;
    if (left.coefficient != right.coefficient) return left.coefficient <=> right.coefficient;
  }
  return a.terms().size() <=> b.terms().size();
}

// --- making ------------------------------------------------------------------------------------

constinit const std::vector<Term> Dim::no_terms;

Dim Dim::of(std::vector<Term> terms) {
  Dim dim;
  if (!terms.empty()) dim.terms_ = std::make_shared<const std::vector<Term>>(std::move(terms));
  return dim;
}

Dim::Dim(std::int64_t value) {
  if (value != 0) *this = of({{{}, value}});
}

Dim Dim::symbol(std::string name) { return from_atom({Kind::symbol, std::move(name), {}}); }

Dim Dim::overflow() {
  Dim dim;
  dim.overflowed_ = true;
  return dim;
}

Dim Dim::from_atom(Atom atom) {
  Dim dim = of({{{std::move(atom)}, 1}});
  return count_atoms(dim) > max_atoms ? overflow() : dim;
}

Dim Dim::from_terms(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(),
            [](const Term& a, const Term& b) { return compare_factors(a, b) < 0; });
  std::vector<Term> kept;
  for (Term& term : terms) {
    if (term.factors.size() > max_factors) return overflow();
    if (!kept.empty() && kept.back().factors == term.factors) {
      std::int64_t& sum = kept.back().coefficient;
      if (__builtin_add_overflow(sum, term.coefficient, &sum)) return overflow();
      if (sum == 0) kept.pop_back();
    } else if (term.coefficient != 0) {
      kept.push_back(std::move(term));
    }
  }
  Dim dim = of(std::move(kept));
  const std::size_t count = dim.terms().size();
  const bool too_large = count > max_terms || (count > 1 && count_atoms(dim) > max_atoms);
  return too_large ? overflow() : dim;
}

Dim operator+(const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_) return Dim::overflow();
  if (!a.terms_) return b;
  if (!b.terms_) return a;
  std::vector<Term> terms = a.terms();
  terms.insert(terms.end(), b.terms().begin(), b.terms().end());
  return Dim::from_terms(std::move(terms));
}

Dim operator-(const Dim& a, const Dim& b) {
  // Not a + -b: the negative of the smallest number does not exist, but the difference may.
  if (a.overflowed_ || b.overflowed_) return Dim::overflow();
  std::vector<Term> terms = a.terms();
  for (const Term& term : b.terms()) {
    auto same = std::find_if(terms.begin(), terms.end(),
                             [&](const Term& t) { return t.factors == term.factors; });
    if (same == terms.end()) same = terms.insert(same, {term.factors, 0});
    if (__builtin_sub_overflow(same->coefficient, term.coefficient, &same->coefficient)) {
      return Dim::overflow();
    }
  }
  return Dim::from_terms(std::move(terms));
}

Dim Dim::operator-() const { return Dim() - *this; }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_) return Dim::overflow();
  if (a.terms().size() * b.terms().size() > max_terms * 16) return Dim::overflow();
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  std::vector<Term> terms;
  for (const Term& left : a.terms()) {
    for (const Term& right : b.terms()) {
      Term& term = terms.emplace_back();
      if (__builtin_mul_overflow(left.coefficient, right.coefficient, &term.coefficient)) {
        return Dim::overflow();
      }
      std::merge(left.factors.begin(), left.factors.end(), right.factors.begin(),
                 right.factors.end(), std::back_inserter(term.factors));
    }
  }
  return Dim::from_terms(std::move(terms));
}

// --- division ----------------------------------------------------------------------------------

std::optional<Dim> Dim::exact_div(const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_ || b.terms().empty()) return std::nullopt;
  std::vector<Term> quotient;
  Dim rest = a;
  while (!rest.terms().empty()) {
    std::optional<Term> term = divide(rest.terms().front(), b.terms().front());
    if (!term || quotient.size() > max_terms) return std::nullopt;
    rest = rest - from_terms({*term}) * b;
    if (rest.overflowed_) return std::nullopt;
    quotient.push_back(std::move(*term));
  }
  return from_terms(std::move(quotient));
}

Dim Dim::floor_div(const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_) return overflow();
  if (b.terms().empty()) return from_atom({Kind::floor_div, {}, {a, b}});
  if (b.terms().front().coefficient < 0) return floor_div(-a, -b);
  if (a.value() && b.value()) return floor_quotient(*a.value(), *b.value());
  if (std::optional<Dim> quotient = exact_div(a, b)) return *quotient;

  // What divides both goes first, then what b divides: floor((q*b + r) / b) = q + floor(r / b).
  const Term divisor = common_divisor(a, b);
  if (divisor.coefficient != 1 || !divisor.factors.empty()) {
    const Dim by = from_terms({divisor});
    return floor_div(*exact_div(a, by), *exact_div(b, by));
  }
  std::vector<Term> whole;
  std::vector<Term> rest;
  const Term& lead = b.terms().front();
  for (const Term& term : a.terms()) {
    if (b.terms().size() > 1) {
      rest.push_back(term);
    } else if (lead.factors.empty()) {
      // The constant's remainder is taken to be positive, so that floor_div(N - 1, 2) + 1 and
      // floor_div(N + 1, 2) are one; the others keep their sign, which keeps bounds tight.
      const std::int64_t quotient = term.factors.empty()
                                        ? floor_quotient(term.coefficient, lead.coefficient)
                                        : term.coefficient / lead.coefficient;
      whole.push_back({term.factors, quotient});
      rest.push_back({term.factors, term.coefficient - quotient * lead.coefficient});
    } else if (std::optional<Term> quotient = divide(term, lead)) {
      whole.push_back(std::move(*quotient));
    } else {
      rest.push_back(term);
    }
  }
  const Dim quotient = from_terms(std::move(whole));
  const Dim remainder = from_terms(std::move(rest));
  if (!quotient.terms().empty()) return quotient + floor_div(remainder, b);

  // floor((g*x + r) / (g*q)) = floor((x + floor(r / g)) / q).
  if (b.value() && a.terms().back().factors.empty()) {
    const Dim constant = a.terms().back().coefficient;
    const Dim varying = a - constant;
    const Dim by = common_divisor(varying, b).coefficient;
    if (!by.is(1)) {
      return floor_div(*exact_div(varying, by) + floor_div(constant, by), *exact_div(b, by));
    }
  }
  // floor((floor(x / p) + k) / q) = floor((x + k*p) / (p*q)) for positive numbers p, q.
  if (b.value()) {
    const auto is_nested = [](const Term& term) {
      return term.coefficient == 1 && term.factors.size() == 1 &&
             term.factors[0].kind == Kind::floor_div && term.factors[0].args[1].value() > 0;
    };
    if (std::count_if(a.terms().begin(), a.terms().end(), is_nested) == 1) {
      const auto nested = std::find_if(a.terms().begin(), a.terms().end(), is_nested);
      const Dim& inner = nested->factors[0].args[0];
      const Dim& by = nested->factors[0].args[1];
      Dim joined = inner + (a - from_terms({*nested})) * by;
      const Dim divided_by = b * by;
      if (!joined.overflowed_ && !divided_by.overflowed_) return floor_div(joined, divided_by);
    }
  }
  return from_atom({Kind::floor_div, {}, {a, b}});
}

Dim Dim::ceil_div(const Dim& a, const Dim& b) {
  if (b.value() > 0) {
    const Dim raised = a + Dim(*b.value() - 1);
    if (!raised.overflowed_) return floor_div(raised, b);
  }
  return -floor_div(-a, b);
}

Dim Dim::mod(const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_) return overflow();
  if (b.terms().empty()) return from_atom({Kind::mod, {}, {a, b}});
  if (b.terms().front().coefficient < 0) return -mod(-a, -b);
  if (exact_div(a, b)) return 0;
  if (b.terms().size() > 1) return from_atom({Kind::mod, {}, {a, b}});
  const Term& lead = b.terms().front();
  std::vector<Term> rest;
  for (const Term& term : a.terms()) {
    if (lead.factors.empty()) {
      const std::int64_t quotient = floor_quotient(term.coefficient, lead.coefficient);
      rest.push_back({term.factors, term.coefficient - quotient * lead.coefficient});
    } else if (!divide(term, lead)) {
      rest.push_back(term);
    }
  }
  Dim remainder = from_terms(std::move(rest));
  if (remainder.value() && b.value()) return remainder;
  return from_atom({Kind::mod, {}, {std::move(remainder), b}});
}

// --- minimum and maximum -----------------------------------------------------------------------

Dim Dim::extremum(Kind kind, const Dim& a, const Dim& b) {
  if (a.overflowed_ || b.overflowed_) return overflow();
  // Nested ones of the same kind are one list, in which of two that differ by a number one stays.
  std::vector<Dim> leaves;
  std::vector<Dim> pending{b, a};
  while (!pending.empty()) {
    Dim dim = std::move(pending.back());
    pending.pop_back();
    const bool nested = dim.terms().size() == 1 && dim.terms()[0].coefficient == 1 &&
                        dim.terms()[0].factors.size() == 1 &&
                        dim.terms()[0].factors[0].kind == kind;
    if (nested) {
      const std::vector<Dim> args = dim.terms()[0].factors[0].args;
      pending.insert(pending.end(), args.begin(), args.end());
      continue;
    }
    bool known = false;
    for (Dim& leaf : leaves) {
      const std::optional<std::int64_t> gap = (dim - leaf).value();
      if (!gap) continue;
      if (kind == Kind::min ? *gap < 0 : *gap > 0) leaf = dim;
      known = true;
      break;
    }
    if (!known) leaves.push_back(std::move(dim));
  }
  std::sort(leaves.begin(), leaves.end());
  Dim result = std::move(leaves.back());
  for (std::size_t i = leaves.size() - 1; i-- > 0 && !result.overflowed_;) {
    result = from_atom({kind, {}, {std::move(leaves[i]), std::move(result)}});
  }
  return result;
}

Dim Dim::min(const Dim& a, const Dim& b) { return extremum(Kind::min, a, b); }
Dim Dim::max(const Dim& a, const Dim& b) { return extremum(Kind::max, a, b); }

// --- asking ------------------------------------------------------------------------------------

std::optional<std::int64_t> Dim::value() const {
  if (overflowed_) return std::nullopt;
  if (terms().empty()) return 0;
  if (terms().size() == 1 && terms()[0].factors.empty()) return terms()[0].coefficient;
  return std::nullopt;
}

std::optional<std::string> Dim::symbol_name() const {
  const bool lone = terms().size() == 1 && terms()[0].coefficient == 1 &&
                    terms()[0].factors.size() == 1 && terms()[0].factors[0].kind == Kind::symbol;
  if (!lone) return std::nullopt;
  return terms()[0].factors[0].name;
}

Dim Dim::substitute(std::string_view symbol, const Dim& by) const {
  if (overflowed_) return *this;
  Dim result;
  for (const Term& term : terms()) {
    Dim product = term.coefficient;
    for (const Atom& atom : term.factors) {
      if (atom.kind == Kind::symbol) {
        product *= atom.name == symbol ? by : from_atom(atom);
        continue;
      }
      const Dim first = atom.args[0].substitute(symbol, by);
      const Dim second = atom.args[1].substitute(symbol, by);
      switch (atom.kind) {
        case Kind::floor_div:
          product *= floor_div(first, second);
          break;
        case Kind::mod:
          product *= mod(first, second);
          break;
        case Kind::min:
          product *= min(first, second);
          break;
        case Kind::max:
          product *= max(first, second);
          break;
        case Kind::symbol:
          break;
      }
    }
    result += product;
  }
  return result;
}

void Dim::collect_symbols(std::set<std::string>& names) const {
  for (const Term& term : terms()) {
    for (const Atom& atom : term.factors) {
      if (atom.kind == Kind::symbol) names.insert(atom.name);
      for (const Dim& arg : atom.args) arg.collect_symbols(names);
    }
  }
}

Dim product(const Shape& shape) {
  Dim result = 1;
  for (const Dim& dim : shape) result *= dim;
  return result;
}

std::optional<std::vector<std::int64_t>> static_shape(const Shape& shape) {
  std::vector<std::int64_t> numbers;
  for (const Dim& dim : shape) {
    const std::optional<std::int64_t> value = dim.value();
    if (!value) return std::nullopt;
    numbers.push_back(*value);
  }
  return numbers;
}

}  // namespace ingot
