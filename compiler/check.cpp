// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <new>

namespace ingot {
namespace {

/// Everything between import and machine code.
Expected<void> try_plan(const Graph& imported, const CompileOptions& options) {
  try {
    INGOT_ASSIGN(const Graph graph, passes::optimize(imported, options.passes));
    INGOT_TRY(plan::make_plan(graph, options.plan));
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limit, "out of memory");
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, "{}; please report it with the model", error.what());
  }
}

}  // namespace

int CheckReport::status() const {
  if (error) return exit_status(error->code);
  return survey.refused() ? exit_status(ErrorCode::unsupported) : 0;
}

CheckReport check(const std::string& model_path, const CompileOptions& options) {
  CheckReport report;
  CompileOptions watched = options;
  watched.import.survey = &report.survey;
  const Expected<Graph> graph = import_for(model_path, watched);
  if (!graph) {
    const bool told = graph.error().code == ErrorCode::unsupported && report.survey.refused();
    if (!told) report.error = graph.error();
    return report;
  }
  const Expected<void> planned = try_plan(*graph, options);
  if (planned) return report;
  if (planned.error().code == ErrorCode::unsupported) {
    report.survey.refuse({Refused::plan, "model", graph->name, {}, planned.error().message, {}});
  } else {
    report.error = planned.error();
  }
  return report;
}

}  // namespace ingot
