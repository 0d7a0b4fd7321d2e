// SPDX-License-Identifier: Apache-2.0
// What a call must fulfil, and the functions of sizes. The check of a call is one function that all
// instruction sets share; a good call costs it a compare and an untaken branch for each thing that
// can be wrong.
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "plan/blocks.h"
#include "plan/pin.h"
#include "target/abi_fields.h"
#include "target/entry.h"
#include "target/target.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// Expressions that may leave int64 within the ranges of their symbols.
class CheckedDim {
 public:
  explicit CheckedDim(Emitter& emitter) : e_(emitter), b_(emitter.build) {}

  /// The value, and whether it is wrong (i1; null: never).
  std::pair<Value*, Value*> operator()(const Dim& dim) {
    wrong_ = nullptr;
    Value* value = evaluate(dim);
    return {value, wrong_};
  }
  /// value * factor, in the same check.
  std::pair<Value*, Value*> times(const Dim& dim, std::int64_t factor) {
    wrong_ = nullptr;
    const bool safe = magnitude(dim) * static_cast<double>(factor) < limit;
    Value* value = evaluate(dim);
    value = safe ? e_.mul(value, e_.number(factor))
                 : checked(llvm::Intrinsic::smul_with_overflow, value, e_.number(factor));
    return {value, wrong_};
  }

 private:
  static constexpr double limit = 0x1p62;

  /// An upper bound of all intermediate results.
  double magnitude(const Dim& dim) {
    double total = 0;
    for (const Dim::Term& term : dim.terms()) {
      double product = std::abs(static_cast<double>(term.coefficient));
      for (const Dim::Atom& factor : term.factors) {
        if (factor.kind == Dim::Kind::symbol) {
          const Interval range = Dim::symbol(factor.name).bounds(e_.ranges());
          product *= std::max(std::abs(static_cast<double>(range.lo)),
                              std::abs(static_cast<double>(range.hi)));
        } else {
          product *= std::max(magnitude(factor.args[0]), magnitude(factor.args[1]));
        }
      }
      total += product;
    }
    return total;
  }
  Value* evaluate(const Dim& dim) {
    if (magnitude(dim) < limit) return e_.dim(dim);
    Value* total = e_.number(0);
    for (const Dim::Term& term : dim.terms()) {
      Value* product = e_.number(term.coefficient);
      for (const Dim::Atom& factor : term.factors) {
        product = checked(llvm::Intrinsic::smul_with_overflow, product, atom(factor));
      }
      total = checked(llvm::Intrinsic::sadd_with_overflow, total, product);
    }
    return total;
  }
  Value* atom(const Dim::Atom& atom) {
    if (atom.kind == Dim::Kind::symbol) return e_.dim(Dim::symbol(atom.name));
    Value* a = evaluate(atom.args[0]);
    Value* b = evaluate(atom.args[1]);
    return e_.apply_atom(atom, a, b);
  }
  Value* checked(llvm::Intrinsic::ID id, Value* a, Value* b) {
    Value* pair = b_.CreateBinaryIntrinsic(id, a, b);
    Value* overflow = b_.CreateExtractValue(pair, 1);
    wrong_ = wrong_ == nullptr ? overflow : b_.CreateOr(wrong_, overflow);
    return b_.CreateExtractValue(pair, 0);
  }

  Emitter& e_;
  llvm::IRBuilder<>& b_;
  Value* wrong_ = nullptr;
};

/// One function that answers an ingot_status: statements, each of which may leave it.
class StatusFunction {
 public:
  struct Reason {
    std::int32_t status = INGOT_OK;
    std::int32_t where = INGOT_AT_CALL;
    std::uint32_t index = 0;
    Value* position = nullptr;  // null: -1
    Value* value = nullptr;     // null: 0
    Value* limit = nullptr;     // null: 0
  };

