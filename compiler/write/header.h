// SPDX-License-Identifier: Apache-2.0
// NAME.h: a class with the model's own names, in C++17 on the standard library alone, or one for
// each model of an object. It carries the text of <ingot/abi.h> and of the headers that call
// through it, so that it needs no other file.
#pragma once

#include <span>
#include <string>

#include "write/interface.h"

namespace ingot::write {

/// The whole text. Needs: is_model_name(object), models of one hash of 32 digits and with entries
/// that are different identifiers, or a single one without, and dtypes of ingot_dtype.
std::string header_text(const std::string& object, std::span<const Interface> models);

/// Of an object of one model.
inline std::string header_text(const Interface& model) {
  return header_text(model.name, {&model, 1});
}

}  // namespace ingot::write
