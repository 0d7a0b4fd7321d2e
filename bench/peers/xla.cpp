// SPDX-License-Identifier: Apache-2.0
// XLA's ahead-of-time compiler: the prepared file is a shared object (xla_aot.py) that has the
// model, XLA's runtime and a few functions. Arguments are read where they stand.
#include <dlfcn.h>

#include "plugin.h"

namespace {

class Session {
 public:
  Session(const ingot_peer_model& model, const nlohmann::json&) {
    library_.reset(::dlopen(model.path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    const auto open = find<void* (*)()>("ingot_xla_open");
    const auto close = find<void (*)(void*)>("ingot_xla_close");
    const auto argument =
        find<int (*)(void*, unsigned, const void*, unsigned long)>("ingot_xla_argument");
    run_ = find<int (*)(void*)>("ingot_xla_run");
    result_ = find<const void* (*)(void*, unsigned, unsigned long*)>("ingot_xla_result");
    net_ = {open(), close};
    for (std::uint32_t i = 0; i < model.input_count; ++i) {
      const ingot_peer_tensor& input = model.inputs[i];
      if (argument(net_.get(), i, input.data, input.bytes) != 0)
        throw std::runtime_error(std::string("the input '") + input.name + "' is of another size");
    }
    outputs_.assign(model.outputs, model.outputs + model.output_count);
  }

  void run() {
    if (run_(net_.get()) != 0) throw std::runtime_error("the compiled function failed");
  }

  ingot_peer_tensor output(std::uint32_t i) {
    ingot_peer_tensor tensor = outputs_.at(i);
    unsigned long bytes = 0;
    tensor.data = const_cast<void*>(result_(net_.get(), i, &bytes));
    tensor.bytes = bytes;
    if (tensor.data == nullptr) throw std::runtime_error("no such result");
    return tensor;
  }

 private:
  template <class Function>
  Function find(const char* name) {
    void* const symbol = ::dlsym(library_.get(), name);
    if (symbol == nullptr) throw std::runtime_error(std::string("no symbol ") + name);
    return reinterpret_cast<Function>(symbol);
  }

  struct Unload {
    void operator()(void* library) const { ::dlclose(library); }
  };
  std::unique_ptr<void, Unload> library_;
  std::unique_ptr<void, void (*)(void*)> net_{nullptr, nullptr};
  int (*run_)(void*) = nullptr;
  const void* (*result_)(void*, unsigned, unsigned long*) = nullptr;
  std::vector<ingot_peer_tensor> outputs_;
};

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = peer::plugin<Session>("XLA AOT");
