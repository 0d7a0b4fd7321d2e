// SPDX-License-Identifier: Apache-2.0
// Variants of a compiled model as contenders, and what each of their kernels takes.
#pragma once

#include <ingot/load.h>

#include "contender.h"
#include "report.h"

namespace ingot::bench {

/// What a call of a loaded model answered, as an error of code `runtime`.
inline Expected<void> expected(const Status& status) {
  if (status.ok()) return {};
  return fail(ErrorCode::runtime, "{}", status.message().c_str());
}

/// Of a tensor whose true sizes are smaller than it is: its elements, densely at its start.
Tensor first_elements(const Tensor& whole, std::vector<std::int64_t> shape);

class Threads;

/// Called by one thread, as all contenders are; a call itself runs on as many as were asked for.
class CompiledContender : public Contender {
 public:
  /// `so`: a file. `variant`: "v3".
  static Expected<std::unique_ptr<CompiledContender>> open(const std::string& so,
                                                           const std::string& variant,
                                                           const Question& question,
                                                           std::uint32_t threads);
  ~CompiledContender() override;

  Expected<void> run() override;
  Expected<std::vector<Tensor>> outputs() override;

  const ingot_model& model() const { return *model_.descriptor(); }

  /// What each kernel takes: medians of probed calls, for about `seconds`, with the probe's own
  /// time taken off. Needs: one thread.
  Expected<Profile> profile(const Machine& machine, double seconds);

 private:
  CompiledContender();
  /// Of the last call; sizes that data give, as they turned out.
  SymbolValues true_sizes() const;

  LoadedModel model_;
  std::string variant_;
  std::vector<std::int64_t> symbols_;
  std::vector<std::int64_t> truth_;  // of the symbols, after a call
  std::vector<TensorType> declared_;
  std::vector<Tensor> outputs_;
  std::vector<ingot_tensor> tensors_;
  std::vector<std::byte> workspace_;
  ingot_call call_{};
  std::unique_ptr<Threads> threads_;
};

/// Sets the kernel's limit. `weights`, `others`: where its weights and its other bytes come from,
/// null where that is not known; `peak_gflops`: 0 likewise.
void set_limit(KernelFigures& kernel, double peak_gflops, const Machine::Level* weights,
               const Machine::Level* others);

/// The engine "ingot-v4" of a compiled model.
std::unique_ptr<Engine> compiled_engine(std::string so, const std::string& variant,
                                        std::uint32_t threads);

}  // namespace ingot::bench
