// SPDX-License-Identifier: Apache-2.0
// `run` and `run_probed`: a checked call becomes the kernels' arguments, and the kernels run in
// order, in blocks of rows where the plan has such. Only run_probed knows of probes.
#include <llvm/IR/MDBuilder.h>

#include <cstddef>

#include "plan/blocks.h"
#include "target/abi_fields.h"
#include "target/entry.h"
#include "target/probe.h"
#include "target/target.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// Symbols and ports of a call that has been checked.
Emitter::Bindings bind_call(Emitter& e, Value* call, Value* arena) {
  llvm::IRBuilder<>& b = e.build;
  const plan::Plan& plan = e.plan;
  Fields fields(e);
  Emitter::Bindings bindings;
  bindings.arena = arena;
  if (!plan.symbols.empty()) {
    Value* symbols = fields.pointer(call, offsetof(ingot_call, symbols));
    for (std::size_t i = 0; i < plan.symbols.size(); ++i) {
      bindings.symbols.push_back(fields.word(symbols, 8 * i));
    }
  }
  bindings.symbols.resize(e.symbols.size());
  Value* tensor_bytes =
      b.CreateZExt(fields.half(call, offsetof(ingot_call, tensor_bytes)), b.getInt64Ty());
  for (const bool outputs : {false, true}) {
    const auto& ports = outputs ? plan.outputs : plan.inputs;
    if (ports.empty()) continue;
    Value* tensors = fields.pointer(
        call, outputs ? offsetof(ingot_call, outputs) : offsetof(ingot_call, inputs));
    for (std::size_t i = 0; i < ports.size(); ++i) {
      Value* tensor =
          b.CreateInBoundsGEP(b.getInt8Ty(), tensors, b.CreateMul(tensor_bytes, b.getInt64(i)));
      bindings.ports[ports[i].buffer] = fields.pointer(tensor, offsetof(ingot_tensor, data));
    }
  }
  return bindings;
}

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

/// The calls of the kernels, in a function whose symbols, arena and ports are bound.
class Sequence {
 public:
  Sequence(Emitter& emitter, Value* call, const std::vector<llvm::Function*>& kernels,
           Prober* prober)
      : e_(emitter), call_(call), kernels_(kernels), prober_(prober) {}

  /// Kernels [first, last] with the blocks from number `next` on, which lie within them.
  void run(std::uint32_t first, std::uint32_t last, std::size_t next, const plan::Block* inside) {
    const std::vector<plan::Block>& blocks = e_.plan.blocks;
    for (std::uint32_t k = first; k <= last; ++k) {
      while (next < blocks.size() && blocks[next].first < k) ++next;
      if (next < blocks.size() && blocks[next].first == k) {
        const std::size_t number = next;
        rows(number, e_.number(0), e_.dim(blocks[number].extent));
        k = blocks[number].last;
        continue;
      }
      call(k, inside);
    }
  }

  /// The rows [first, last) of a block.
  void rows(std::size_t number, Value* first, Value* last) {
    const plan::Block& block = e_.plan.blocks[number];
    const std::size_t symbol = e_.plan.symbols.size() + 2 * number;
    e_.loop(
        first, last, block.size,
        [&](Value* begin) {
          Value* left = e_.build.CreateNSWSub(last, begin);
          Value* count = block.size == 1 ? left
                                         : e_.build.CreateBinaryIntrinsic(
                                               llvm::Intrinsic::smin, left, e_.number(block.size));
          e_.rebind(symbol, begin);
          e_.rebind(symbol + 1, block.size == 1 ? e_.number(1) : count);
          run(block.first, block.last, number + 1, &block);
        },
        "rows");
  }

 private:
  void call(std::uint32_t id, const plan::Block* inside) {
    const plan::Kernel& kernel = e_.plan.kernels[id];
    const Emitter::Signature& signature = e_.signature(id);
    const Emitter::Bindings& bindings = e_.bindings();
    std::vector<Value*> arguments;
    if (signature.fails) arguments.push_back(call_);
    for (const std::uint32_t symbol : signature.symbols)
      arguments.push_back(bindings.symbols[symbol]);
    if (signature.arena) arguments.push_back(bindings.arena);
    for (const plan::BufferId port : signature.ports) arguments.push_back(bindings.ports.at(port));
    if (prober_ != nullptr) prober_->tell(kernel, inside, INGOT_BEGIN);
    llvm::CallInst* invocation = e_.build.CreateCall(kernels_[id], arguments);
    // A probed call is for looking at kernels one by one, and need not be a second copy of them.
    if (prober_ != nullptr) invocation->addFnAttr(llvm::Attribute::NoInline);
    if (signature.fails) leave_unless_ok(invocation, kernel, inside);
    if (prober_ != nullptr) prober_->tell(kernel, inside, INGOT_END);
  }

