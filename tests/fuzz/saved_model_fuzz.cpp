// SPDX-License-Identifier: Apache-2.0
// SavedModels, changed as messages: signatures, functions, and what variables are bound to.
#include "import_case.h"

INGOT_FUZZ_TARGET(saved_model, ingot::fuzz::import_saved_case)

#ifdef INGOT_LIBFUZZER
#include <algorithm>

#include "graph_words.h"
#include "import/saved_model/saved_model.pb.h"
#include "message_format.h"

namespace ingot::fuzz {
namespace {

using namespace ingot::tensorflow;

MessageMutator::Words words() {
  MessageMutator::Words words = graph_words("SavedModel");
  auto& ops = words.usual["NodeDef.op"];
  ops.insert(ops.end(),
             {"PartitionedCall", "If", "StatelessIf", "While", "StatelessWhile", "Case",
              "VarHandleOp", "AssignVariableOp", "TensorListReserve", "TensorListSetItem",
              "TensorListGetItem", "TensorListStack", "TensorListFromTensor", "HashTableV2"});
  words.usual["AttrEntry.key"].insert(words.usual["AttrEntry.key"].end(),
                                      {"f", "cond", "body", "then_branch", "else_branch",
                                       "branches", "Tin", "Tout", "Tcond", "element_dtype"});
  words.usual["SavedModel.flags"].insert(words.usual["SavedModel.flags"].end(),
                                         {"tag serve", "tag train", "signature serving_default"});
  words.names.insert({"OpDef.name", "NameAttrList.name", "RetEntry.value", "TensorInfo.name"});
  words.suffixes.insert(words.suffixes.end(), {":output:0", ":output:1", ":y:0", ":z:0"});
  return words;
}

/// Of a graph or a function: names that no node has become those of nodes before.
template <class Nodes>
void mend(Nodes& nodes, std::vector<std::string> known, std::mt19937_64& random) {
  for (NodeDef& node : nodes) {
    for (std::string& input : *node.mutable_input()) {
      const std::size_t start = input.starts_with("^") ? 1 : 0;
      const std::string name = input.substr(start, input.find(':') - start);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (known.empty() || random() % 10 == 0) continue;
      const std::size_t colon = std::min(input.find(':'), input.size());
      input = known[random() % known.size()] + input.substr(colon);
    }
    std::string& name = *node.mutable_name();
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end())
      name = "v" + std::to_string(known.size());
    known.push_back(name);
  }
}

}  // namespace

MessageFormat message_format() {
  return {
      "saved_model", "SavedModel", words(),
      [](const std::uint8_t* data, std::size_t size, unsigned seed) {
        SavedModel model;
        if (!model.ParsePartialFromArray(data, static_cast<int>(size))) return std::string();
        std::mt19937_64 random(seed);
        for (MetaGraph& graph : *model.mutable_meta_graphs()) {
          mend(*graph.mutable_graph_def()->mutable_node(), {}, random);
          for (FunctionDef& f : *graph.mutable_graph_def()->mutable_library()->mutable_function()) {
            std::vector<std::string> known;
            for (const auto& argument : f.signature().input_arg()) known.push_back(argument.name());
            mend(*f.mutable_node_def(), std::move(known), random);
          }
        }
        return model.SerializePartialAsString();
      }};
}

}  // namespace ingot::fuzz
#endif