  /// `report` is the function `fail`, or null: then only the status is answered.
  StatusFunction(Emitter& emitter, llvm::Function* function, llvm::Function* report)
      : e_(emitter), b_(emitter.build), function_(function), report_(report) {
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "top", function));
  }
  /// Goes on where `before` stands, but reports.
  StatusFunction(const StatusFunction& before, llvm::Function* report)
      : e_(before.e_), b_(before.b_), function_(before.function_), report_(report) {}

  /// Goes on if `good`, else leaves.
  void require(Value* good, const Reason& reason) {
    if (Emitter::known(good).value_or(0) != 0) return;
    auto& context = b_.getContext();
    auto* bad = llvm::BasicBlock::Create(context, "refuse", function_);
    auto* next = llvm::BasicBlock::Create(context, "next", function_);
    b_.CreateCondBr(good, next, bad, llvm::MDBuilder(context).createBranchWeights(2000, 1));
    b_.SetInsertPoint(bad);
    leave(reason);
    b_.SetInsertPoint(next);
  }
  void leave(const Reason& reason) {
    Value* status = b_.getInt32(static_cast<std::uint32_t>(reason.status));
    if (report_ == nullptr) {
      b_.CreateRet(status);
      return;
    }
    auto or_number = [&](Value* value, std::int64_t otherwise) {
      return value == nullptr ? e_.number(otherwise) : value;
    };
    b_.CreateRet(b_.CreateCall(report_, {function_->getArg(0), status,
                                         b_.getInt32(static_cast<std::uint32_t>(reason.where)),
                                         b_.getInt32(reason.index), or_number(reason.position, -1),
                                         or_number(reason.value, 0), or_number(reason.limit, 0)}));
  }
  void done() { b_.CreateRet(b_.getInt32(INGOT_OK)); }

  /// Symbols from memory, checked: their number, ranges and the plan's constraints. Binds them.
  void symbols(Value* memory, Value* count) {
    const plan::Plan& plan = e_.plan;
    const auto wanted = static_cast<std::uint32_t>(plan.symbols.size());
    require(b_.CreateICmpEQ(count, b_.getInt32(wanted)),
            {INGOT_WRONG_COUNT, INGOT_AT_SYMBOL, 0, nullptr, b_.CreateZExt(count, b_.getInt64Ty()),
             e_.number(wanted)});
    bind(memory);
    for (std::uint32_t i = 0; i < wanted; ++i) {
      if (plan.symbols[i].measured()) continue;
      Value* value = e_.bindings().symbols[i];
      const Interval range = plan.symbols[i].range;
      for (const bool low : {true, false}) {
        Value* bound = e_.number(low ? range.lo : range.hi);
        require(low ? b_.CreateICmpSGE(value, bound) : b_.CreateICmpSLE(value, bound),
                {INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, i, nullptr, value, bound});
      }
    }
    for (std::uint32_t i = 0; i < plan.constraints.size(); ++i) {
      const Constraint& constraint = plan.constraints[i];
      // Not before the call.
      if (depends_on_data(constraint.left - constraint.right, plan.symbols)) continue;
      Value* left = size(constraint.left, 1, INGOT_AT_CONSTRAINT, i);
      Value* right = size(constraint.right, 1, INGOT_AT_CONSTRAINT, i);
      Value* holds = constraint.relation == Constraint::Relation::equal
                         ? b_.CreateICmpEQ(left, right)
                         : b_.CreateICmpSGE(left, right);
      require(holds, {INGOT_CONSTRAINT_VIOLATED, INGOT_AT_CONSTRAINT, i, nullptr, left, right});
    }
  }

  /// What is measured stands for its bound, or for a caller's number (not negative) up to that.
  void measured(Value* memory) {
    Fields fields(e_);
    for (std::uint32_t i = 0; i < e_.plan.symbols.size(); ++i) {
      const Symbol& symbol = e_.plan.symbols[i];
      if (!symbol.measured()) continue;
      Value* most = size(*symbol.bound, 1, INGOT_AT_SYMBOL, i);
      Value* given = fields.word(memory, 8 * i);
      Value* none = b_.CreateICmpSLT(given, e_.number(0));
      require(b_.CreateOr(none, b_.CreateICmpSLE(given, most)),
              {INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, i, nullptr, given, most});
      e_.rebind(i, b_.CreateSelect(none, most, given));
    }
  }

  /// Symbols that have been checked, or will be; what is measured has no value yet.
  void bind(Value* memory) {
    Emitter::Bindings bindings;
    Fields fields(e_);
    for (std::uint32_t i = 0; i < e_.plan.symbols.size(); ++i) {
      const bool measured = e_.plan.symbols[i].measured();
      bindings.symbols.push_back(measured ? nullptr : fields.word(memory, 8 * i));
    }
    e_.bind(function_, std::move(bindings));
  }

  /// dim * factor, or leaves with INGOT_SIZE_OVERFLOW.
  Value* size(const Dim& dim, std::int64_t factor, std::int32_t where, std::uint32_t index) {
    const auto [value, wrong] = CheckedDim(e_).times(dim, factor);
    if (wrong != nullptr) {
      require(b_.CreateNot(wrong), {INGOT_SIZE_OVERFLOW, where, index, nullptr, nullptr, nullptr});
    }
    return value;
  }

  /// What a caller must give for so many threads (i64): the arena can stand at any multiple of 64
  /// in it, and each further task has one of its own.
  Value* workspace(Value* threads) {
    const Dim& arena = e_.plan.workspace_bytes;
    if (arena.is(0)) return e_.number(0);
    Value* bytes = size(arena + (arena_alignment - 1), 1, INGOT_AT_WORKSPACE, 0);
    if (plan::in_one_block(e_.plan) || !e_.plan.forks.empty()) {
      Value* others = b_.CreateNSWSub(slices_for(e_, threads), e_.number(1));
      Value* slices = checked(llvm::Intrinsic::smul_with_overflow, others, slice_bytes(e_));
      bytes = checked(llvm::Intrinsic::sadd_with_overflow, bytes, slices);
    }
    if (arena.value()) return bytes;
    Value* none = b_.CreateICmpEQ(bytes, e_.number(arena_alignment - 1));
    return b_.CreateSelect(none, e_.number(0), bytes);
  }

  static constexpr std::int64_t arena_alignment = 64;

 private:
  Value* checked(llvm::Intrinsic::ID id, Value* a, Value* b) {
    Value* pair = b_.CreateBinaryIntrinsic(id, a, b);
    require(b_.CreateNot(b_.CreateExtractValue(pair, 1)),
            {INGOT_SIZE_OVERFLOW, INGOT_AT_WORKSPACE});
    return b_.CreateExtractValue(pair, 0);
  }

  Emitter& e_;
  llvm::IRBuilder<>& b_;
  llvm::Function* function_;
  llvm::Function* report_;
};

