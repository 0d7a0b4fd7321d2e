// SPDX-License-Identifier: Apache-2.0
// From a module in LLVM's language to an object file: verification, LLVM's scalar passes, machine
// code. The last use of LLVM's types.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "target/target.h"

namespace ingot::target {

/// A target machine for x86-64 Linux, position independent. Functions name their own CPU.
std::unique_ptr<llvm::TargetMachine> make_machine();

/// Verifies, optimises and translates the module, which is used up.
Expected<Object> finish(llvm::Module& module, llvm::TargetMachine& machine, const Options& options);

/// The module's constant of a blob: externally visible, with its relocations put in.
void emit_blob(llvm::Module& module, const ConstantBlob& blob);

}  // namespace ingot::target
