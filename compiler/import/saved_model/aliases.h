// SPDX-License-Identifier: Apache-2.0
// Functions that were saved under a name besides the signatures: SaveOptions.function_aliases.
#pragma once

#include <string>
#include <vector>

#include "base/expected.h"
#include "import/saved_model/saved_model.pb.h"

namespace ingot::tensorflow {

/// The names, sorted.
std::vector<std::string> aliases_of(const MetaGraph& graph);

/// Makes a signature of the function that has this name: a placeholder for each of its own
/// arguments, behind them what it is bound to, and a call. Inputs have the arguments' names,
/// outputs are called output_0, output_1, .. Errors: invalid_argument where the name is that of
/// several functions; invalid_model where the function does not fit what is said of it; unsupported
/// for functions that are bound to more than variables and constants.
Expected<void> add_signature_of(MetaGraph& graph, const std::string& alias);

}  // namespace ingot::tensorflow