llvm::Function* emit_fail(Emitter& e) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* word = b.getInt64Ty();
  llvm::Type* half = b.getInt32Ty();
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(half, {b.getPtrTy(), half, half, half, word, word, word}, false),
      e.plan.name + ".fail");
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr(llvm::Attribute::NoInline);
  e.describe(function, "fail", 1);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "top", function));
  e.bind(function, {});
  Fields fields(e);
  Value* error = fields.pointer(function->getArg(0), offsetof(ingot_call, error));
  e.when(b.CreateIsNotNull(error), [&] {
    Value* bytes = fields.word(error, offsetof(ingot_error, struct_bytes));
    e.when(b.CreateICmpUGE(bytes, b.getInt64(sizeof(ingot_error))), [&] {
      fields.set(function->getArg(1), error, offsetof(ingot_error, status));
      fields.set(function->getArg(2), error, offsetof(ingot_error, where));
      fields.set(function->getArg(3), error, offsetof(ingot_error, index));
      fields.set(function->getArg(4), error, offsetof(ingot_error, position));
      fields.set(function->getArg(5), error, offsetof(ingot_error, value));
      fields.set(function->getArg(6), error, offsetof(ingot_error, limit));
    });
  });
  b.CreateRet(function->getArg(1));
  return function;
}

/// A caller who has memory for some sizes has it for all smaller ones, so what a call with the
/// pins' values needs is asked for from there on, not only at them.
void raise_for(Emitter& e, StatusFunction& statements, const Pinned& pinned, Value* symbols,
               Value* threads, Value* bytes) {
  llvm::IRBuilder<>& b = e.build;
  Value* reaches = b.getTrue();
  for (const std::uint32_t i : plan::pins_of(*pinned.plan)) {
    reaches = b.CreateAnd(reaches, b.CreateICmpSGE(e.bindings().symbols[i],
                                                   e.number(pinned.plan->symbols[i].range.lo)));
  }
  Value* more = e.stack(b.getInt64Ty(), 1, 8);
  e.when(reaches, [&] {
    Value* status = b.CreateCall(pinned.function, {symbols, threads, more});
    statements.require(b.CreateICmpEQ(status, b.getInt32(INGOT_OK)), {INGOT_SIZE_OVERFLOW});
    Fields fields(e);
    fields.set(
        b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, fields.word(more, 0), fields.word(bytes, 0)),
        bytes, 0);
  });
}

Value* at_least_one(Emitter& e, Value* threads) {
  llvm::IRBuilder<>& b = e.build;
  return b.CreateBinaryIntrinsic(llvm::Intrinsic::umax, b.CreateZExt(threads, b.getInt64Ty()),
                                 e.number(1));
}

void emit_workspace_bytes(Emitter& e, const std::vector<Pinned>& pinned) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* half = b.getInt32Ty();
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(half, {b.getPtrTy(), half, half, b.getPtrTy()}, false),
      Names::workspace_bytes(e.plan));
  e.describe(function, "workspace_bytes", 1);
  StatusFunction statements(e, function, nullptr);
  statements.symbols(function->getArg(0), function->getArg(1));
  Value* threads = at_least_one(e, function->getArg(2));
  Fields(e).set(statements.workspace(threads), function->getArg(3), 0);
  for (const Pinned& one : pinned)
    raise_for(e, statements, one, function->getArg(0), function->getArg(2), function->getArg(3));
  statements.done();
}

