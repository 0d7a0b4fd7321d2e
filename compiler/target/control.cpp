// SPDX-License-Identifier: Apache-2.0
// Loops and branches of a kernel.
#include "target/emitter.h"

namespace ingot::target {

using llvm::Value;

Emitter::Values Emitter::loop(Value* from, Value* to, std::int64_t step, Values carried,
                              const std::function<Values(Value* i, const Values& carried)>& body,
                              const char* name) {
  const auto first = known(from);
  const auto last = known(to);
  if (first && last) {
    if (*first >= *last) return carried;
    if (*first + step >= *last) return body(from, carried);
  }
  auto& context = module.getContext();
  auto* before = build.GetInsertBlock();
  auto* inside = llvm::BasicBlock::Create(context, name, function_);
  auto* after = llvm::BasicBlock::Create(context, std::string(name) + ".end", function_);
  const bool entered = first && last;
  if (entered) {
    build.CreateBr(inside);
  } else {
    build.CreateCondBr(build.CreateICmpSLT(from, to), inside, after);
  }
  build.SetInsertPoint(inside);
  llvm::PHINode* i = build.CreatePHI(build.getInt64Ty(), 2, "i");
  i->addIncoming(from, before);
  std::vector<llvm::PHINode*> phis;
  Values values;
  for (Value* value : carried) {
    phis.push_back(build.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
    values.push_back(phis.back());
  }
  const auto before_body = dims_;
  const Values next = body(i, values);
  if (top_ == nullptr) dims_ = before_body;  // what was computed inside is not known outside
  INGOT_CHECK(next.size() == carried.size(), "a loop body lost a carried value");
  auto* latch = build.GetInsertBlock();
  Value* following = build.CreateNSWAdd(i, number(step));
  i->addIncoming(following, latch);
  for (std::size_t v = 0; v < phis.size(); ++v) phis[v]->addIncoming(next[v], latch);
  build.CreateCondBr(build.CreateICmpSLT(following, to), inside, after);
  build.SetInsertPoint(after);
  Values results;
  for (std::size_t v = 0; v < carried.size(); ++v) {
    llvm::PHINode* phi = build.CreatePHI(carried[v]->getType(), 2);
    if (!entered) phi->addIncoming(carried[v], before);
    phi->addIncoming(next[v], latch);
    results.push_back(phi);
  }
  return results;
}

void Emitter::loop(Value* from, Value* to, std::int64_t step,
                   const std::function<void(Value* i)>& body, const char* name) {
  loop(
      from, to, step, {},
      [&](Value* i, const Values&) {
        body(i);
        return Values{};
      },
      name);
}

void Emitter::loops(const std::vector<Value*>& extents,
                    const std::function<void(const std::vector<Value*>& point)>& body) {
  std::vector<Value*> point;
  const std::function<void()> descend = [&] {
    if (point.size() == extents.size()) {
      body(point);
      return;
    }
    loop(number(0), extents[point.size()], 1, [&](Value* i) {
      point.push_back(i);
      descend();
      point.pop_back();
    });
  };
  descend();
}

void Emitter::when(Value* condition, const std::function<void()>& body) {
  if (const auto decided = known(condition)) {
    if (*decided != 0) body();
    return;
  }
  auto* inside = llvm::BasicBlock::Create(module.getContext(), "when", function_);
  auto* after = llvm::BasicBlock::Create(module.getContext(), "when.end", function_);
  build.CreateCondBr(condition, inside, after);
  build.SetInsertPoint(inside);
  const auto before_body = dims_;
  body();
  if (top_ == nullptr) dims_ = before_body;
  build.CreateBr(after);
  build.SetInsertPoint(after);
}

Value* Emitter::stack(llvm::Type* type, std::uint64_t count, unsigned alignment) {
  llvm::IRBuilderBase::InsertPointGuard guard(build);
  auto& entry = function_->getEntryBlock();
  build.SetInsertPoint(&entry, entry.begin());
  llvm::AllocaInst* memory = build.CreateAlloca(type, build.getInt64(count));
  memory->setAlignment(llvm::Align(alignment));
  return memory;
}

}  // namespace ingot::target
