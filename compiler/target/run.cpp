// SPDX-License-Identifier: Apache-2.0
// `run` and `run_probed`: a checked call becomes the kernels' arguments, and the kernels run in
// order, in blocks of rows where the plan has such. Only run_probed knows of probes.
#include <cstddef>

#include "plan/blocks.h"
#include "plan/pin.h"
#include "target/abi_fields.h"
#include "target/entry.h"
#include "target/sequence.h"
#include "target/target.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// The call's workspace from its first multiple of 64 on.
Value* arena_of(Emitter& e, Value* call) {
  llvm::IRBuilder<>& b = e.build;
  Value* workspace = Fields(e).pointer(call, offsetof(ingot_call, workspace));
  Value* up = b.CreateInBoundsGEP(b.getInt8Ty(), workspace, b.getInt64(63));
  return b.CreateIntrinsic(llvm::Intrinsic::ptrmask, {b.getPtrTy(), b.getInt64Ty()},
                           {up, e.number(-64)});
}

/// A caller that asks for them gets the symbols' true values.
void report_symbols(Emitter& e, Value* call, const std::vector<Value*>& symbols) {
  if (symbols.empty()) return;
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  Value* bytes = fields.word(call, offsetof(ingot_call, struct_bytes));
  e.when(b.CreateICmpUGE(bytes, b.getInt64(offsetof(ingot_call, true_symbols) + 8)), [&] {
    Value* truth = fields.pointer(call, offsetof(ingot_call, true_symbols));
    e.when(b.CreateIsNotNull(truth), [&] {
      for (std::size_t i = 0; i < symbols.size(); ++i) fields.set(symbols[i], truth, 8 * i);
    });
  });
}

/// int32_t rows(call, arena, first, last, task, threads): the rows [first, last) of the outermost
/// block, for plans whose kernels all stand in it; `threads` is for forks.
llvm::Function* emit_rows(Emitter& e, const Checks& checks, const Functions& functions,
                          bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* word = b.getInt64Ty();
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(
          b.getInt32Ty(), {b.getPtrTy(), b.getPtrTy(), word, word, b.getInt32Ty(), word}, false),
      fmt::format("{}.{}.v{}", e.plan.name, probed ? "rows_probed" : "rows", e.isa.level));
  e.describe(function, probed ? "rows_probed" : "rows", 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  Value* call = function->getArg(0);
  e.bind(function, bind_call(e, call, function->getArg(1)));
  std::optional<Prober> prober;
  if (probed) prober.emplace(e, call, function->getArg(4), checks.fail(), function);
  Sequence(e, checks, {call, function->getArg(4), function->getArg(5)}, functions,
           prober ? &*prober : nullptr)
      .rows(0, function->getArg(2), function->getArg(3));
  b.CreateRet(b.getInt32(INGOT_OK));
  return function;
}

/// Whether threads would share the rows of a call of `whole` that `pinned` computes on one.
bool splits_rows(const plan::Plan& whole, const plan::Plan& pinned) {
  if (!plan::in_one_block(whole) || plan::in_one_block(pinned)) return false;
  for (const std::uint32_t i : plan::pins_of(pinned)) {
    const Symbol& symbol = pinned.symbols[i];
    if (whole.blocks[0].extent == Dim::symbol(symbol.name)) return symbol.range.hi > 1;
  }
  return true;
}

/// Leaves the function by the first of `pinned` that the call fits. Each checks its calls itself;
/// here only what is read must be there.
void turn_to_pinned(Emitter& e, Value* call, const std::vector<Pinned>& pinned) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(b.getContext(), name, e.function());
  };
  auto* otherwise = block("general");
  const auto go_on_if = [&](Value* condition, llvm::BasicBlock* other) {
    auto* next = block("next");
    b.CreateCondBr(condition, next, other);
    b.SetInsertPoint(next);
  };
  go_on_if(b.CreateICmpUGE(fields.word(call, offsetof(ingot_call, struct_bytes)),
                           b.getInt64(INGOT_CALL_REQUIRED_BYTES)),
           otherwise);
  go_on_if(b.CreateICmpEQ(fields.half(call, offsetof(ingot_call, symbol_count)),
                          b.getInt32(static_cast<std::uint32_t>(e.plan.symbols.size()))),
           otherwise);
  Value* symbols = fields.pointer(call, offsetof(ingot_call, symbols));
  for (const Pinned& one : pinned) {
    auto* another = &one == &pinned.back() ? otherwise : block("another");
    Value* fits = b.getTrue();
    for (const std::uint32_t i : plan::pins_of(*one.plan)) {
      fits = b.CreateAnd(fits, b.CreateICmpEQ(fields.word(symbols, 8 * i),
                                              e.number(one.plan->symbols[i].range.lo)));
    }
    go_on_if(fits, another);
    if (splits_rows(e.plan, *one.plan))
      go_on_if(b.CreateICmpULE(threads_of(e, call), b.getInt64(1)), another);
    llvm::CallInst* result = b.CreateCall(one.function, {call});
    result->setTailCall();
    b.CreateRet(result);
    b.SetInsertPoint(another);
  }
}

}  // namespace

llvm::Function* emit_run(Emitter& e, const Checks& checks,
                         const std::vector<llvm::Function*>& kernels, bool probed,
                         const std::vector<Pinned>& pinned) {
  llvm::IRBuilder<>& b = e.build;
  const bool blocked = plan::in_one_block(e.plan);
  Functions functions{kernels, {}};
  for (const plan::Fork& fork : e.plan.forks)
    functions.forks.push_back(emit_fork(e, checks, kernels, fork, probed));
  Parallel parallel;
  if (blocked) {
    parallel.rows = emit_rows(e, checks, functions, probed);
    parallel.task = emit_task(e, checks, parallel.rows, probed);
  }
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(b.getInt32Ty(), {b.getPtrTy()}, false),
      probed ? Names::run_probed(e.plan, e.isa.level) : Names::run(e.plan, e.isa.level));
  e.describe(function, probed ? "run_probed" : "run", 1);
  auto* top = llvm::BasicBlock::Create(b.getContext(), "top", function);
  auto* bad = llvm::BasicBlock::Create(b.getContext(), "refuse", function);
  auto* good = llvm::BasicBlock::Create(b.getContext(), "good", function);
  b.SetInsertPoint(top);
  e.bind(function, {});
  Value* call = function->getArg(0);
  if (!pinned.empty()) turn_to_pinned(e, call, pinned);
  Value* status = b.CreateCall(checks.check(), {call});
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), good, bad);
  b.SetInsertPoint(bad);
  b.CreateRet(status);
  b.SetInsertPoint(good);
  e.bind(function, bind_call(e, call, arena_of(e, call)));
  if (blocked) {
    emit_parallel(e, checks, call, parallel);
  } else {
    std::optional<Prober> prober;
    if (probed) prober.emplace(e, call, b.getInt32(0), checks.fail(), function);
    Value* threads = e.plan.forks.empty() ? e.number(1) : threads_of(e, call);
    Sequence sequence(e, checks, {call, b.getInt32(0), threads}, functions,
                      prober ? &*prober : nullptr);
    if (!kernels.empty())
      sequence.run(0, static_cast<std::uint32_t>(kernels.size() - 1), 0, nullptr);
  }
  const std::vector<Value*>& symbols = e.bindings().symbols;
  report_symbols(
      e, call,
      {symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(e.plan.symbols.size())});
  b.CreateRet(b.getInt32(INGOT_OK));
  return function;
}

}  // namespace ingot::target
