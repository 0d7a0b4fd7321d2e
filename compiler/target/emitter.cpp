// SPDX-License-Identifier: Apache-2.0
// Numbers, addresses, vectors and loops: the words in which kernels are written.
#include "target/emitter.h"

#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <set>

namespace ingot::target {
namespace {

using llvm::Value;

/// Calls `visit` for each view and each expression that a kernel mentions.
class Mentions {
 public:
  std::set<std::string> symbols;
  std::set<plan::BufferId> buffers;
  bool arena = false;

  explicit Mentions(const plan::Plan& plan) : plan_(plan) {}

  void kernel(const plan::Kernel& kernel) {
    dims(kernel.space);
    std::visit([this](const auto& work) { visit(work); }, kernel.work);
  }

 private:
  void dim(const Dim& dim) { dim.collect_symbols(symbols); }
  void dims(const std::vector<Dim>& list) {
    for (const Dim& entry : list) dim(entry);
  }
  void view(const plan::View& view) {
    dim(view.offset);
    dims(view.strides);
    const plan::Buffer& buffer = plan_.buffers[view.buffer];
    if (buffer.kind == plan::Buffer::Kind::arena) {
      arena = true;
      dim(buffer.offset);
    } else if (buffer.kind != plan::Buffer::Kind::weights) {
      buffers.insert(view.buffer);
    }
  }
  void views(const std::vector<plan::View>& list) {
    for (const plan::View& entry : list) view(entry);
  }
  void stores(const std::vector<plan::Store>& list) {
    for (const plan::Store& entry : list) view(entry.view);
  }
  void body(const plan::Body& body) {
    for (const plan::Step& step : body.steps) {
      if (step.kind == plan::Step::Kind::dim) dim(step.dim);
    }
  }
  void visit(const plan::Map& map) {
    body(map.body);
    views(map.loads);
    stores(map.stores);
  }
  void visit(const plan::Row& row) {
    for (const plan::Row::Stage& stage : row.stages) {
      body(stage.body);
      views(stage.loads);
      stores(stage.stores);
      if (stage.keep) {
        arena = true;
        dim(stage.keep->offset);
      }
    }
    body(row.finish);
    views(row.finish_loads);
    stores(row.finish_stores);
  }
  void visit(const plan::OrderedReduce& reduce) {
    body(reduce.body);
    views(reduce.loads);
    body(reduce.finish);
    views(reduce.finish_loads);
    stores(reduce.finish_stores);
  }
  void visit(const plan::Contract& contract) {
    dim(contract.k);
    view(contract.a);
    if (const auto* b = std::get_if<plan::View>(&contract.b)) view(*b);
    if (contract.bias) view(*contract.bias);
    body(contract.epilogue);
    views(contract.loads);
    stores(contract.stores);
  }

