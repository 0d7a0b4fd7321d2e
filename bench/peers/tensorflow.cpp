// SPDX-License-Identifier: Apache-2.0
// TensorFlow by its C interface: TF_SessionRun on tensors that stand in memory of ours.
#include <tensorflow/c/c_api.h>

#include <fstream>
#include <iterator>

#include "plugin.h"

namespace {

struct Delete {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
  void operator()(TF_Graph* graph) const { TF_DeleteGraph(graph); }
  void operator()(TF_SessionOptions* options) const { TF_DeleteSessionOptions(options); }
  void operator()(TF_ImportGraphDefOptions* options) const {
    TF_DeleteImportGraphDefOptions(options);
  }
  void operator()(TF_Buffer* buffer) const { TF_DeleteBuffer(buffer); }
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
template <class T>
using Owned = std::unique_ptr<T, Delete>;

class Status {
 public:
  TF_Status* get() { return status_.get(); }
  void check() const {
    if (TF_GetCode(status_.get()) != TF_OK) throw std::runtime_error(TF_Message(status_.get()));
  }

 private:
  Owned<TF_Status> status_{TF_NewStatus()};
};

TF_DataType element_type(std::int32_t dtype) {
  switch (dtype) {
    case INGOT_F32:
      return TF_FLOAT;
    case INGOT_F64:
      return TF_DOUBLE;
    case INGOT_F16:
      return TF_HALF;
    case INGOT_BF16:
      return TF_BFLOAT16;
    case INGOT_I8:
      return TF_INT8;
    case INGOT_I16:
      return TF_INT16;
    case INGOT_I32:
      return TF_INT32;
    case INGOT_I64:
      return TF_INT64;
    case INGOT_U8:
      return TF_UINT8;
    case INGOT_U16:
      return TF_UINT16;
    case INGOT_U32:
      return TF_UINT32;
    case INGOT_U64:
      return TF_UINT64;
    case INGOT_BOOL:
      return TF_BOOL;
    default:
      throw std::runtime_error("an element type that TensorFlow does not have");
  }
}

/// The bytes of a ConfigProto (tensorflow/core/protobuf/config.proto), for which the C interface
/// has no other form. The settings hold them as field numbers and values, outermost first.
std::string message(const nlohmann::json& fields) {
  std::string bytes;
  const auto varint = [&](std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes.push_back(static_cast<char>(value | 128));
    bytes.push_back(static_cast<char>(value));
  };
  for (const nlohmann::json& field : fields) {
    const std::uint64_t number = field.at(0);
    const nlohmann::json& value = field.at(1);
    if (value.is_number()) {
      varint(number << 3);
      varint(static_cast<std::uint64_t>(value.get<std::int64_t>()));
    } else {
      const std::string text = value.is_string() ? value.get<std::string>() : message(value);
      varint(number << 3 | 2);
      varint(text.size());
      bytes += text;
    }
  }
  return bytes;
}

class Session {
 public:
  Session(const ingot_peer_model& model, const nlohmann::json& settings) {
    std::ifstream file(model.path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw std::runtime_error(std::string("cannot read ") + model.path);
    const Owned<TF_Buffer> graph_def(TF_NewBufferFromString(bytes.data(), bytes.size()));
    const Owned<TF_ImportGraphDefOptions> import(TF_NewImportGraphDefOptions());
    TF_GraphImportGraphDef(graph_.get(), graph_def.get(), import.get(), status_.get());
    status_.check();

    const Owned<TF_SessionOptions> options(TF_NewSessionOptions());
    const std::string config = message(settings.at("config"));
    TF_SetConfig(options.get(), config.data(), config.size(), status_.get());
    status_.check();
    session_ = TF_NewSession(graph_.get(), options.get(), status_.get());
    status_.check();

    for (std::uint32_t i = 0; i < model.input_count; ++i) {
      const ingot_peer_tensor& input = model.inputs[i];
      inputs_.push_back(find(input.name));
      values_.emplace_back(TF_NewTensor(
          element_type(input.dtype), input.shape, static_cast<int>(input.rank), input.data,
          static_cast<std::size_t>(input.bytes), [](void*, std::size_t, void*) {}, nullptr));
      if (!values_.back()) throw std::runtime_error("TensorFlow made no tensor of the input");
      fed_.push_back(values_.back().get());
    }
    for (std::uint32_t i = 0; i < model.output_count; ++i) {
      described_.push_back(model.outputs[i]);
      outputs_.push_back(find(model.outputs[i].name));
    }
    results_.resize(outputs_.size());
  }

  ~Session() {
    if (session_ == nullptr) return;
    TF_CloseSession(session_, status_.get());
    TF_DeleteSession(session_, status_.get());
  }

  void run() {
    for (Owned<TF_Tensor>& result : results_) result.reset();
    fetched_.assign(outputs_.size(), nullptr);
    TF_SessionRun(session_, nullptr, inputs_.data(), fed_.data(), static_cast<int>(fed_.size()),
                  outputs_.data(), fetched_.data(), static_cast<int>(outputs_.size()), nullptr, 0,
                  nullptr, status_.get());
    status_.check();
    for (std::size_t i = 0; i < fetched_.size(); ++i) results_[i].reset(fetched_[i]);
  }

  ingot_peer_tensor output(std::uint32_t i) {
    const TF_Tensor* result = results_.at(i).get();
    ingot_peer_tensor tensor = described_.at(i);
    if (result == nullptr || TF_TensorType(result) != element_type(tensor.dtype))
      throw std::runtime_error("no such result");
    shape_.clear();
    for (int d = 0; d < TF_NumDims(result); ++d) shape_.push_back(TF_Dim(result, d));
    tensor.rank = static_cast<std::uint32_t>(shape_.size());
    tensor.shape = shape_.data();
    tensor.data = TF_TensorData(result);
    tensor.bytes = TF_TensorByteSize(result);
    return tensor;
  }

 private:
  /// `NODE` or `NODE:INDEX`.
  TF_Output find(std::string name) {
    int index = 0;
    if (const std::size_t colon = name.rfind(':'); colon != std::string::npos) {
      index = std::atoi(name.c_str() + colon + 1);
      name.resize(colon);
    }
    TF_Operation* const operation = TF_GraphOperationByName(graph_.get(), name.c_str());
    if (operation == nullptr || index >= TF_OperationNumOutputs(operation))
      throw std::runtime_error("the graph has no '" + name + "'");
    return {operation, index};
  }

  Status status_;
  Owned<TF_Graph> graph_{TF_NewGraph()};
  TF_Session* session_ = nullptr;
  std::vector<TF_Output> inputs_, outputs_;
  std::vector<Owned<TF_Tensor>> values_, results_;
  std::vector<TF_Tensor*> fed_, fetched_;
  std::vector<ingot_peer_tensor> described_;
  std::vector<std::int64_t> shape_;
};

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = peer::plugin<Session>("TensorFlow");
