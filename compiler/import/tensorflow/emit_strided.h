// SPDX-License-Identifier: Apache-2.0
// Rows that stand in a file of their own.
#pragma once

#include "import/tensorflow/emit.h"

namespace ingot::tensorflow {

std::vector<ValueId> strided_slice(NodeContext& n);
std::vector<ValueId> slice(NodeContext& n);

}  // namespace ingot::tensorflow
