// SPDX-License-Identifier: Apache-2.0
// The front of the contraction generator: binds operands, shares the code of equal contractions,
// walks batch dimensions and hands each matrix product to the generator of its layout.
#include "target/contract.h"

#include <llvm/Support/xxhash.h>

#include <algorithm>
#include <set>

#include "ir/op.h"
#include "target/contract_detail.h"

namespace ingot::target {
namespace {

using llvm::Value;
using plan::Contract;
using plan::Kernel;
using plan::PackedWeights;
using plan::View;

/// Multiply-adds up to which a contraction stays where it is used, as straight code with constant
/// addresses; larger ones are functions that equal kernels share.
constexpr std::int64_t inline_limit = 1024;

/// Pointers to the operands' elements at the origin of the space.
struct Bases {
  Value* a = nullptr;
  Value* b = nullptr;
  Value* bias = nullptr;
  std::vector<Value*> loads;
  std::vector<Value*> stores;

  std::vector<Value*> all() const {
    std::vector<Value*> values{a, b};
    if (bias) values.push_back(bias);
    values.insert(values.end(), loads.begin(), loads.end());
    values.insert(values.end(), stores.begin(), stores.end());
    return values;
  }
};

Bases addresses(Emitter& emit, const Contract& contract) {
  Bases bases;
  bases.a = contract.taps.empty()
                ? emit.address(contract.a, {})
                : emit.build.CreateGEP(emit.memory_type(emit.dtype(contract.a)),
                                       emit.buffer(contract.a.buffer), emit.dim(contract.a.offset));
  if (const auto* packed = std::get_if<PackedWeights>(&contract.b)) {
    // Nothing is packed where k is 0 and there is no bias; nothing is read then.
    bases.b = packed->bytes == 0 ? llvm::Constant::getNullValue(emit.build.getPtrTy())
                                 : emit.weights(packed->offset);
  } else {
    bases.b = emit.address(std::get<View>(contract.b), {});
  }
  if (contract.bias) bases.bias = emit.address(*contract.bias, {});
  for (const View& view : contract.loads) bases.loads.push_back(emit.address(view, {}));
  for (const plan::Store& store : contract.stores)
    bases.stores.push_back(emit.address(store.view, {}));
  return bases;
}

/// Visits every expression on which the code depends, but for where buffers stand.
void for_each_dim(const Kernel& kernel, const Contract& contract,
                  const std::function<void(const Dim&)>& visit) {
  const auto strides = [&](const View& view) {
    for (const Dim& stride : view.strides) visit(stride);
  };
  for (const Dim& extent : kernel.space) visit(extent);
  visit(contract.k);
  for (const Contract::Taps& taps : contract.taps) {
    visit(taps.window.size);
    visit(taps.a_stride);
    visit(taps.b_stride);
  }
  strides(contract.a);
  if (const auto* b = std::get_if<View>(&contract.b)) strides(*b);
  if (contract.bias) strides(*contract.bias);
  for (const View& view : contract.loads) strides(view);
  for (const plan::Store& store : contract.stores) strides(store.view);
  for (const plan::Step& step : contract.epilogue.steps)
    if (step.kind == plan::Step::Kind::dim) visit(step.dim);
}

/// Everything on which the code depends, as text: equal texts, equal code.
std::string structure(const Emitter& emit, const Kernel& kernel, const Contract& contract) {
  std::string text = fmt::format("{} {} S{} {};", emit.isa.name,
                                 emit.plan.arithmetic == Arithmetic::fused ? "fused" : "strict",
                                 contract.chains, name(emit.dtype(contract.a)));
  for_each_dim(kernel, contract, [&](const Dim& dim) { text += dim.str() + ","; });
  if (const auto* packed = std::get_if<PackedWeights>(&contract.b))
    text += fmt::format(";packed {}x{} bias {}", packed->k, packed->n, packed->has_bias);
  if (contract.group_dim)
    text += fmt::format(";groups {} {}", *contract.group_dim, contract.group_bytes);
  for (const Contract::Taps& taps : contract.taps) {
    const plan::Window& window = taps.window;
    text += fmt::format(";taps {} {} {} {} {} {}", window.output, window.taps, window.stride,
                        window.dilation, window.pad_begin, window.inside);
  }
  if (contract.bias) text += ";bias";
  for (const View& view : contract.loads) text += fmt::format(";load {}", name(emit.dtype(view)));
  for (const plan::Store& store : contract.stores)
    text += fmt::format(";store {} {}", store.step, name(emit.dtype(store.view)));
  for (const plan::Step& step : contract.epilogue.steps) {
    text += fmt::format(";{} {} {} {}", static_cast<int>(step.kind), name(step.dtype), step.index,
                        step.op ? step.op->name : "");
    for (std::uint32_t operand : step.operands) text += fmt::format(" {}", operand);
    if (step.kind == plan::Step::Kind::constant) {
      for (std::byte byte : step.constant.bytes())
        text += fmt::format("{:02x}", std::to_integer<int>(byte));
    }
  }
  return text;
}

class Writer {
 public:
  Writer(Emitter& emit, const Kernel& kernel, const Contract& contract, const Bases& bases,
         bool shares)
      : emit_(emit),
        kernel_(kernel),
        contract_(contract),
        problem_{.emit = emit, .contract = contract} {
    const std::size_t rank = kernel.space.size();
    batch_ = rank - 2;
    problem_.dtype = emit.dtype(contract.a);
    SymbolRanges ranges;
    for (const Symbol& symbol : emit.symbols) ranges[symbol.name] = symbol.range;
    problem_.rows = kernel.space[batch_].bounds(ranges);
    problem_.m = emit.dim(kernel.space[batch_]);
    problem_.n = emit.dim(kernel.space[batch_ + 1]);
    problem_.k = emit.dim(contract.k);
    problem_.a = operand(contract.a, bases.a);
    if (const auto* packed = std::get_if<PackedWeights>(&contract.b)) {
      problem_.packed = packed;
      problem_.b = Operand{bases.b, emit.number(0), emit.number(1), nullptr, problem_.dtype};
      batch_strides_.emplace_back(batch_, emit.number(0));
    } else {
      problem_.b = operand(std::get<View>(contract.b), bases.b);
    }
    bind_taps();
    problem_.shares_products = shares;
    if (contract.bias) problem_.bias = operand(*contract.bias, bases.bias);
    for (std::size_t i = 0; i < contract.loads.size(); ++i)
      problem_.loads.push_back(operand(contract.loads[i], bases.loads[i]));
    for (std::size_t i = 0; i < contract.stores.size(); ++i)
      problem_.stores.push_back(operand(contract.stores[i].view, bases.stores[i]));
  }

