// SPDX-License-Identifier: Apache-2.0
#include "target/sanitize.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>

#include <vector>

namespace ingot::target {
namespace {

using llvm::Value;

class Announcer {
 public:
  explicit Announcer(llvm::Module& module) : module_(module), build_(module.getContext()) {}

  void visit(llvm::Instruction& instruction) {
    build_.SetInsertPoint(&instruction);
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) {
      whole(false, load->getPointerOperand(), load->getType());
    } else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) {
      whole(true, store->getPointerOperand(), store->getValueOperand()->getType());
    } else if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) {
      switch (call->getIntrinsicID()) {
        case llvm::Intrinsic::masked_load:
          return first_lanes(false, call->getArgOperand(0), call->getArgOperand(2),
                             call->getType());
        case llvm::Intrinsic::masked_store:
          return first_lanes(true, call->getArgOperand(1), call->getArgOperand(3),
                             call->getArgOperand(0)->getType());
        case llvm::Intrinsic::masked_gather:
          return lane_by_lane(false, call->getArgOperand(0), call->getArgOperand(2),
                              call->getType());
        case llvm::Intrinsic::masked_scatter:
          return lane_by_lane(true, call->getArgOperand(1), call->getArgOperand(3),
                              call->getArgOperand(0)->getType());
        default:
          return;
      }
    }
  }

 private:
  Value* bytes(llvm::Type* type) {
    return build_.getInt64(module_.getDataLayout().getTypeStoreSize(type));
  }

  void announce(bool write, Value* pointer, Value* size) {
    const llvm::FunctionCallee range =
        module_.getOrInsertFunction(write ? "__tsan_write_range" : "__tsan_read_range",
                                    build_.getVoidTy(), build_.getPtrTy(), build_.getInt64Ty());
    build_.CreateCall(range, {pointer, size});
  }

  void whole(bool write, Value* pointer, llvm::Type* type) {
    constexpr std::uint64_t seen_by_llvm = 16;
    if (module_.getDataLayout().getTypeStoreSize(type) > seen_by_llvm) {
      announce(write, pointer, bytes(type));
    }
  }

  /// Masks of contiguous accesses are true in their first lanes, as many as there are.
  void first_lanes(bool write, Value* pointer, Value* mask, llvm::Type* type) {
    const auto* vector = llvm::cast<llvm::FixedVectorType>(type);
    Value* word = build_.CreateBitCast(mask, build_.getIntNTy(vector->getNumElements()));
    Value* live = build_.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop,
                                              build_.CreateZExt(word, build_.getInt64Ty()));
    announce(write, pointer, build_.CreateMul(live, bytes(vector->getElementType())));
  }

  void lane_by_lane(bool write, Value* pointers, Value* mask, llvm::Type* type) {
    const auto* vector = llvm::cast<llvm::FixedVectorType>(type);
    for (unsigned lane = 0; lane < vector->getNumElements(); ++lane) {
      Value* size = build_.CreateSelect(build_.CreateExtractElement(mask, lane),
                                        bytes(vector->getElementType()), build_.getInt64(0));
      announce(write, build_.CreateExtractElement(pointers, lane), size);
    }
  }

  llvm::Module& module_;
  llvm::IRBuilder<> build_;
};

}  // namespace

void complete_thread_sanitizer(llvm::Module& module) {
  Announcer announcer(module);
  for (llvm::Function& function : module) {
    if (!function.hasFnAttribute(llvm::Attribute::SanitizeThread)) continue;
    std::vector<llvm::Instruction*> all;
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      all.push_back(&instruction);
    }
    for (llvm::Instruction* instruction : all) announcer.visit(*instruction);
  }
  for (const char* plain : {"memcpy", "memmove", "memset"}) {
    llvm::Function* instrumented = module.getFunction(std::string("__tsan_") + plain);
    if (instrumented == nullptr) continue;
    llvm::Value* const callee =
        module.getOrInsertFunction(plain, instrumented->getFunctionType()).getCallee();
    instrumented->replaceAllUsesWith(callee);
    instrumented->eraseFromParent();
  }
}

}  // namespace ingot::target
