// SPDX-License-Identifier: Apache-2.0
// TensorFlow's frozen graphs: a serialized GraphDef in which variables have become constants.
#pragma once

#include <cstddef>
#include <span>

#include "import/import.h"

namespace ingot {

/// Inputs: the placeholders that the outputs need, in the file's order, and whatever `--input`
/// names, which may be any value of the graph (`node` or `node:k`). A PlaceholderWithDefault is its
/// default unless it is named. Outputs: `options.outputs`, else the values that depend on an input
/// and that nothing reads. Only what the outputs need is imported; a branch that a constant
/// switches off is not looked at.
///
/// Errors and thread safety are import_model's.
Expected<Graph> import_graphdef(std::span<const std::byte> bytes, const ImportOptions& options,
                                Survey& survey);

}  // namespace ingot
