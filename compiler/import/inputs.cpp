// SPDX-License-Identifier: Apache-2.0
#include "import/inputs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "import/compose.h"

namespace ingot {
namespace {

constexpr std::int64_t most_rows = 2147483647;  // of a symbol that leads every input it occurs in
constexpr std::int64_t most_other = 4096;
const std::string asked_mark = "?";  // no name of a symbol has it

/// Letters, digits and underscores, not starting with a digit: what Dim::parse and C++ take.
std::string identifier(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (digit && clean.empty()) clean += 'd';
    if (letter || digit) {
      clean += c;
    } else if (!clean.empty() && clean.back() != '_') {
      clean += '_';
    }
  }
  while (clean.size() > 1 && clean.back() == '_' && text.back() != '_') clean.pop_back();
  return clean.empty() ? "d" : clean;
}

/// Names of symbols: those of the file made identifiers, distinct where the file's are.
class Names {
 public:
  /// Names that the user gave stay as they are.
  void keep(const std::string& symbol) { clean_.emplace(symbol, symbol), used_.insert(symbol); }

  std::string of(const std::string& raw) {
    const auto known = clean_.find(raw);
    if (known != clean_.end()) return known->second;
    std::string clean = identifier(raw);
    for (int i = 2; used_.contains(clean); ++i) clean = fmt::format("{}_{}", identifier(raw), i);
    used_.insert(clean);
    clean_.emplace(raw, clean);
    return clean;
  }
  const std::map<std::string, std::string>& all() const { return clean_; }

