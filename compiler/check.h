// SPDX-License-Identifier: Apache-2.0
// Whether a model can be compiled, and if not, everything that stands in the way. It runs the
// import, the passes and the planner themselves, so that it can't say anything else than they do.
#pragma once

#include <optional>
#include <string>

#include "compile.h"
#include "import/survey.h"

namespace ingot {

struct CheckReport {
  Survey survey;
  /// Where the check could not go on, for another reason than what the survey refuses: a damaged
  /// file, a missing flag.
  std::optional<Error> error;

  bool compiles() const { return !error && !survey.refused(); }
  /// What `ingot compile` would end with.
  int status() const;
};

/// Thread-safe.
CheckReport check(const std::string& model_path, const CompileOptions& options);

}  // namespace ingot
