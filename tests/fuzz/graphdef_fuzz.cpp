// SPDX-License-Identifier: Apache-2.0
// Frozen GraphDefs, changed as messages.
#include "import_case.h"

INGOT_FUZZ_TARGET(graphdef, ingot::fuzz::import_case)

#ifdef INGOT_LIBFUZZER
#include <algorithm>

#include "graph_words.h"
#include "import/tensorflow/graphdef.pb.h"
#include "message_format.h"

namespace ingot::fuzz {
namespace {

using namespace ingot::tensorflow;

/// Mends what would end an import before it begins: two nodes of one name, operands that are none.
void mend(GraphDef& graph, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> known;
  for (NodeDef& node : *graph.mutable_node()) {
    for (std::string& input : *node.mutable_input()) {
      const std::size_t start = input.starts_with("^") ? 1 : 0;
      const std::string name = input.substr(start, input.find(':') - start);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (known.empty() || random() % 10 == 0) continue;
      input = known[random() % known.size()];
    }
    std::string& name = *node.mutable_name();
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end())
      name = "v" + std::to_string(known.size());
    known.push_back(name);
  }
}

}  // namespace

MessageFormat message_format() {
  return {"graphdef", "GraphDef", graph_words("GraphDef"),
          [](const std::uint8_t* data, std::size_t size, unsigned seed) {
            GraphDef graph;
            if (!graph.ParsePartialFromArray(data, static_cast<int>(size))) return std::string();
            mend(graph, seed);
            return graph.SerializePartialAsString();
          }};
}

}  // namespace ingot::fuzz
#endif
