// SPDX-License-Identifier: Apache-2.0
// Front door of write/: from Interfaces to the texts that go with an object file, and to the
// descriptors that go into it (write/descriptor.h, made before the object).
#pragma once

#include <span>
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

/// Of the models of an object, which is called `name`. Errors: invalid_argument if that cannot name
/// a namespace.
Expected<Texts> write_texts(const std::string& name, std::span<const Interface> models);

}  // namespace ingot::write
