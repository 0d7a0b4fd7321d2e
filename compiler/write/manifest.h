// SPDX-License-Identifier: Apache-2.0
// NAME.json: all that is known about a compiled model, for people and tools. Nothing that runs a
// model reads it; that is what the descriptor is for.
#pragma once

#include <string>

#include "write/interface.h"

namespace ingot::write {

/// JSON, indented by two spaces, in a fixed order of keys; the same bytes for the same interface.
std::string manifest_text(const Interface& model);

}  // namespace ingot::write
