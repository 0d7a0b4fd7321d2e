// SPDX-License-Identifier: Apache-2.0
// Memory and vectors: addresses, masks of tails, loads and stores of lanes.

#include <algorithm>

#include "plan/forks.h"
#include "target/emitter.h"

namespace ingot::target {

using llvm::Value;

Value* Emitter::buffer(plan::BufferId id) {
  const plan::Buffer& buffer = plan.buffers[id];
  switch (buffer.kind) {
    case plan::Buffer::Kind::arena:
      return arena(buffer.offset, of_parts_[id]);
    case plan::Buffer::Kind::weights:
      return weights(buffer.offset);
    default:
      INGOT_CHECK(bindings_.ports.count(id) != 0, "buffer '{}' is no argument here", buffer.name);
      return bindings_.ports[id];
  }
}

Value* Emitter::weights(const Dim& offset) {
  INGOT_CHECK(weights_ != nullptr, "the plan has no weights");
  return build.CreateInBoundsGEP(build.getInt8Ty(), weights_, dim(offset));
}

Value* Emitter::arena(const Dim& offset, bool own) {
  Value* base = own ? bindings_.own : bindings_.arena;
  INGOT_CHECK(base != nullptr, "the arena is no argument here");
  return build.CreateInBoundsGEP(build.getInt8Ty(), base, dim(offset));
}

Value* Emitter::kept(const Dim& offset) {
  return arena(offset, plan::fork_of(plan, kernel_->id) != nullptr);
}

Value* Emitter::address(const plan::View& view, const std::vector<Value*>& point) {
  Value* elements = dim(view.offset);
  for (std::size_t d = 0; d < view.strides.size() && d < point.size(); ++d) {
    if (point[d] != nullptr) elements = add(elements, mul(dim(view.strides[d]), point[d]));
  }
  return advance(buffer(view.buffer), elements, dtype(view));
}

Value* Emitter::advance(Value* pointer, Value* elements, DType dtype) {
  if (known(elements) == 0) return pointer;
  return build.CreateInBoundsGEP(memory_type(dtype), pointer, elements);
}

// A mask that LLVM knows tells it which lanes nobody reads, and it would put zeros there: then dead
// lanes could divide by zero. So even a known number of lanes is hidden from it, but for registers
// that are live as a whole.
Lanes Emitter::first_lanes(unsigned count, Value* live) {
  if (known(live) == static_cast<std::int64_t>(count)) return all_lanes(count);
  if (count == 1) return all_lanes(1);
  const unsigned part = isa.vector_bytes / 4;
  const auto fixed = known(live);
  if (fixed && count > part && *fixed >= part) {
    const auto whole = static_cast<unsigned>(*fixed / part * part);
    Value* rest = *fixed == whole ? llvm::Constant::getNullValue(llvm::FixedVectorType::get(
                                        build.getInt1Ty(), count - whole))
                                  : partial_mask(count - whole, number(*fixed - whole));
    return Lanes{
        count, live,
        join(llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(build.getInt1Ty(), whole)),
             rest)};
  }
  return Lanes{count, live, partial_mask(count, live)};
}

Value* Emitter::partial_mask(unsigned count, Value* live) {
  // The compare is as wide as the vectors that it masks.
  const unsigned width = std::clamp(isa.vector_bytes * 8 / count, 8U, 64U);
  auto* type = build.getIntNTy(width);
  std::vector<llvm::Constant*> steps;
  for (unsigned i = 0; i < count; ++i) steps.push_back(llvm::ConstantInt::get(type, i));
  if (const auto fixed = known(live)) live = hidden(*fixed);
  return build.CreateICmpULT(llvm::ConstantVector::get(steps),
                             splat(build.CreateTrunc(live, type), count));
}

