// SPDX-License-Identifier: Apache-2.0
// Walks the selected nodes in order and writes each as core ops.
#pragma once

#include <string_view>
#include <unordered_set>

#include "import/tensorflow/signature.h"

namespace ingot::tensorflow {

/// Sets the values of all selected nodes. `functions`: names of the graph's own functions, so that
/// calls of them are recognised. Errors: what the model breaks, at once; what is unsupported, all
/// of it in one message.
Expected<void> translate(Graph& graph, const Topology& topology, const Selection& selection,
                         const std::unordered_set<std::string_view>& functions, Values& values);

}  // namespace ingot::tensorflow
