// SPDX-License-Identifier: Apache-2.0
// Calls of kernels one after the other: in the entries, in their loops over blocks of rows, and in
// the parts of forks.
#pragma once

#include "plan/plan.h"
#include "target/entry.h"
#include "target/probe.h"

namespace ingot::target {

/// Symbols and ports of a call that has been checked.
Emitter::Bindings bind_call(Emitter& emitter, llvm::Value* call, llvm::Value* arena);

/// What a function that calls kernels knows of its call.
struct Caller {
  llvm::Value* call = nullptr;
  llvm::Value* task = nullptr;     // the number of the task that it is part of (i32)
  llvm::Value* threads = nullptr;  // how many threads forks may ask for (i64)
};

/// The calls of the kernels, in a function whose symbols, arena and ports are bound.
class Sequence {
 public:
  /// `prober` may be null. `inside` is the fork that the function is a part of, or null.
  Sequence(Emitter& emitter, const Checks& checks, const Caller& caller, const Functions& functions,
           Prober* prober, const plan::Fork* inside = nullptr)
      : e_(emitter),
        checks_(checks),
        caller_(caller),
        functions_(functions),
        prober_(prober),
        inside_(inside) {}

  /// Kernels [first, last] with the blocks from number `next` on, which lie within them. `block` is
  /// the innermost one of rows around them, or null.
  void run(std::uint32_t first, std::uint32_t last, std::size_t next, const plan::Block* block);
  /// The rows, or the iterations, [first, last) of a block. `rows_of` is the innermost block of
  /// rows around it.
  void rows(std::size_t number, llvm::Value* first, llvm::Value* last,
            const plan::Block* rows_of = nullptr);

 private:
  void call(std::uint32_t id, const plan::Block* block);
  void measure(const plan::Kernel& kernel, const plan::Measure& measure);
  const Symbol& symbol_called(const std::string& name) const;
  /// A symbol's value is known from here on; leaves where constraints on it are not met.
  void settle(const std::string& symbol, llvm::Value* value);
  void forget_inside(const plan::Block& block);
  void iterate(std::size_t number, const plan::Block* rows_of);
  void iteration(std::size_t number, llvm::Value* begin, llvm::Value* count,
                 const plan::Block* rows_of);
  /// Fails with the status unless the condition holds.
  void require(llvm::Value* good, ingot_status status, ingot_where where, std::uint32_t index,
               llvm::Value* value, llvm::Value* limit);
  void fork(const plan::Fork& fork, const plan::Block* block);
  void leave_unless_ok(llvm::Value* status, const std::function<void()>& failed = {});
  void move_position(const plan::Kernel& kernel, const plan::Block& block);

  Emitter& e_;
  const Checks& checks_;
  Caller caller_;
  const Functions& functions_;
  Prober* prober_;
  const plan::Fork* inside_;
  const plan::Block* loop_ = nullptr;  // the innermost one around the kernel at hand
};

}  // namespace ingot::target
