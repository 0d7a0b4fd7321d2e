// SPDX-License-Identifier: Apache-2.0
// Runs the .ir files that lie beside passes and ops. A file holds any number of cases:
//
//     ; test pass drop-neutral          one pass or several, in this order
//     graph "..." fused { ... }
//     ; gives
//     graph "..." fused { ... }         the printed result; INGOT_BLESS=1 rewrites it
//
// Instead of `; gives`: `; unchanged` (the pass says that it did nothing, and it did nothing), or
// `; error: TEXT`. Instead of `; test pass`: `; test roundtrip`, where the graph must print as it
// is written, unless `; gives` follows.
//
// A pass is also held to what it says of its numerics: the graph before and the graph after it are
// interpreted on random inputs and compared, bit for bit when it is exact.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "ir/rebuild.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/interpret.h"
#include "passes/pass.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::size_t line = 0;           // of `; test`, counted from 1
  std::vector<std::string> test;  // the words after `; test`
  std::string graph;
  enum class Expectation { none, gives, unchanged, error } expectation = Expectation::none;
  std::string expected;             // a graph or the text of an error
  std::size_t first = 0, last = 0;  // the lines of the expected graph, for blessing
};

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<Case> split(const std::vector<std::string>& lines) {
  std::vector<Case> cases;
  bool in_expected = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.starts_with("; test ")) {
      Case next;
      next.line = i + 1;
      std::istringstream words(line.substr(7));
      for (std::string word; words >> word;) next.test.push_back(word);
      cases.push_back(std::move(next));
      in_expected = false;
      continue;
    }
    if (cases.empty()) continue;
    Case& current = cases.back();
    if (line == "; gives") {
      current.expectation = Case::Expectation::gives;
      current.first = current.last = i + 1;
      in_expected = true;
    } else if (line == "; unchanged") {
      current.expectation = Case::Expectation::unchanged;
    } else if (line.starts_with("; error: ")) {
      current.expectation = Case::Expectation::error;
      current.expected = line.substr(9);
    } else if (in_expected) {
      // Other lines than the graph's belong to the next case: its comment.
      if (current.expected.empty() && !line.starts_with("graph ")) continue;
      current.expected += line + "\n";
      current.last = i + 1;
      in_expected = line != "}";
    } else if (current.expectation == Case::Expectation::none) {
      current.graph += line + "\n";
    }
  }
  return cases;
}

// --- before and after --------------------------------------------------------------------------

Tensor random_input(const TensorType& type, const SymbolValues& sizes, bool with_specials,
                    std::mt19937& random) {
  std::vector<std::int64_t> shape;
  for (const Dim& dim : type.shape) shape.push_back(*dim.evaluate(sizes));
  Tensor tensor(type.dtype, shape);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double specials[] = {
      0.0, -0.0, 1.0, -1.0, 1e-41, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()};
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    double number = std::uniform_real_distribution(-2.0, 2.0)(random);
    if (with_specials && random() % 16 == 0) number = specials[random() % std::size(specials)];
    const auto integer = static_cast<int>(random() % 17) - (is_signed(type.dtype) ? 8 : 0);
    switch (type.dtype) {
      case DType::f32:
        tensor.set(i, static_cast<float>(number));
        break;
      case DType::f64:
        tensor.set(i, number);
        break;
      case DType::f16:
        tensor.set(i, f64_to_f16(number));
        break;
      case DType::bf16:
        tensor.set(i, f64_to_bf16(number));
        break;
      case DType::boolean:
        tensor.set(i, static_cast<std::uint8_t>(random() % 2));
        break;
      default: {
        const auto wide = static_cast<std::int64_t>(integer);
        std::memcpy(
            tensor.mutable_bytes().data() + i * static_cast<std::int64_t>(bytes_of(type.dtype)),
            &wide, bytes_of(type.dtype));
      }
    }
  }
  return tensor;
}

bool holds(const Constraint& constraint, const SymbolValues& sizes) {
  const auto left = constraint.left.evaluate(sizes);
  const auto right = constraint.right.evaluate(sizes);
  if (!left || !right) return false;
  return constraint.relation == Constraint::Relation::equal ? *left == *right : *left >= *right;
}

