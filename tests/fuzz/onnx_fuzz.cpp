// SPDX-License-Identifier: Apache-2.0
// ONNX models, changed as messages.
#include "import_case.h"

INGOT_FUZZ_TARGET(onnx, ingot::fuzz::import_case)

#ifdef INGOT_LIBFUZZER
#include <algorithm>

#include "import/onnx/node.h"
#include "message_format.h"

namespace ingot::fuzz {
namespace {

using namespace ingot::onnx;

MessageMutator::Words words() {
  MessageMutator::Words words;
  auto& ops = words.usual["NodeProto.op_type"];
  for (const OpRow& row : all_rows()) ops.emplace_back(row.name);
  ops.insert(ops.end(), {"If", "Loop", "Scan", "NonZero", "LSTM", "f", "g"});
  words.usual["NodeProto.domain"] = words.usual["OperatorSetIdProto.domain"] =
      words.usual["FunctionProto.domain"] = {"", "ai.onnx", "local", "com.microsoft"};
  words.usual["FunctionProto.name"] = {"f", "g", "Relu"};
  words.usual["AttributeProto.name"] = words.usual["AttributeProto.ref_attr_name"] =
      words.usual["FunctionProto.attribute"] = {"axis",
                                                "alpha",
                                                "axes",
                                                "epsilon",
                                                "mode",
                                                "beta",
                                                "shape",
                                                "value",
                                                "bias",
                                                "kernel_shape",
                                                "stash_type",
                                                "p",
                                                "output_dtype",
                                                "blocksize",
                                                "keepdims",
                                                "nearest_mode",
                                                "equation",
                                                "keep_aspect_ratio_policy",
                                                "direction",
                                                "coordinate_transformation_mode",
                                                "auto_pad",
                                                "approximate",
                                                "value_floats",
                                                "scales",
                                                "value_float",
                                                "ratio",
                                                "min",
                                                "max",
                                                "lambd",
                                                "gamma",
                                                "extrapolation_value",
                                                "cubic_coeff_a",
                                                "value_ints",
                                                "starts",
                                                "ends",
                                                "split",
                                                "perm",
                                                "pads",
                                                "output_shape",
                                                "value_int",
                                                "start",
                                                "end",
                                                "size",
                                                "rotary_embedding_dim",
                                                "num_heads",
                                                "num_groups",
                                                "k",
                                                "group",
                                                "block_size",
                                                "batch_dims",
                                                "upper",
                                                "transA",
                                                "transB",
                                                "training_mode",
                                                "select_last_index",
                                                "periodic",
                                                "noop_with_empty_axes",
                                                "is_test",
                                                "interleaved",
                                                "fmod",
                                                "exclude_outside",
                                                "detect_positive",
                                                "detect_negative",
                                                "count_include_pad",
                                                "ceil_mode",
                                                "broadcast",
                                                "antialias",
                                                "allowzero",
                                                "to",
                                                "dtype",
                                                "output_datatype",
                                                "strides",
                                                "dilations",
                                                "output_padding",
                                                "num_outputs",
                                                "saturate",
                                                "then_branch",
                                                "else_branch",
                                                "body",
                                                "storage_order",
                                                "sparse_value",
                                                "value_string"};
  words.usual["AttributeProto.s"] = {"constant",
                                     "reflect",
                                     "edge",
                                     "wrap",
                                     "nearest",
                                     "linear",
                                     "cubic",
                                     "SAME_UPPER",
                                     "SAME_LOWER",
                                     "VALID",
                                     "NOTSET",
                                     "half_pixel",
                                     "pytorch_half_pixel",
                                     "align_corners",
                                     "asymmetric",
                                     "tf_half_pixel_for_nn",
                                     "tf_crop_and_resize",
                                     "half_pixel_symmetric",
                                     "round_prefer_floor",
                                     "round_prefer_ceil",
                                     "floor",
                                     "ceil",
                                     "stretch",
                                     "not_larger",
                                     "not_smaller",
                                     "DCR",
                                     "CRD",
                                     "tanh",
                                     "none",
                                     "LEFT",
                                     "RIGHT",
                                     "ij,jk->ik",
                                     "...i,i",
                                     "bij->bji",
                                     "ii->i",
                                     "i->",
                                     "abc,cd"};
  words.usual["Dimension.dim_param"] = {"N", "k", "", "M", "unk__1", "N + 1", "2*N"};
  words.usual["StringStringEntryProto.key"] = {"location", "offset", "length", "checksum"};
  words.usual["StringStringEntryProto.value"] = {"0", "16", "-1", "x.bin", "../x.bin", "/dev/zero"};
  words.usual["ModelProto.flags"] = {
      "outputs y",         "outputs x",         "outputs w",       "dim N=2",
      "dim N=1:8",         "dim k=0",           "dim N=3:3",       "input x",
      "input x=f32[N, 3]", "input w=i64",       "input y",         "input x=[2, k, 4]",
      "constant x=1",      "constant w=[1, 2]", "constant b=true", "constant x=0.5"};
  words.names = {"NodeProto.input",  "NodeProto.output",    "ValueInfoProto.name",
                 "TensorProto.name", "FunctionProto.input", "FunctionProto.output"};
  words.suffixes = {"2", ""};
  return words;
}

/// Mends what would end an import before it begins.
class Repair {
 public:
  explicit Repair(unsigned seed) : random_(seed) {}

