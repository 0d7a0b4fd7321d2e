// SPDX-License-Identifier: Apache-2.0
// The function of a kernel, numbers and types: the first words in which kernels are written.
// vectors.cpp and control.cpp have the others.
#include "target/emitter.h"

#include <ingot/abi.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <set>

#include "plan/forks.h"

namespace ingot::target {
namespace {

using llvm::Value;

/// Calls `visit` for each view and each expression that a kernel mentions.
class Mentions {
 public:
  std::set<std::string> symbols;
  std::set<plan::BufferId> buffers;
  bool arena = false, own = false;
  bool indexes = false;  // by numbers that may be wrong

  Mentions(const plan::Plan& plan, const std::vector<bool>& of_parts)
      : plan_(plan), of_parts_(of_parts) {}

  void kernel(const plan::Kernel& kernel) {
    forked_ = plan::fork_of(plan_, kernel.id) != nullptr;
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
      (of_parts_[view.buffer] ? own : arena) = true;
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
      if (step.kind == plan::Step::Kind::gather) indexes = true;
      dim(step.dim);
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
        (forked_ ? own : arena) = true;
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
    if (reduce.start) view(*reduce.start);
    for (const plan::Window& window : reduce.windows) dim(window.size);
    body(reduce.finish);
    views(reduce.finish_loads);
    stores(reduce.finish_stores);
  }
  void visit(const plan::TopK& top) {
    dim(top.k);
    if (top.heap) {
      (forked_ ? own : arena) = true;
      dim(*top.heap);
    }
    body(top.body);
    views(top.loads);
    body(top.finish);
    views(top.finish_loads);
    stores(top.finish_stores);
  }
  void visit(const plan::Scatter& scatter) {
    indexes = true;
    dim(scatter.size);
    body(scatter.body);
    views(scatter.loads);
    view(scatter.target);
  }
  void visit(const plan::Compact& compact) {
    body(compact.body);
    views(compact.loads);
    view(compact.places);
    view(compact.count);
  }
  void visit(const plan::Measure&) {}
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
  const std::vector<bool>& of_parts_;
  bool forked_ = false;
};

}  // namespace

Emitter::Emitter(llvm::Module& target_module, const plan::Plan& target_plan, const Isa& target_isa,
                 llvm::Constant* weights, FunctionOptions options)
    : build(target_module.getContext()),
      plan(target_plan),
      isa(target_isa),
      module(target_module),
      weights_(weights),
      of_parts_(plan::buffers_of_parts(target_plan)),
      options_(std::move(options)) {
  symbols = plan.symbols;
  for (const plan::Block& block : plan.blocks) {
    symbols.push_back({block.begin, {0, block.extent.bounds(plan.ranges()).hi}});
    symbols.push_back({block.count, {1, block.size}});
  }
  for (const Symbol& symbol : symbols) ranges_[symbol.name] = symbol.range;
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
  llvm::DISubroutineType* type = debug.createSubroutineType(debug.getOrCreateTypeArray({}));
  llvm::DISubprogram* subprogram = debug.createFunction(
      options_.file, name, function->getName(), options_.file, line, type, line,
      llvm::DINode::FlagArtificial,
      llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagLocalToUnit |
          llvm::DISubprogram::SPFlagOptimized);
  function->setSubprogram(subprogram);
  build.SetCurrentDebugLocation(llvm::DILocation::get(module.getContext(), line, 0, subprogram));
}

llvm::Function* Emitter::begin_kernel(const plan::Kernel& kernel) {
  Mentions mentions(plan, of_parts_);
  mentions.kernel(kernel);
  Signature signature;
  signature.fails = mentions.indexes;
  std::vector<llvm::Type*> types;
  if (signature.fails) types.push_back(build.getPtrTy());
  for (std::uint32_t i = 0; i < symbols.size(); ++i) {
    if (mentions.symbols.count(symbols[i].name) == 0) continue;
    signature.symbols.push_back(i);
    types.push_back(build.getInt64Ty());
  }
  signature.arena = mentions.arena;
  if (signature.arena) types.push_back(build.getPtrTy());
  signature.own = mentions.own;
  if (signature.own) types.push_back(build.getPtrTy());
  signature.ports.assign(mentions.buffers.begin(), mentions.buffers.end());
  types.resize(types.size() + signature.ports.size(), build.getPtrTy());

  llvm::Type* result = signature.fails ? build.getInt32Ty() : build.getVoidTy();
  auto* type = llvm::FunctionType::get(result, types, false);
  llvm::Function* function =
      make_function(type, fmt::format("{}.{}.{}", plan.name, kernel.name, isa.name));
  if (options_.debug != nullptr) {
    const std::uint32_t place = number_of(kernel);
    const bool listed = place < options_.kernel_lines.size();
    describe(function, kernel.name, listed ? options_.kernel_lines[place] : place + 1);
  }

  auto* top = llvm::BasicBlock::Create(module.getContext(), "top", function);
  auto* start = llvm::BasicBlock::Create(module.getContext(), "start", function);
  build.SetInsertPoint(top);
  Bindings bindings;
  bindings.symbols.resize(symbols.size());
  unsigned position = signature.fails ? 1 : 0;
  for (std::uint32_t i : signature.symbols) {
    llvm::Argument* argument = function->getArg(position++);
    argument->setName(symbols[i].name);
    const Interval range = symbols[i].range;
    if (range.lo >= 0 && range.hi < INT64_MAX) {
      function->addParamAttr(
          argument->getArgNo(),
          llvm::Attribute::get(
              module.getContext(), llvm::Attribute::Range,
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
  if (signature.own) bindings.own = pointer("own");
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
  if (signatures_[kernel_->id].fails) {
    build.CreateRet(build.getInt32(INGOT_OK));
  } else {
    build.CreateRetVoid();
  }
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
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      if (symbols[i].name != atom.name) continue;
      INGOT_CHECK(i < bindings_.symbols.size() && bindings_.symbols[i] != nullptr,
                  "symbol '{}' is no argument here", atom.name);
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
    case DType::f32:
      scalar = build.getFloatTy();
      break;
    case DType::f64:
      scalar = build.getDoubleTy();
      break;
    case DType::boolean:
      scalar = build.getInt1Ty();
      break;
    default:
      scalar = build.getIntNTy(static_cast<unsigned>(bytes_of(dtype) * 8));
      break;
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

}  // namespace ingot::target
