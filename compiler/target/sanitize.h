// SPDX-License-Identifier: Apache-2.0
// What LLVM's thread sanitizer pass leaves undone for code like ours.
#pragma once

#include <llvm/IR/Module.h>

namespace ingot::target {

/// Runs after LLVM's own pass, over functions that are marked for it. That pass ignores accesses of
/// more than 16 bytes and masked ones, which are most of ours: they are announced as ranges. And it
/// calls fill and copy functions by names that GCC 12's library does not have; every such library
/// intercepts the plain ones.
void complete_thread_sanitizer(llvm::Module& module);

}  // namespace ingot::target
