// SPDX-License-Identifier: Apache-2.0
#include "target/probe.h"

#include <cstddef>
#include <set>

#include "plan/blocks.h"
#include "plan/visit.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// The buffers that a kernel writes, each once.
std::vector<plan::BufferId> written(const plan::Kernel& kernel) {
  std::set<plan::BufferId> buffers;
  plan::visit_views(kernel, [&](const plan::View& view, const plan::Use& use) {
    if (use.write) buffers.insert(view.buffer);
  });
  return {buffers.begin(), buffers.end()};
}

}  // namespace

Prober::Prober(Emitter& emitter, Value* call, Value* task, llvm::Function* fail,
               llvm::Function* function)
    : e_(emitter),
      b_(emitter.build),
      fields_(emitter),
      call_(call),
      task_(task),
      fail_(fail),
      function_(function) {
  // A call may be too short to have a probe.
  auto* top = b_.GetInsertBlock();
  auto* longer = llvm::BasicBlock::Create(b_.getContext(), "longer", function);
  auto* next = llvm::BasicBlock::Create(b_.getContext(), "next", function);
  Value* bytes = fields_.word(call, offsetof(ingot_call, struct_bytes));
  b_.CreateCondBr(b_.CreateICmpUGE(bytes, b_.getInt64(offsetof(ingot_call, probe_user) + 8)),
                  longer, next);
  b_.SetInsertPoint(longer);
  Value* probe = fields_.pointer(call, offsetof(ingot_call, probe));
  Value* user = fields_.pointer(call, offsetof(ingot_call, probe_user));
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
  auto either = [&](Value* value) {
    llvm::PHINode* phi = b_.CreatePHI(b_.getPtrTy(), 2);
    phi->addIncoming(llvm::ConstantPointerNull::get(b_.getPtrTy()), top);
    phi->addIncoming(value, longer);
    return phi;
  };
  probe_ = either(probe);
  user_ = either(user);
  std::size_t most = 0;
  for (const plan::Kernel& kernel : e_.plan.kernels) {
    most = std::max(most, written(kernel).size());
  }
  event_ = e_.stack(b_.getInt8Ty(), sizeof(ingot_probe_event), 8);
  values_ = e_.stack(b_.getInt8Ty(), std::max<std::size_t>(most, 1) * sizeof(ingot_tensor), 8);
}

