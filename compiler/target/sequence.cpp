// SPDX-License-Identifier: Apache-2.0
#include "target/sequence.h"

#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <cstddef>

#include "plan/forks.h"
#include "target/abi_fields.h"

namespace ingot::target {

using llvm::Value;

Emitter::Bindings bind_call(Emitter& e, Value* call, Value* arena) {
  llvm::IRBuilder<>& b = e.build;
  const plan::Plan& plan = e.plan;
  Fields fields(e);
  Emitter::Bindings bindings;
  bindings.arena = arena;
  bindings.own = arena;
  if (!plan.symbols.empty()) {
    Value* symbols = fields.pointer(call, offsetof(ingot_call, symbols));
    for (std::size_t i = 0; i < plan.symbols.size(); ++i) {
      bindings.symbols.push_back(plan.symbols[i].measured() ? nullptr
                                                            : fields.word(symbols, 8 * i));
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

void Sequence::run(std::uint32_t first, std::uint32_t last, std::size_t next,
                   const plan::Block* block) {
  const std::vector<plan::Block>& blocks = e_.plan.blocks;
  for (std::uint32_t k = first; k <= last; ++k) {
    while (next < blocks.size() && blocks[next].first < k) ++next;
    const bool begins = next < blocks.size() && blocks[next].first == k;
    const plan::Fork* fork = plan::fork_of(e_.plan, k);
    // A block that begins where a fork begins stands around it or within its first part.
    if (fork != nullptr && fork != inside_ && !(begins && blocks[next].last >= fork->last())) {
      this->fork(*fork, block);
      k = fork->last();
    } else if (begins) {
      const std::size_t number = next;
      if (blocks[number].condition) {
        iterate(number, block);
      } else {
        rows(number, e_.number(0), e_.dim(blocks[number].extent), block);
        forget_inside(blocks[number]);
      }
      k = blocks[number].last;
    } else {
      call(k, block);
    }
  }
}

void Sequence::rows(std::size_t number, Value* first, Value* last, const plan::Block* rows_of) {
  const plan::Block& block = e_.plan.blocks[number];
  e_.loop(
      first, last, block.size,
      [&](Value* begin) {
        Value* left = e_.build.CreateNSWSub(last, begin);
        Value* count = block.size == 1 ? e_.number(1)
                                       : e_.build.CreateBinaryIntrinsic(llvm::Intrinsic::smin, left,
                                                                        e_.number(block.size));
        iteration(number, begin, count, rows_of);
      },
      "rows");
}

/// A loop that ends when its condition does.
void Sequence::iterate(std::size_t number, const plan::Block* rows_of) {
  const plan::Block& block = e_.plan.blocks[number];
  llvm::IRBuilder<>& b = e_.build;
  llvm::LLVMContext& context = b.getContext();
  const Symbol& turns = symbol_called(block.turns);
  // Memory is there for as many as the symbol can be.
  Value* most = e_.dim(Dim::min(Dim::min(block.extent, *turns.bound), turns.range.hi));
  Value* condition = e_.address(*block.condition, {});
  auto* before = b.GetInsertBlock();
  auto* ask = llvm::BasicBlock::Create(context, "ask", e_.function());
  auto* body = llvm::BasicBlock::Create(context, "again", e_.function());
  auto* done = llvm::BasicBlock::Create(context, "enough", e_.function());
  b.CreateBr(ask);
  b.SetInsertPoint(ask);
  llvm::PHINode* turn = b.CreatePHI(b.getInt64Ty(), 2);
  turn->addIncoming(e_.number(0), before);
  Value* more = e_.load(DType::boolean, condition, e_.number(1), e_.all_lanes(1));
  b.CreateCondBr(more, body, done);

  b.SetInsertPoint(body);
  require(b.CreateICmpSLT(turn, most), INGOT_LIMIT_EXCEEDED, INGOT_AT_KERNEL,
          e_.number_of(e_.plan.kernels[block.first]), b.CreateAdd(turn, e_.number(1)), most);
  iteration(number, turn, e_.number(1), rows_of);
  turn->addIncoming(b.CreateAdd(turn, e_.number(1)), b.GetInsertBlock());
  b.CreateBr(ask);

  b.SetInsertPoint(done);
  forget_inside(block);
  Value* least = e_.number(turns.range.lo);
  require(b.CreateICmpSGE(turn, least), INGOT_LIMIT_EXCEEDED, INGOT_AT_KERNEL,
          e_.number_of(e_.plan.kernels[block.first]), turn, least);
  settle(block.turns, turn);
}

/// What was measured in a loop is of its iterations alone.
void Sequence::forget_inside(const plan::Block& block) {
  auto forget = [&](const std::string& name) {
    for (std::size_t i = 0; i < e_.plan.symbols.size(); ++i) {
      if (e_.plan.symbols[i].name == name) e_.rebind(i, e_.number(0));
    }
  };
  for (std::uint32_t k = block.first; k <= block.last; ++k) {
    if (const auto* size = std::get_if<plan::Measure>(&e_.plan.kernels[k].work))
      forget(size->symbol);
  }
  for (const plan::Block& inner : e_.plan.blocks) {
    if (&inner != &block && block.first <= inner.first && inner.last <= block.last &&
        inner.condition)
      forget(inner.turns);
  }
}

void Sequence::iteration(std::size_t number, Value* begin, Value* count,
                         const plan::Block* rows_of) {
  const plan::Block& block = e_.plan.blocks[number];
  const std::size_t symbol = e_.plan.symbols.size() + 2 * number;
  e_.rebind(symbol, begin);
  e_.rebind(symbol + 1, count);
  const plan::Block* const around = loop_;
  if (block.loop) loop_ = &block;
  run(block.first, block.last, number + 1, block.loop ? rows_of : &block);
  loop_ = around;
}

const Symbol& Sequence::symbol_called(const std::string& name) const {
  const auto found = std::find_if(e_.plan.symbols.begin(), e_.plan.symbols.end(),
                                  [&](const Symbol& symbol) { return symbol.name == name; });
  INGOT_CHECK(found != e_.plan.symbols.end() && found->bound, "'{}' is not to be measured", name);
  return *found;
}

void Sequence::measure(const plan::Kernel& kernel, const plan::Measure& measure) {
  llvm::IRBuilder<>& b = e_.build;
  const Symbol& symbol = symbol_called(measure.symbol);
  Value* value = e_.load(DType::i64, e_.address(measure.count, {}), e_.number(1), e_.all_lanes(1));
  Value* least = e_.number(symbol.range.lo);
  Value* most = e_.dim(Dim::min(*symbol.bound, symbol.range.hi));
  require(b.CreateICmpSGE(value, least), INGOT_LIMIT_EXCEEDED, INGOT_AT_KERNEL,
          e_.number_of(kernel), value, least);
  require(b.CreateICmpSLE(value, most), INGOT_LIMIT_EXCEEDED, INGOT_AT_KERNEL, e_.number_of(kernel),
          value, most);
  settle(measure.symbol, value);
}

void Sequence::settle(const std::string& symbol, Value* value) {
  llvm::IRBuilder<>& b = e_.build;
  const std::vector<Symbol>& symbols = e_.plan.symbols;
  std::vector<Symbol> unknown;
  std::optional<Symbol> settled;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i].name == symbol) {
      e_.rebind(i, value);
      settled = symbols[i];
    } else if (e_.bindings().symbols[i] == nullptr) {
      unknown.push_back(symbols[i]);
    }
  }
  for (std::uint32_t i = 0; i < e_.plan.constraints.size(); ++i) {
    const Constraint& constraint = e_.plan.constraints[i];
    const Dim gap = constraint.left - constraint.right;
    if (!depends_on_data(gap, {&*settled, 1}) || depends_on_data(gap, unknown)) continue;
    Value* left = e_.dim(constraint.left);
    Value* right = e_.dim(constraint.right);
    const bool equal = constraint.relation == Constraint::Relation::equal;
    require(equal ? b.CreateICmpEQ(left, right) : b.CreateICmpSGE(left, right),
            INGOT_CONSTRAINT_VIOLATED, INGOT_AT_CONSTRAINT, i, left, right);
  }
}

void Sequence::require(Value* good, ingot_status status, ingot_where where, std::uint32_t index,
                       Value* value, Value* limit) {
  if (Emitter::known(good).value_or(0) != 0) return;
  llvm::IRBuilder<>& b = e_.build;
  auto* bad = llvm::BasicBlock::Create(b.getContext(), "refuse", e_.function());
  auto* next = llvm::BasicBlock::Create(b.getContext(), "next", e_.function());
  b.CreateCondBr(good, next, bad, llvm::MDBuilder(b.getContext()).createBranchWeights(2000, 1));
  b.SetInsertPoint(bad);
  auto half = [&](std::uint32_t number) { return b.getInt32(number); };
  b.CreateRet(b.CreateCall(checks_.fail(), {caller_.call, half(static_cast<std::uint32_t>(status)),
                                            half(static_cast<std::uint32_t>(where)), half(index),
                                            e_.number(-1), value, limit}));
  b.SetInsertPoint(next);
}

void Sequence::call(std::uint32_t id, const plan::Block* block) {
  const plan::Kernel& kernel = e_.plan.kernels[id];
  if (const auto* size = std::get_if<plan::Measure>(&kernel.work)) {
    if (prober_ != nullptr) prober_->tell(kernel, block, loop_, INGOT_BEGIN);
    measure(kernel, *size);
    if (prober_ != nullptr) prober_->tell(kernel, block, loop_, INGOT_END);
    return;
  }
  const Emitter::Signature& signature = e_.signature(id);
  const Emitter::Bindings& bindings = e_.bindings();
  std::vector<Value*> arguments;
  if (signature.fails) arguments.push_back(caller_.call);
  for (const std::uint32_t symbol : signature.symbols)
    arguments.push_back(bindings.symbols[symbol]);
  if (signature.arena) arguments.push_back(bindings.arena);
  if (signature.own) arguments.push_back(bindings.own);
  for (const plan::BufferId port : signature.ports) arguments.push_back(bindings.ports.at(port));
  if (prober_ != nullptr) prober_->tell(kernel, block, loop_, INGOT_BEGIN);
  llvm::CallInst* invocation = e_.build.CreateCall(functions_.kernels[id], arguments);
  // A probed call is for looking at kernels one by one, and need not be a second copy of them.
  if (prober_ != nullptr) invocation->addFnAttr(llvm::Attribute::NoInline);
  if (signature.fails) {
    leave_unless_ok(invocation, [&] {
      if (block != nullptr && block == &e_.plan.blocks.front()) move_position(kernel, *block);
    });
  }
  if (prober_ != nullptr) prober_->tell(kernel, block, loop_, INGOT_END);
}

/// The parts by the caller's threads, or one after the other.
void Sequence::fork(const plan::Fork& fork, const plan::Block* block) {
  llvm::IRBuilder<>& b = e_.build;
  const ForkFunctions& functions =
      functions_.forks[static_cast<std::size_t>(&fork - e_.plan.forks.data())];
  const auto parts = static_cast<std::int64_t>(fork.parts.size());
  Value* begin = e_.number(0);
  Value* count = e_.number(0);
  if (block != nullptr) {
    begin = e_.dim(Dim::symbol(block->begin));
    count = e_.dim(Dim::symbol(block->count));
  }
  Value* slice = slice_bytes(e_);
  auto* next = llvm::BasicBlock::Create(b.getContext(), "joined", e_.function());
  auto* split = llvm::BasicBlock::Create(b.getContext(), "split", e_.function());
  auto* whole = llvm::BasicBlock::Create(b.getContext(), "in_turn", e_.function());
  b.CreateCondBr(b.CreateICmpUGT(caller_.threads, b.getInt64(1)), split, whole);

  b.SetInsertPoint(split);
  Value* tasks = b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, caller_.threads, e_.number(parts));
  leave_unless_ok(split_fork(e_, checks_, caller_.call, functions, tasks, slice, begin, count));
  b.CreateBr(next);

