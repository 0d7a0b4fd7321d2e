// SPDX-License-Identifier: Apache-2.0
// A dimension: an integer expression over named symbols, kept in a canonical form, so that equal
// expressions compare equal: `2*N + 6` and `(N + 3)*2` are the same Dim.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace ingot {

/// Inclusive bounds of a symbol or an expression.
struct Interval {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

using SymbolValues = std::map<std::string, std::int64_t, std::less<>>;
using SymbolRanges = std::map<std::string, Interval, std::less<>>;

class Dim {
 public:
  /// What a polynomial multiplies: a symbol, or an integer function of other expressions.
  struct Atom;
  /// coefficient * product of factors; no factors: the constant term.
  struct Term;
  enum class Kind : std::uint8_t { symbol, floor_div, mod, min, max };

  Dim() = default;  // zero
  Dim(std::int64_t value);
  static Dim symbol(std::string name);
  static Dim from_atom(Atom atom);

  /// floor(a / b) and a - b * floor(a / b); b must not be zero when evaluated. What cancels is
  /// cancelled, so that (64*N) / N is 64, for N = 0 too.
  static Dim floor_div(const Dim& a, const Dim& b);
  static Dim ceil_div(const Dim& a, const Dim& b);
  static Dim mod(const Dim& a, const Dim& b);
  static Dim min(const Dim& a, const Dim& b);
  static Dim max(const Dim& a, const Dim& b);

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  Dim operator-() const;
  Dim& operator+=(const Dim& b) { return *this = *this + b; }
  Dim& operator*=(const Dim& b) { return *this = *this * b; }

  friend bool operator==(const Dim& a, const Dim& b);
  friend std::strong_ordering operator<=>(const Dim& a, const Dim& b);

  /// The value, if no symbol is left.
  std::optional<std::int64_t> value() const;
  bool is(std::int64_t number) const { return value() == number; }
  /// The name, if this is a symbol and nothing else.
  std::optional<std::string> symbol_name() const;
  /// True when a coefficient left the range of int64 while it was built, or the expression became
  /// absurdly large; evaluation then fails. An overflowed expression has no terms, and whatever is
  /// built from it is overflowed too.
  bool overflowed() const { return overflowed_; }

  /// a / b where nothing is left over, e.g. (64*N) / N or (64*N + 64) / (N + 1); none otherwise.
  static std::optional<Dim> exact_div(const Dim& a, const Dim& b);

  /// Errors: a symbol without a value, a division by zero, a result beyond int64.
  Expected<std::int64_t> evaluate(const SymbolValues& values) const;
  /// Bounds for all values of the symbols in their ranges, not always the tightest; saturates at
  /// int64's ends.
  /// Symbols missing in `ranges` are taken as 0 to 2^31-1.
  Interval bounds(const SymbolRanges& ranges) const;
  Dim substitute(std::string_view symbol, const Dim& by) const;
  void collect_symbols(std::set<std::string>& names) const;

  /// Highest degree first, constant last; no zero coefficients.
  const std::vector<Term>& terms() const { return terms_ ? *terms_ : no_terms; }

  /// `2*N + 3`, `floor_div(N + 1, 2)`; parse() reads what str() prints, and plain arithmetic
  /// with + - * ( ) and the functions floor_div, ceil_div, mod, min, max.
  std::string str() const;
  static Expected<Dim> parse(std::string_view text);

 private:
  static Dim overflow();
  static Dim from_terms(std::vector<Term> terms);
  static Dim extremum(Kind kind, const Dim& a, const Dim& b);

  static const std::vector<Term> no_terms;
  /// Of terms in canonical form.
  static Dim of(std::vector<Term> terms);

  // Shared by all copies: graphs and plans hold a few expressions many thousand times. None: zero.
  std::shared_ptr<const std::vector<Term>> terms_;
  bool overflowed_ = false;
};

struct Dim::Atom {
  Kind kind = Kind::symbol;
  std::string name;       // of a symbol
  std::vector<Dim> args;  // two, of a function
  friend bool operator==(const Atom&, const Atom&);
  friend std::strong_ordering operator<=>(const Atom&, const Atom&);
};

struct Dim::Term {
  std::vector<Atom> factors;  // sorted, repeated for powers
  std::int64_t coefficient = 0;
};

/// Letters, digits, '_' and '.', beginning with a letter or '_'. Other names do not survive being
/// printed and parsed.
bool is_symbol_name(std::string_view text);

using Shape = std::vector<Dim>;

Dim product(const Shape& shape);
/// `[N, 1, 64]`
std::string str(const Shape& shape);
/// The numbers, if no symbol is left.
std::optional<std::vector<std::int64_t>> static_shape(const Shape& shape);

}  // namespace ingot
