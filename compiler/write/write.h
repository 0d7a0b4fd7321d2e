// SPDX-License-Identifier: Apache-2.0
// Front door of write/: from an Interface to the texts that go with an object file, and to the
// descriptor that goes into it (write/descriptor.h, made before the object).
#pragma once

#include <string>

#include "base/expected.h"
#include "write/descriptor.h"
#include "write/header.h"
#include "write/identifiers.h"
#include "write/interface.h"
#include "write/manifest.h"

namespace ingot::write {

struct Texts {
  std::string header;    // NAME.h
  std::string manifest;  // NAME.json
};

/// Errors: invalid_argument if the model's name cannot name a namespace.
Expected<Texts> write_texts(const Interface& model);

}  // namespace ingot::write