  void write() {
    std::vector<Value*> extents;
    for (std::size_t d = 0; d < batch_; ++d) extents.push_back(emit_.dim(kernel_.space[d]));
    emit_.loops(extents, [&](const std::vector<Value*>& point) { matrix(point); });
  }

 private:
  using Operand = contract::Operand;

  void bind_taps() {
    std::int64_t rows = problem_.packed ? problem_.packed->k : 0;
    for (const Contract::Taps& taps : contract_.taps) {
      rows /= taps.window.taps;
      problem_.taps.push_back({.window = &taps.window,
                               .a = emit_.dim(taps.a_stride),
                               .b = emit_.dim(taps.b_stride),
                               .rows = rows});
    }
    if (contract_.taps.empty()) return;
    const Contract::Taps& last = contract_.taps.back();
    const auto* b = std::get_if<View>(&contract_.b);
    problem_.taps_join_k = last.a_stride == contract_.k * contract_.a.strides.back() &&
                           (b == nullptr || last.b_stride == contract_.k * b->strides.back());
  }

  /// Strides as values; those of batch dimensions are kept aside, in the order of the calls.
  Operand operand(const View& view, Value* pointer) {
    std::vector<Value*> strides;
    for (const Dim& stride : view.strides) strides.push_back(emit_.dim(stride));
    strides.resize(std::max(strides.size(), batch_ + 3), emit_.number(0));
    batch_strides_.emplace_back(strides.begin(),
                                strides.begin() + static_cast<std::ptrdiff_t>(batch_));
    return Operand{pointer, strides[batch_], strides[batch_ + 1], strides[batch_ + 2],
                   emit_.dtype(view)};
  }

