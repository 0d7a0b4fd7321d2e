// SPDX-License-Identifier: Apache-2.0
// A graph without functions: calls become what they call, to any depth, and functional control flow
// (If, Case, While) becomes the Switch, Merge, Enter and Exit nodes that TensorFlow 1 wrote, so
// that there is one reader of both.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/expected.h"
#include "import/saved_model/functions.h"

namespace ingot::tensorflow {

struct Flat {
  /// Named like what TensorFlow makes of calls: `call/node` is a node of the function that the node
  /// `call` calls.
  GraphDef graph;
  /// Where a node of a function is written.
  struct Place {
    std::string function, node;
  };
  std::unordered_map<std::string, Place> places;
};

/// What the values of `roots` ("node:k") need. Takes the nodes out of `graph`, which is of no use
/// afterwards. Errors: invalid_model for a function that calls itself, and for what functions and
/// calls say of each other that does not fit; limit for a graph that becomes too large.
Expected<Flat> flatten(GraphDef& graph, const MetaGraph::Info::OpList& ops,
                       const std::vector<std::string>& roots);

}  // namespace ingot::tensorflow
