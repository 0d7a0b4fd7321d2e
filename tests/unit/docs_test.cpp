// SPDX-License-Identifier: Apache-2.0
// Pages that repeat what tables in the code say: docs/ops.md and docs/passes.md, which
// INGOT_BLESS=1 rewrites, and the exit statuses in docs/cli.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/file.h"
#include "import/keras/table.h"
#include "import/onnx/walk.h"
#include "import/tensorflow/emit.h"
#include "ir/op.h"
#include "ops/pointwise.h"
#include "passes/pass.h"

namespace ingot {
namespace {

std::string kind_text(OpKind kind) {
  switch (kind) {
    case OpKind::pointwise:
      return "Pointwise";
    case OpKind::move:
      return "Move";
    case OpKind::reduce:
      return "Reduce";
    case OpKind::contract:
      return "Contract";
    case OpKind::window:
      return "Window";
    case OpKind::index:
      return "Index";
    case OpKind::source:
      return "Source";
    case OpKind::loop:
      return "Loop";
  }
  return "";
}

std::string types_text(const OpDef& op) {
  const std::optional<ops::Pointwise> formula = ops::find_pointwise(op.name);
  if (!formula) {
    if (op.name == "iota") return "integers";
    if (op.name == "dims") return "i64";
    const bool sums = op.kind == OpKind::contract || op.kind == OpKind::window ||
                      op.name == "reduce_sum" || op.name == "reduce_prod";
    return sums ? "numbers" : "all";
  }
  switch (ops::info(*formula).domain) {
    case ops::Domain::any:
      return "all";
    case ops::Domain::number:
      return "numbers";
    case ops::Domain::real:
      return "floats";
    case ops::Domain::integer:
      return "integers";
    case ops::Domain::boolean:
      return "bool";
  }
  return "";
}

std::string operands_text(const OpDef& op) {
  if (op.max_inputs < 0) return fmt::format("{} or more", op.min_inputs);
  if (op.max_inputs == op.min_inputs) return std::to_string(op.min_inputs);
  return fmt::format("{} to {}", op.min_inputs, op.max_inputs);
}

std::string core_ops() {
  std::string text;
  for (const OpKind kind : {OpKind::pointwise, OpKind::move, OpKind::reduce, OpKind::contract,
                            OpKind::window, OpKind::index, OpKind::source, OpKind::loop}) {
    text += fmt::format(
        "\n### {}\n\n| Op | Operands | Types | Attributes | What it computes |\n"
        "|---|---|---|---|---|\n",
        kind_text(kind));
    for (const OpDef& op : all_ops()) {
      if (op.kind != kind) continue;
      std::string attributes;
      for (const AttributeSpec& attribute : op.attributes) {
        attributes += fmt::format("{}`{}`", attributes.empty() ? "" : ", ", attribute.name);
      }
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", op.name, operands_text(op),
                          types_text(op), attributes, op.summary);
    }
  }
  return text;
}

std::string list(const std::set<std::string>& names) {
  std::string text, line;
  for (const std::string& name : names) {
    if (line.size() + name.size() > 96) {
      text += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + name;
  }
  return text + line + "\n";
}

std::string onnx_ops() {
  std::map<std::string, std::pair<int, int>> opsets;
  for (const onnx::OpRow& row : onnx::all_rows()) {
    const auto [place, fresh] = opsets.try_emplace(std::string(row.name), row.since, row.until);
    place->second = {std::min(place->second.first, row.since),
                     std::max(place->second.second, row.until)};
  }
  for (const char* op : {"If", "Loop", "Scan"})
    opsets[op] = {onnx::first_opset_of_control_flow(op).value(), onnx::newest_opset};
  std::set<std::string> names;
  for (const auto& [name, range] : opsets) {
    names.insert(range.first > 6 ? fmt::format("{}({}+)", name, range.first) : name);
  }
  return list(names);
}

std::string tensorflow_ops() {
  std::set<std::string> names;
  for (const auto& rows : tensorflow::row_families()) {
    for (const tensorflow::OpRow& row : rows) names.emplace(row.name);
  }
  return list(names);
}

std::string page() {
  return "# Ops\n\n"
         "Written by a test from the tables in the code; `./dev bless Docs` renews it.\n\n"
         "## Core ops\n\n"
         "What a graph consists of, whatever file it came from. [numerics.md](numerics.md) has "
         "the order of\nroundings. Numbers are all types but bool; floats are f32, f64, f16 and "
         "bf16.\n" +
         core_ops() +
         "\n## ONNX\n\n"
         "Ops that become core ops, from opset 6 to the newest that the importer knows, or from "
         "the opset in\nbrackets.\n\n" +
         onnx_ops() + "\n## TensorFlow\n\nOps of a frozen GraphDef that become core ops.\n\n" +
         tensorflow_ops();
}

std::string text_of(const std::string& page) {
  const auto bytes = read_file(std::string(INGOT_SOURCE_DIR) + "/docs/" + page);
  EXPECT_TRUE(bytes);
  if (!bytes) return {};
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

TEST(Docs, OpsPageIsWhatTheTablesSay) {
  if (std::getenv("INGOT_BLESS") != nullptr) {
    ASSERT_TRUE(
        write_file(std::string(INGOT_SOURCE_DIR) + "/docs/ops.md", std::string_view(page())));
  }
  EXPECT_EQ(page(), text_of("ops.md")) << "run ./dev bless Docs and look at git diff";
}

std::string passes_page() {
  std::string text =
      "# Passes\n\n"
      "Written by a test from the tables in the code; `./dev bless Docs` renews it. All passes "
      "are\n"
      "repeated, in the order of `compiler/passes/pipeline.cpp`, until none fires. A pass's "
      "header\n"
      "has its contract, the `.ir` file beside it what it does and where it must not fire.\n"
      "[numerics.md](numerics.md) says what the three words mean for results.\n\n"
      "| Pass | To roundings | What it does |\n|---|---|---|\n";
  for (const passes::PassInfo& pass : passes::all_passes()) {
    text += fmt::format("| `{}` | {} | {}{} |\n", pass.name, passes::name(pass.numerics),
                        pass.summary, pass.required ? "; cannot be disabled" : "");
  }
  return text;
}

TEST(Docs, PassesPageIsWhatTheTableSays) {
  if (std::getenv("INGOT_BLESS") != nullptr) {
    ASSERT_TRUE(write_file(std::string(INGOT_SOURCE_DIR) + "/docs/passes.md",
                           std::string_view(passes_page())));
  }
  EXPECT_EQ(passes_page(), text_of("passes.md")) << "run ./dev bless Docs and look at git diff";
}

/// Which classes Keras has, tests/keras/layers.py says; here, that the page and the table agree.
TEST(Docs, KerasLayersPageIsWhatTheTableSays) {
  std::map<std::string, std::string> table;
  for (const keras::Row& row : keras::layer_rows())
    table[std::string(row.name)] = row.read() ? "read" : fmt::format("refused: {}", row.reason);
  for (const keras::Alias& alias : keras::aliases()) {
    EXPECT_TRUE(table.contains(std::string(alias.of))) << alias.of;
    table[std::string(alias.name)] = fmt::format("as `{}`", alias.of);
  }
  const std::string page = text_of("keras-layers.md");
  std::size_t rows = 0;
  for (std::size_t at = page.find("\n| `"); at != std::string::npos;
       at = page.find("\n| `", at + 1)) {
    const std::string line = page.substr(at + 4, page.find('\n', at + 1) - at - 4);
    const std::size_t middle = line.find("` | ");
    ASSERT_NE(middle, std::string::npos) << line;
    const std::string name = line.substr(0, middle);
    EXPECT_EQ(line.substr(middle + 4), table[name] + " |") << name;
    ++rows;
  }
  EXPECT_GT(rows, 150U);
  for (const keras::Row& row : keras::layer_rows())
    EXPECT_NE(page.find(fmt::format("| `{}` |", row.name)), std::string::npos)
        << row.name << ": run tests/keras/layers.py --page";
}

TEST(Docs, NumericsPageNamesEveryPass) {
  const std::string page = text_of("numerics.md");
  for (const passes::PassInfo& pass : passes::all_passes())
    EXPECT_NE(page.find(fmt::format("`{}`", pass.name)), std::string::npos) << pass.name;
}

TEST(Docs, CommandLinePageHasTheExitStatusesOfTheTableAndNoOthers) {
  std::string table = "| Status | Code | When |\n|---:|---|---|\n| 0 | | all went well |\n";
#define INGOT_ERROR(code, exit, when) \
  table += fmt::format("| {} | `{}` | {} |\n", exit, #code, when);
#include "base/error.def"
#undef INGOT_ERROR
  const std::string page = text_of("cli.md");
  const std::size_t begin = page.find("| Status | Code");
  ASSERT_NE(begin, std::string::npos);
  std::size_t end = begin;
  while (end < page.size() && page[end] == '|') end = page.find('\n', end) + 1;
  EXPECT_EQ(page.substr(begin, end - begin), table);
}

TEST(Docs, CommandLinePageHasEveryKindOfRefusal) {
  const std::string page = text_of("cli.md");
#define INGOT_REFUSAL(kind, title, advice) \
  EXPECT_NE(page.find("`" #kind "`"), std::string::npos) << #kind;
#include "import/refusal.def"
#undef INGOT_REFUSAL
}

}  // namespace
}  // namespace ingot
