// SPDX-License-Identifier: Apache-2.0
// What the texts in TensorFlow's graphs usually say.
#pragma once

#include <span>
#include <string>

#include "import/tensorflow/emit.h"
#include "message_mutator.h"

namespace ingot::fuzz {

/// `root`: the message that options for the import are in.
inline MessageMutator::Words graph_words(const std::string& root) {
  MessageMutator::Words words;
  auto& ops = words.usual["NodeDef.op"];
  for (const std::span<const tensorflow::OpRow> family : tensorflow::row_families()) {
    for (const tensorflow::OpRow& row : family) ops.emplace_back(row.name);
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
  words.usual[root + ".flags"] = {
      "outputs y",    "outputs y:1",       "outputs x",      "dim N=2",     "dim N=1:8",
      "input x",      "input x=f32[N, 3]", "input w=i64[2]", "input y=f32", "input x=[2, k, 4]",
      "constant x=1", "constant w=[1, 2]", "constant b=true"};
  words.names = {"NodeDef.name", "NodeDef.input"};
  words.suffixes = {":1", ":0", "_1", ":7"};
  return words;
}

}  // namespace ingot::fuzz
