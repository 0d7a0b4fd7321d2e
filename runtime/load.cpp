// SPDX-License-Identifier: Apache-2.0
#include <ingot/load.h>

#include <dlfcn.h>

#include <cstring>
#include <utility>

namespace ingot {
namespace {

/// The sizes that version 1.0 had: what is shorter was not written by any version of it.
constexpr std::uint32_t model_bytes_1_0 = 248;
constexpr std::uint32_t list_bytes_1_0 = 24;

bool is_table(const ingot_array& array, std::uint32_t least_bytes) {
  if (array.count == 0) return true;
  return array.items != nullptr && array.item_bytes >= least_bytes && array.item_bytes % 8 == 0;
}

bool are_tensors(const ingot_array& array) {
  if (!is_table(array, 40)) return false;
  for (std::uint32_t i = 0; i < array.count; ++i) {
    const auto& info = item<ingot_tensor_info>(array, i);
    if (info.name == nullptr || !is_table(info.dims, 24)) return false;
  }
  return true;
}

bool are_variants(const ingot_array& array) {
  if (!is_table(array, 112)) return false;
  for (std::uint32_t i = 0; i < array.count; ++i) {
    const auto& variant = item<ingot_variant>(array, i);
    if (variant.name == nullptr || variant.features == nullptr || variant.run == nullptr) {
      return false;
    }
  }
  return true;
}

}  // namespace

const char* descriptor_defect(const ingot_model& model) noexcept {
  if (model.struct_bytes < model_bytes_1_0) return "its descriptor is shorter than any version's";
  if (model.abi_major != INGOT_ABI_MAJOR) {
    return "it has another major version of the ABI; compile the model with this version of ingot";
  }
  for (const char* text : {model.name, model.signature, model.source, model.version,
                           model.ingot_version, model.hash, model.workspace_formula}) {
    if (text == nullptr) return "its descriptor lacks a text";
  }
  const bool tables = is_table(model.symbols, 40) && is_table(model.constraints, 16) &&
                      is_table(model.kernels, 40) && is_table(model.self_tests, 32) &&
                      are_tensors(model.inputs) && are_tensors(model.outputs) &&
                      are_variants(model.variants);
  if (!tables) return "a table of its descriptor is damaged";
  if (model.workspace_bytes == nullptr || model.shapes == nullptr) {
    return "its descriptor lacks a function";
  }
  return nullptr;
}

LoadedModel::LoadedModel(LoadedModel&& other) noexcept { *this = std::move(other); }

LoadedModel& LoadedModel::operator=(LoadedModel&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(models_, other.models_);
  std::swap(model_, other.model_);
  std::swap(variant_, other.variant_);
  std::swap(error_, other.error_);
  return *this;
}

LoadedModel::~LoadedModel() {
  if (file_ != nullptr) dlclose(file_);
}

LoadedModel& LoadedModel::fail(const char* path, const char* what, const char* detail) noexcept {
  error_ << path << ": " << what << detail;
  return *this;
}

LoadedModel LoadedModel::load(const char* path, const char* model, const char* variant) noexcept {
  LoadedModel loaded;
  // dlopen looks a name without a slash up in the library path, where no model belongs.
  const std::size_t length = std::strlen(path);
  const auto local_path = try_allocate<char>(length + 3);
  if (local_path == nullptr) return std::move(loaded.fail(path, "out of memory"));
  if (std::strchr(path, '/') == nullptr) std::memcpy(local_path.get(), "./", 2);
  std::memcpy(local_path.get() + std::strlen(local_path.get()), path, length);

  loaded.file_ = dlopen(local_path.get(), RTLD_NOW | RTLD_LOCAL);
  if (loaded.file_ == nullptr) {
    const char* reason = dlerror();
    return std::move(loaded.fail(path, "cannot be loaded: ", reason != nullptr ? reason : ""));
  }
  const auto* list = static_cast<const ingot_model_list*>(dlsym(loaded.file_, "ingot_models"));
  if (list == nullptr) {
    return std::move(loaded.fail(path, "is no compiled model: it does not export ingot_models"));
  }
  if (list->abi_major != INGOT_ABI_MAJOR) {
    return std::move(loaded.fail(path,
                                 "has another major version of the ABI; compile the model "
                                 "with this version of ingot"));
  }
  if (list->struct_bytes < list_bytes_1_0 || list->count == 0 || list->models == nullptr) {
    return std::move(loaded.fail(path, "has no model in its list"));
  }
  for (std::uint32_t i = 0; i < list->count; ++i) {
    if (list->models[i] == nullptr) return std::move(loaded.fail(path, "its list is damaged"));
    const char* defect = descriptor_defect(*list->models[i]);
    if (defect != nullptr) return std::move(loaded.fail(path, defect));
  }
  loaded.models_ = list;
  for (std::uint32_t i = 0; i < list->count && loaded.model_ == nullptr; ++i) {
    if (model == nullptr || std::strcmp(list->models[i]->name, model) == 0) {
      loaded.model_ = list->models[i];
    }
  }
  if (loaded.model_ == nullptr) return std::move(loaded.fail(path, "has no model named ", model));
  loaded.variant_ = choose_variant(*loaded.model_, variant);
  if (loaded.variant_ == nullptr) {
    loaded.fail(path, loaded.state().message().c_str(), "; it has");
    for (std::uint32_t i = 0; i < loaded.model_->variants.count; ++i) {
      loaded.error_ << " " << item<ingot_variant>(loaded.model_->variants, i).name;
    }
  }
  return loaded;
}

Status LoadedModel::state() const noexcept {
  if (model_ == nullptr) return {INGOT_NOT_LOADED, nullptr};
  return {variant_ == nullptr ? INGOT_NO_VARIANT : INGOT_OK, model_};
}

Status LoadedModel::workspace_bytes(Span<const std::int64_t> symbols, std::uint32_t threads,
                                    std::uint64_t& bytes) const noexcept {
  bytes = 0;
  if (!ok()) return state();
  return ingot::workspace_bytes(*model_, variant_, symbols, threads, bytes);
}

Status LoadedModel::run(ingot_call& call) const noexcept {
  if (!ok()) return state();
  return run_call(*model_, variant_, call);
}

Status LoadedModel::self_test() const noexcept {
  if (!ok()) return state();
  return ingot::self_test(*model_, variant_);
}

}  // namespace ingot
