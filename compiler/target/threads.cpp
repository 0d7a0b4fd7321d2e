// SPDX-License-Identifier: Apache-2.0
// Calls that the caller's parallel_for splits: rows in as many parts as there are threads, or the
// parts of forks; each task has a slice of the workspace. Rows do not know in which part or block
// they are, and parts don't know of each other, so bits don't change.
#include <cstddef>

#include "plan/blocks.h"
#include "plan/forks.h"
#include "target/abi_fields.h"
#include "target/sequence.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// What tasks know; it lies on the stack of who asks for them.
struct Context {
  const ingot_call* call;
  std::byte* arena;
  std::uint64_t slice;        // bytes from one task's arena to the next
  std::int64_t rows, tasks;   // of which tasks get some
  std::int64_t begin, count;  // rows of the block that a fork is in
  std::int32_t status;        // of the first task that failed
  std::uint32_t next;         // part of a fork
};
static_assert(sizeof(Context) == 64);

/// The arena of task `number`.
Value* arena_of_task(Emitter& e, Value* context, Value* number) {
  Fields fields(e);
  return e.build.CreateInBoundsGEP(
      e.build.getInt8Ty(), fields.pointer(context, offsetof(Context, arena)),
      e.build.CreateNSWMul(number, fields.word(context, offsetof(Context, slice))));
}

/// A copy of the call that reports to the task alone: two tasks may fail at once.
struct OwnCall {
  Value* call = nullptr;
  Value* error = nullptr;
};
OwnCall copy_call(Emitter& e, Value* call) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  Value* own = e.stack(b.getInt8Ty(), sizeof(ingot_call), 8);
  Value* error = e.stack(b.getInt8Ty(), sizeof(ingot_error), 8);
  Value* bytes = b.CreateBinaryIntrinsic(llvm::Intrinsic::umin,
                                         fields.word(call, offsetof(ingot_call, struct_bytes)),
                                         b.getInt64(sizeof(ingot_call)));
  b.CreateMemCpy(own, llvm::Align(8), call, llvm::Align(8), bytes);
  fields.set(bytes, own, offsetof(ingot_call, struct_bytes));
  fields.set(error, own, offsetof(ingot_call, error));
  fields.set(b.getInt64(sizeof(ingot_error)), error, offsetof(ingot_error, struct_bytes));
  return {own, error};
}

/// A task that failed tells the caller, if it is the first one.
void report(Emitter& e, const Checks& checks, Value* context, Value* call, Value* error,
            Value* status) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
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
}

/// Has the caller's threads run tasks, and gives the status of all of them.
Value* ask_for(Emitter& e, const Checks& checks, Value* call, Value* context, Value* slice,
               Value* tasks, llvm::Function* task) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  fields.set(call, context, offsetof(Context, call));
  fields.set(e.bindings().arena, context, offsetof(Context, arena));
  fields.set(slice, context, offsetof(Context, slice));
  fields.set(b.getInt32(INGOT_OK), context, offsetof(Context, status));
  auto* type = llvm::FunctionType::get(
      b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy(), b.getPtrTy()}, false);
  Value* answer = b.CreateCall(type, fields.pointer(call, offsetof(ingot_call, parallel_for)),
                               {fields.pointer(call, offsetof(ingot_call, parallel_user)),
                                b.CreateTrunc(tasks, b.getInt32Ty()), task, context});
  Value* own = fields.half(context, offsetof(Context, status));
  auto* asked = b.GetInsertBlock();
  auto* gave_up = llvm::BasicBlock::Create(b.getContext(), "gave_up", e.function());
  auto* finished = llvm::BasicBlock::Create(b.getContext(), "finished", e.function());
  Value* cancelled =
      b.CreateAnd(b.CreateICmpEQ(own, b.getInt32(INGOT_OK)), b.CreateICmpNE(answer, b.getInt32(0)));
  b.CreateCondBr(cancelled, gave_up, finished);
  b.SetInsertPoint(gave_up);
  Value* reported = b.CreateCall(
      checks.fail(), {call, b.getInt32(INGOT_CANCELLED), b.getInt32(INGOT_AT_CALL), b.getInt32(0),
                      e.number(-1), b.CreateSExt(answer, b.getInt64Ty()), e.number(0)});
  b.CreateBr(finished);
  b.SetInsertPoint(finished);
  llvm::PHINode* status = b.CreatePHI(b.getInt32Ty(), 2);
  status->addIncoming(own, asked);
  status->addIncoming(reported, gave_up);
  return status;
}

