// SPDX-License-Identifier: Apache-2.0
// The parts of a Keras file: what it says of the model, and the file of variables.
#pragma once

#include "import/import.h"
#include "import/keras/layer.h"

namespace ingot::keras {

struct Document {
  std::string format;               // `Keras 3.15.1, .keras`
  bool keras2 = false;              // of that version, or of the first
  Json config;                      // the model as a layer
  std::vector<std::byte> unpacked;  // the variables, where they were in an archive
  std::unique_ptr<const VariableFile> variables;
  bool listed = false;  // variables are in lists (.h5), not in a tree
};

/// The bytes must outlive the document. Errors: invalid_model, unsupported.
Expected<Document> read_document(std::span<const std::byte> bytes);

Expected<Graph> import_document(const Document& document, const ImportOptions& options,
                                Survey& survey);

}  // namespace ingot::keras