llvm::Function* emit_need(Emitter& e) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(b.getInt32Ty(), {b.getPtrTy(), b.getInt32Ty(), b.getPtrTy()}, false),
      e.plan.name + ".need");
  e.describe(function, "need", 1);
  StatusFunction statements(e, function, nullptr);
  statements.bind(function->getArg(0));
  for (const std::uint32_t i : plan::pins_of(e.plan))
    e.rebind(i, e.number(e.plan.symbols[i].range.lo));
  Value* threads = at_least_one(e, function->getArg(1));
  Fields(e).set(statements.workspace(threads), function->getArg(2), 0);
  statements.done();
  return function;
}

void emit_shapes(Emitter& e) {
  llvm::IRBuilder<>& b = e.build;
  llvm::Type* half = b.getInt32Ty();
  llvm::Function* function =
      e.make_function(llvm::FunctionType::get(half, {b.getPtrTy(), half, b.getPtrTy()}, false),
                      Names::shapes(e.plan));
  e.describe(function, "shapes", 1);
  StatusFunction statements(e, function, nullptr);
  statements.symbols(function->getArg(0), function->getArg(1));
  statements.measured(function->getArg(0));
  Fields fields(e);
  std::uint64_t position = 0;
  for (const bool outputs : {false, true}) {
    const auto& ports = outputs ? e.plan.outputs : e.plan.inputs;
    for (std::uint32_t i = 0; i < ports.size(); ++i) {
      for (const Dim& dim : ports[i].type.shape) {
        Value* size = statements.size(dim, 1, outputs ? INGOT_AT_OUTPUT : INGOT_AT_INPUT, i);
        fields.set(size, function->getArg(2), 8 * position++);
      }
    }
  }
  statements.done();
}

/// Strides must be null or say what null says: what the caller's library gives is then good enough.
void check_strides(Emitter& e, StatusFunction& statements, const TensorType& type, Value* strides,
                   std::int32_t where, std::uint32_t index) {
  Fields fields(e);
  Dim dense = 1;
  for (std::size_t axis = type.rank(); axis-- > 0;) {
    Value* wanted = statements.size(dense, 1, where, index);
    Value* given = fields.word(strides, 8 * axis);
    statements.require(e.build.CreateICmpEQ(given, wanted),
                       {INGOT_WRONG_STRIDES, where, index,
                        e.number(static_cast<std::int64_t>(axis)), given, wanted});
    dense *= type.shape[axis];
  }
}

/// Checks one kind of tensors of a call: inputs or outputs.
void check_tensors(Emitter& e, StatusFunction& statements, Value* call, Value* tensor_bytes,
                   bool outputs) {
  using Reason = StatusFunction::Reason;
  llvm::IRBuilder<>& b = e.build;
  Fields fields(e);
  const auto& ports = outputs ? e.plan.outputs : e.plan.inputs;
  const std::int32_t where = outputs ? INGOT_AT_OUTPUT : INGOT_AT_INPUT;
  Value* tensors =
      fields.pointer(call, outputs ? offsetof(ingot_call, outputs) : offsetof(ingot_call, inputs));
  for (std::uint32_t i = 0; i < ports.size(); ++i) {
    TensorType type = ports[i].type;
    for (Dim& size : type.shape) size = at_most(size, e.plan.symbols);
    Value* tensor =
        b.CreateInBoundsGEP(b.getInt8Ty(), tensors, b.CreateMul(tensor_bytes, b.getInt64(i)));
    auto equal = [&](std::uint64_t offset, std::int64_t wanted, std::int32_t status) {
      Value* given = fields.half(tensor, offset);
      statements.require(
          b.CreateICmpEQ(given, b.getInt32(static_cast<std::uint32_t>(wanted))),
          Reason{status, where, i, nullptr, b.CreateSExt(given, b.getInt64Ty()), e.number(wanted)});
    };
    equal(offsetof(ingot_tensor, dtype), static_cast<std::int64_t>(type.dtype), INGOT_WRONG_DTYPE);
    equal(offsetof(ingot_tensor, rank), static_cast<std::int64_t>(type.rank()), INGOT_WRONG_RANK);
    equal(offsetof(ingot_tensor, device), INGOT_CPU, INGOT_WRONG_DEVICE);
    Value* strides = fields.pointer(tensor, offsetof(ingot_tensor, strides));
    e.when(b.CreateIsNotNull(strides),
           [&] { check_strides(e, statements, type, strides, where, i); });
    Value* wanted =
        statements.size(type.elements(), static_cast<std::int64_t>(bytes_of(type.dtype)), where, i);
    Value* given = fields.word(tensor, offsetof(ingot_tensor, bytes));
    statements.require(b.CreateICmpEQ(given, wanted),
                       Reason{INGOT_WRONG_BYTES, where, i, nullptr, given, wanted});
    Value* data = fields.pointer(tensor, offsetof(ingot_tensor, data));
    statements.require(b.CreateOr(b.CreateIsNotNull(data), b.CreateICmpEQ(wanted, e.number(0))),
                       Reason{INGOT_NULL_DATA, where, i, nullptr, e.number(0), wanted});
  }
}