  void matrix(const std::vector<Value*>& point) {
    contract::Problem problem = problem_;
    problem.batch = point;
    std::size_t next = 0;
    const auto move = [&](Operand& operand) {
      Value* elements = emit_.number(0);
      for (std::size_t d = 0; d < batch_; ++d)
        elements = emit_.add(elements, emit_.mul(point[d], batch_strides_[next][d]));
      const bool may_be_outside = &operand == &problem.a && !problem.taps.empty();
      operand.pointer = may_be_outside ? emit_.build.CreateGEP(emit_.memory_type(operand.dtype),
                                                               operand.pointer, elements)
                                       : emit_.advance(operand.pointer, elements, operand.dtype);
      ++next;
    };
    move(problem.a);
    move(problem.b);
    if (problem.packed && contract_.group_dim) {
      Value* bytes = emit_.mul(point[*contract_.group_dim], emit_.number(contract_.group_bytes));
      problem.b.pointer = emit_.advance(problem.b.pointer, bytes, DType::u8);
    }
    for (contract::TapAxis& axis : problem.taps) {
      // Those along m are found where the rows are known.
      if (axis.window->output < batch_)
        axis.live_at(emit_, point[axis.window->output]);
      else
        axis.all_live(emit_);
    }
    if (contract_.bias) move(problem.bias);
    for (Operand& load : problem.loads) move(load);
    for (Operand& store : problem.stores) move(store);
    if (problem.packed && problem.packed->layout == PackedWeights::Layout::dots) {
      contract::emit_dots(problem);
    } else {
      contract::emit_panels(problem);
    }
  }

  Emitter& emit_;
  const Kernel& kernel_;
  const Contract& contract_;
  std::size_t batch_ = 0;  // number of batch dimensions
  contract::Problem problem_;
  std::vector<std::vector<Value*>> batch_strides_;
};

/// Whether the product of a tile is a function that all layers share. Costs a few nanoseconds for
/// each tile, so that small products of a small model are spared.
bool shares_products(const plan::Plan& plan, const Contract& contract) {
  constexpr std::int64_t few_weights = 8192;
  constexpr std::ptrdiff_t few_contractions = 4;
  const auto* packed = std::get_if<PackedWeights>(&contract.b);
  if (packed == nullptr || packed->layout != PackedWeights::Layout::panels) return false;
  const auto contractions = std::ranges::count_if(plan.kernels, [](const Kernel& kernel) {
    return std::holds_alternative<Contract>(kernel.work);
  });
  return contractions > few_contractions || packed->k * packed->n > few_weights;
}

/// The function that does the work for kernels of this structure; made when it is not there yet.
/// Its arguments are the operands' pointers and then `symbols`.
llvm::Function* shared_function(Emitter& emit, const Kernel& kernel, const Contract& contract,
                                const Bases& bases, const std::set<std::string>& symbols) {
  const std::string text = structure(emit, kernel, contract);
  const std::string function_name = fmt::format(
      "{}:contract_{}x{}.{:016x}.{}", emit.plan.name, contract.k.str(), kernel.space.back().str(),
      llvm::xxh3_64bits(llvm::StringRef(text)), emit.isa.name);
  if (llvm::Function* found = emit.module.getFunction(function_name)) return found;

  llvm::LLVMContext& context = emit.module.getContext();
  std::vector<llvm::Type*> types(bases.all().size(), llvm::PointerType::getUnqual(context));
  types.resize(types.size() + symbols.size(), llvm::Type::getInt64Ty(context));
  llvm::Function* function = emit.make_function(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false), function_name);
  function->addFnAttr(llvm::Attribute::NoInline);

