// SPDX-License-Identifier: Apache-2.0
// Products of tiles as functions that all contractions of a module share. See contract_detail.h.
#include "plan/pack.h"
#include "target/contract_detail.h"

namespace ingot::target::contract {

using llvm::Value;

bool fits_registers(const Isa& isa, unsigned rows, unsigned vectors, unsigned chains) {
  const unsigned accumulators = rows * vectors * chains;
  const unsigned others = rows > 1 ? vectors + 2 : 2;
  return accumulators <= (isa.vector_registers >= 32 ? 24U : 12U) &&
         accumulators + others <= isa.vector_registers;
}

llvm::FunctionType* SharedProduct::type(bool with_height) const {
  auto& build = problem_.emit.build;
  llvm::Type* number = build.getInt64Ty();
  llvm::Type* pointer = build.getPtrTy();
  // a, its strides along m and k, b, from panel to panel, k, sums; height.
  std::vector<llvm::Type*> types{pointer, number, number, pointer, number, number, pointer};
  if (with_height) types.push_back(number);
  return llvm::FunctionType::get(build.getVoidTy(), types, false);
}

std::string SharedProduct::name(const std::string& height) const {
  static constexpr std::string_view starts[] = {"", "_bias", "_more"};
  std::string text = fmt::format("{}:product_{}_{}x", problem_.emit.plan.name,
                                 ingot::name(problem_.dtype), height);
  for (const SharedColumn& column : columns_)
    text +=
        fmt::format("{}at{}.{}.{}_", column.lanes, column.panels, column.offset, column.alignment);
  return text + fmt::format("of{}_chains{}{}{}.{}", width_, problem_.contract.chains,
                            starts[static_cast<std::size_t>(start_)],
                            Emitter::known(problem_.a.k) == 1 ? "" : "_apart",
                            problem_.emit.isa.name);
}

void SharedProduct::call(Value* height, unsigned most, Value* a, Value* b, Value* k,
                         Value* sums) const {
  Emitter& emit = problem_.emit;
  const auto known = Emitter::known(height);
  std::vector<Value*> arguments{
      a, problem_.a.m, problem_.a.k, b, emit.number(plan::panel_start(*problem_.packed, 1)),
      k, sums};
  if (!known) arguments.push_back(height);
  llvm::Function* function = known ? of_height(static_cast<unsigned>(*known)) : of_any_height(most);
  emit.build.CreateCall(function, arguments)->setTailCallKind(llvm::CallInst::TCK_NoTail);
}

llvm::Function* SharedProduct::of_any_height(unsigned most) const {
  const std::string function_name = name(fmt::format("{}or_less", most));
  Emitter& emit = problem_.emit;
  if (llvm::Function* found = emit.module.getFunction(function_name)) return found;
  llvm::Function* function = emit.make_function(type(true), function_name);
  function->addFnAttr(llvm::Attribute::NoInline);
  auto& context = emit.module.getContext();
  llvm::IRBuilder<> build(llvm::BasicBlock::Create(context, "top", function));
  auto* none = llvm::BasicBlock::Create(context, "none", function);
  llvm::SwitchInst* choice =
      build.CreateSwitch(function->getArg(function->arg_size() - 1), none, most);
  for (unsigned height = 1; height <= most; ++height) {
    auto* block = llvm::BasicBlock::Create(context, "rows", function);
    choice->addCase(build.getInt64(height), block);
    build.SetInsertPoint(block);
    std::vector<Value*> arguments;
    for (unsigned i = 0; i + 1 < function->arg_size(); ++i)
      arguments.push_back(function->getArg(i));
    build.CreateCall(of_height(height), arguments)->setTailCall();
    build.CreateRetVoid();
  }
  build.SetInsertPoint(none);
  build.CreateUnreachable();
  return function;
}

llvm::Function* SharedProduct::of_height(unsigned height) const {
  const std::string function_name = name(std::to_string(height));
  Emitter& emit = problem_.emit;
  if (llvm::Function* found = emit.module.getFunction(function_name)) return found;
  llvm::Function* function = emit.make_function(type(false), function_name);
  function->addFnAttr(llvm::Attribute::NoInline);
  Emitter inner(emit.module, emit.plan, emit.isa, nullptr);
  inner.bind(function, {});
  inner.build.SetInsertPoint(llvm::BasicBlock::Create(emit.module.getContext(), "top", function));
  write(inner, function, height);
  inner.build.CreateRetVoid();
  return function;
}

void SharedProduct::write(Emitter& inner, llvm::Function* function, unsigned height) const {
  const DType dtype = problem_.dtype;
  Problem problem{.emit = inner, .contract = problem_.contract, .dtype = dtype};
  const bool adjacent = Emitter::known(problem_.a.k) == 1;
  problem.a = Operand{function->getArg(0), function->getArg(1), inner.number(0),
                      adjacent ? inner.number(1) : function->getArg(2), dtype};
  Value* const b = function->getArg(3);
  problem.k = function->getArg(5);
  const Operand along_b{.pointer = b, .k = inner.number(width_), .dtype = dtype};

  std::vector<Value*> rows, pointers;
  for (unsigned r = 0; r < height; ++r)
    rows.push_back(
        inner.advance(problem.a.pointer, inner.mul(inner.number(r), problem.a.m), dtype));
  for (const SharedColumn& column : columns_)
    pointers.push_back(
        inner.advance(b,
                      inner.add(inner.mul(inner.number(column.panels), function->getArg(4)),
                                inner.number(column.offset)),
                      dtype));
  llvm::Type* slot_type = inner.register_type(dtype, problem.lanes());
  const auto slot = [&](std::size_t i) {
    return inner.build.CreateConstInBoundsGEP1_64(slot_type, function->getArg(6), i);
  };
  const auto vector_type = [&](std::size_t v) {
    return inner.register_type(dtype, columns_[v].lanes);
  };
  const auto starts = [&](std::int64_t chain) {
    Emitter::Values values;
    for (unsigned r = 0; r < height; ++r) {
      for (std::size_t v = 0; v < columns_.size(); ++v) {
        const Lanes lanes = inner.all_lanes(columns_[v].lanes);
        if (chain > 0 || start_ == Start::zero) {
          values.push_back(inner.zero(dtype, lanes.count));
        } else if (start_ == Start::bias) {
          values.push_back(inner.load(dtype,
                                      inner.advance(pointers[v], inner.number(-width_), dtype),
                                      inner.number(1), lanes, columns_[v].alignment));
        } else {
          values.push_back(inner.build.CreateLoad(vector_type(v), slot(r * columns_.size() + v)));
        }
      }
    }
    return values;
  };
  const auto element = [&](Emitter::Values values, Place k) {
    std::vector<Value*> weights;
    for (std::size_t v = 0; v < columns_.size(); ++v)
      weights.push_back(inner.load(dtype, problem.along_k(along_b, pointers[v], k), inner.number(1),
                                   inner.all_lanes(columns_[v].lanes), columns_[v].alignment));
    std::size_t i = 0;
    for (unsigned r = 0; r < height; ++r) {
      Value* factor = inner.load(dtype, problem.along_k(problem.a, rows[r], k), inner.number(0),
                                 inner.all_lanes(1));
      for (std::size_t v = 0; v < columns_.size(); ++v, ++i)
        values[i] = inner.multiply_add(dtype, inner.splat(factor, columns_[v].lanes), weights[v],
                                       values[i]);
    }
    return values;
  };
  const auto vectors = static_cast<unsigned>(columns_.size());
  auto interleaved = static_cast<unsigned>(problem.contract.chains);
  while (interleaved > 1 && !fits_registers(inner.isa, height, vectors, interleaved))
    interleaved /= 2;
  Chains chains(problem, interleaved, height * vectors, starts, element);
  const Emitter::Values sums = chains.sum();
  for (std::size_t i = 0; i < sums.size(); ++i) inner.build.CreateStore(sums[i], slot(i));
}

}  // namespace ingot::target::contract
