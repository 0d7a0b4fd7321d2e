// SPDX-License-Identifier: Apache-2.0
// Einstein sums: each pair of operands becomes one product, its axes in groups: those that stay and
// belong to both (batch), to the left or the right one alone (rows, columns), those that go
// (inner).
#include <algorithm>

#include "import/compose.h"

namespace ingot {
namespace {

/// Axes of an ellipsis, counted from the right, as labels that no equation can write.
constexpr unsigned char first_nameless = 128;

bool has(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

struct Term {
  ValueId value;
  std::string labels;
};

class Einsum {
 public:
  explicit Einsum(Composer& composer) : c_(composer) {}

  ValueId emit(std::string_view equation, const std::vector<ValueId>& operands) {
    if (!read(equation, operands)) return {};
    Term term = std::move(terms_.front());
    for (std::size_t i = 1; i < terms_.size() && !c_.failed(); ++i) {
      std::string later = result_;
      for (std::size_t k = i + 1; k < terms_.size(); ++k) later += terms_[k].labels;
      term = product(std::move(term), terms_[i], later);
    }
    term = sum_all_but(std::move(term), result_);
    return arrange(term, result_);
  }

 private:
  bool fail(std::string_view equation, std::string_view what) {
    c_.invalid("equation '{}': {}", equation, what);
    return false;
  }

  /// Splits the equation into terms_ and result_, one letter for each axis.
  bool read(std::string_view equation, const std::vector<ValueId>& operands) {
    std::string text;
    for (const char letter : equation) {
      if (letter != ' ') text += letter;
    }
    const std::size_t arrow = text.find("->");
    const std::string left = text.substr(0, arrow);
    std::size_t nameless = 0;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = left.find(',', begin);
      if (terms_.size() == operands.size()) return fail(equation, "more terms than operands");
      const ValueId value = operands[terms_.size()];
      const std::string term = left.substr(begin, end == std::string::npos ? end : end - begin);
      const auto labels = labels_of(term, c_.rank(value));
      if (!labels) return fail(equation, "a term does not fit its operand");
      nameless = std::max<std::size_t>(
          nameless,
          static_cast<std::size_t>(std::count_if(labels->begin(), labels->end(),
                                                 [](char label) { return is_nameless(label); })));
      terms_.push_back(without_repetitions({value, *labels}));
    }
    if (terms_.size() != operands.size()) return fail(equation, "fewer terms than operands");
    if (arrow != std::string::npos) {
      const std::string right = text.substr(arrow + 2);
      const bool ellipsis = right.find("...") != std::string::npos;
      const auto labels = labels_of(right, right.size() - (ellipsis ? 3 : 0) + nameless);
      if (!labels || (nameless > 0 && !ellipsis)) return fail(equation, "its result");
      result_ = *labels;
    } else {
      // The labels that occur once, in order; an ellipsis comes first.
      std::string all;
      for (const Term& term : terms_) all += term.labels;
      for (const char label : all) {
        if (std::count(all.begin(), all.end(), label) == 1 || is_nameless(label)) {
          if (!has(result_, label)) result_ += label;
        }
      }
      std::sort(result_.begin(), result_.end(), [](char a, char b) {
        if (is_nameless(a) != is_nameless(b)) return is_nameless(a);
        return is_nameless(a) ? a > b : a < b;
      });
    }
    for (const char label : result_) {
      if (std::count(result_.begin(), result_.end(), label) > 1)
        return fail(equation, "a label stands twice in its result");
      const bool given = std::any_of(terms_.begin(), terms_.end(),
                                     [&](const Term& term) { return has(term.labels, label); });
      if (!given) return fail(equation, "a label of its result is in no operand");
    }
    return !c_.failed();
  }

  static bool is_nameless(char label) {
    return static_cast<unsigned char>(label) >= first_nameless;
  }

  /// One label for each axis; none where that does not work out.
  std::optional<std::string> labels_of(const std::string& term, std::size_t rank) {
    std::string labels;
    for (std::size_t i = 0; i < term.size(); ++i) {
      if (term.compare(i, 3, "...") == 0) {
        if (rank + 3 < term.size() || rank > max_rank) return std::nullopt;
        for (std::size_t k = rank + 3 - term.size(); k-- > 0;)
          labels += static_cast<char>(first_nameless + k);
        i += 2;
        continue;
      }
      const bool letter = (term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z');
      if (!letter) return std::nullopt;
      labels += term[i];
    }
    if (labels.size() != rank) return std::nullopt;
    return labels;
  }

  /// Diagonals, where a label names several axes of one operand.
  Term without_repetitions(Term term) {
    for (std::size_t i = 0; i < term.labels.size(); ++i) {
      std::size_t j = term.labels.find(term.labels[i], i + 1);
      for (; j != std::string::npos && !c_.failed(); j = term.labels.find(term.labels[i], i + 1)) {
        // The two axes next to each other, as one of n * n, of which every (n + 1)-th is taken.
        std::vector<std::int64_t> perm;
        for (std::size_t d = 0; d < term.labels.size(); ++d) {
          if (d != j) perm.push_back(static_cast<std::int64_t>(d));
          if (d == i) perm.push_back(static_cast<std::int64_t>(j));
        }
        const ValueId turned = c_.transpose(term.value, perm);
        if (c_.failed()) return term;
        Shape shape = c_.shape(turned);
        const auto n = shape[i].value();
        if (!n || shape[i + 1] != shape[i]) {
          c_.unsupported(Refused::known_size, "the diagonal of axes of sizes {} and {}",
                         shape[i].str(), shape[i + 1].str());
          return term;
        }
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(i));
        shape[i] = Dim(*n) * Dim(*n);
        term.value = c_.slice(c_.reshape(turned, shape), i, 0, *n, *n + 1);
        term.labels.erase(j, 1);
      }
    }
    return term;
  }

  Term sum_all_but(Term term, const std::string& kept) {
    std::vector<std::int64_t> axes;
    std::string labels;
    for (std::size_t d = 0; d < term.labels.size(); ++d) {
      if (has(kept, term.labels[d])) {
        labels += term.labels[d];
      } else {
        axes.push_back(static_cast<std::int64_t>(d));
      }
    }
    return {c_.reduce("reduce_sum", term.value, axes, false), labels};
  }

  ValueId arrange(const Term& term, const std::string& labels) {
    std::vector<std::int64_t> perm;
    for (const char label : labels)
      perm.push_back(static_cast<std::int64_t>(term.labels.find(label)));
    return c_.failed() ? ValueId{} : c_.transpose(term.value, perm);
  }

  /// The sizes of some of a term's axes.
  Shape sizes(const Term& term, const std::string& labels) const {
    Shape shape;
    for (const char label : labels) shape.push_back(c_.shape(term.value)[term.labels.find(label)]);
    return shape;
  }

  static Shape joined(std::initializer_list<Shape> parts) {
    Shape all;
    for (const Shape& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  Term product(Term a, Term b, const std::string& kept) {
    a = sum_all_but(std::move(a), kept + b.labels);
    b = sum_all_but(std::move(b), kept + a.labels);
    std::string batch, inner, rows, columns;
    for (const char label : a.labels) {
      (!has(b.labels, label) ? rows : has(kept, label) ? batch : inner) += label;
    }
    for (const char label : b.labels) {
      if (!has(a.labels, label)) columns += label;
    }
    if (c_.failed()) return {};
    const Shape of_rows = sizes(a, rows), of_columns = sizes(b, columns);
    const Shape of_batch = common(sizes(a, batch), sizes(b, batch));
    const std::string labels = batch + rows + columns;
    const Shape shape = joined({of_batch, of_rows, of_columns});
    const Shape inner_a{ingot::product(sizes(a, inner))}, inner_b{ingot::product(sizes(b, inner))};
    const ValueId x = arrange(a, batch + rows + inner);
    const ValueId y = arrange(b, batch + inner + columns);
    if (c_.failed()) return {};
    if (inner.empty()) {
      const ValueId left =
          c_.reshape(x, joined({sizes(a, batch), of_rows, Shape(columns.size(), 1)}));
      const ValueId right =
          c_.reshape(y, joined({sizes(b, batch), Shape(rows.size(), 1), of_columns}));
      return {c_.mul(left, right), labels};
    }
    const Shape width{ingot::product(of_columns)};
    // Without a batch, the rows keep their axes: entries of a list are then seen to be rows.
    const Shape height = batch.empty() && !rows.empty() ? of_rows : Shape{ingot::product(of_rows)};
    const ValueId left = c_.reshape(x, joined({sizes(a, batch), height, inner_a}));
    const ValueId right = c_.reshape(y, joined({sizes(b, batch), inner_b, width}));
    return {c_.reshape(c_.matmul(left, right), shape), labels};
  }

  Shape common(const Shape& a, const Shape& b) {
    if (const auto shape = common_shape(a, b)) return *shape;
    c_.invalid("sizes {} and {} do not agree", str(a), str(b));
    return a;
  }

  Composer& c_;
  std::vector<Term> terms_;
  std::string result_;
};

}  // namespace

ValueId Composer::einsum(std::string_view equation, const std::vector<ValueId>& operands) {
  return failed() ? ValueId{} : Einsum(*this).emit(equation, operands);
}

}  // namespace ingot
