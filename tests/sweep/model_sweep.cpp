// SPDX-License-Identifier: Apache-2.0
// Real models at N = 0, 1, 2, 3, 7, 64: the interpreter's bits on every CPU level, and each row the
// bits that it has alone. Arguments: model files, or folders with a model.json. With --pinned
// before them they are compiled with variants for 1 and 7 rows, too.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "compile.h"
#include "ir/op.h"
#include "rows.h"
#include "tools/cases.h"

namespace ingot::sweep {
namespace {

/// What a folder has for inputs that are looked up by is taken from its last data set, which has
/// most rows.
Expected<Graph> import(const std::string& path, CompileOptions& options, RowsOptions& rows) {
  if (!std::filesystem::is_directory(path)) return import_for(path, options);
  INGOT_ASSIGN(const std::vector<tools::Case> cases, tools::find_cases(path));
  options.import = cases[0].import;
  INGOT_ASSIGN(Graph graph, import_for(cases[0].model, options));
  const bool looks_up =
      std::any_of(graph.nodes().begin(), graph.nodes().end(),
                  [](const Node& node) { return node.op->kind == OpKind::index; });
  if (looks_up && !cases[0].data_sets.empty()) {
    for (const std::string& file : cases[0].data_sets.back().inputs) {
      INGOT_ASSIGN(NamedTensor input, tools::read_case_tensor(file));
      rows.inputs.push_back(std::move(input.tensor));
    }
  }
  return graph;
}

bool check(const std::string& path, bool pinned) {
  CompileOptions options;
  RowsOptions rows;
  auto graph = import(path, options, rows);
  std::vector<std::string> failures;
  if (!graph) {
    failures = {graph.error().message};
  } else {
    rows.levels = levels_of(*graph);
    if (pinned && graph->find_symbol("N") != nullptr) rows.variants = {{{"N", 1}}, {{"N", 7}}};
    failures = check_rows(*graph, rows);
    for (std::string& failure : check_passes(*graph, false, 1, rows.inputs)) {
      failures.push_back(std::move(failure));
    }
  }
  std::string levels;
  for (const int level : rows.levels) levels += fmt::format(" v{}", level);
  fmt::print("{}:{} {}\n", std::filesystem::path(path).filename().string(), levels,
             failures.empty() ? "same bits for every N and row" : "FAILED");
  for (const std::string& failure : failures) fmt::print("  {}\n", failure);
  std::fflush(stdout);
  return failures.empty();
}

}  // namespace
}  // namespace ingot::sweep

int main(int count, char** paths) {
  const bool pinned = count > 1 && std::string_view(paths[1]) == "--pinned";
  const int first = pinned ? 2 : 1;
  bool passed = count > first;
  for (int i = first; i < count; ++i) passed &= ingot::sweep::check(paths[i], pinned);
  return passed ? 0 : 1;
}
