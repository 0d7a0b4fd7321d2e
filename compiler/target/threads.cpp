// SPDX-License-Identifier: Apache-2.0
// Calls that the caller's parallel_for splits: rows in as many parts as there are threads, each
// with a slice of the workspace. Rows do not know in which part or block they are, so bits don't
// change.
#include <cstddef>

#include "target/abi_fields.h"
#include "target/entry.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// What a task knows; it lies on the stack of `run`.
struct Context {
  const ingot_call* call;
  std::byte* arena;
  std::uint64_t slice;  // bytes from one task's arena to the next
  std::int64_t rows, tasks;
  std::int32_t status;  // of the first task that failed
  std::uint32_t reserved;
};
static_assert(sizeof(Context) == 48);

}  // namespace

Value* threads_of(Emitter& e, Value* call) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  auto& context = b.getContext();
  llvm::Function* function = b.GetInsertBlock()->getParent();
  auto* top = b.GetInsertBlock();
  auto* longer = llvm::BasicBlock::Create(context, "longer", function);
  auto* next = llvm::BasicBlock::Create(context, "next", function);
  Value* bytes = fields.word(call, offsetof(ingot_call, struct_bytes));
  b.CreateCondBr(b.CreateICmpUGE(bytes, b.getInt64(offsetof(ingot_call, parallel_user) + 8)),
                 longer, next);
  b.SetInsertPoint(longer);
  Value* given = b.CreateZExt(fields.half(call, offsetof(ingot_call, threads)), b.getInt64Ty());
  Value* callback = fields.pointer(call, offsetof(ingot_call, parallel_for));
  given = b.CreateSelect(b.CreateIsNull(callback), b.getInt64(1),
                         b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, given, b.getInt64(1)));
  b.CreateBr(next);
  b.SetInsertPoint(next);
  llvm::PHINode* threads = b.CreatePHI(b.getInt64Ty(), 2, "threads");
  threads->addIncoming(b.getInt64(1), top);
  threads->addIncoming(given, longer);
  return threads;
}

Value* tasks_for(Emitter& e, Value* threads) {
  llvm::IRBuilder<>& b = e.build;
  Value* rows =
      b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, e.dim(e.plan.blocks[0].extent), e.number(1));
  return b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, threads, rows);
}

Value* slice_bytes(Emitter& e) {
  return e.build.CreateAnd(e.add(e.dim(e.plan.workspace_bytes), e.number(63)), e.number(-64));
}

llvm::Function* emit_task(Emitter& e, const Checks& checks, llvm::Function* rows, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* half = b.getInt32Ty();
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(half, {b.getPtrTy(), half}, false),
      fmt::format("{}.{}.v{}", e.plan.name, probed ? "task_probed" : "task", e.isa.level));
  e.describe(function, probed ? "task_probed" : "task", 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  Fields fields(e);
  Value* context = function->getArg(0);
  Value* number = b.CreateZExt(function->getArg(1), b.getInt64Ty());
  Value* call = fields.pointer(context, offsetof(Context, call));
  Value* all = fields.word(context, offsetof(Context, rows));
  Value* tasks = fields.word(context, offsetof(Context, tasks));
  Value* each = b.CreateUDiv(all, tasks);
  Value* rest = b.CreateURem(all, tasks);
  Value* first = b.CreateNSWAdd(b.CreateNSWMul(number, each),
                                b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, number, rest));
  Value* one_more = b.CreateZExt(b.CreateICmpULT(number, rest), b.getInt64Ty());
  Value* last = b.CreateNSWAdd(b.CreateNSWAdd(first, each), one_more);
  Value* arena =
      b.CreateInBoundsGEP(b.getInt8Ty(), fields.pointer(context, offsetof(Context, arena)),
                          b.CreateNSWMul(number, fields.word(context, offsetof(Context, slice))));

  // Two tasks may fail at once: each reports to itself, and the first one to the caller.
  Value* own = e.stack(b.getInt8Ty(), sizeof(ingot_call), 8);
  Value* error = e.stack(b.getInt8Ty(), sizeof(ingot_error), 8);
  Value* bytes = b.CreateBinaryIntrinsic(llvm::Intrinsic::umin,
                                         fields.word(call, offsetof(ingot_call, struct_bytes)),
                                         b.getInt64(sizeof(ingot_call)));
  b.CreateMemCpy(own, llvm::Align(8), call, llvm::Align(8), bytes);
  fields.set(bytes, own, offsetof(ingot_call, struct_bytes));
  fields.set(error, own, offsetof(ingot_call, error));
  fields.set(b.getInt64(sizeof(ingot_error)), error, offsetof(ingot_error, struct_bytes));
  Value* status = b.CreateCall(rows, {own, arena, first, last, function->getArg(1)});
  e.when(b.CreateICmpNE(status, b.getInt32(INGOT_OK)), [&] {
    Value* place = fields.at(context, offsetof(Context, status));
    Value* before =
        b.CreateAtomicCmpXchg(place, b.getInt32(INGOT_OK), status, llvm::Align(4),
                              llvm::AtomicOrdering::AcquireRelease, llvm::AtomicOrdering::Acquire);
    e.when(b.CreateExtractValue(before, 1), [&] {
      b.CreateCall(checks.fail(), {call, status, fields.half(error, offsetof(ingot_error, where)),
                                   fields.half(error, offsetof(ingot_error, index)),
                                   fields.word(error, offsetof(ingot_error, position)),
                                   fields.word(error, offsetof(ingot_error, value)),
                                   fields.word(error, offsetof(ingot_error, limit))});
    });
  });
  b.CreateRet(status);
  return function;
}