// Small sizes that the graph accepts; none after many tries.
std::optional<SymbolValues> random_sizes(const Graph& graph, std::mt19937& random) {
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    SymbolValues sizes;
    for (const Symbol& symbol : graph.symbols()) {
      const std::int64_t span = std::min<std::int64_t>(symbol.range.hi - symbol.range.lo, 7);
      sizes[symbol.name] =
          symbol.range.lo + static_cast<std::int64_t>(random() % static_cast<unsigned>(span + 1));
    }
    if (std::all_of(graph.constraints().begin(), graph.constraints().end(),
                    [&](const Constraint& constraint) { return holds(constraint, sizes); })) {
      return sizes;
    }
  }
  return std::nullopt;
}

// Empty, or the first element that differs by more than the numerics allow. NaN is equal to NaN:
// payloads are not guaranteed.
std::string difference(const Tensor& before, const Tensor& after, passes::Numerics numerics) {
  if (before.type() != after.type()) {
    return fmt::format("{} became {}", str(before.type()), str(after.type()));
  }
  const bool exact = numerics == passes::Numerics::exact || !is_float(before.dtype());
  double scale = 0;
  for (std::int64_t i = 0; i < before.elements(); ++i) {
    if (std::isfinite(before.as_double(i))) scale = std::max(scale, std::abs(before.as_double(i)));
  }
  const std::size_t size = bytes_of(before.dtype());
  const Tensor a = before.dense();
  const Tensor b = after.dense();
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const double x = a.as_double(i);
    const double y = b.as_double(i);
    const std::int64_t at = i * static_cast<std::int64_t>(size);
    const bool same_bits = std::memcmp(a.bytes().data() + at, b.bytes().data() + at, size) == 0;
    const bool same = same_bits || (std::isnan(x) && std::isnan(y)) ||
                      (!exact && (x == y || std::abs(x - y) <= 1e-4 * scale));
    if (!same) return fmt::format("element {}: {} became {}", i, x, y);
  }
  return {};
}

void compare_meaning(const Graph& before, const Graph& after, passes::Numerics numerics) {
  std::mt19937 random(1);
  for (int repetition = 0; repetition < 4; ++repetition) {
    const std::optional<SymbolValues> sizes = random_sizes(before, random);
    ASSERT_TRUE(sizes) << "no sizes found that the constraints allow";
    std::vector<Tensor> inputs;
    for (const ValueId input : before.inputs()) {
      inputs.push_back(random_input(before.type(input), *sizes,
                                    numerics == passes::Numerics::exact && repetition > 0, random));
    }
    auto expected = interpret(before, inputs, *sizes);
    ASSERT_TRUE(expected) << expected.error().message;
    auto results = interpret(after, inputs, *sizes);
    ASSERT_TRUE(results) << "after the pass: " << results.error().message;
    ASSERT_EQ(results->size(), expected->size());
    for (std::size_t i = 0; i < results->size(); ++i) {
      ASSERT_EQ(after.outputs()[i].name, before.outputs()[i].name);
      EXPECT_EQ(difference((*expected)[i], (*results)[i], numerics), "")
          << "output '" << before.outputs()[i].name << "', by a pass that is " << name(numerics);
    }
  }
}

// --- one case ----------------------------------------------------------------------------------

// What a case gives: a graph, or the text of an error.
struct Outcome {
  std::optional<Graph> before, after;
  std::string error;
  int times = 0;
  passes::Numerics numerics = passes::Numerics::exact;
};

Outcome run(const Case& test) {
  Outcome outcome;
  auto parsed = parse_graph(test.graph);
  if (!parsed) {
    outcome.error = parsed.error().message;
    return outcome;
  }
  outcome.before = std::move(*parsed);
  outcome.after = *outcome.before;
  for (std::size_t i = 1; i < test.test.size(); ++i) {
    const passes::PassInfo* pass = passes::find_pass(test.test[i]);
    if (pass == nullptr) {
      ADD_FAILURE() << "no pass '" << test.test[i] << "'";
      continue;
    }
    passes::Report report;
    auto result = pass->run(*outcome.after, report);
    if (!result) {
      outcome.after.reset();
      outcome.error = result.error().message;
      return outcome;
    }
    outcome.after = std::move(*result);
    outcome.times += report.times;
    outcome.numerics = std::max(outcome.numerics, pass->numerics);
    const auto sound = verify(*outcome.after);
    EXPECT_TRUE(sound) << "after " << pass->name << ": " << sound.error().message;
  }
  return outcome;
}

