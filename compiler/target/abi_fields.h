// SPDX-License-Identifier: Apache-2.0
// Reading and writing the structs of <ingot/abi.h> from generated code, by offset.
#pragma once

#include <ingot/abi.h>

#include "target/emitter.h"

namespace ingot::target {

/// Fields by offset: words are 64 bits, halves 32.
class Fields {
 public:
  explicit Fields(Emitter& emitter) : b_(emitter.build) {}
  llvm::Value* at(llvm::Value* base, std::uint64_t offset) {
    return offset == 0 ? base : b_.CreateInBoundsGEP(b_.getInt8Ty(), base, b_.getInt64(offset));
  }
  llvm::Value* word(llvm::Value* base, std::uint64_t offset) {
    return get(b_.getInt64Ty(), base, offset, 8);
  }
  llvm::Value* half(llvm::Value* base, std::uint64_t offset) {
    return get(b_.getInt32Ty(), base, offset, 4);
  }
  llvm::Value* pointer(llvm::Value* base, std::uint64_t offset) {
    return get(b_.getPtrTy(), base, offset, 8);
  }
  void set(llvm::Value* value, llvm::Value* base, std::uint64_t offset) {
    const unsigned bytes = value->getType()->isIntegerTy(32) ? 4 : 8;
    b_.CreateAlignedStore(value, at(base, offset), llvm::Align(bytes));
  }

 private:
  llvm::Value* get(llvm::Type* type, llvm::Value* base, std::uint64_t offset, unsigned align) {
    return b_.CreateAlignedLoad(type, at(base, offset), llvm::Align(align));
  }
  llvm::IRBuilder<>& b_;
};

}  // namespace ingot::target
