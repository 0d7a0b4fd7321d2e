// SPDX-License-Identifier: Apache-2.0
// NAME.h: a class with the model's own names, in C++17 on the standard library alone. It carries
// the text of <ingot/abi.h> and of the headers that call through it, so that it needs no other
// file.
#pragma once

#include <string>

#include "write/interface.h"

namespace ingot::write {

/// The whole text. Needs: is_model_name(model.name), a hash of 32 digits, dtypes of ingot_dtype.
std::string header_text(const Interface& model);

}  // namespace ingot::write
