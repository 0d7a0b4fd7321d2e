// SPDX-License-Identifier: Apache-2.0
// OpenVINO by its C interface; inputs and outputs stand in memory of ours.
#include <openvino/c/openvino.h>

#include "plugin.h"

namespace {

void check(ov_status_e status) {
  if (status == OK) return;
  const char* const message = ov_get_last_err_msg();
  std::string text = message != nullptr ? message : ov_get_error_info(status);
  if (message != nullptr) ov_free(message);
  throw std::runtime_error(text);
}

ov_element_type_e element_type(std::int32_t dtype) {
  switch (dtype) {
    case INGOT_F32:
      return F32;
    case INGOT_F64:
      return F64;
    case INGOT_F16:
      return F16;
    case INGOT_BF16:
      return BF16;
    case INGOT_I8:
      return I8;
    case INGOT_I16:
      return I16;
    case INGOT_I32:
      return I32;
    case INGOT_I64:
      return I64;
    case INGOT_U8:
      return U8;
    case INGOT_U16:
      return U16;
    case INGOT_U32:
      return U32;
    case INGOT_U64:
      return U64;
    case INGOT_BOOL:
      return BOOLEAN;
    default:
      throw std::runtime_error("an element type that OpenVINO does not have");
  }
}

// One per process, as its users are told to; its plug-ins are not unloaded at exit.
ov_core_t* core() {
  static ov_core_t* const made = [] {
    ov_core_t* result = nullptr;
    check(ov_core_create(&result));
    return result;
  }();
  return made;
}

/// An object of the library's, freed by `Free`.
template <class T, void (*Free)(T*)>
struct Object {
  T* get = nullptr;
  Object() = default;
  Object(Object&& other) noexcept : get(other.get) { other.get = nullptr; }
  ~Object() {
    if (get != nullptr) Free(get);
  }
};
using Tensor = Object<ov_tensor_t, ov_tensor_free>;

class Session {
 public:
  Session(const ingot_peer_model& model, const nlohmann::json& settings) {
    std::vector<ov_property_t> properties;
    const nlohmann::json texts = settings.at("properties");
    for (const auto& [key, value] : texts.items())
      properties.push_back({key.c_str(), value.get_ref<const std::string&>().c_str()});
    check(ov_core_compile_model_from_file_props(core(), model.path, "CPU", properties.size(),
                                                properties.data(), &compiled_.get));
    check(ov_compiled_model_create_infer_request(compiled_.get, &request_.get));
    for (std::uint32_t i = 0; i < model.input_count; ++i) bind(model.inputs[i]);
    for (std::uint32_t i = 0; i < model.output_count; ++i) {
      ingot_peer_tensor tensor = model.outputs[i];
      tensor.bytes = peer::bytes_of(tensor);
      tensor.data = memory_.emplace_back(peer::allocate(tensor.bytes)).get();
      bind(tensor);
      outputs_.push_back(tensor);
    }
  }

  void run() { check(ov_infer_request_infer(request_.get)); }

  ingot_peer_tensor output(std::uint32_t i) const { return outputs_.at(i); }

 private:
  void bind(const ingot_peer_tensor& tensor) {
    Tensor& wrapped = tensors_.emplace_back();
    ov_shape_t shape = {};
    check(ov_shape_create(tensor.rank, tensor.shape, &shape));
    const ov_status_e status = ov_tensor_create_from_host_ptr(element_type(tensor.dtype), shape,
                                                              tensor.data, &wrapped.get);
    ov_shape_free(&shape);
    check(status);
    check(ov_infer_request_set_tensor(request_.get, tensor.name, wrapped.get));
  }

  // Released from the last to the first.
  Object<ov_compiled_model_t, ov_compiled_model_free> compiled_;
  std::vector<peer::Memory> memory_;
  std::vector<Tensor> tensors_;
  Object<ov_infer_request_t, ov_infer_request_free> request_;
  std::vector<ingot_peer_tensor> outputs_;
};

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = peer::plugin<Session>("OpenVINO");