/// One vector after the other; their sizes need not be the same.
Value* Emitter::join(Value* low, Value* high) {
  const auto lanes_of = [](Value* value) {
    return static_cast<int>(llvm::cast<llvm::FixedVectorType>(value->getType())->getNumElements());
  };
  const int size = std::max(lanes_of(low), lanes_of(high));
  const auto widen = [&](Value* value) {
    std::vector<int> lanes;
    for (int i = 0; i < size; ++i) lanes.push_back(i < lanes_of(value) ? i : -1);
    return lanes_of(value) == size ? value : build.CreateShuffleVector(value, lanes);
  };
  std::vector<int> lanes;
  for (int i = 0; i < lanes_of(low); ++i) lanes.push_back(i);
  for (int i = 0; i < lanes_of(high); ++i) lanes.push_back(size + i);
  return build.CreateShuffleVector(widen(low), widen(high), lanes);
}

bool Emitter::can_mask(DType dtype) const {
  return bytes_of(dtype) >= 4 ? isa.has_masks : isa.has_byte_masks;
}

Value* Emitter::load(DType dtype, Value* pointer, Value* stride, const Lanes& lanes,
                     unsigned alignment) {
  const llvm::Align element_align(bytes_of(dtype));
  const llvm::Align vector_align(alignment == 0 ? bytes_of(dtype) : alignment);
  llvm::Type* scalar_type = memory_type(dtype);
  llvm::Type* type = memory_type(dtype, lanes.count);
  Value* value;
  if (lanes.count == 1 || known(stride) == 0) {
    value = build.CreateAlignedLoad(scalar_type, pointer,
                                    lanes.count == 1 ? vector_align : element_align);
    if (dtype == DType::boolean) value = build.CreateICmpNE(value, build.getInt8(0));
    return splat(value, lanes.count);
  }
  if (known(stride) == 1) {
    if (lanes.mask == nullptr) {
      value = build.CreateAlignedLoad(type, pointer, vector_align);
    } else {
      Value* first = build.CreateAlignedLoad(scalar_type, pointer, element_align);
      value = build.CreateMaskedLoad(type, pointer, vector_align, lanes.mask,
                                     splat(first, lanes.count));
    }
  } else {
    auto* index_type = llvm::FixedVectorType::get(build.getInt64Ty(), lanes.count);
    std::vector<llvm::Constant*> steps;
    for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(build.getInt64(i));
    Value* index = build.CreateMul(llvm::ConstantVector::get(steps), splat(stride, lanes.count));
    if (lanes.mask != nullptr) {
      index = build.CreateSelect(lanes.mask, index, llvm::Constant::getNullValue(index_type));
    }
    Value* pointers = build.CreateInBoundsGEP(scalar_type, pointer, index);
    value = build.CreateMaskedGather(type, pointers, element_align,
                                     llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(
                                         build.getInt1Ty(), lanes.count)));
  }
  if (dtype == DType::boolean)
    value = build.CreateICmpNE(value, llvm::Constant::getNullValue(type));
  return value;
}

void Emitter::store(DType dtype, Value* value, Value* pointer, Value* stride, const Lanes& lanes,
                    unsigned alignment) {
  const llvm::Align element_align(bytes_of(dtype));
  const llvm::Align vector_align(alignment == 0 ? bytes_of(dtype) : alignment);
  if (dtype == DType::boolean) value = build.CreateZExt(value, memory_type(dtype, lanes.count));
  if (lanes.count == 1) {
    build.CreateAlignedStore(value, pointer, vector_align);
  } else if (known(stride) == 0) {
    build.CreateAlignedStore(build.CreateExtractElement(value, std::uint64_t{0}), pointer,
                             element_align);
  } else if (known(stride) == 1) {
    if (lanes.mask == nullptr) {
      build.CreateAlignedStore(value, pointer, vector_align);
    } else {
      build.CreateMaskedStore(value, pointer, vector_align, lanes.mask);
    }
  } else {
    std::vector<llvm::Constant*> steps;
    for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(build.getInt64(i));
    Value* index = build.CreateMul(llvm::ConstantVector::get(steps), splat(stride, lanes.count));
    Value* pointers = build.CreateInBoundsGEP(memory_type(dtype), pointer, index);
    Value* mask = lanes.mask != nullptr
                      ? lanes.mask
                      : llvm::Constant::getAllOnesValue(
                            llvm::FixedVectorType::get(build.getInt1Ty(), lanes.count));
    build.CreateMaskedScatter(value, pointers, element_align, mask);
  }
}

}  // namespace ingot::target