  const plan::Plan& plan_;
};

}  // namespace

Emitter::Emitter(llvm::Module& target_module, const plan::Plan& target_plan, const Isa& target_isa,
                 llvm::Constant* weights, FunctionOptions options)
    : build(target_module.getContext()),
      plan(target_plan),
      isa(target_isa),
      module(target_module),
      weights_(weights),
      options_(std::move(options)) {
  for (const Symbol& symbol : plan.symbols) ranges_[symbol.name] = symbol.range;
}

llvm::Function* Emitter::make_function(llvm::FunctionType* type, const std::string& name) {
  llvm::Function* function =
      llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->setUWTableKind(llvm::UWTableKind::Async);
  function->addFnAttr("frame-pointer", "all");
  function->addFnAttr("target-cpu", isa.cpu);
  const std::string bits = std::to_string(isa.vector_bytes * 8);
  function->addFnAttr("prefer-vector-width", bits);
  function->addFnAttr("min-legal-vector-width", bits);
  if (options_.sanitizer != llvm::Attribute::None) function->addFnAttr(options_.sanitizer);
  return function;
}

void Emitter::describe(llvm::Function* function, llvm::StringRef name, unsigned line) {
  if (options_.debug == nullptr) return;
  llvm::DIBuilder& debug = *options_.debug;
  llvm::DISubroutineType* type =
      debug.createSubroutineType(debug.getOrCreateTypeArray({}));
  llvm::DISubprogram* subprogram = debug.createFunction(
      options_.file, name, function->getName(), options_.file, line, type, line,
      llvm::DINode::FlagArtificial,
      llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagLocalToUnit |
          llvm::DISubprogram::SPFlagOptimized);
  function->setSubprogram(subprogram);
  build.SetCurrentDebugLocation(
      llvm::DILocation::get(module.getContext(), line, 0, subprogram));
}

llvm::Function* Emitter::begin_kernel(const plan::Kernel& kernel) {
  Mentions mentions(plan);
  mentions.kernel(kernel);
  Signature signature;
  std::vector<llvm::Type*> types;
  for (std::uint32_t i = 0; i < plan.symbols.size(); ++i) {
    if (mentions.symbols.count(plan.symbols[i].name) == 0) continue;
    signature.symbols.push_back(i);
    types.push_back(build.getInt64Ty());
  }
  signature.arena = mentions.arena;
  if (signature.arena) types.push_back(build.getPtrTy());
  signature.ports.assign(mentions.buffers.begin(), mentions.buffers.end());
  types.resize(types.size() + signature.ports.size(), build.getPtrTy());

  auto* type = llvm::FunctionType::get(build.getVoidTy(), types, false);
  llvm::Function* function =
      make_function(type, fmt::format("{}.{}.{}", plan.name, kernel.name, isa.name));
  if (options_.debug != nullptr) {
    const std::size_t id = kernel.id;
    const bool listed = id < options_.kernel_lines.size();
    describe(function, kernel.name, listed ? options_.kernel_lines[id] : kernel.id + 1);
  }

  auto* top = llvm::BasicBlock::Create(module.getContext(), "top", function);
  auto* start = llvm::BasicBlock::Create(module.getContext(), "start", function);
  build.SetInsertPoint(top);
  Bindings bindings;
  bindings.symbols.resize(plan.symbols.size());
  unsigned position = 0;
  for (std::uint32_t i : signature.symbols) {
    llvm::Argument* argument = function->getArg(position++);
    argument->setName(plan.symbols[i].name);
    const Interval range = plan.symbols[i].range;
    if (range.lo >= 0 && range.hi < INT64_MAX) {
      function->addParamAttr(
          argument->getArgNo(),
          llvm::Attribute::get(module.getContext(), llvm::Attribute::Range,
                               llvm::ConstantRange(llvm::APInt(64, static_cast<std::uint64_t>(range.lo)),
                                                   llvm::APInt(64, static_cast<std::uint64_t>(range.hi) + 1))));
    }
    bindings.symbols[i] = argument;
  }
  auto pointer = [&](const char* name) {
    llvm::Argument* argument = function->getArg(position++);
    argument->setName(name);
    return argument;
  };
  if (signature.arena) bindings.arena = pointer("arena");
  for (plan::BufferId id : signature.ports) {
    llvm::Argument* argument = pointer("port");
    if (plan.buffers[id].kind == plan::Buffer::Kind::input) {
      function->addParamAttr(argument->getArgNo(), llvm::Attribute::ReadOnly);
    }
    bindings.ports[id] = argument;
  }
  bind(function, std::move(bindings));
  top_ = build.CreateBr(start);
  build.SetInsertPoint(start);
  kernel_ = &kernel;
  signatures_[kernel.id] = std::move(signature);
  return function;
}

void Emitter::end_kernel() {
  build.CreateRetVoid();
  kernel_ = nullptr;
  top_ = nullptr;
}

void Emitter::bind(llvm::Function* function, Bindings bindings) {
  function_ = function;
  bindings_ = std::move(bindings);
  dims_.clear();
  top_ = nullptr;
}

// ---- numbers -----------------------------------------------------------------------------------

std::optional<std::int64_t> Emitter::known(const Value* value) {
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  if (constant == nullptr || constant->getBitWidth() > 64) return std::nullopt;
  return constant->getSExtValue();
}

Value* Emitter::hidden(std::int64_t value) {
  auto* word = build.getInt64Ty();
  llvm::CallInst* result = build.CreateCall(
      llvm::InlineAsm::get(llvm::FunctionType::get(word, {word}, false), "", "=r,0", false),
      {number(value)});
  result->setDoesNotAccessMemory();
  result->setDoesNotThrow();
  return result;
}

Value* Emitter::add(Value* a, Value* b) {
  if (known(a) == 0) return b;
  if (known(b) == 0) return a;
  return build.CreateNSWAdd(a, b);
}

Value* Emitter::mul(Value* a, Value* b) {
  if (known(a) == 0 || known(b) == 0) return number(0);
  if (known(a) == 1) return b;
  if (known(b) == 1) return a;
  return build.CreateNSWMul(a, b);
}

Value* Emitter::dim(const Dim& dim) {
  if (const auto value = dim.value()) return number(*value);
  if (const auto found = dims_.find(dim); found != dims_.end()) return found->second;
  llvm::IRBuilderBase::InsertPointGuard guard(build);
  if (top_ != nullptr) build.SetInsertPoint(top_);
  Value* value = emit_dim(dim);
  dims_.emplace(dim, value);
  return value;
}

Value* Emitter::emit_dim(const Dim& dim) {
  Value* total = number(0);
  for (const Dim::Term& term : dim.terms()) {
    Value* product = number(term.coefficient);
    for (const Dim::Atom& factor : term.factors) product = mul(product, emit_atom(factor));
    total = add(total, product);
  }
  return total;
}

Value* Emitter::emit_atom(const Dim::Atom& atom) {
  if (atom.kind == Dim::Kind::symbol) {
    for (std::size_t i = 0; i < plan.symbols.size(); ++i) {
      if (plan.symbols[i].name != atom.name) continue;
      INGOT_CHECK(bindings_.symbols[i] != nullptr, "symbol '{}' is no argument here", atom.name);
      return bindings_.symbols[i];
    }
    INGOT_CHECK(false, "unknown symbol '{}' in the plan", atom.name);
  }
  return apply_atom(atom, dim(atom.args[0]), dim(atom.args[1]));
}

Value* Emitter::apply_atom(const Dim::Atom& atom, Value* a, Value* b) {
  switch (atom.kind) {
    case Dim::Kind::min:
      return build.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
    case Dim::Kind::max:
      return build.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, b);
    default:
      break;
  }
  // Division that rounds to minus infinity. A zero divisor is excluded by the graph's constraints;
  // one is put in its place so that an entry that is about to refuse a call cannot trap on the way.
  const Interval range = atom.args[1].bounds(ranges_);
  if (range.lo <= 0 && range.hi >= 0) {
    b = build.CreateSelect(build.CreateICmpEQ(b, number(0)), number(1), b);
  }
  Value* quotient;
  Value* rest;
  if (atom.args[0].bounds(ranges_).lo >= 0 && range.lo >= 0) {
    quotient = build.CreateUDiv(a, b);
    rest = build.CreateURem(a, b);
  } else {
    quotient = build.CreateSDiv(a, b);
    rest = build.CreateSRem(a, b);
    Value* lower = build.CreateAnd(build.CreateICmpNE(rest, number(0)),
                                   build.CreateICmpSLT(build.CreateXor(rest, b), number(0)));
    quotient = build.CreateSelect(lower, build.CreateSub(quotient, number(1)), quotient);
    rest = build.CreateSelect(lower, build.CreateAdd(rest, b), rest);
  }
  return atom.kind == Dim::Kind::floor_div ? quotient : rest;
}

