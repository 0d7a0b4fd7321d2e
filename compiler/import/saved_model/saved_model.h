// SPDX-License-Identifier: Apache-2.0
// TensorFlow's SavedModel: a folder with a graph, its functions and signatures (saved_model.pb) and
// the values of its variables (variables/).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "import/import.h"

namespace ingot {

/// Whether this folder is a SavedModel, or was one: some part of it may be missing.
bool is_saved_model(const std::string& folder);

/// Names of the signatures that `options.tag` offers, sorted. Errors: those of reading the file;
/// invalid_argument when a tag has to be named.
Expected<std::vector<std::string>> saved_model_signatures(const std::string& folder,
                                                          const ImportOptions& options);

/// The signature that the options name. Inputs and outputs are the signature's, sorted by name with
/// numbers by value (`x_2` before `x_10`); options may also name any value of the graph in which
/// calls have been replaced by what they call. Variables are constants.
///
/// Errors and thread safety are import_model's; invalid_argument when a tag or a signature has to
/// be named.
Expected<Graph> import_saved_model(const std::string& folder, const ImportOptions& options,
                                   Survey& survey);

/// The same of the bytes of a saved_model.pb; `variables` is the path of its checkpoint's files,
/// without what they end with.
Expected<Graph> import_saved_model(std::span<const std::byte> bytes, const std::string& variables,
                                   const ImportOptions& options, Survey& survey);

}  // namespace ingot
