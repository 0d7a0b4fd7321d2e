// SPDX-License-Identifier: Apache-2.0
// What run_probed tells the probe of a call.
#pragma once

#include <ingot/abi.h>

#include "target/abi_fields.h"
#include "target/emitter.h"

namespace ingot::target {

/// Tells the probe of a call about its kernels. `task` is the parallel task that runs them.
class Prober {
 public:
  Prober(Emitter& emitter, llvm::Value* call, llvm::Value* task, llvm::Function* fail,
         llvm::Function* function);

  /// `block` is the innermost block of rows that the kernel runs in, `loop` the innermost loop;
  /// each may be null. Answers from the function if the probe cancels the call.
  void tell(const plan::Kernel& kernel, const plan::Block* block, const plan::Block* loop,
            ingot_phase phase);

 private:
  void describe(plan::BufferId id, const plan::Block* block, std::uint64_t position);

  Emitter& e_;
  llvm::IRBuilder<>& b_;
  Fields fields_;
  llvm::Value* call_;
  llvm::Value* task_;
  llvm::Function* fail_;
  llvm::Function* function_;
  llvm::Value* probe_ = nullptr;
  llvm::Value* user_ = nullptr;
  llvm::Value* event_ = nullptr;
  llvm::Value* values_ = nullptr;
};

}  // namespace ingot::target
