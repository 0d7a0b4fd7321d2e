// SPDX-License-Identifier: Apache-2.0
// Reads the text form, statement by statement. What nests, graphs within nodes and dimensions, does
// so to a bounded depth.
#include <algorithm>
#include <map>
#include <set>

#include "ir/cursor.h"
#include "ir/literal.h"
#include "ir/op.h"
#include "ir/text.h"

namespace ingot {
namespace {

// Names the place of a failure that has happened below the text.
#define INGOT_AT(place, declaration, ...)                                                         \
  auto INGOT_CONCAT(at_, __LINE__) = (__VA_ARGS__);                                               \
  if (!INGOT_CONCAT(at_, __LINE__)) return in_.error(place, INGOT_CONCAT(at_, __LINE__).error()); \
  declaration = *std::move(INGOT_CONCAT(at_, __LINE__))

constexpr int most_nested = 8;

class Parser {
 public:
  /// `depth`: how many graphs are around this one.
  explicit Parser(Cursor& in, int depth = 0) : in_(in), depth_(depth) {}

  Expected<Graph> graph() {
    INGOT_TRY(in_.expect("graph"));
    INGOT_ASSIGN(graph_.name, in_.string());
    if (in_.take("strict")) {
      graph_.arithmetic = Arithmetic::strict;
    } else if (!in_.take("fused")) {
      return in_.expected("'fused' or 'strict'");
    }
    INGOT_TRY(in_.expect("{"));
    while (!in_.take("}")) INGOT_TRY(statement());
    if (depth_ == 0 && !in_.at_end()) return in_.expected("the end");
    return std::move(graph_);
  }

 private:
  struct Result {
    std::size_t place;
    std::string_view name;
    std::optional<TensorType> type;
  };

  Expected<void> statement() {
    if (in_.peek() == '%') return definition();
    if (in_.take("symbol ")) return symbol();
    if (in_.take("require ")) return require();
    if (in_.take("return ")) return output();
    return in_.expected("'%', 'symbol', 'require', 'return' or '}'");
  }

  Expected<void> symbol() {
    const std::size_t place = in_.place();
    const std::string_view name = in_.word();
    if (!is_symbol_name(name)) {
      return in_.error(place, fail(ErrorCode::invalid_model, "expected the name of a symbol"));
    }
    if (graph_.find_symbol(name) != nullptr) {
      return in_.error(place, fail(ErrorCode::invalid_model, "symbol {} is declared twice", name));
    }
    INGOT_TRY(in_.expect("in"));
    INGOT_TRY(in_.expect("["));
    INGOT_ASSIGN(const std::int64_t lo, integer());
    INGOT_TRY(in_.expect(","));
    INGOT_ASSIGN(const std::int64_t hi, integer());
    INGOT_TRY(in_.expect("]"));
    if (lo > hi) {
      return in_.error(place, fail(ErrorCode::invalid_model, "the range of {} is empty", name));
    }
    std::optional<Dim> bound;
    if (in_.take("up to")) {
      const std::size_t bound_place = in_.place();
      INGOT_ASSIGN(const std::vector<Dim> dims, this->dims());
      if (dims.size() != 1 || depends_on_data(dims[0], graph_.symbols())) {
        return in_.error(bound_place,
                         fail(ErrorCode::invalid_model,
                              "expected one bound in sizes that are known before the call"));
      }
      bound = dims[0];
    }
    graph_.declare_symbol(std::string(name), {lo, hi}, std::move(bound));
    return {};
  }

  Expected<void> require() {
    const std::size_t place = in_.place();
    Constraint constraint;
    INGOT_ASSIGN(constraint.left, dim(">="));
    if (in_.take(">=")) {
      constraint.relation = Constraint::Relation::greater_equal;
    } else if (!in_.take("==")) {
      return in_.expected("'==' or '>='");
    }
    INGOT_ASSIGN(constraint.right, dim("\""));
    if (in_.peek() == '"') {
      INGOT_ASSIGN(constraint.reason, in_.string());
    }
    if (auto required = graph_.require(std::move(constraint)); !required) {
      return in_.error(place, required.error());
    }
    return {};
  }