void emit_parallel(Emitter& e, const Checks& checks, Value* call, const Parallel& functions) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  llvm::Function* function = b.GetInsertBlock()->getParent();
  auto& llvm_context = b.getContext();
  auto* split = llvm::BasicBlock::Create(llvm_context, "split", function);
  auto* whole = llvm::BasicBlock::Create(llvm_context, "whole", function);
  auto* failed = llvm::BasicBlock::Create(llvm_context, "failed", function);
  auto* done = llvm::BasicBlock::Create(llvm_context, "done", function);
  Value* rows = e.dim(e.plan.blocks[0].extent);
  Value* arena = e.bindings().arena;
  Value* tasks = tasks_for(e, threads_of(e, call));
  Value* context = e.stack(b.getInt8Ty(), sizeof(Context), 8);
  b.CreateCondBr(b.CreateICmpUGT(tasks, b.getInt64(1)), split, whole);

  b.SetInsertPoint(split);
  fields.set(call, context, offsetof(Context, call));
  fields.set(arena, context, offsetof(Context, arena));
  fields.set(slice_bytes(e), context, offsetof(Context, slice));
  fields.set(rows, context, offsetof(Context, rows));
  fields.set(tasks, context, offsetof(Context, tasks));
  fields.set(b.getInt32(INGOT_OK), context, offsetof(Context, status));
  auto* type = llvm::FunctionType::get(
      b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getPtrTy()}, false);
  Value* answer = b.CreateCall(type, fields.pointer(call, offsetof(ingot_call, parallel_for)),
                               {fields.pointer(call, offsetof(ingot_call, parallel_user)),
                                b.CreateTrunc(tasks, b.getInt32Ty()), functions.task, context});
  Value* own = fields.half(context, offsetof(Context, status));
  auto* gave_up = llvm::BasicBlock::Create(llvm_context, "gave_up", function);
  auto* cancelled = llvm::BasicBlock::Create(llvm_context, "cancelled", function);
  auto* finished = llvm::BasicBlock::Create(llvm_context, "finished", function);
  b.CreateCondBr(b.CreateICmpNE(own, b.getInt32(INGOT_OK)), failed, finished);
  b.SetInsertPoint(finished);
  b.CreateCondBr(b.CreateICmpNE(answer, b.getInt32(0)), gave_up, done);
  b.SetInsertPoint(gave_up);
  Value* reported = b.CreateCall(
      checks.fail(), {call, b.getInt32(INGOT_CANCELLED), b.getInt32(INGOT_AT_CALL), b.getInt32(0),
                      e.number(-1), b.CreateSExt(answer, b.getInt64Ty()), e.number(0)});
  b.CreateBr(cancelled);
  b.SetInsertPoint(cancelled);
  b.CreateRet(reported);

  b.SetInsertPoint(whole);
  Value* status = b.CreateCall(functions.rows, {call, arena, e.number(0), rows, b.getInt32(0)});
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), done, failed);

  b.SetInsertPoint(failed);
  llvm::PHINode* bad = b.CreatePHI(b.getInt32Ty(), 2);
  bad->addIncoming(own, split);
  bad->addIncoming(status, whole);
  b.CreateRet(bad);
  b.SetInsertPoint(done);
}

}  // namespace ingot::target
