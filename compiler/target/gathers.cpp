// SPDX-License-Identifier: Apache-2.0
#include "target/gathers.h"

#include <ingot/abi.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>

namespace ingot::target {

using llvm::Value;
using Kind = plan::Step::Kind;

Gathers::Gathers(const plan::Body& body, const std::vector<plan::View>& loads,
                 const std::vector<std::uint32_t>& results,
                 const std::function<bool(const plan::View&)>& moves,
                 const std::function<bool(std::uint32_t axis)>& along)
    : body_(body), loads_(loads), views_(loads.size(), false) {
  const std::size_t count = body.steps.size();
  std::vector<bool> varies(count);
  rows_.assign(count, false);
  for (std::size_t s = 0; s < count; ++s) {
    const plan::Step& step = body.steps[s];
    bool from_operands = false;
    for (const std::uint32_t operand : step.operands)
      from_operands = from_operands || varies[operand];
    switch (step.kind) {
      case Kind::load:
        varies[s] = moves(loads[step.index]);
        break;
      case Kind::index:
        varies[s] = along(step.index);
        break;
      case Kind::scalar:
      case Kind::temp:
      case Kind::product:
        varies[s] = true;
        break;
      case Kind::gather:
        views_[step.index] = true;
        rows_[s] = !from_operands;
        varies[s] = from_operands || moves(loads[step.index]);
        break;
      default:
        varies[s] = from_operands;
    }
  }
  indices_ = rows_;
  in_lanes_.assign(count, false);
  for (const std::uint32_t result : results) in_lanes_[result] = true;
  for (std::size_t s = count; s-- > 0;) {
    for (const std::uint32_t operand : body.steps[s].operands) {
      if (indices_[s]) indices_[operand] = true;
      if (in_lanes_[s] && !rows_[s]) in_lanes_[operand] = true;
    }
  }
}

void Gathers::choose_rows(Emitter& e, Leaves leaves, const Lane& lane) {
  chosen_.clear();
  if (std::find(rows_.begin(), rows_.end(), true) == rows_.end()) return;
  const Lanes one = e.all_lanes(1);
  leaves.gather = [&](std::uint32_t s, Value* index) {
    const plan::View& from = view(s);
    index = e.checked_index(index, e.dim(body_.steps[s].dim), one, lane.position, lane.step);
    chosen_[s] =
        e.advance(lane.address(from), e.mul(index, e.dim(from.strides.back())), e.dtype(from));
    return e.load(e.dtype(from), chosen_[s], e.number(0), one);
  };
  e.body(body_, 1, leaves, &indices_);
}

void Gathers::complete(Emitter& e, Leaves& leaves, const Lanes& lanes, const Lane& lane,
                       Value* shift) {
  leaves.gather = [this, &e, &lanes, &lane, shift](std::uint32_t s, Value* index) {
    const plan::View& from = view(s);
    const DType dtype = e.dtype(from);
    Value* stride = lane.stride(from);
    if (rows_[s]) {
      Value* row = chosen_.at(s);
      if (shift != nullptr) row = e.advance(row, e.mul(shift, stride), dtype);
      return e.load(dtype, row, stride, lanes);
    }
    const Dim& size = body_.steps[s].dim;
    index = e.checked_index(index, e.dim(size), lanes, lane.position, lane.step);
    return e.gather(dtype, lane.address(from), stride, index, from.strides.back(), size, lanes);
  };
}

Value* Emitter::position(const std::vector<Value*>& point) {
  Value* result = number(0);
  Dim stride = 1;
  for (std::size_t d = kernel_->space.size(); d-- > 0;) {
    if (d < point.size() && point[d] != nullptr) result = add(result, mul(point[d], dim(stride)));
    stride *= kernel_->space[d];
  }
  return result;
}

Value* Emitter::checked_index(Value* index, Value* size, const Lanes& lanes,
                              const std::function<Value*()>& position,
                              const std::function<Value*()>& step) {
  auto& context = module.getContext();
  auto* wide_type = lanes.count == 1 ? static_cast<llvm::Type*>(build.getInt64Ty())
                                     : llvm::FixedVectorType::get(build.getInt64Ty(), lanes.count);
  Value* wide = build.CreateSExt(index, wide_type);
  // Compared without sign, so that negative ones are too large; narrow where the size is.
  Value* bad = nullptr;
  const auto fixed = known(size);
  if (index->getType() != wide_type && fixed && *fixed <= INT32_MAX) {
    bad = build.CreateICmpUGE(
        index, splat(build.getInt32(static_cast<std::uint32_t>(*fixed)), lanes.count));
  } else {
    bad = build.CreateICmpUGE(wide, splat(size, lanes.count));
  }
  if (lanes.mask != nullptr) bad = build.CreateAnd(bad, lanes.mask);

  auto* refuse = llvm::BasicBlock::Create(context, "bad.index", function_);
  auto* next = llvm::BasicBlock::Create(context, "next", function_);
  build.CreateCondBr(lanes.count == 1 ? bad : build.CreateOrReduce(bad), refuse, next,
                     llvm::MDBuilder(context).createBranchWeights(1, 2000));
  build.SetInsertPoint(refuse);
  Value* value = wide;
  Value* element = position();
  if (lanes.count > 1) {
    Value* bits = build.CreateBitCast(bad, build.getIntNTy(lanes.count));
    Value* lane =
        build.CreateIntrinsic(llvm::Intrinsic::cttz, {build.getInt64Ty()},
                              {build.CreateZExt(bits, build.getInt64Ty()), build.getTrue()});
    value = build.CreateExtractElement(wide, lane);
    element = build.CreateAdd(element, build.CreateMul(lane, step()));
  }
  build.CreateRet(
      build.CreateCall(fail_, {function_->getArg(0), build.getInt32(INGOT_INDEX_OUT_OF_RANGE),
                               build.getInt32(INGOT_AT_KERNEL), build.getInt32(number_of(*kernel_)),
                               element, value, size}));
  build.SetInsertPoint(next);
  if (lanes.mask == nullptr) return wide;
  // There is an element 0, because a live index is in range.
  return build.CreateSelect(lanes.mask, wide, llvm::Constant::getNullValue(wide_type));
}

Value* Emitter::gather(DType dtype, Value* pointer, Value* stride, Value* index,
                       const Dim& index_stride, const Dim& size, const Lanes& lanes) {
  if (lanes.count == 1)
    return load(dtype, advance(pointer, mul(index, dim(index_stride)), dtype), number(0), lanes);
  // 32-bit offsets where they are enough: a gather then takes twice as many.
  const auto fixed = known(stride);
  const Interval reach = (size * index_stride).bounds(ranges_);
  const std::int64_t most = INT32_MAX / 2;
  const bool narrow =
      fixed && std::abs(*fixed) < most / lanes.count && reach.hi < most && reach.lo > -most;
  llvm::Type* word = narrow ? build.getInt32Ty() : build.getInt64Ty();
  auto* type = llvm::FixedVectorType::get(word, lanes.count);
  auto lanes_of = [&](Value* scalar) {
    return splat(build.CreateTrunc(scalar, word), lanes.count);
  };
  Value* offsets = build.CreateTrunc(index, type);
  if (!index_stride.is(1)) offsets = build.CreateMul(offsets, lanes_of(dim(index_stride)));
  if (fixed != 0) {
    std::vector<llvm::Constant*> steps;
    for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(llvm::ConstantInt::get(word, i));
    Value* along = build.CreateMul(llvm::ConstantVector::get(steps), lanes_of(stride));
    if (lanes.mask != nullptr)
      along = build.CreateSelect(lanes.mask, along, llvm::Constant::getNullValue(type));
    offsets = build.CreateAdd(offsets, along);
  }
  llvm::Type* memory = memory_type(dtype, lanes.count);
  Value* pointers = build.CreateInBoundsGEP(memory_type(dtype), pointer, offsets);
  Value* value = build.CreateMaskedGather(
      memory, pointers, llvm::Align(bytes_of(dtype)),
      llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(build.getInt1Ty(), lanes.count)));
  if (dtype == DType::boolean)
    value = build.CreateICmpNE(value, llvm::Constant::getNullValue(memory));
  return value;
}

}  // namespace ingot::target
