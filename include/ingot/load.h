// SPDX-License-Identifier: Apache-2.0
// Opens a compiled model that was written as NAME.so and calls it through the C ABI. For programs
// that learn at run time which model to use; others link NAME.o and include NAME.h.
// Needs libc and libdl. Nothing throws, failures are values.
#pragma once

#include <ingot/face.h>

#include <cstdint>

namespace ingot {

/// A model of an open file with the variant that calls take. Movable; the file is closed with the
/// last LoadedModel of it, which must outlive every Status, name and pointer that came from it.
/// All const members may be called by any number of threads at the same time.
class LoadedModel {
 public:
  /// Nothing loaded: ok() is false.
  LoadedModel() noexcept = default;
  LoadedModel(LoadedModel&& other) noexcept;
  LoadedModel& operator=(LoadedModel&& other) noexcept;
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  ~LoadedModel();

  /// Opens the file at `path`, which is never looked up in the library path. A shared object can
  /// run code when it is opened: a compiled model does not, but do not open a file that you do not
  /// trust. `model`: the name of one of its models, or the signature that only one of them has;
  /// null for the first. `variant`: as choose_variant() takes it, null for the best. If that fails
  /// ok() is false and error() says why.
  static LoadedModel load(const char* path, const char* model = nullptr,
                          const char* variant = nullptr) noexcept;

  /// The same for a shared object whose bytes are in memory, which may be freed afterwards: no file
  /// is made. `name` stands for the path in messages and, as /memfd:NAME, in the process' list of
  /// mappings; tools that look at a process later, perf for one, find no symbols there. Needs a
  /// mounted /proc.
  static LoadedModel load_bytes(Span<const std::byte> file, const char* name,
                                const char* model = nullptr,
                                const char* variant = nullptr) noexcept;

  bool ok() const noexcept { return model_ != nullptr && variant_ != nullptr; }
  /// What went wrong, "" if nothing did.
  const Text& error() const noexcept { return error_; }

  /// How many models the file has, and each of them. Needs: i < model_count().
  std::uint32_t model_count() const noexcept { return models_ != nullptr ? models_->count : 0; }
  const ingot_model& model(std::uint32_t i) const noexcept { return *models_->models[i]; }

  /// The model and the variant that were chosen; also there when only the variant is missing.
  const ingot_model* descriptor() const noexcept { return model_; }
  const ingot_variant* variant() const noexcept { return variant_; }

  /// These answer INGOT_NOT_LOADED or INGOT_NO_VARIANT when not ok().
  Status workspace_bytes(Span<const std::int64_t> symbols, std::uint32_t threads,
                         std::uint64_t& bytes) const noexcept;
  /// `call` as make_call() and add_options() fill it; its member `error` is used and cleared.
  Status run(ingot_call& call) const noexcept;
  Status self_test() const noexcept;

 private:
  void open(const char* path, const char* name) noexcept;
  void choose(const char* name, const char* model, const char* variant) noexcept;
  void fail(const char* name, const char* what, const char* detail = "") noexcept;
  Status state() const noexcept;

  void* file_ = nullptr;
  int memory_ = -1;  // what file_ was opened from, if that has no path
  const ingot_model_list* models_ = nullptr;
  const ingot_model* model_ = nullptr;
  const ingot_variant* variant_ = nullptr;
  Text error_;
};

/// Is `model` one that this version can read: null, or the reason why not.
const char* descriptor_defect(const ingot_model& model) noexcept;

}  // namespace ingot
