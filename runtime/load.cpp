// SPDX-License-Identifier: Apache-2.0
#include <ingot/load.h>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

/// Whether a shared object ends before its segments do: dlopen would map what is not there, and the
/// first access to it end the program.
bool is_cut_off(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;  // dlopen says why
  struct stat status{};
  Elf64_Ehdr header{};
  bool cut = false;
  if (fstat(file, &status) == 0 && pread(file, &header, sizeof header, 0) == sizeof header &&
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      header.e_phentsize == sizeof(Elf64_Phdr)) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    for (std::uint32_t i = 0; i < header.e_phnum && !cut; ++i) {
      Elf64_Phdr segment{};
      const std::uint64_t place = header.e_phoff + std::uint64_t{i} * sizeof segment;
      cut = place > size || pread(file, &segment, sizeof segment, static_cast<off_t>(place)) !=
                                static_cast<ssize_t>(sizeof segment);
      cut = cut || segment.p_filesz > size || segment.p_offset > size - segment.p_filesz;
    }
  }
  close(file);
  return cut;
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
  std::swap(memory_, other.memory_);
  std::swap(models_, other.models_);
  std::swap(model_, other.model_);
  std::swap(variant_, other.variant_);
  std::swap(error_, other.error_);
  return *this;
}

LoadedModel::~LoadedModel() {
  if (file_ != nullptr) dlclose(file_);
  if (memory_ >= 0) close(memory_);
}

void LoadedModel::fail(const char* name, const char* what, const char* detail) noexcept {
  error_ << name << ": " << what << detail;
}

LoadedModel LoadedModel::load(const char* path, const char* model, const char* variant) noexcept {
  LoadedModel loaded;
  // dlopen looks a name without a slash up in the library path, where no model belongs.
  const std::size_t length = std::strlen(path);
  const auto local_path = try_allocate<char>(length + 3);
  if (local_path == nullptr) {
    loaded.fail(path, "out of memory");
    return loaded;
  }
  if (std::strchr(path, '/') == nullptr) std::memcpy(local_path.get(), "./", 2);
  std::memcpy(local_path.get() + std::strlen(local_path.get()), path, length);
  loaded.open(local_path.get(), path);
  loaded.choose(path, model, variant);
  return loaded;
}

LoadedModel LoadedModel::load_bytes(Span<const std::byte> file, const char* name, const char* model,
                                    const char* variant) noexcept {
  LoadedModel loaded;
  if (file.size() == 0) {
    loaded.fail(name, "is empty; the bytes of a shared object are wanted");
    return loaded;
  }
  // The kernel takes names of up to 249 bytes.
  loaded.memory_ = memfd_create(std::strlen(name) < 200 ? name : "ingot", MFD_CLOEXEC);
  for (std::size_t done = 0; loaded.memory_ >= 0 && done < file.size();) {
    const ssize_t written = write(loaded.memory_, file.data() + done, file.size() - done);
    if (written > 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      close(loaded.memory_);
      loaded.memory_ = -1;
    }
  }
  if (loaded.memory_ < 0) {
    loaded.fail(name, "cannot be put into a file in memory: ", std::strerror(errno));
    return loaded;
  }
  // dlopen takes what has the name of an open file for that file, so this descriptor, and with it
  // its number, is kept while the model is loaded.
  Text path;
  path << "/proc/self/fd/" << static_cast<std::int64_t>(loaded.memory_);
  loaded.open(path.c_str(), name);
  loaded.choose(name, model, variant);
  return loaded;
}

void LoadedModel::open(const char* path, const char* name) noexcept {
  if (is_cut_off(path)) return fail(name, "is cut off: it ends before its segments; copy it again");
  file_ = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (file_ == nullptr) {
    const char* reason = dlerror();
    return fail(name, "cannot be loaded: ", reason != nullptr ? reason : "");
  }
  const auto* list = static_cast<const ingot_model_list*>(dlsym(file_, "ingot_models"));
  if (list == nullptr) {
    return fail(name, "is no compiled model: it does not export ingot_models");
  }
  if (list->abi_major != INGOT_ABI_MAJOR) {
    return fail(name,
                "has another major version of the ABI; compile the model with this version of "
                "ingot");
  }
  if (list->struct_bytes < list_bytes_1_0 || list->count == 0 || list->models == nullptr) {
    return fail(name, "has no model in its list");
  }
  for (std::uint32_t i = 0; i < list->count; ++i) {
    if (list->models[i] == nullptr) return fail(name, "its list is damaged");
    const char* defect = descriptor_defect(*list->models[i]);
    if (defect != nullptr) return fail(name, defect);
  }
  models_ = list;
}

void LoadedModel::choose(const char* name, const char* model, const char* variant) noexcept {
  if (models_ == nullptr) return;
  const ingot_model* of_signature = nullptr;
  std::uint32_t so_signed = 0;
  for (std::uint32_t i = 0; i < models_->count && model_ == nullptr; ++i) {
    const ingot_model* one = models_->models[i];
    if (model == nullptr || std::strcmp(one->name, model) == 0) {
      model_ = one;
    } else if (std::strcmp(one->signature, model) == 0) {
      of_signature = one;
      ++so_signed;
    }
  }
  if (model_ == nullptr && so_signed == 1) model_ = of_signature;
  if (model_ == nullptr) {
    fail(name, so_signed > 1 ? "has several models of signature " : "has no model named ", model);
    error_ << "; it has";
    for (std::uint32_t i = 0; i < models_->count; ++i) error_ << " " << models_->models[i]->name;
    return;
  }
  variant_ = choose_variant(*model_, variant);
  if (variant_ == nullptr) {
    fail(name, state().message().c_str(), "; it has");
    for (std::uint32_t i = 0; i < model_->variants.count; ++i) {
      error_ << " " << item<ingot_variant>(model_->variants, i).name;
    }
  }
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
