// SPDX-License-Identifier: Apache-2.0
#include "version.h"

namespace ingot {

const char* const project_version = INGOT_VERSION;

}  // namespace ingot
