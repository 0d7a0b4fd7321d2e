// SPDX-License-Identifier: Apache-2.0
// NAME.json: all that is known about a compiled model, for people and tools. Nothing that runs a
// model reads it; that is what the descriptor is for.
#pragma once

#include <span>
#include <string>

#include "write/interface.h"

namespace ingot::write {

/// JSON, indented by two spaces, in a fixed order of keys; the same bytes for the same interface.
std::string manifest_text(const Interface& model);

/// NAME.json of an object: of its only model, or a list of those of all its models.
std::string manifest_text(const std::string& object, std::span<const Interface> models);

}  // namespace ingot::write
