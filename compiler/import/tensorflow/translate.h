// SPDX-License-Identifier: Apache-2.0
// Walks the selected nodes in order and writes each as core ops.
#pragma once

#include "import/survey.h"
#include "import/tensorflow/library.h"
#include "import/tensorflow/signature.h"

namespace ingot::tensorflow {

/// Sets the values of all selected nodes. Errors: what the model breaks, at once; what is
/// unsupported, all of it in one message, and in the survey.
Expected<void> translate(Graph& graph, const Topology& topology, const Selection& selection,
                         const Library& library, Values& values, Survey& survey);

}  // namespace ingot::tensorflow