 private:
  std::map<std::string, std::string> clean_;
  std::set<std::string> used_;
};

Error contradiction(const FileInput& input, std::string_view file, std::string_view option) {
  return fail(ErrorCode::invalid_argument, "input '{}': the model says {}, --input says {}",
              input.name, file, option);
}

Expected<DType> input_dtype(const FileInput& input, const InputSpec* spec) {
  if (spec != nullptr && spec->dtype) {
    if (input.dtype && *input.dtype != *spec->dtype) {
      return contradiction(input, name(*input.dtype), name(*spec->dtype));
    }
    return *spec->dtype;
  }
  if (input.dtype) return *input.dtype;
  return fail(ErrorCode::internal, "input '{}' has no element type", input.name);
}

/// What neither the file nor the options say, of all inputs at once.
Expected<void> check_all_is_said(const std::vector<FileInput>& inputs,
                                 const ImportOptions& options) {
  std::vector<std::string> missing, flags;
  for (const FileInput& input : inputs) {
    const InputSpec* spec = find_spec(options, input.name);
    const bool dtype = input.dtype || (spec != nullptr && spec->dtype);
    const bool shape = input.shape || (spec != nullptr && spec->shape);
    if (dtype && shape) continue;
    missing.push_back(fmt::format("'{}'", input.name));
    flags.push_back(
        fmt::format("--input {}={}{}", input.name, dtype ? "" : "DTYPE", shape ? "" : "[SHAPE]"));
  }
  if (missing.empty()) return {};
  if (missing.size() == 1) {
    const bool dtype = flags[0].find("=DTYPE") != std::string::npos;
    const bool shape = flags[0].ends_with("[SHAPE]");
    return fail(ErrorCode::invalid_argument, "input {}: the model does not say its {}; add {}",
                missing[0],
                dtype && shape ? "element type and shape"
                : dtype        ? "element type"
                               : "shape",
                flags[0]);
  }
  return fail(ErrorCode::invalid_argument,
              "the model does not say what its inputs {} look like; add {}",
              fmt::join(missing, ", "), fmt::join(flags, " "));
}

Expected<Shape> input_shape(const FileInput& input, const InputSpec* spec, Names& names,
                            const std::string& leading) {
  if (spec != nullptr && spec->shape) {
    const Shape& given = *spec->shape;
    if (input.shape && input.shape->size() != given.size()) {
      return contradiction(input, fmt::format("{} axes", input.shape->size()), str(given));
    }
    for (std::size_t d = 0; input.shape && d < given.size(); ++d) {
      const auto* number = std::get_if<std::int64_t>(&(*input.shape)[d]);
      if (number != nullptr && given[d].value() && !given[d].is(*number)) {
        return contradiction(input, fmt::format("size {} of axis {}", *number, d), str(given));
      }
    }
    return given;
  }
  if (!input.shape) return fail(ErrorCode::internal, "input '{}' has no shape", input.name);
  Shape shape;
  for (std::size_t d = 0; d < input.shape->size(); ++d) {
    const FileDim& dim = (*input.shape)[d];
    if (const auto* number = std::get_if<std::int64_t>(&dim)) {
      shape.emplace_back(*number);
    } else if (const auto* text = std::get_if<std::string>(&dim)) {
      shape.push_back(Dim::symbol(names.of(*text)));
    } else {
      const std::string fresh = d == 0 ? leading : fmt::format("{}_d{}", identifier(input.name), d);
      shape.push_back(Dim::symbol(names.of(fresh)));
    }
  }
  return shape;
}

/// `N` for nameless batches, unless the file means something else by it.
std::string leading_name(const std::vector<FileInput>& inputs) {
  for (const FileInput& input : inputs) {
    for (std::size_t d = 1; input.shape && d < input.shape->size(); ++d) {
      const auto* text = std::get_if<std::string>(&(*input.shape)[d]);
      if (text != nullptr && *text == "N") return "batch";
    }
  }
  return "N";
}

/// Every symbol with its range: the default by where it stands, or the option's.
Expected<SymbolRanges> choose_ranges(const std::vector<TensorType>& types, const Names& names,
                                     const ImportOptions& options) {
  SymbolRanges ranges;
  for (const TensorType& type : types) {
    for (std::size_t d = 0; d < type.rank(); ++d) {
      std::set<std::string> symbols;
      type.shape[d].collect_symbols(symbols);
      for (const std::string& symbol : symbols) {
        const Interval range{0, d == 0 ? most_rows : most_other};
        const auto [place, fresh] = ranges.emplace(symbol, range);
        if (!fresh) place->second.hi = std::min(place->second.hi, range.hi);
      }
    }
  }
  for (const auto& [raw, range] : options.symbol_ranges) {
    const auto clean = names.all().find(raw);
    if (range.lo < 0 || range.lo > range.hi) {
      return fail(ErrorCode::invalid_argument, "--dim {}={}:{}: not a range of sizes", raw,
                  range.lo, range.hi);
    }
    const std::string& name = clean == names.all().end() ? raw : clean->second;
    ranges[ranges.contains(name) ? name : asked_mark + name] = range;
  }
  return ranges;
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t open = 0;  // continuation bytes that must follow
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continuation = (byte & 0xC0U) == 0x80U;
    if (continuation != (open > 0)) return false;
    if (continuation) {
      --open;
    } else if (byte >= 0xC2U && byte <= 0xF4U) {
      open = byte < 0xE0U ? 1 : byte < 0xF0U ? 2 : 3;
    } else if (byte >= 0x80U) {
      return false;
    }
  }
  return open == 0;
}

const Interval* asked_of_measured(const Graph& graph, std::string_view symbol) {
  const Symbol* asked = graph.find_symbol(asked_mark + std::string(symbol));
  return asked == nullptr ? nullptr : &asked->range;
}

