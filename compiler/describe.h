// SPDX-License-Identifier: Apache-2.0
// What the outside learns of a plan: the one place where descriptor, header and manifest come from.
#pragma once

#include <string>
#include <vector>

#include "compile.h"
#include "passes/pass.h"
#include "plan/pin.h"
#include "plan/print.h"
#include "write/interface.h"

namespace ingot {

/// `text` is that of all plans.
write::Interface describe(const plan::Plans& plans, const plan::Text& text,
                          const std::vector<passes::Applied>& log, const CompileOptions& options,
                          const std::string& source);

/// The interpreter's answer to the inputs that a seed stands for (<ingot/self_test.h>), at small
/// sizes. Empty where no such sizes satisfy the model's constraints, or the values are too large:
/// more than `most_elements` in all.
Expected<std::optional<plan::SelfTest>> make_self_test(const Graph& graph,
                                                       double most_elements = 0x1p28);

/// The inputs of a self-test.
Expected<std::vector<Tensor>> self_test_inputs(const Graph& graph, std::uint64_t seed,
                                               const SymbolValues& symbols);

}  // namespace ingot
