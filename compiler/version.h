// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ingot {

/// The project's version, as CMakeLists.txt says; part of every provenance hash.
extern const char* const project_version;

}  // namespace ingot