// ---- types -------------------------------------------------------------------------------------

llvm::Type* Emitter::register_type(DType dtype, unsigned lanes) {
  llvm::Type* scalar = nullptr;
  switch (dtype) {
    case DType::f32: scalar = build.getFloatTy(); break;
    case DType::f64: scalar = build.getDoubleTy(); break;
    case DType::boolean: scalar = build.getInt1Ty(); break;
    default: scalar = build.getIntNTy(static_cast<unsigned>(bytes_of(dtype) * 8)); break;
  }
  return lanes == 1 ? scalar : llvm::FixedVectorType::get(scalar, lanes);
}

llvm::Type* Emitter::memory_type(DType dtype, unsigned lanes) {
  return register_type(dtype == DType::boolean ? DType::u8 : dtype, lanes);
}

Value* Emitter::splat(Value* scalar, unsigned lanes) {
  return lanes == 1 ? scalar : build.CreateVectorSplat(lanes, scalar);
}

llvm::Constant* Emitter::constant(const Tensor& scalar, unsigned lanes) {
  llvm::Type* type = register_type(scalar.dtype());
  llvm::Constant* value = nullptr;
  std::uint64_t bits = 0;
  std::memcpy(&bits, scalar.bytes().data(), bytes_of(scalar.dtype()));
  if (scalar.dtype() == DType::f32) {
    value = llvm::ConstantFP::get(type, llvm::APFloat(scalar.at<float>(0)));
  } else if (scalar.dtype() == DType::f64) {
    value = llvm::ConstantFP::get(type, llvm::APFloat(scalar.at<double>(0)));
  } else if (scalar.dtype() == DType::boolean) {
    value = build.getInt1(bits != 0);
  } else {
    value = llvm::ConstantInt::get(type, bits);
  }
  return lanes == 1 ? value
                    : llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes), value);
}

llvm::Constant* Emitter::zero(DType dtype, unsigned lanes) {
  return llvm::Constant::getNullValue(register_type(dtype, lanes));
}

// ---- memory ------------------------------------------------------------------------------------

Value* Emitter::buffer(plan::BufferId id) {
  const plan::Buffer& buffer = plan.buffers[id];
  switch (buffer.kind) {
    case plan::Buffer::Kind::arena:
      return arena(buffer.offset);
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

Value* Emitter::arena(const Dim& offset) {
  INGOT_CHECK(bindings_.arena != nullptr, "the arena is no argument here");
  return build.CreateInBoundsGEP(build.getInt8Ty(), bindings_.arena, dim(offset));
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
    return Lanes{count, live, join(llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(
                                       build.getInt1Ty(), whole)), rest)};
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
  if (dtype == DType::boolean) value = build.CreateICmpNE(value, llvm::Constant::getNullValue(type));
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
    Value* mask = lanes.mask != nullptr ? lanes.mask
                                        : llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(
                                              build.getInt1Ty(), lanes.count));
    build.CreateMaskedScatter(value, pointers, element_align, mask);
  }
}

// ---- control -----------------------------------------------------------------------------------

Emitter::Values Emitter::loop(
    Value* from, Value* to, std::int64_t step, Values carried,
    const std::function<Values(Value* i, const Values& carried)>& body, const char* name) {
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
