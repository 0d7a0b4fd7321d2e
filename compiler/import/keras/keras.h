// SPDX-License-Identifier: Apache-2.0
// Keras' own files: .keras of version 3 (a zip archive of JSON and HDF5) and .h5 of all versions.
#pragma once

#include <span>

#include "import/import.h"

namespace ingot {

/// Which of the two it is, the bytes tell. Variables are read as they are needed; nothing is
/// written anywhere, and no Python code in the file is run. Layers that can't be compiled are
/// refused, all in one go. Errors: as import_model.
Expected<Graph> import_keras(std::span<const std::byte> bytes, const ImportOptions& options,
                             Survey& survey);

}  // namespace ingot
