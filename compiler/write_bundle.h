// SPDX-License-Identifier: Apache-2.0
// A compiled model as files of a folder, for the command line and for <ingot/compile.h>.
#pragma once

#include <ingot/compile.h>

#include <string>
#include <vector>

#include "compile.h"

namespace ingot {

struct WrittenFile {
  std::string path;
  std::size_t bytes = 0;
};

/// Writes NAME.h, NAME.json and what `emit` asks for; makes the folder.
Expected<std::vector<WrittenFile>> write_bundle(const Bundle& bundle, const std::string& folder,
                                                compiler::Emit emit);

/// A rule of make: `made` is made from `from`.
std::string make_rule(const std::vector<std::string>& made, const std::vector<std::string>& from);

}  // namespace ingot