llvm::Function* emit_check(Emitter& e, llvm::Function* fail) {
  using Reason = StatusFunction::Reason;
  llvm::IRBuilder<>& b = e.build;
  llvm::Function* function = e.make_function(
      llvm::FunctionType::get(b.getInt32Ty(), {b.getPtrTy()}, false), e.plan.name + ".check");
  e.describe(function, "check", 1);
  Value* call = function->getArg(0);
  Fields fields(e);
  auto wide = [&](Value* half) { return b.CreateZExt(half, b.getInt64Ty()); };

  StatusFunction brief(e, function, nullptr);
  Value* bytes = fields.word(call, offsetof(ingot_call, struct_bytes));
  brief.require(b.CreateICmpUGE(bytes, b.getInt64(INGOT_CALL_REQUIRED_BYTES)),
                Reason{.status = INGOT_BAD_CALL});
  // From here on there is a place to say why.
  StatusFunction statements(brief, fail);
  Value* tensor_half = fields.half(call, offsetof(ingot_call, tensor_bytes));
  Value* tensor_bytes = wide(tensor_half);
  statements.require(b.CreateICmpUGE(tensor_half, b.getInt32(sizeof(ingot_tensor))),
                     Reason{INGOT_BAD_CALL, INGOT_AT_CALL, 0, nullptr, tensor_bytes,
                            e.number(sizeof(ingot_tensor))});
  auto count = [&](std::uint64_t offset, std::size_t wanted, std::int32_t where) {
    Value* given = fields.half(call, offset);
    statements.require(b.CreateICmpEQ(given, b.getInt32(static_cast<std::uint32_t>(wanted))),
                       Reason{INGOT_WRONG_COUNT, where, 0, nullptr, wide(given),
                              e.number(static_cast<std::int64_t>(wanted))});
  };
  count(offsetof(ingot_call, input_count), e.plan.inputs.size(), INGOT_AT_INPUT);
  count(offsetof(ingot_call, output_count), e.plan.outputs.size(), INGOT_AT_OUTPUT);
  statements.symbols(fields.pointer(call, offsetof(ingot_call, symbols)),
                     fields.half(call, offsetof(ingot_call, symbol_count)));
  check_tensors(e, statements, call, tensor_bytes, false);
  check_tensors(e, statements, call, tensor_bytes, true);

  Value* wanted = statements.workspace(threads_of(e, call));
  if (Emitter::known(wanted) != 0) {
    Value* none = b.CreateICmpEQ(wanted, e.number(0));
    Value* memory = fields.pointer(call, offsetof(ingot_call, workspace));
    statements.require(
        b.CreateOr(b.CreateIsNotNull(memory), none),
        Reason{INGOT_NULL_DATA, INGOT_AT_WORKSPACE, 0, nullptr, e.number(0), wanted});
    Value* given = fields.word(call, offsetof(ingot_call, workspace_bytes));
    statements.require(
        b.CreateICmpUGE(given, wanted),
        Reason{INGOT_WORKSPACE_TOO_SMALL, INGOT_AT_WORKSPACE, 0, nullptr, given, wanted});
  }
  statements.done();
  return function;
}

}  // namespace

Checks::Checks(Emitter& emitter, const std::vector<Pinned>& pinned)
    : fail_(emit_fail(emitter)), check_(emit_check(emitter, fail_)) {
  emit_workspace_bytes(emitter, pinned);
  emit_shapes(emitter);
}

Checks::Checks(Emitter& emitter, OfPinned)
    : fail_(emit_fail(emitter)), check_(emit_check(emitter, fail_)), need_(emit_need(emitter)) {
  emit_workspace_bytes(emitter, {});
}

}  // namespace ingot::target
