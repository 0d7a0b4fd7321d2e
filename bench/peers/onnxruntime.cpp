// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime by its C interface, inputs and outputs bound to memory of ours. The wheel has the
// library but no header, so the entries that are used are declared here. They stand in one struct
// of function pointers that is only ever appended to ("onnxruntime_c_api.h" of the project, version
// 1 and later), so that an entry is its place in it.
#include <array>

#include "plugin.h"

extern "C" {
struct OrtApiBase {
  const void* const* (*GetApi)(std::uint32_t version);
  const char* (*GetVersionString)();
};
const OrtApiBase* OrtGetApiBase();
}

namespace {

enum Entry : std::size_t {
  get_error_message = 2,
  create_env = 3,
  create_session = 7,
  create_session_options = 10,
  set_graph_optimization_level = 23,
  set_intra_op_threads = 24,
  set_inter_op_threads = 25,
  create_run_options = 39,
  create_tensor_with_data = 49,
  create_cpu_memory_info = 69,
  release_status = 93,
  release_memory_info = 94,
  release_session = 95,
  release_value = 96,
  release_run_options = 97,
  release_session_options = 100,
  add_session_config_entry = 130,
  run_with_binding = 133,
  create_io_binding = 134,
  release_io_binding = 135,
  bind_input = 136,
  bind_output = 137,
};

const void* const* api() {
  constexpr std::uint32_t version = 14;  // has all entries above; every later library offers it
  static const void* const* const table = OrtGetApiBase()->GetApi(version);
  if (table == nullptr) throw std::runtime_error("this library does not offer the C interface 14");
  return table;
}

template <class Function>
Function entry(Entry which) {
  return reinterpret_cast<Function>(const_cast<void*>(api()[which]));
}

/// Calls an entry that answers a status: null, or what went wrong.
template <class... Arguments>
void call(Entry which, Arguments... arguments) {
  void* const status = entry<void* (*)(Arguments...)>(which)(arguments...);
  if (status == nullptr) return;
  const std::string message = entry<const char* (*)(const void*)>(get_error_message)(status);
  entry<void (*)(void*)>(release_status)(status);
  throw std::runtime_error(message);
}

/// An object of the library's, released by the entry `Release`.
template <Entry Release>
struct Object {
  void* get = nullptr;
  Object() = default;
  Object(Object&& other) noexcept : get(other.get) { other.get = nullptr; }
  ~Object() {
    if (get != nullptr) entry<void (*)(void*)>(Release)(get);
  }
};

// ONNXTensorElementDataType, which is TensorProto.DataType, by the number in <ingot/abi.h>.
constexpr std::array<int, INGOT_BOOL + 1> element_types = {0, 1, 11, 10, 16, 3,  5,
                                                           6, 7, 2,  4,  12, 13, 9};

// One per process and never released: it owns the logger, which sessions of other plug-ins' threads
// may still use at exit.
void* environment() {
  static void* const made = [] {
    void* env = nullptr;
    constexpr int only_fatal = 4;
    call(create_env, only_fatal, "ingot", &env);
    return env;
  }();
  return made;
}

class Session {
 public:
  Session(const ingot_peer_model& model, const nlohmann::json& settings) {
    call(create_session_options, &options_.get);
    const int threads = settings.value("threads", 1);
    call(set_intra_op_threads, options_.get, threads);
    call(set_inter_op_threads, options_.get, threads);
    call(set_graph_optimization_level, options_.get,
         settings.value("graph_optimization_level", 99));
    const nlohmann::json entries = settings.value("config", nlohmann::json::object());
    for (const auto& [key, value] : entries.items()) {
      call(add_session_config_entry, options_.get, key.c_str(),
           value.get_ref<const std::string&>().c_str());
    }
    call(create_session, environment(), model.path, options_.get, &session_.get);
    call(create_run_options, &run_options_.get);
    call(create_io_binding, session_.get, &binding_.get);

    Object<release_memory_info> cpu;
    constexpr int device_allocator = 0, default_memory = 0;
    call(create_cpu_memory_info, device_allocator, default_memory, &cpu.get);
    for (std::uint32_t i = 0; i < model.input_count; ++i)
      bind(bind_input, cpu.get, model.inputs[i]);
    for (std::uint32_t i = 0; i < model.output_count; ++i) {
      ingot_peer_tensor tensor = model.outputs[i];
      tensor.bytes = peer::bytes_of(tensor);
      tensor.data = memory_.emplace_back(peer::allocate(tensor.bytes)).get();
      bind(bind_output, cpu.get, tensor);
      outputs_.push_back(tensor);
    }
  }

  void run() { call(run_with_binding, session_.get, run_options_.get, binding_.get); }

  ingot_peer_tensor output(std::uint32_t i) const { return outputs_.at(i); }

 private:
  void bind(Entry which, void* where, const ingot_peer_tensor& tensor) {
    Object<release_value>& value = values_.emplace_back();
    call(create_tensor_with_data, where, tensor.data, static_cast<std::size_t>(tensor.bytes),
         tensor.shape, static_cast<std::size_t>(tensor.rank),
         peer::element_type(element_types, tensor.dtype), &value.get);
    call(which, binding_.get, tensor.name, value.get);
  }

  // Released from the last to the first.
  Object<release_session_options> options_;
  Object<release_session> session_;
  Object<release_run_options> run_options_;
  std::vector<peer::Memory> memory_;
  std::vector<Object<release_value>> values_;
  Object<release_io_binding> binding_;
  std::vector<ingot_peer_tensor> outputs_;
};

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = peer::plugin<Session>("ONNX Runtime");
