// SPDX-License-Identifier: Apache-2.0
#include "target/heap.h"

namespace ingot::target {

using llvm::Value;

Heap::Heap(Emitter& emitter, llvm::Type* key, Value* keys, Value* places, Value* size)
    : e_(emitter), key_(key), keys_(keys), places_(places), size_(size) {}

Heap::Entry Heap::read(Value* number) {
  llvm::Type* word = e_.build.getInt64Ty();
  return {e_.build.CreateLoad(key_, e_.build.CreateInBoundsGEP(key_, keys_, number)),
          e_.build.CreateLoad(word, e_.build.CreateInBoundsGEP(word, places_, number))};
}

void Heap::write(Value* number, const Entry& entry) {
  llvm::Type* word = e_.build.getInt64Ty();
  e_.build.CreateStore(entry.key, e_.build.CreateInBoundsGEP(key_, keys_, number));
  e_.build.CreateStore(entry.place, e_.build.CreateInBoundsGEP(word, places_, number));
}

void Heap::build() {
  Value* half = e_.build.CreateLShr(size_, 1);
  e_.loop(
      e_.number(0), half, 1,
      [&](Value* i) {
        Value* hole = e_.build.CreateSub(e_.build.CreateSub(half, i), e_.number(1));
        sift(hole, size_, read(hole));
      },
      "build");
}

Value* Heap::last_key() { return e_.build.CreateLoad(key_, keys_); }

void Heap::replace(Value* key, Value* place) { sift(e_.number(0), size_, {key, place}); }

void Heap::sort() {
  Value* last = e_.build.CreateSub(size_, e_.number(1));
  e_.loop(
      e_.number(0), last, 1,
      [&](Value* i) {
        Value* end = e_.build.CreateSub(last, i);
        const Entry root = read(e_.number(0)), moved = read(end);
        write(end, root);
        sift(e_.number(0), end, moved);
      },
      "sort");
}

void Heap::sift(Value* hole, Value* size, const Entry& entry) {
  e_.build.CreateCall(sifter(), {keys_, places_, hole, size, entry.key, entry.place});
}

llvm::Function* Heap::sifter() {
  const std::string name =
      fmt::format("{}:sift{}.{}", e_.plan.name, key_->getIntegerBitWidth(), e_.isa.name);
  if (llvm::Function* known = e_.module.getFunction(name)) return known;
  auto& context = e_.module.getContext();
  llvm::IRBuilder<> b(context);
  llvm::Type *pointer = b.getPtrTy(), *word = b.getInt64Ty();
  llvm::Function* function = e_.make_function(
      llvm::FunctionType::get(b.getVoidTy(), {pointer, pointer, word, word, key_, word}, false),
      name);
  Value *keys = function->getArg(0), *places = function->getArg(1), *size = function->getArg(3);
  const Entry item{function->getArg(4), function->getArg(5)};
  auto block = [&](const char* called) {
    return llvm::BasicBlock::Create(context, called, function);
  };
  auto key_at = [&](Value* i) { return b.CreateInBoundsGEP(key_, keys, i); };
  auto place_at = [&](Value* i) { return b.CreateInBoundsGEP(word, places, i); };
  auto read = [&](Value* i) {
    return Entry{b.CreateLoad(key_, key_at(i)), b.CreateLoad(word, place_at(i))};
  };
  auto write = [&](Value* i, const Entry& entry) {
    b.CreateStore(entry.key, key_at(i));
    b.CreateStore(entry.place, place_at(i));
  };
  auto comes_after = [&](const Entry& a, const Entry& other) {
    return b.CreateOr(
        b.CreateICmpSLT(a.key, other.key),
        b.CreateAnd(b.CreateICmpEQ(a.key, other.key), b.CreateICmpSGT(a.place, other.place)));
  };
  auto *top = block("top"), *down = block("down"), *pick = block("pick"), *two = block("two"),
       *chosen = block("chosen"), *move = block("move"), *done = block("done");

  b.SetInsertPoint(top);
  b.CreateBr(down);

  b.SetInsertPoint(down);
  llvm::PHINode* hole = b.CreatePHI(word, 2);
  hole->addIncoming(function->getArg(2), top);
  Value* left = b.CreateAdd(b.CreateShl(hole, 1), b.getInt64(1));
  b.CreateCondBr(b.CreateICmpSLT(left, size), pick, done);

  b.SetInsertPoint(pick);
  Value* right = b.CreateAdd(left, b.getInt64(1));
  b.CreateCondBr(b.CreateICmpSLT(right, size), two, chosen);

  b.SetInsertPoint(two);
  Value* later = b.CreateSelect(comes_after(read(right), read(left)), right, left);
  b.CreateBr(chosen);

  b.SetInsertPoint(chosen);
  llvm::PHINode* child = b.CreatePHI(word, 2);
  child->addIncoming(left, pick);
  child->addIncoming(later, two);
  const Entry below = read(child);
  b.CreateCondBr(comes_after(below, item), move, done);

  b.SetInsertPoint(move);
  write(hole, below);
  hole->addIncoming(child, move);
  b.CreateBr(down);

  b.SetInsertPoint(done);
  write(hole, item);
  b.CreateRetVoid();
  return function;
}

}  // namespace ingot::target