  Expected<void> output() {
    INGOT_ASSIGN(std::string name, in_.string());
    INGOT_TRY(in_.expect("="));
    INGOT_ASSIGN(const ValueId value, reference());
    graph_.add_output(std::move(name), value);
    return {};
  }

  Expected<void> definition() {
    std::vector<Result> results;
    do {
      INGOT_ASSIGN(Result next, result());
      const bool repeated = values_.count(next.name) > 0 ||
                            std::any_of(results.begin(), results.end(), [&](const Result& earlier) {
                              return earlier.name == next.name;
                            });
      if (repeated) {
        return in_.error(next.place,
                         fail(ErrorCode::invalid_model, "%{} is defined twice", next.name));
      }
      results.push_back(std::move(next));
    } while (in_.take(","));
    INGOT_TRY(in_.expect("="));
    const std::size_t place = in_.place();
    const std::string_view word = in_.word();
    if (word != "input" && word != "constant") return node(results, place, word);
    if (results.size() != 1 || !results[0].type) {
      return in_.error(place, fail(ErrorCode::invalid_model,
                                   "expected one value with a type before '= {}'", word));
    }
    if (word == "input") {
      INGOT_ASSIGN(std::string name, in_.string());
      values_[results[0].name] = graph_.add_input(std::move(name), *results[0].type);
      return {};
    }
    INGOT_ASSIGN(Tensor tensor, constant(results[0]));
    values_[results[0].name] = graph_.add_constant(std::move(tensor));
    return {};
  }

  Expected<void> node(const std::vector<Result>& results, std::size_t place,
                      std::string_view name) {
    const OpDef* op = find_op(name);
    if (name.empty()) return in_.expected("an op, 'input' or 'constant'");
    if (op == nullptr) {
      return in_.error(place, fail(ErrorCode::invalid_model, "no op '{}'", name));
    }
    INGOT_TRY(in_.expect("("));
    std::vector<ValueId> operands;
    while (!in_.take(")")) {
      if (!operands.empty()) INGOT_TRY(in_.expect(","));
      INGOT_ASSIGN(const ValueId operand, reference());
      operands.push_back(operand);
    }
    Attributes attributes;
    if (in_.take("{")) {
      INGOT_ASSIGN(attributes, attribute_list(*op));
    }
    std::string node_name;
    if (in_.peek() == '"') {
      INGOT_ASSIGN(node_name, in_.string());
    }
    INGOT_AT(
        place, const std::vector<ValueId> outputs,
        graph_.add_node(*op, std::move(operands), std::move(attributes), std::move(node_name)));
    if (outputs.size() != results.size()) {
      return in_.error(place, fail(ErrorCode::invalid_model, "'{}' gives {} values, not {}", name,
                                   outputs.size(), results.size()));
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      const TensorType& inferred = graph_.type(outputs[i]);
      if (results[i].type && *results[i].type != inferred) {
        return in_.error(results[i].place,
                         fail(ErrorCode::invalid_model, "%{} is {}, not {}", results[i].name,
                              str(inferred), str(*results[i].type)));
      }
      values_[results[i].name] = outputs[i];
    }
    return {};
  }

  Expected<Result> result() {
    Result result{in_.place(), {}, {}};
    INGOT_TRY(in_.expect("%"));
    result.name = in_.word();
    if (result.name.empty()) return in_.expected("the name of a value");
    if (in_.take(":")) {
      INGOT_ASSIGN(result.type, type());
    }
    return result;
  }

  Expected<ValueId> reference() {
    const std::size_t place = in_.place();
    INGOT_TRY(in_.expect("%"));
    const std::string_view name = in_.word();
    const auto known = values_.find(name);
    if (known == values_.end()) {
      return in_.error(place, fail(ErrorCode::invalid_model, "%{} is not defined yet", name));
    }
    return known->second;
  }

  Expected<DType> dtype() {
    const std::size_t place = in_.place();
    const std::string_view name = in_.word();
    const std::optional<DType> dtype = dtype_from_name(name);
    if (!dtype) {
      return in_.error(place, fail(ErrorCode::invalid_model,
                                   "expected an element type such as f32, found \"{}\"", name));
    }
    return *dtype;
  }

