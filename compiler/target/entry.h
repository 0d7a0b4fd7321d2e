// SPDX-License-Identifier: Apache-2.0
// The functions that the descriptor points to: what a caller reaches of a compiled model.
#pragma once

#include <llvm/IR/Function.h>

#include <vector>

#include "target/emitter.h"

namespace ingot::target {

/// A pinned plan that calls of another one may turn to, and what they call then: for Checks the
/// workspace it needs, int32_t need(symbols, threads, bytes*), as if the symbols fitted its pins;
/// for emit_run() its own entry.
struct Pinned {
  const plan::Plan* plan = nullptr;
  llvm::Function* function = nullptr;
};

/// What all instruction sets share: `workspace_bytes`, `shapes` and the check of a call's
/// arguments. They only compute sizes and are compiled for the lowest level.
class Checks {
 public:
  /// With what calls may turn to: they bring the memory for that, too.
  explicit Checks(Emitter& emitter, const std::vector<Pinned>& pinned = {});
  /// The same of a pinned plan, without what is the model's: it has `need`, and no `shapes`.
  struct OfPinned {};
  Checks(Emitter& emitter, OfPinned);
  /// int32_t check(const ingot_call*): everything of docs/abi.md that a call must fulfil.
  llvm::Function* check() const { return check_; }
  /// int32_t fail(const ingot_call*, status, where, index, position, value, limit): reports.
  llvm::Function* fail() const { return fail_; }
  /// Of a pinned plan: see Pinned.
  llvm::Function* need() const { return need_; }

 private:
  llvm::Function* fail_;
  llvm::Function* check_;
  llvm::Function* need_ = nullptr;
};

/// What a call of a blocked plan (plan::in_one_block) is made of: int32_t rows(call, arena, first,
/// last, task, threads) computes some rows, int32_t task(context, i) the i-th part of all.
struct Parallel {
  llvm::Function* rows = nullptr;
  llvm::Function* task = nullptr;
};

/// A fork: int32_t part(call, arena, own, begin, count, number, task) runs the kernels of a part,
/// in a block that begins at row `begin` and has `count`; int32_t task(context, i) runs parts as
/// long as there are some, with an arena of its own for what others don't see.
struct ForkFunctions {
  llvm::Function* part = nullptr;
  llvm::Function* task = nullptr;
};

/// What a sequence calls, by kernel id and by number of the fork.
struct Functions {
  const std::vector<llvm::Function*>& kernels;
  std::vector<ForkFunctions> forks;
};

/// How many threads a call brings, at least 1 (i64).
llvm::Value* threads_of(Emitter& emitter, llvm::Value* call);
/// How many of them get rows (i64, at least 1).
llvm::Value* tasks_for(Emitter& emitter, llvm::Value* threads);
/// How many arenas a call with so many threads needs: never fewer for more rows.
llvm::Value* slices_for(Emitter& emitter, llvm::Value* threads);
/// The bytes of each task's part of the workspace but the last one's.
llvm::Value* slice_bytes(Emitter& emitter);

llvm::Function* emit_task(Emitter& emitter, const Checks& checks, llvm::Function* rows,
                          bool probed);
/// All rows of a call: by the caller's threads, or in place. Goes on only if they all succeed.
void emit_parallel(Emitter& emitter, const Checks& checks, llvm::Value* call,
                   const Parallel& functions);

ForkFunctions emit_fork(Emitter& emitter, const Checks& checks,
                        const std::vector<llvm::Function*>& kernels, const plan::Fork& fork,
                        bool probed);
/// The parts of a fork by so many tasks of the caller's. Gives a status.
llvm::Value* split_fork(Emitter& emitter, const Checks& checks, llvm::Value* call,
                        const ForkFunctions& functions, llvm::Value* tasks, llvm::Value* slice,
                        llvm::Value* begin, llvm::Value* count);

/// `run` or `run_probed` of one instruction set: turns to the first of `pinned` that the call fits,
/// or checks the call, then calls the kernels in order.
llvm::Function* emit_run(Emitter& emitter, const Checks& checks,
                         const std::vector<llvm::Function*>& kernels, bool probed,
                         const std::vector<Pinned>& pinned = {});

}  // namespace ingot::target
