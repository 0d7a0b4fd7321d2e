// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/expected.h"
#include "import/tensorflow/graphdef.pb.h"
#include "study.h"

namespace ingot::bench {
namespace {

namespace pb = ingot::tensorflow;

constexpr std::int32_t tf_float = 1;     // DT_FLOAT
constexpr std::int32_t producer = 1882;  // of TensorFlow 2.17's graphs

class Writer {
 public:
  Writer() { graph_.mutable_versions()->set_producer(producer); }

  std::string add(const char* op, const std::string& name, const std::vector<std::string>& inputs) {
    pb::NodeDef& node = start(op, name);
    for (const std::string& input : inputs) node.add_input(input);
    (*node.mutable_attr())["T"].set_type(tf_float);
    return name;
  }

  std::string placeholder(const std::string& name, std::int64_t width) {
    auto& attributes = *start("Placeholder", name).mutable_attr();
    attributes["dtype"].set_type(tf_float);
    auto& shape = *attributes["shape"].mutable_shape();
    shape.add_dim()->set_size(-1);
    shape.add_dim()->set_size(width);
    return name;
  }

  std::string constant(const std::string& name, const std::vector<float>& values,
                       std::initializer_list<std::int64_t> shape) {
    auto& attributes = *start("Const", name).mutable_attr();
    attributes["dtype"].set_type(tf_float);
    pb::TensorProto& tensor = *attributes["value"].mutable_tensor();
    tensor.set_dtype(tf_float);
    tensor.mutable_tensor_shape();
    for (const std::int64_t size : shape) tensor.mutable_tensor_shape()->add_dim()->set_size(size);
    tensor.set_tensor_content(values.data(), values.size() * sizeof(float));
    return name;
  }

  /// The same bytes for the same network: a node's attributes are a map, whose order is chance.
  std::string text() const {
    std::string text;
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    INGOT_CHECK(graph_.SerializeToCodedStream(&coded), "a network beyond 2 GB");
    coded.Trim();
    return text;
  }

 private:
  pb::NodeDef& start(const char* op, const std::string& name) {
    pb::NodeDef& node = *graph_.add_node();
    node.set_op(op);
    node.set_name(name);
    return node;
  }

  pb::GraphDef graph_;
};

}  // namespace

std::string study_graphdef(const StudyNetwork& network) {
  Writer writer;
  std::string x = writer.placeholder("x", StudyNetwork::inputs);
  for (std::size_t i = 0; i < network.dense.size(); ++i) {
    const StudyNetwork::Dense& dense = network.dense[i];
    const std::string place = fmt::format("dense_{}/", i);
    const std::string kernel =
        writer.constant(place + "kernel", dense.weights, {dense.rows, dense.columns});
    x = writer.add("MatMul", place + "MatMul", {x, kernel});
    const std::string bias = writer.constant(place + "bias", dense.bias, {dense.columns});
    x = writer.add("BiasAdd", place + "BiasAdd", {x, bias});
    if (i == network.norms.size()) break;
    // As tf.nn.batch_normalization writes it.
    const StudyNetwork::BatchNorm& norm = network.norms[i];
    const std::string at = fmt::format("batch_normalization_{}/batchnorm/", i);
    const auto vector = [&](const char* name, const std::vector<float>& values) {
      return writer.constant(at + name, values, {dense.columns});
    };
    const std::string epsilon = writer.constant(at + "add/y", {StudyNetwork::epsilon}, {});
    std::string scale =
        writer.add("AddV2", at + "add", {vector("variance", norm.variance), epsilon});
    scale = writer.add("Rsqrt", at + "Rsqrt", {scale});
    scale = writer.add("Mul", at + "mul", {scale, vector("gamma", norm.gamma)});
    x = writer.add("Mul", at + "mul_1", {x, scale});
    std::string shift = writer.add("Mul", at + "mul_2", {vector("mean", norm.mean), scale});
    shift = writer.add("Sub", at + "sub", {vector("beta", norm.beta), shift});
    x = writer.add("AddV2", at + "add_1", {x, shift});
    x = writer.add("Selu", fmt::format("activation_{}/Selu", i), {x});
  }
  writer.add("Softmax", "y", {x});
  return writer.text();
}

}  // namespace ingot::bench