/// The name of a function of one instruction set.
std::string name_of(const Emitter& e, std::string_view role, bool probed) {
  return fmt::format("{}.{}{}.v{}", e.plan.name, role, probed ? "_probed" : "", e.isa.level);
}

/// int32_t task(context, i), opened.
llvm::Function* begin_task(Emitter& e, std::string_view role, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty()}, false),
      name_of(e, role, probed));
  e.describe(function, fmt::format("{}{}", role, probed ? "_probed" : ""), 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  return function;
}

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

Value* slices_for(Emitter& e, Value* threads) {
  llvm::IRBuilder<>& b = e.build;
  Value* most = e.number(plan::most_parts(e.plan));
  if (plan::in_one_block(e.plan)) {
    most = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, e.dim(e.plan.blocks[0].extent), most);
  }
  return b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, threads, most);
}

Value* slice_bytes(Emitter& e) {
  return e.build.CreateAnd(e.add(e.dim(e.plan.workspace_bytes), e.number(63)), e.number(-64));
}

llvm::Function* emit_task(Emitter& e, const Checks& checks, llvm::Function* rows, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Function* function = begin_task(e, "task", probed);
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
  Value* arena = arena_of_task(e, context, number);
  const OwnCall own = copy_call(e, call);
  Value* status =
      b.CreateCall(rows, {own.call, arena, first, last, function->getArg(1), e.number(1)});
  e.when(b.CreateICmpNE(status, b.getInt32(INGOT_OK)),
         [&] { report(e, checks, context, call, own.error, status); });
  b.CreateRet(status);
  return function;
}

void emit_parallel(Emitter& e, const Checks& checks, Value* call, const Parallel& functions) {
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(b.getContext(), name, e.function());
  };
  auto *split = block("split"), *whole = block("whole"), *joined = block("joined");
  auto *failed = block("failed"), *done = block("done");
  Value* rows = e.dim(e.plan.blocks[0].extent);
  Value* threads = threads_of(e, call);
  Value* tasks = tasks_for(e, threads);
  Value* context = e.stack(b.getInt8Ty(), sizeof(Context), 8);
  b.CreateCondBr(b.CreateICmpUGT(tasks, b.getInt64(1)), split, whole);

  b.SetInsertPoint(split);
  fields.set(rows, context, offsetof(Context, rows));
  fields.set(tasks, context, offsetof(Context, tasks));
  Value* split_status = ask_for(e, checks, call, context, slice_bytes(e), tasks, functions.task);
  auto* split_end = b.GetInsertBlock();
  b.CreateBr(joined);

  b.SetInsertPoint(whole);
  Value* whole_status = b.CreateCall(
      functions.rows, {call, e.bindings().arena, e.number(0), rows, b.getInt32(0), threads});
  b.CreateBr(joined);

  b.SetInsertPoint(joined);
  llvm::PHINode* status = b.CreatePHI(b.getInt32Ty(), 2);
  status->addIncoming(split_status, split_end);
  status->addIncoming(whole_status, whole);
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), done, failed);
  b.SetInsertPoint(failed);
  b.CreateRet(status);
  b.SetInsertPoint(done);
}

// ---- forks -------------------------------------------------------------------------------------