  /// A kernel counts elements from the block's first row on; the caller is told of the whole.
  void leave_unless_ok(Value* status, const plan::Kernel& kernel, const plan::Block* inside) {
    llvm::IRBuilder<>& b = e_.build;
    llvm::Function* function = b.GetInsertBlock()->getParent();
    auto* failed = llvm::BasicBlock::Create(b.getContext(), "failed", function);
    auto* next = llvm::BasicBlock::Create(b.getContext(), "next", function);
    b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), next, failed,
                   llvm::MDBuilder(b.getContext()).createBranchWeights(2000, 1));
    b.SetInsertPoint(failed);
    if (inside != nullptr && inside == &e_.plan.blocks.front()) {
      Fields fields(e_);
      Dim row = product(kernel.space);
      if (inside->size > 1) row = Dim::exact_div(row, Dim::symbol(inside->count)).value_or(0);
      Value* error = fields.pointer(call_, offsetof(ingot_call, error));
      e_.when(b.CreateIsNotNull(error), [&] {
        Value* bytes = fields.word(error, offsetof(ingot_error, struct_bytes));
        e_.when(e_.build.CreateICmpUGE(bytes, e_.build.getInt64(sizeof(ingot_error))), [&] {
          Value* position = fields.word(error, offsetof(ingot_error, position));
          fields.set(e_.add(position, e_.dim(Dim::symbol(inside->begin) * row)), error,
                     offsetof(ingot_error, position));
        });
      });
    }
    b.CreateRet(status);
    b.SetInsertPoint(next);
  }

  Emitter& e_;
  Value* call_;
  const std::vector<llvm::Function*>& kernels_;
  Prober* prober_;
};

/// int32_t rows(call, arena, first, last, task): the rows [first, last) of the outermost block, for
/// plans whose kernels all stand in it.
llvm::Function* emit_rows(Emitter& e, const Checks& checks,
                          const std::vector<llvm::Function*>& kernels, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* word = b.getInt64Ty();
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(b.getInt32Ty(),
                              {b.getPtrTy(), b.getPtrTy(), word, word, b.getInt32Ty()}, false),
      fmt::format("{}.{}.v{}", e.plan.name, probed ? "rows_probed" : "rows", e.isa.level));
  e.describe(function, probed ? "rows_probed" : "rows", 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  Value* call = function->getArg(0);
  e.bind(function, bind_call(e, call, function->getArg(1)));
  std::optional<Prober> prober;
  if (probed) prober.emplace(e, call, function->getArg(4), checks.fail(), function);
  Sequence(e, call, kernels, prober ? &*prober : nullptr)
      .rows(0, function->getArg(2), function->getArg(3));
  b.CreateRet(b.getInt32(INGOT_OK));
  return function;
}

}  // namespace

llvm::Function* emit_run(Emitter& e, const Checks& checks,
                         const std::vector<llvm::Function*>& kernels, bool probed) {
  llvm::IRBuilder<>& b = e.build;
  const bool blocked = plan::in_one_block(e.plan);
  Parallel parallel;
  if (blocked) {
    parallel.rows = emit_rows(e, checks, kernels, probed);
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
  Value* status = b.CreateCall(checks.check(), {call});
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), good, bad);
  b.SetInsertPoint(bad);
  b.CreateRet(status);
  b.SetInsertPoint(good);
  const Emitter::Bindings bindings = bind_call(e, call, arena_of(e, call));
  e.bind(function, bindings);
  if (blocked) {
    emit_parallel(e, checks, call, parallel);
  } else {
    std::optional<Prober> prober;
    if (probed) prober.emplace(e, call, b.getInt32(0), checks.fail(), function);
    Sequence sequence(e, call, kernels, prober ? &*prober : nullptr);
    if (!kernels.empty())
      sequence.run(0, static_cast<std::uint32_t>(kernels.size() - 1), 0, nullptr);
  }
  report_symbols(e, call,
                 {bindings.symbols.begin(),
                  bindings.symbols.begin() + static_cast<std::ptrdiff_t>(e.plan.symbols.size())});
  b.CreateRet(b.getInt32(INGOT_OK));
  return function;
}

}  // namespace ingot::target