void Prober::tell(const plan::Kernel& kernel, const plan::Block* block, const plan::Block* loop,
                  ingot_phase phase) {
  e_.when(b_.CreateIsNotNull(probe_), [&] {
    std::vector<plan::BufferId> buffers;
    if (phase == INGOT_END) buffers = written(kernel);
    // Of a block within a row there is no tensor of the caller's to show: it is not done yet.
    if (block != nullptr && block->extent.value()) {
      std::erase_if(buffers, [&](plan::BufferId id) {
        return e_.plan.buffers[id].kind == plan::Buffer::Kind::output;
      });
    }
    // Nor of what a loop is just filling.
    if (loop != nullptr && !buffers.empty()) {
      const std::vector<bool> local = plan::local_buffers(e_.plan, *loop);
      std::erase_if(buffers, [&](plan::BufferId id) { return !local[id]; });
    }
    // Nor of what has no size yet.
    std::vector<Symbol> unknown;
    for (std::size_t s = 0; s < e_.plan.symbols.size(); ++s) {
      if (e_.bindings().symbols[s] == nullptr) unknown.push_back(e_.plan.symbols[s]);
    }
    std::erase_if(buffers, [&](plan::BufferId id) {
      return depends_on_data(product(e_.plan.buffers[id].shape), unknown);
    });
    for (std::size_t i = 0; i < buffers.size(); ++i)
      describe(buffers[i], block, i * sizeof(ingot_tensor));
    auto half = [&](std::uint64_t value) { return b_.getInt32(static_cast<std::uint32_t>(value)); };
    Value* none = llvm::ConstantPointerNull::get(b_.getPtrTy());
    Value* first = e_.number(0);
    Value* rows = e_.number(1);
    if (block != nullptr) {
      first = e_.dim(Dim::symbol(block->begin));
      rows = e_.dim(Dim::symbol(block->count));
    } else if (!e_.plan.symbols.empty() && !e_.plan.symbols[0].measured()) {
      rows = e_.dim(Dim::symbol(e_.plan.symbols[0].name));
    }
    fields_.set(e_.number(sizeof(ingot_probe_event)), event_,
                offsetof(ingot_probe_event, struct_bytes));
    fields_.set(half(e_.number_of(kernel)), event_, offsetof(ingot_probe_event, kernel));
    fields_.set(half(phase), event_, offsetof(ingot_probe_event, phase));
    fields_.set(task_, event_, offsetof(ingot_probe_event, task));
    fields_.set(half(buffers.size()), event_, offsetof(ingot_probe_event, value_count));
    fields_.set(buffers.empty() ? none : values_, event_, offsetof(ingot_probe_event, values));
    fields_.set(e_.number(sizeof(ingot_tensor)), event_, offsetof(ingot_probe_event, tensor_bytes));
    fields_.set(first, event_, offsetof(ingot_probe_event, first_row));
    fields_.set(rows, event_, offsetof(ingot_probe_event, row_count));
    fields_.set(fields_.pointer(call_, offsetof(ingot_call, symbols)), event_,
                offsetof(ingot_probe_event, symbols));
    auto* type = llvm::FunctionType::get(b_.getInt32Ty(), {b_.getPtrTy(), b_.getPtrTy()}, false);
    Value* answer = b_.CreateCall(type, probe_, {user_, event_});
    auto* cancelled = llvm::BasicBlock::Create(b_.getContext(), "cancelled", function_);
    auto* next = llvm::BasicBlock::Create(b_.getContext(), "next", function_);
    b_.CreateCondBr(b_.CreateICmpEQ(answer, half(0)), next, cancelled);
    b_.SetInsertPoint(cancelled);
    b_.CreateRet(b_.CreateCall(
        fail_, {call_, half(INGOT_CANCELLED), half(INGOT_AT_KERNEL), half(e_.number_of(kernel)),
                e_.number(-1), b_.CreateSExt(answer, b_.getInt64Ty()), e_.number(0)}));
    b_.SetInsertPoint(next);
  });
}

/// An ingot_tensor of a buffer, dense; of a block's rows where the buffer has all rows.
void Prober::describe(plan::BufferId id, const plan::Block* block, std::uint64_t position) {
  const plan::Buffer& buffer = e_.plan.buffers[id];
  Value* tensor = fields_.at(values_, position);
  const auto size = static_cast<std::int64_t>(bytes_of(buffer.dtype));
  Dim bytes = product(buffer.shape) * size;
  Value* data = e_.buffer(id);
  if (block != nullptr && buffer.kind == plan::Buffer::Kind::output) {
    const Dim row = plan::row_elements(buffer, *block) * size;
    bytes = Dim::symbol(block->count) * row;
    data = e_.advance(data, e_.dim(Dim::symbol(block->begin) * row), DType::u8);
  }
  fields_.set(data, tensor, offsetof(ingot_tensor, data));
  fields_.set(e_.dim(bytes), tensor, offsetof(ingot_tensor, bytes));
  fields_.set(llvm::ConstantPointerNull::get(b_.getPtrTy()), tensor,
              offsetof(ingot_tensor, strides));
  fields_.set(b_.getInt32(static_cast<std::uint32_t>(buffer.dtype)), tensor,
              offsetof(ingot_tensor, dtype));
  fields_.set(b_.getInt32(static_cast<std::uint32_t>(buffer.shape.size())), tensor,
              offsetof(ingot_tensor, rank));
  fields_.set(b_.getInt32(INGOT_CPU), tensor, offsetof(ingot_tensor, device));
  fields_.set(b_.getInt32(0), tensor, offsetof(ingot_tensor, device_index));
}

}  // namespace ingot::target
