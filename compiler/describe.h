// SPDX-License-Identifier: Apache-2.0
// What the outside learns of a plan: the one place where descriptor, header and manifest come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compile.h"
#include "make_plans.h"
#include "write/interface.h"

namespace ingot {

/// What all models of an object have in common.
struct ObjectFacts {
  std::string name;
  std::string hash;  // provenance
  std::uint64_t weights_bytes = 0;
};

/// Of everything that decides the object's code and data, and of nothing else: no paths, no dates.
/// `text` is that of all plans.
std::string provenance(const plan::Text& text, std::span<const std::byte> weights,
                       const CompileOptions& options);

write::Interface describe(const PlannedModel& planned, const ObjectFacts& object,
                          const CompileOptions& options);

/// The interpreter's answer to the inputs that a seed stands for (<ingot/self_test.h>), at small
/// sizes. Empty where no such sizes satisfy the model's constraints, or the values are too large:
/// more than `most_elements` in all.
Expected<std::optional<plan::SelfTest>> make_self_test(const Graph& graph,
                                                       double most_elements = 0x1p28);

/// The inputs of a self-test.
Expected<std::vector<Tensor>> self_test_inputs(const Graph& graph, std::uint64_t seed,
                                               const SymbolValues& symbols);

}  // namespace ingot
