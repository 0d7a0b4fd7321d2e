// SPDX-License-Identifier: Apache-2.0
// The functions that the descriptor points to: what a caller reaches of a compiled model.
#pragma once

#include <llvm/IR/Function.h>

#include <vector>

#include "target/emitter.h"

namespace ingot::target {

/// What all instruction sets share: `workspace_bytes`, `shapes` and the check of a call's
/// arguments. They only compute sizes and are compiled for the lowest level.
class Checks {
 public:
  explicit Checks(Emitter& emitter);
  /// int32_t check(const ingot_call*): everything of docs/abi.md that a call must fulfil.
  llvm::Function* check() const { return check_; }
  /// int32_t fail(const ingot_call*, status, where, index, position, value, limit): reports.
  llvm::Function* fail() const { return fail_; }

 private:
  llvm::Function* fail_;
  llvm::Function* check_;
};

/// `run` or `run_probed` of one instruction set: checks the call, then calls the kernels in order.
llvm::Function* emit_run(Emitter& emitter, const Checks& checks,
                         const std::vector<llvm::Function*>& kernels, bool probed);

}  // namespace ingot::target