namespace {

llvm::Function* emit_part(Emitter& e, const Checks& checks, const Functions& functions,
                          const plan::Fork& fork, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* word = b.getInt64Ty();
  const std::string role = fmt::format("part{}", fork.first());
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(
          b.getInt32Ty(),
          {b.getPtrTy(), b.getPtrTy(), b.getPtrTy(), word, word, word, b.getInt32Ty()}, false),
      name_of(e, role, probed));
  // Tasks and calls of one thread share it.
  function->addFnAttr(llvm::Attribute::NoInline);
  e.describe(function, role, 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  Value* call = function->getArg(0);
  Emitter::Bindings bindings = bind_call(e, call, function->getArg(1));
  bindings.own = function->getArg(2);
  const bool blocked = plan::in_one_block(e.plan);
  const plan::Block* block = blocked ? &e.plan.blocks[0] : nullptr;
  if (blocked) {
    const std::size_t symbol = e.plan.symbols.size();
    bindings.symbols[symbol] = function->getArg(3);
    bindings.symbols[symbol + 1] = block->size == 1 ? e.number(1) : function->getArg(4);
  }
  e.bind(function, bindings);
  std::optional<Prober> prober;
  if (probed) prober.emplace(e, call, function->getArg(6), checks.fail(), function);
  Sequence sequence(e, checks, {call, function->getArg(6), e.number(1)}, functions,
                    prober ? &*prober : nullptr, &fork);
  auto* done = llvm::BasicBlock::Create(b.getContext(), "done", function);
  llvm::SwitchInst* parts = b.CreateSwitch(function->getArg(5), done);
  for (std::size_t p = 0; p < fork.parts.size(); ++p) {
    auto* part = llvm::BasicBlock::Create(b.getContext(), "part", function);
    parts->addCase(b.getInt64(p), part);
    b.SetInsertPoint(part);
    e.bind(function, bindings);  // sizes that another part has computed are not known here
    sequence.run(fork.parts[p].first, fork.parts[p].last, blocked ? 1 : 0, block);
    b.CreateBr(done);
  }
  b.SetInsertPoint(done);
  b.CreateRet(b.getInt32(INGOT_OK));
  return function;
}

}  // namespace

ForkFunctions emit_fork(Emitter& e, const Checks& checks,
                        const std::vector<llvm::Function*>& kernels, const plan::Fork& fork,
                        bool probed) {
  llvm::IRBuilder<>& b = e.build;
  ForkFunctions result;
  result.part = emit_part(e, checks, {kernels, {}}, fork, probed);
  result.task = begin_task(e, fmt::format("fork{}", fork.first()), probed);
  Fields fields(e);
  Value* context = result.task->getArg(0);
  Value* call = fields.pointer(context, offsetof(Context, call));
  Value* arena = fields.pointer(context, offsetof(Context, arena));
  Value* own_arena =
      arena_of_task(e, context, b.CreateZExt(result.task->getArg(1), b.getInt64Ty()));
  Value* begin = fields.word(context, offsetof(Context, begin));
  Value* count = fields.word(context, offsetof(Context, count));
  const OwnCall own = copy_call(e, call);
  auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(b.getContext(), name, result.task);
  };
  auto *more = block("more"), *part = block("part"), *failed = block("failed"),
       *done = block("done");
  b.CreateBr(more);
  // Whoever is free takes the next part: a thread that comes late does not hold the others up.
  b.SetInsertPoint(more);
  Value* next =
      b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, fields.at(context, offsetof(Context, next)),
                        b.getInt32(1), llvm::Align(4), llvm::AtomicOrdering::Monotonic);
  const auto parts = static_cast<std::uint32_t>(fork.parts.size());
  b.CreateCondBr(b.CreateICmpULT(next, b.getInt32(parts)), part, done);
  b.SetInsertPoint(part);
  Value* status =
      b.CreateCall(result.part, {own.call, arena, own_arena, begin, count,
                                 b.CreateZExt(next, b.getInt64Ty()), result.task->getArg(1)});
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), more, failed);
  b.SetInsertPoint(failed);
  report(e, checks, context, call, own.error, status);
  b.CreateRet(status);
  b.SetInsertPoint(done);
  b.CreateRet(b.getInt32(INGOT_OK));
  return result;
}

Value* split_fork(Emitter& e, const Checks& checks, Value* call, const ForkFunctions& functions,
                  Value* tasks, Value* slice, Value* begin, Value* count) {
  Fields fields(e);
  Value* context = e.stack(e.build.getInt8Ty(), sizeof(Context), 8);
  fields.set(begin, context, offsetof(Context, begin));
  fields.set(count, context, offsetof(Context, count));
  fields.set(e.build.getInt32(0), context, offsetof(Context, next));
  return ask_for(e, checks, call, context, slice, tasks, functions.task);
}

}  // namespace ingot::target