Expected<void> settle_measured(Graph& graph, const ImportOptions& options) {
  std::set<std::string> known;
  std::vector<Symbol> asked;
  for (const Symbol& symbol : graph.symbols()) {
    if (symbol.name.starts_with(asked_mark))
      asked.push_back(symbol);
    else
      known.insert(symbol.name);
  }
  // And those that are pinned.
  for (const auto& [symbol, range] : options.symbol_ranges) {
    if (asked_of_measured(graph, symbol) == nullptr) known.insert(symbol);
  }
  for (const Symbol& symbol : asked) {
    const std::string name = symbol.name.substr(asked_mark.size());
    if (graph.find_symbol(name) == nullptr) {
      return fail(ErrorCode::invalid_argument, "--dim {}: no such symbol; the model has {}", name,
                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
    }
    INGOT_TRY(graph.substitute(symbol.name, symbol.range.hi));
  }
  return {};
}

const InputSpec* find_spec(const ImportOptions& options, std::string_view name) {
  auto plain = [](std::string_view text) {
    return text.ends_with(":0") ? text.substr(0, text.size() - 2) : text;
  };
  for (const InputSpec& spec : options.inputs) {
    if (spec.name == name || plain(spec.name) == plain(name)) return &spec;
  }
  return nullptr;
}

Expected<InputSpec> parse_input_spec(std::string_view text) {
  // A name may hold any character but '=', so the first one ends it.
  const std::size_t equals = text.find('=');
  InputSpec spec{std::string(text.substr(0, equals)), {}, {}};
  if (spec.name.empty()) {
    return fail(ErrorCode::invalid_argument, "--input '{}': write NAME=DTYPE[SHAPE]", text);
  }
  if (equals == std::string_view::npos) return spec;
  std::string_view rest = text.substr(equals + 1);
  const std::size_t bracket = rest.find('[');
  const std::string_view type = rest.substr(0, bracket);
  if (!type.empty()) {
    spec.dtype = dtype_from_name(type);
    if (!spec.dtype) {
      return fail(ErrorCode::invalid_argument, "--input {}: '{}' is no element type; try f32",
                  spec.name, type);
    }
  }
  if (bracket == std::string_view::npos) return spec;
  if (rest.back() != ']') {
    return fail(ErrorCode::invalid_argument, "--input '{}': the shape does not end in ]", text);
  }
  rest = rest.substr(bracket + 1, rest.size() - bracket - 2);
  Shape shape;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    INGOT_ASSIGN(Dim dim, Dim::parse(rest.substr(0, comma)));
    if (dim.value() && *dim.value() < 0) {
      return fail(ErrorCode::invalid_argument, "--input '{}': a negative size", text);
    }
    shape.push_back(std::move(dim));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  spec.shape = std::move(shape);
  return spec;
}

Expected<std::vector<ValueId>> add_inputs(Graph& graph, const std::vector<FileInput>& inputs,
                                          const ImportOptions& options) {
  Names names;
  for (const InputSpec& spec : options.inputs) {
    std::set<std::string> symbols;
    for (const Dim& dim : spec.shape.value_or(Shape{})) dim.collect_symbols(symbols);
    for (const std::string& symbol : symbols) names.keep(symbol);
  }
  INGOT_TRY(check_all_is_said(inputs, options));
  const std::string leading = leading_name(inputs);
  std::vector<TensorType> types;
  for (const FileInput& input : inputs) {
    const InputSpec* spec = find_spec(options, input.name);
    INGOT_ASSIGN(const DType dtype, input_dtype(input, spec));
    INGOT_ASSIGN(Shape shape, input_shape(input, spec, names, leading));
    types.push_back({dtype, std::move(shape)});
  }

  INGOT_ASSIGN(const SymbolRanges ranges, choose_ranges(types, names, options));
  for (const auto& [symbol, range] : ranges) {
    if (range.lo != range.hi || symbol.starts_with(asked_mark)) {
      graph.declare_symbol(symbol, range);
      continue;
    }
    for (TensorType& type : types) {
      for (Dim& dim : type.shape) dim = dim.substitute(symbol, range.lo);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (const Expected<void> fits = check_extent(types[i]); !fits)
      return fail(ErrorCode::limit, "input '{}': {}", inputs[i].name, fits.error().message);
  }

  std::vector<std::pair<std::size_t, std::size_t>>
      order;  // place in the options, place in the file
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const InputSpec* spec = find_spec(options, inputs[i].name);
    const std::size_t place = spec == nullptr
                                  ? options.inputs.size()
                                  : static_cast<std::size_t>(spec - options.inputs.data());
    order.emplace_back(place, i);
  }
  std::sort(order.begin(), order.end());
  std::vector<ValueId> values(inputs.size());
  for (const auto& [place, i] : order) values[i] = graph.add_input(inputs[i].name, types[i]);
  return values;
}

namespace {

Expected<double> parse_number(const FileInput& input, std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t");
  const std::size_t last = text.find_last_not_of(" \t");
  text = start == std::string_view::npos ? "" : text.substr(start, last - start + 1);
  if (text == "true" || text == "false") return text == "true" ? 1.0 : 0.0;
  double number = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || stop != text.data() + text.size()) {
    return fail(ErrorCode::invalid_argument, "--constant {}: '{}' is not a number, true or false",
                input.name, text);
  }
  if (is_integer(*input.dtype) && number != std::trunc(number)) {
    return fail(ErrorCode::invalid_argument, "--constant {}: {} for an input of {}", input.name,
                text, name(*input.dtype));
  }
  return number;
}

/// The file's shape, which must be of numbers; none when the file gives no shape.
Expected<std::optional<std::vector<std::int64_t>>> constant_shape(const FileInput& input) {
  if (!input.shape) return std::optional<std::vector<std::int64_t>>{};
  std::vector<std::int64_t> shape;
  for (const FileDim& dim : *input.shape) {
    if (!std::holds_alternative<std::int64_t>(dim)) {
      return fail(ErrorCode::invalid_argument,
                  "--constant {}: its shape is not known; only inputs of known shape can be fixed",
                  input.name);
    }
    shape.push_back(std::get<std::int64_t>(dim));
  }
  return std::optional{std::move(shape)};
}

/// `[1, 2, 3]`, in row-major order.
Expected<Tensor> parse_list(const FileInput& input, std::string_view text,
                            const std::optional<std::vector<std::int64_t>>& shape) {
  if (!text.ends_with(']')) {
    return fail(ErrorCode::invalid_argument, "--constant {}: the list does not end in ]",
                input.name);
  }
  text = text.substr(1, text.size() - 2);
  std::vector<std::byte> bytes;
  std::int64_t count = 0;
  for (bool more = text.find_first_not_of(" \t") != std::string_view::npos; more; ++count) {
    const std::size_t comma = text.find(',');
    INGOT_ASSIGN(const double number, parse_number(input, text.substr(0, comma)));
    const Tensor element = number_tensor(*input.dtype, number);
    bytes.insert(bytes.end(), element.bytes().begin(), element.bytes().end());
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  std::vector<std::int64_t> result_shape = shape.value_or(std::vector{count});
  INGOT_ASSIGN(const std::int64_t elements, element_count(result_shape));
  if (elements != count) {
    return fail(ErrorCode::invalid_argument, "--constant {}: {} numbers for {} elements",
                input.name, count, elements);
  }
  return Tensor(*input.dtype, std::move(result_shape), std::move(bytes));
}

}  // namespace

Expected<Tensor> parse_constant(const FileInput& input, const std::string& value) {
  if (!input.dtype) {
    return fail(ErrorCode::invalid_argument,
                "--constant {}: the model does not say its element type", input.name);
  }
  INGOT_ASSIGN(const std::optional<std::vector<std::int64_t>> shape, constant_shape(input));
  if (value.starts_with('[')) return parse_list(input, value, shape);
  INGOT_ASSIGN(const double number, parse_number(input, value));
  std::vector<std::int64_t> all = shape.value_or(std::vector<std::int64_t>{});
  INGOT_TRY(element_count(all));
  return Tensor::splat(*input.dtype, std::move(all), number_tensor(*input.dtype, number).bytes());
}

}  // namespace ingot
