// SPDX-License-Identifier: Apache-2.0
// From the models of an object to all their plans: of each the general one and the pinned ones,
// over one section of weights.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compile.h"
#include "passes/pass.h"
#include "plan/pin.h"
#include "plan/print.h"

namespace ingot {

struct PlannedModel {
  plan::Plans plans;
  std::vector<passes::Applied> log;
  std::string entry, source, signature;
  std::vector<unsigned> kernel_lines;  // in the text of all plans
};

struct PlannedObject {
  std::string name;
  std::vector<PlannedModel> models;
  std::vector<std::byte> weights;
  plan::Text text;  // of all plans
};

/// Of a single source without an entry the object has the model's name; with several, models are
/// named after object and entry. With `self_tests` the plans have some.
Expected<PlannedObject> make_plans(const std::string& name, const std::vector<Source>& sources,
                                   const CompileOptions& options, bool self_tests);

}  // namespace ingot