// The graph as any pass would leave it that does nothing: rebuilding numbers values anew.
std::string untouched(const Graph& graph) {
  auto same =
      rebuild(graph, [](Rebuilder& rebuilder, const Node& node) { return rebuilder.copy(node); });
  return same ? print(*same) : same.error().message;
}

// From `graph` to the last brace.
std::string without_comments(const std::string& text) {
  const std::size_t begin = std::min(text.find("graph "), text.size());
  const std::size_t end = text.rfind("}\n");
  return end == text.npos || end < begin ? text : text.substr(begin, end + 2 - begin);
}

void check(const Case& test, const Outcome& outcome) {
  if (test.expectation == Case::Expectation::error || !outcome.after) {
    EXPECT_EQ(outcome.error, test.expected);
    return;
  }
  const auto sound = verify(*outcome.before);
  EXPECT_TRUE(sound) << sound.error().message;
  const std::string printed = print(*outcome.after);
  if (test.test[0] == "roundtrip") {
    const bool as_written = test.expectation == Case::Expectation::none;
    EXPECT_EQ(printed, as_written ? without_comments(test.graph) : test.expected);
    const std::string in_full = print(*outcome.after, {.constants_in_full = true});
    auto again = parse_graph(in_full);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(print(*again, {.constants_in_full = true}), in_full);
    return;
  }
  switch (test.expectation) {
    case Case::Expectation::gives:
      EXPECT_EQ(printed, test.expected);
      break;
    case Case::Expectation::unchanged:
      EXPECT_EQ(printed, untouched(*outcome.before));
      EXPECT_EQ(outcome.times, 0) << "the pass claims to have done something";
      break;
    default:
      ADD_FAILURE() << "write '; gives', '; unchanged' or '; error: TEXT' below the graph";
  }
  compare_meaning(*outcome.before, *outcome.after, outcome.numerics);
}

class IrFile : public testing::TestWithParam<std::string> {};

TEST_P(IrFile, DoesWhatItSays) {
  const fs::path path = fs::path(INGOT_SOURCE_DIR) / GetParam();
  std::vector<std::string> lines = read_lines(path);
  const std::vector<Case> cases = split(lines);
  ASSERT_FALSE(cases.empty()) << "a line '; test pass NAME' or '; test roundtrip' is missing";
  const bool bless = std::getenv("INGOT_BLESS") != nullptr;
  // From the end, so that blessing one case leaves the line numbers of those before it.
  for (auto test = cases.rbegin(); test != cases.rend(); ++test) {
    SCOPED_TRACE(
        fmt::format("{}:{}: test {}", path.string(), test->line, fmt::join(test->test, " ")));
    ASSERT_TRUE(test->test.size() > 1 ? test->test[0] == "pass"
                                      : test->test.size() == 1 && test->test[0] == "roundtrip")
        << "expected '; test pass NAME' or '; test roundtrip'";
    const Outcome outcome = run(*test);
    Case blessed = *test;
    if (bless && test->expectation == Case::Expectation::gives && outcome.after) {
      blessed.expected = print(*outcome.after);
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(test->first),
                  lines.begin() + static_cast<std::ptrdiff_t>(test->last));
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(test->first),
                   blessed.expected.substr(0, blessed.expected.size() - 1));
    }
    check(blessed, outcome);
  }
  if (bless) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    std::ofstream(path) << text;
  }
}

std::vector<std::string> ir_files() {
  std::vector<std::string> files;
  const fs::path root = INGOT_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / "compiler")) {
    if (entry.path().extension() == ".ir")
      files.push_back(fs::relative(entry.path(), root).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

INSTANTIATE_TEST_SUITE_P(
    Compiler, IrFile, testing::ValuesIn(ir_files()), [](const auto& parameter) {
      std::string text = fs::path(parameter.param).replace_extension().string();
      std::replace_if(text.begin(), text.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
      return text;
    });

}  // namespace
}  // namespace ingot