  Expected<TensorType> type() {
    TensorType type;
    INGOT_ASSIGN(type.dtype, dtype());
    const std::size_t place = in_.place();
    INGOT_ASSIGN(type.shape, dims());
    for (const Dim& dim : type.shape) {
      if (dim.value().value_or(0) < 0) {
        return in_.error(place,
                         fail(ErrorCode::invalid_model, "dimension {} is negative", dim.str()));
      }
    }
    if (const Expected<void> fits = check_extent(type); !fits)
      return in_.error(place, fits.error());
    return type;
  }

  Expected<std::vector<Dim>> dims() {
    std::vector<Dim> result;
    INGOT_TRY(in_.expect("["));
    while (!in_.take("]")) {
      if (!result.empty()) INGOT_TRY(in_.expect(","));
      INGOT_ASSIGN(Dim next, dim(",]"));
      result.push_back(std::move(next));
    }
    return result;
  }

  Expected<Dim> dim(std::string_view ends) {
    const std::size_t place = in_.place();
    INGOT_AT(place, Dim dim, Dim::parse(in_.until(ends)));
    std::set<std::string> names;
    dim.collect_symbols(names);
    for (const std::string& name : names) {
      if (graph_.find_symbol(name) != nullptr) continue;
      return in_.error(
          place, fail(ErrorCode::invalid_model,
                      "symbol {0} is not declared; write 'symbol {0} in [0, 100]' above", name));
    }
    return dim;
  }

  Expected<std::int64_t> integer() {
    const std::size_t place = in_.place();
    INGOT_AT(place, const std::int64_t number, parse_integer(in_.run(Cursor::is_number_part)));
    return number;
  }

  Expected<Attributes> attribute_list(const OpDef& op) {
    Attributes attributes;
    while (!in_.take("}")) {
      if (!attributes.entries().empty()) INGOT_TRY(in_.expect(","));
      const std::size_t place = in_.place();
      const std::string_view name = in_.word();
      const auto spec = std::find_if(op.attributes.begin(), op.attributes.end(),
                                     [&](const AttributeSpec& s) { return s.name == name; });
      if (spec == op.attributes.end()) {
        return in_.error(
            place, fail(ErrorCode::invalid_model, "op '{}' has no attribute '{}'", op.name, name));
      }
      if (attributes.find(name) != nullptr) {
        return in_.error(place,
                         fail(ErrorCode::invalid_model, "attribute '{}' is given twice", name));
      }
      INGOT_TRY(in_.expect("="));
      INGOT_ASSIGN(Attribute value, attribute(spec->type));
      attributes.set(std::string(name), std::move(value));
    }
    return attributes;
  }

  Expected<Attribute> attribute(AttributeType type) {
    const std::size_t place = in_.place();
    switch (type) {
      case AttributeType::boolean: {
        const std::string_view word = in_.word();
        if (word == "true" || word == "false") return Attribute(word == "true");
        return in_.error(place, fail(ErrorCode::invalid_model, "expected 'true' or 'false'"));
      }
      case AttributeType::integer: {
        INGOT_ASSIGN(const std::int64_t value, integer());
        return Attribute(value);
      }
      case AttributeType::real: {
        INGOT_AT(place, const double value, parse_real(number()));
        return Attribute(value);
      }
      case AttributeType::text: {
        INGOT_ASSIGN(std::string value, in_.string());
        return Attribute(std::move(value));
      }
      case AttributeType::dtype: {
        INGOT_ASSIGN(const DType value, dtype());
        return Attribute(value);
      }
      case AttributeType::integers: {
        std::vector<std::int64_t> values;
        INGOT_TRY(in_.expect("["));
        while (!in_.take("]")) {
          if (!values.empty()) INGOT_TRY(in_.expect(","));
          INGOT_ASSIGN(const std::int64_t value, integer());
          values.push_back(value);
        }
        return Attribute(std::move(values));
      }
      case AttributeType::dims: {
        INGOT_ASSIGN(std::vector<Dim> values, dims());
        return Attribute(std::move(values));
      }
      case AttributeType::subgraph: {
        if (depth_ == most_nested) {
          return in_.error(
              place, fail(ErrorCode::limit, "graphs are nested more than {} deep", most_nested));
        }
        INGOT_ASSIGN(Graph body, Parser(in_, depth_ + 1).graph());
        return Attribute(Subgraph{std::make_shared<const Graph>(std::move(body))});
      }
    }
    return in_.expected("an attribute");
  }