  b.SetInsertPoint(whole);
  Value* arena = e_.bindings().arena;
  e_.loop(e_.number(0), e_.number(parts), 1, [&](Value* part) {
    leave_unless_ok(b.CreateCall(functions.part,
                                 {caller_.call, arena, arena, begin, count, part, caller_.task}));
  });
  b.CreateBr(next);
  b.SetInsertPoint(next);
}

void Sequence::leave_unless_ok(Value* status, const std::function<void()>& failed) {
  llvm::IRBuilder<>& b = e_.build;
  auto* leave = llvm::BasicBlock::Create(b.getContext(), "failed", e_.function());
  auto* next = llvm::BasicBlock::Create(b.getContext(), "next", e_.function());
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), next, leave,
                 llvm::MDBuilder(b.getContext()).createBranchWeights(2000, 1));
  b.SetInsertPoint(leave);
  if (failed) failed();
  b.CreateRet(status);
  b.SetInsertPoint(next);
}

/// A kernel counts elements from the block's first row on; the caller is told of the whole.
void Sequence::move_position(const plan::Kernel& kernel, const plan::Block& block) {
  Fields fields(e_);
  Dim row = product(kernel.space);
  if (block.size > 1) row = Dim::exact_div(row, Dim::symbol(block.count)).value_or(0);
  Value* error = fields.pointer(caller_.call, offsetof(ingot_call, error));
  e_.when(e_.build.CreateIsNotNull(error), [&] {
    Value* bytes = fields.word(error, offsetof(ingot_error, struct_bytes));
    e_.when(e_.build.CreateICmpUGE(bytes, e_.build.getInt64(sizeof(ingot_error))), [&] {
      Value* position = fields.word(error, offsetof(ingot_error, position));
      fields.set(e_.add(position, e_.dim(Dim::symbol(block.begin) * row)), error,
                 offsetof(ingot_error, position));
    });
  });
}

}  // namespace ingot::target