  Emitter inner(emit.module, emit.plan, emit.isa, nullptr);
  if (const llvm::DISubprogram* kernel_lines = emit.function()->getSubprogram()) {
    // The line of the first kernel that uses it; the callers' frames tell them apart.
    const llvm::DebugLoc before = emit.build.getCurrentDebugLocation();
    emit.describe(function, "contract", kernel_lines->getLine());
    inner.build.SetCurrentDebugLocation(emit.build.getCurrentDebugLocation());
    emit.build.SetCurrentDebugLocation(before);
  }
  unsigned position = 0;
  const auto argument = [&] { return function->getArg(position++); };
  Bases arguments;
  arguments.a = argument();
  arguments.b = argument();
  if (bases.bias) arguments.bias = argument();
  for (std::size_t i = 0; i < bases.loads.size(); ++i) arguments.loads.push_back(argument());
  for (std::size_t i = 0; i < bases.stores.size(); ++i) arguments.stores.push_back(argument());
  Emitter::Bindings bindings;
  bindings.symbols.resize(emit.symbols.size());
  for (const std::string& symbol : symbols) {
    for (std::size_t i = 0; i < emit.symbols.size(); ++i)
      if (emit.symbols[i].name == symbol) bindings.symbols[i] = argument();
  }
  inner.bind(function, std::move(bindings));
  inner.build.SetInsertPoint(llvm::BasicBlock::Create(context, "top", function));
  // Before any branch, because expressions are computed where they are first asked for.
  for_each_dim(kernel, contract, [&](const Dim& dim) { inner.dim(dim); });
  Writer(inner, kernel, contract, arguments, shares_products(emit.plan, contract)).write();
  inner.build.CreateRetVoid();
  return function;
}

/// Multiply-adds of all points, if they are known and few.
bool is_small(const Kernel& kernel, const Contract& contract) {
  std::int64_t total = 1;
  const auto times = [&](const Dim& dim) {
    const auto value = dim.value();
    total = value ? total * std::min(*value, inline_limit + 1) : inline_limit + 1;
    total = std::min(total, inline_limit + 1);
  };
  for (const Dim& extent : kernel.space) times(extent);
  times(contract.k);
  for (const Contract::Taps& taps : contract.taps) times(taps.window.taps);
  return total <= inline_limit;
}

}  // namespace

void emit_contract(Emitter& emit, const Kernel& kernel, const Contract& contract) {
  INGOT_CHECK(kernel.space.size() >= 2, "contraction '{}' has no rows and columns", kernel.name);
  INGOT_CHECK(contract.chains >= 1 && contract.chains <= 16 &&
                  (contract.chains & (contract.chains - 1)) == 0,
              "contraction '{}' has {} chains", kernel.name, contract.chains);
  const DType dtype = emit.dtype(contract.a);
  INGOT_CHECK(dtype == DType::f32 || dtype == DType::f64 || is_integer(dtype),
              "contraction '{}' of {}", kernel.name, name(dtype));

  if (const auto* packed = std::get_if<PackedWeights>(&contract.b)) {
    Dim k = contract.k;
    for (const Contract::Taps& taps : contract.taps) k *= taps.window.taps;
    INGOT_CHECK(k.is(packed->k) && kernel.space.back().is(packed->n),
                "contraction '{}' is {} by {}, but its weights {} by {}", kernel.name, k.str(),
                kernel.space.back().str(), packed->k, packed->n);
  }

  const Bases bases = addresses(emit, contract);
  if (is_small(kernel, contract)) {
    Writer(emit, kernel, contract, bases, false).write();
    return;
  }
  std::set<std::string> symbols;
  for_each_dim(kernel, contract, [&](const Dim& dim) { dim.collect_symbols(symbols); });
  llvm::Function* function = shared_function(emit, kernel, contract, bases, symbols);
  std::vector<Value*> arguments = bases.all();
  for (const std::string& symbol : symbols) arguments.push_back(emit.dim(Dim::symbol(symbol)));
  // No tail call: the kernel's frame is what names the op in a profile.
  emit.build.CreateCall(function, arguments)->setTailCallKind(llvm::CallInst::TCK_NoTail);
}

}  // namespace ingot::target