  void mend(ModelProto& model) {
    if (!model.has_ir_version()) model.set_ir_version(8);
    if (model.opset_import_size() == 0) model.add_opset_import()->set_version(13);
    graph(*model.mutable_graph(), {});
  }

 private:
  void graph(GraphProto& graph, std::vector<std::string> known) {
    for (const ValueInfoProto& input : graph.input()) known.push_back(input.name());
    for (const TensorProto& tensor : graph.initializer()) known.push_back(tensor.name());
    for (NodeProto& node : *graph.mutable_node()) {
      for (std::string& name : *node.mutable_input()) connect(name, known);
      for (AttributeProto& attribute : *node.mutable_attribute()) {
        set_type(attribute);
        if (attribute.has_g()) this->graph(*attribute.mutable_g(), known);
      }
      for (std::string& name : *node.mutable_output()) {
        if (name.empty() || contains(known, name)) name = "v" + std::to_string(known.size());
        known.push_back(name);
      }
    }
    for (ValueInfoProto& output : *graph.mutable_output()) connect(*output.mutable_name(), known);
  }

  void connect(std::string& name, const std::vector<std::string>& known) {
    if (name.empty() || known.empty() || contains(known, name) || random_() % 10 == 0) return;
    name = known[random_() % known.size()];
  }

  static bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  void set_type(AttributeProto& attribute) {
    if (random_() % 16 == 0) return;
    using Type = AttributeProto;
    attribute.set_type(attribute.has_t()              ? Type::TENSOR
                       : attribute.has_g()            ? Type::GRAPH
                       : attribute.has_s()            ? Type::STRING
                       : attribute.has_f()            ? Type::FLOAT
                       : attribute.has_i()            ? Type::INT
                       : attribute.floats_size() > 0  ? Type::FLOATS
                       : attribute.strings_size() > 0 ? Type::STRINGS
                                                      : Type::INTS);
  }

  std::mt19937_64 random_;
};

}  // namespace

MessageFormat message_format() {
  return {"onnx", "ModelProto", words(),
          [](const std::uint8_t* data, std::size_t size, unsigned seed) {
            ModelProto model;
            if (!model.ParsePartialFromArray(data, static_cast<int>(size))) return std::string();
            Repair(seed).mend(model);
            return model.SerializePartialAsString();
          }};
}

}  // namespace ingot::fuzz
#endif
