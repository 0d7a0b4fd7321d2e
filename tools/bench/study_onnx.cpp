// SPDX-License-Identifier: Apache-2.0
#include "base/expected.h"
#include "import/onnx/onnx.pb.h"
#include "study.h"

namespace ingot::bench {
namespace {

namespace pb = ingot::onnx;

constexpr std::int32_t onnx_float = 1;  // TensorProto.DataType.FLOAT

void add_constant(pb::GraphProto& graph, const std::string& name, const std::vector<float>& values,
                  std::initializer_list<std::int64_t> shape) {
  pb::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx_float);
  for (const std::int64_t size : shape) tensor.add_dims(size);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
}

pb::NodeProto& add_node(pb::GraphProto& graph, const char* op, const std::string& name,
                        const std::vector<std::string>& inputs) {
  pb::NodeProto& node = *graph.add_node();
  node.set_op_type(op);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(name);
  return node;
}

void describe(pb::ValueInfoProto& port, const char* name, std::int64_t width) {
  port.set_name(name);
  auto& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_float);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  type.mutable_shape()->add_dim()->set_dim_value(width);
}

}  // namespace

std::string study_onnx(const StudyNetwork& network) {
  pb::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  pb::GraphProto& graph = *model.mutable_graph();
  graph.set_name(network.name);
  describe(*graph.add_input(), "x", StudyNetwork::inputs);
  describe(*graph.add_output(), "y", StudyNetwork::outputs);
  std::string x = "x";
  for (std::size_t i = 0; i < network.dense.size(); ++i) {
    const StudyNetwork::Dense& dense = network.dense[i];
    const std::string place = fmt::format("dense_{}", i);
    add_constant(graph, place + ".weight", dense.weights, {dense.rows, dense.columns});
    add_constant(graph, place + ".bias", dense.bias, {dense.columns});
    add_node(graph, "Gemm", place, {x, place + ".weight", place + ".bias"});
    x = place;
    if (i == network.norms.size()) break;
    const StudyNetwork::BatchNorm& norm = network.norms[i];
    const std::string at = fmt::format("norm_{}", i);
    add_constant(graph, at + ".gamma", norm.gamma, {dense.columns});
    add_constant(graph, at + ".beta", norm.beta, {dense.columns});
    add_constant(graph, at + ".mean", norm.mean, {dense.columns});
    add_constant(graph, at + ".variance", norm.variance, {dense.columns});
    pb::AttributeProto& epsilon =
        *add_node(graph, "BatchNormalization", at,
                  {x, at + ".gamma", at + ".beta", at + ".mean", at + ".variance"})
             .add_attribute();
    epsilon.set_name("epsilon");
    epsilon.set_type(pb::AttributeProto::FLOAT);
    epsilon.set_f(StudyNetwork::epsilon);
    x = fmt::format("selu_{}", i);
    add_node(graph, "Selu", x, {at});
  }
  add_node(graph, "Softmax", "y", {x});
  return model.SerializeAsString();
}

}  // namespace ingot::bench
