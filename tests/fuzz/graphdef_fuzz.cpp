// SPDX-License-Identifier: Apache-2.0
// Frozen GraphDefs, changed as messages.
#include "import_case.h"

INGOT_FUZZ_TARGET(graphdef, ingot::fuzz::import_case)

#ifdef INGOT_LIBFUZZER
#include <algorithm>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "message_format.h"

namespace ingot::fuzz {
namespace {

using namespace ingot::tensorflow;

MessageMutator::Words words() {
  MessageMutator::Words words;
  auto& ops = words.usual["NodeDef.op"];
  for (const std::span<const OpRow> family : row_families()) {
    for (const OpRow& row : family) ops.emplace_back(row.name);
  }
  ops.insert(ops.end(), {"Placeholder", "Const", "NoOp", "Assert", "Switch", "Merge", "Enter",
                         "VariableV2", "ReadVariableOp", "Where", "f", "StatefulPartitionedCall"});
  words.usual["AttrEntry.key"] = {"DstT",
                                  "adj_x",
                                  "adj_y",
                                  "align_corners",
                                  "alpha",
                                  "axis",
                                  "batch_dims",
                                  "begin_mask",
                                  "beta",
                                  "bias",
                                  "block_size",
                                  "data_format",
                                  "depth_radius",
                                  "dilations",
                                  "ellipsis_mask",
                                  "end_mask",
                                  "epsilon",
                                  "equation",
                                  "explicit_paddings",
                                  "half_pixel_centers",
                                  "is_training",
                                  "keep_dims",
                                  "ksize",
                                  "max",
                                  "min",
                                  "mode",
                                  "narrow_range",
                                  "new_axis_mask",
                                  "num",
                                  "num_bits",
                                  "num_split",
                                  "out_type",
                                  "padding",
                                  "shape",
                                  "shrink_axis_mask",
                                  "squeeze_dims",
                                  "strides",
                                  "transpose_a",
                                  "transpose_b",
                                  "dtype",
                                  "value",
                                  "T",
                                  "N",
                                  "SrcT",
                                  "Tidx"};
  words.usual["AttrValue.s"] = {"NHWC",     "NCHW",    "NDHWC",     "SAME",      "VALID",
                                "EXPLICIT", "REFLECT", "SYMMETRIC", "ij,jk->ik", "abc,cd",
                                "ii->i",    "...i,i",  "MIN_FIRST"};
  words.usual["OpDef.name"] = words.usual["NameAttrList.name"] = {"f", "Relu"};
  words.usual["GraphDef.flags"] = {
      "outputs y",    "outputs y:1",       "outputs x",      "dim N=2",     "dim N=1:8",
      "input x",      "input x=f32[N, 3]", "input w=i64[2]", "input y=f32", "input x=[2, k, 4]",
      "constant x=1", "constant w=[1, 2]", "constant b=true"};
  words.names = {"NodeDef.name", "NodeDef.input"};
  words.suffixes = {":1", ":0", "_1", ":7"};
  return words;
}

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
  return {"graphdef", "GraphDef", words(),
          [](const std::uint8_t* data, std::size_t size, unsigned seed) {
            GraphDef graph;
            if (!graph.ParsePartialFromArray(data, static_cast<int>(size))) return std::string();
            mend(graph, seed);
            return graph.SerializePartialAsString();
          }};
}

}  // namespace ingot::fuzz
#endif
