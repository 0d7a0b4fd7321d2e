// SPDX-License-Identifier: Apache-2.0
#include "version.h"

namespace ingot {

const char* const kVersion = INGOT_VERSION;

}  // namespace ingot