  // A number, or a nan with its bits in parentheses.
  std::string_view number() {
    const std::size_t place = in_.place();
    const std::string_view head = in_.run(Cursor::is_number_part);
    if (head != "nan" || in_.peek() != '(') return head;
    in_.run([](char c) { return Cursor::is_word(c) || c == '(' || c == ')'; });
    return in_.since(place);
  }

  Expected<Tensor> constant(const Result& result) {
    const TensorType& type = *result.type;
    const std::optional<std::vector<std::int64_t>> shape = static_shape(type.shape);
    if (!shape) {
      return in_.error(result.place, fail(ErrorCode::invalid_model,
                                          "a constant cannot have symbols in its shape"));
    }
    INGOT_AT(result.place, const std::int64_t count, element_count(*shape));
    const std::size_t place = in_.place();
    if (in_.take("splat")) {
      Tensor element(type.dtype, {});
      INGOT_TRY(this->element(element, 0));
      return Tensor::splat(type.dtype, *shape, element.bytes());
    }
    if (in_.take("#")) {
      return in_.error(place, fail(ErrorCode::invalid_model,
                                   "only the hash of this constant was printed; print with "
                                   "constants in full"));
    }
    if (in_.take("hex")) {
      INGOT_ASSIGN(const std::string digits, in_.string());
      INGOT_AT(place, std::vector<std::byte> bytes, from_hex(digits, type.dtype));
      if (bytes.size() % bytes_of(type.dtype) != 0 ||
          static_cast<std::int64_t>(bytes.size() / bytes_of(type.dtype)) != count) {
        return in_.error(place, fail(ErrorCode::invalid_model, "{} bytes given for {}",
                                     bytes.size(), str(type)));
      }
      return Tensor(type.dtype, *shape, std::move(bytes));
    }
    if (!in_.take("{")) return in_.expected("'splat', '{' or 'hex'");
    // The elements first, so that memory is asked for what is there, not for what the type claims.
    std::vector<std::byte> bytes;
    Tensor element(type.dtype, {});
    while (!in_.take("}")) {
      if (!bytes.empty()) INGOT_TRY(in_.expect(","));
      INGOT_TRY(this->element(element, 0));
      bytes.insert(bytes.end(), element.bytes().begin(), element.bytes().end());
    }
    const std::size_t given = bytes.size() / bytes_of(type.dtype);
    if (static_cast<std::int64_t>(given) != count) {
      return in_.error(
          place, fail(ErrorCode::invalid_model, "{} elements given for {}", given, str(type)));
    }
    return Tensor(type.dtype, *shape, std::move(bytes));
  }

  Expected<void> element(Tensor& tensor, std::int64_t index) {
    const std::size_t place = in_.place();
    if (auto parsed = parse_element(number(), tensor, index); !parsed) {
      return in_.error(place, parsed.error());
    }
    return {};
  }

  static Expected<std::vector<std::byte>> from_hex(std::string_view digits, DType dtype) {
    std::vector<std::byte> bytes;
    bytes.reserve(digits.size() / 2);
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
      const auto high = Cursor::hex_digit(digits[i]);
      const auto low = Cursor::hex_digit(digits[i + 1]);
      if (!high || !low) break;
      bytes.push_back(static_cast<std::byte>(*high * 16 + *low));
      if (dtype == DType::boolean && bytes.back() > std::byte{1}) {
        return fail(ErrorCode::invalid_model, "a bool is 00 or 01");
      }
    }
    if (bytes.size() * 2 != digits.size()) {
      return fail(ErrorCode::invalid_model, "expected pairs of hexadecimal digits");
    }
    return bytes;
  }

  Cursor& in_;
  int depth_;
  Graph graph_;
  std::map<std::string_view, ValueId> values_;
};

#undef INGOT_AT

}  // namespace

Expected<Graph> parse_graph(std::string_view text) {
  Cursor in(text);
  return Parser(in).graph();
}

}  // namespace ingot
