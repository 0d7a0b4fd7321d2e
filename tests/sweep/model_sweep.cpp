// SPDX-License-Identifier: Apache-2.0
// Real models at N = 0, 1, 2, 3, 7, 64: the interpreter's bits on every CPU level, and each row the
// bits that it has alone. Arguments: model files, or folders with a model.json.
#include <cstdio>
#include <filesystem>

#include "compile.h"
#include "rows.h"
#include "tools/cases.h"

namespace ingot::sweep {
namespace {

Expected<Graph> import(const std::string& path, CompileOptions& options) {
  if (!std::filesystem::is_directory(path)) return import_for(path, options);
  INGOT_ASSIGN(const std::vector<tools::Case> cases, tools::find_cases(path));
  options.import = cases[0].import;
  return import_for(cases[0].model, options);
}

bool check(const std::string& path) {
  CompileOptions options;
  auto graph = import(path, options);
  std::vector<std::string> failures;
  RowsOptions rows;
  if (!graph) {
    failures = {graph.error().message};
  } else {
    rows.levels = levels_of(*graph);
    failures = check_rows(*graph, rows);
    for (std::string& failure : check_passes(*graph, false, 1)) {
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
  bool passed = count > 1;
  for (int i = 1; i < count; ++i) passed &= ingot::sweep::check(paths[i]);
  return passed ? 0 : 1;
}
