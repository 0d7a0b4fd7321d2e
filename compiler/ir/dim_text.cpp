// SPDX-License-Identifier: Apache-2.0
// Dimensions as text, out and in.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "ir/dim.h"

namespace ingot {
namespace {

using Term = Dim::Term;
using Atom = Dim::Atom;
using Kind = Dim::Kind;

struct Function {
  std::string_view name;
  Kind kind;
  Dim (*make)(const Dim&, const Dim&);
};

constexpr std::array<Function, 4> functions{{{"floor_div", Kind::floor_div, Dim::floor_div},
                                             {"mod", Kind::mod, Dim::mod},
                                             {"min", Kind::min, Dim::min},
                                             {"max", Kind::max, Dim::max}}};

std::string print(const Atom& atom) {
  for (const Function& function : functions) {
    if (function.kind == atom.kind) {
      return fmt::format("{}({}, {})", function.name, atom.args[0].str(), atom.args[1].str());
    }
  }
  return atom.name;
}

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_name(char c) { return begins_name(c) || is_digit(c) || c == '.'; }

// sum := product (('+' | '-') product)*; product := unary ('*' unary)*;
// unary := '-' unary | number | name | function '(' sum ',' sum ')' | '(' sum ')'
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expected<Dim> whole() {
    INGOT_ASSIGN(Dim dim, sum());
    skip_space();
    if (at_ < text_.size()) return expected("'+', '-', '*' or the end");
    if (dim.overflowed()) return fail(ErrorCode::limit, "dimension '{}' is too large", quoted());
    return dim;
  }

 private:
  static constexpr int max_depth = 100;

  Expected<Dim> sum() {
    INGOT_ASSIGN(Dim total, product());
    while (true) {
      if (take('+')) {
        INGOT_ASSIGN(const Dim next, product());
        total = total + next;
      } else if (take('-')) {
        INGOT_ASSIGN(const Dim next, product());
        total = total - next;
      } else {
        return total;
      }
    }
  }

  Expected<Dim> product() {
    INGOT_ASSIGN(Dim result, unary());
    while (take('*')) {
      INGOT_ASSIGN(const Dim next, unary());
      result = result * next;
    }
    return result;
  }

  Expected<Dim> unary() {
    if (++depth_ > max_depth)
      return fail(ErrorCode::limit, "dimension '{}' is nested too deeply", quoted());
    Expected<Dim> result = unary_at_depth();
    --depth_;
    return result;
  }

  Expected<Dim> unary_at_depth() {
    if (take('-')) {
      skip_space();
      if (at_ < text_.size() && is_digit(text_[at_])) return number(true);
      INGOT_ASSIGN(const Dim operand, unary());
      return -operand;
    }
    if (take('(')) {
      INGOT_ASSIGN(Dim inner, sum());
      if (!take(')')) return expected("')'");
      return inner;
    }
    skip_space();
    if (at_ < text_.size() && is_digit(text_[at_])) return number(false);
    if (at_ < text_.size() && begins_name(text_[at_])) return named();
    return expected("a number, a symbol or '('");
  }

  Expected<Dim> number(bool negative) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    std::uint64_t magnitude = 0;
    const auto end = text_.data() + at_;
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (std::from_chars(text_.data() + begin, end, magnitude).ec != std::errc() ||
        magnitude > limit + (negative ? 1 : 0)) {
      return fail(ErrorCode::limit, "dimension '{}': {} is too large", quoted(),
                  text_.substr(begin, at_ - begin));
    }
    return Dim(static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude));
  }

  Expected<Dim> named() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (!take('(')) return Dim::symbol(std::string(name));
    const auto known = std::find_if(functions.begin(), functions.end(),
                                    [&](const Function& f) { return f.name == name; });
    if (known == functions.end() && name != "ceil_div") {
      at_ = begin;
      return expected("floor_div, ceil_div, mod, min or max before '('");
    }
    INGOT_ASSIGN(const Dim first, sum());
    if (!take(',')) return expected("','");
    INGOT_ASSIGN(const Dim second, sum());
    if (!take(')')) return expected("')'");
    return known == functions.end() ? Dim::ceil_div(first, second) : known->make(first, second);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Error expected(std::string_view what) {
    skip_space();
    return fail(ErrorCode::invalid_argument, "dimension '{}': expected {} at column {}", quoted(),
                what, at_ + 1);
  }

  /// For a message: what is long is cut.
  std::string quoted() const {
    constexpr std::size_t most = 60;
    return text_.size() <= most ? std::string(text_) : fmt::format("{}...", text_.substr(0, most));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

bool is_symbol_name(std::string_view text) {
  return !text.empty() && begins_name(text[0]) &&
         std::all_of(text.begin(), text.end(), continues_name);
}

std::string Dim::str() const {
  if (overflowed_) return "(too large)";
  if (terms().empty()) return "0";
  std::string text;
  for (const Term& term : terms()) {
    std::int64_t coefficient = term.coefficient;
    const bool negatable = coefficient != std::numeric_limits<std::int64_t>::min();
    if (text.empty()) {
      if (coefficient == -1 && !term.factors.empty()) {
        text += "-";
        coefficient = 1;
      }
    } else if (coefficient < 0 && negatable) {
      text += " - ";
      coefficient = -coefficient;
    } else {
      text += " + ";
    }
    if (term.factors.empty() || coefficient != 1) {
      text += fmt::format("{}{}", coefficient, term.factors.empty() ? "" : "*");
    }
    for (std::size_t i = 0; i < term.factors.size(); ++i) {
      text += (i == 0 ? "" : "*") + print(term.factors[i]);
    }
  }
  return text;
}

Expected<Dim> Dim::parse(std::string_view text) { return Parser(text).whole(); }

std::string str(const Shape& shape) {
  std::string text = "[";
  for (const Dim& dim : shape) text += (text.size() == 1 ? "" : ", ") + dim.str();
  return text + "]";
}

}  // namespace ingot
