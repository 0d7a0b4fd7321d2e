// SPDX-License-Identifier: Apache-2.0
// Emitter: what all kernel generators share while they write the LLVM function of one kernel:
// sizes, addresses, loops, vector loads and stores with tails, and the evaluation of bodies.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"
#include "target/isa.h"

namespace ingot::target {

/// A vector of lanes that an operation works on. `live` is null when all lanes are live; else only
/// the first `live` (i64, 1 to count) are, the others repeat a live one and are never stored.
/// One lane is a plain scalar, not an LLVM vector.
struct Lanes {
  unsigned count = 1;
  llvm::Value* live = nullptr;
  llvm::Value* mask = nullptr;  // <count x i1>, exactly when `live` is there
};

/// Where a body's leaves come from. Each is called at most once per step; what a body does not
/// contain need not be given. All give values of the body's lanes, in register form.
struct Leaves {
  std::function<llvm::Value*(std::uint32_t view)> load;     // Step::load: views[index]
  std::function<llvm::Value*()> product;                    // Step::product
  std::function<llvm::Value*(std::uint32_t axis)> index;    // Step::index, as i64 lanes
  std::function<llvm::Value*(std::uint32_t stage)> scalar;  // Step::scalar
  std::function<llvm::Value*(std::uint32_t stage)> temp;    // Step::temp
  /// Step::gather, by the number of the step; `index` is null where that was not wanted.
  std::function<llvm::Value*(std::uint32_t step, llvm::Value* index)> gather;
};

/// What functions are given besides the instruction set. `debug` and `file` may be null.
struct FunctionOptions {
  llvm::DIBuilder* debug = nullptr;
  llvm::DIFile* file = nullptr;
  std::vector<unsigned> kernel_lines;  // by number of the kernel; beyond: number + 1
  std::uint32_t first_kernel = 0;      // the number of the plan's first: others' may come before it
  llvm::Attribute::AttrKind sanitizer = llvm::Attribute::None;
};

/// One emitter per module and instruction set; used from one thread.
///
/// Register form of an element type: f32 float, f64 double, f16 and bf16 their bits as i16,
/// integers iN, booleans i1. Memory form is the same, but booleans are bytes.
class Emitter {
 public:
  /// `weights` may be null when no kernel reads any.
  Emitter(llvm::Module& module, const plan::Plan& plan, const Isa& isa, llvm::Constant* weights,
          FunctionOptions options = {});

  llvm::IRBuilder<> build;
  const plan::Plan& plan;
  const Isa& isa;
  llvm::Module& module;
  /// The plan's symbols, then `begin` and `count` of each of its blocks.
  std::vector<Symbol> symbols;

  // ---- the kernel at hand ----

  /// Opens the function `<model>.<kernel>.<isa>` and moves the builder into it. Its arguments are
  /// the symbols (i64) and then the buffers' bases that the kernel mentions. One that can fail
  /// takes the call before them, and gives a status.
  llvm::Function* begin_kernel(const plan::Kernel& kernel);
  /// Returns from it.
  void end_kernel();
  const plan::Kernel& kernel() const { return *kernel_; }
  /// What callers know a kernel by: its place in ingot_model.kernels.
  std::uint32_t number_of(const plan::Kernel& kernel) const {
    return options_.first_kernel + kernel.id;
  }
  llvm::Function* function() const { return function_; }

  /// The arguments that begin_kernel() gave to a kernel: symbols by position in `symbols`, then
  /// the arena if `arena`, then the task's own arena if `own`, then inputs and outputs as buffer
  /// ids.
  struct Signature {
    std::vector<std::uint32_t> symbols;
    bool arena = false;
    bool own = false;
    std::vector<plan::BufferId> ports;
    bool fails = false;
  };
  const Signature& signature(std::uint32_t kernel_id) const { return signatures_.at(kernel_id); }

  /// Also used by the entry functions: how dim() and buffer() find their leaves.
  struct Bindings {
    std::vector<llvm::Value*> symbols;  // i64 by position in `symbols`; null or missing: unknown
    llvm::Value* arena = nullptr;
    llvm::Value* own = nullptr;  // the same of what only one part of a fork uses
    std::map<plan::BufferId, llvm::Value*> ports;
  };
  /// An internal function with the attributes of this instruction set, without a block yet.
  llvm::Function* make_function(llvm::FunctionType* type, const std::string& name);
  /// Debug information of a function, and the builder's line from here on.
  void describe(llvm::Function* function, llvm::StringRef name, unsigned line);
  /// Starts a function that is no kernel, at the builder's place.
  void bind(llvm::Function* function, Bindings bindings);
  /// What a symbol is from here on, in a function that is no kernel.
  void rebind(std::size_t symbol, llvm::Value* value) {
    bindings_.symbols.at(symbol) = value;
    dims_.clear();
  }
  const Bindings& bindings() const { return bindings_; }

  // ---- numbers ----

  llvm::Value* number(std::int64_t value) {
    return build.getInt64(static_cast<std::uint64_t>(value));
  }
  /// An expression as i64. Computed once per kernel, at the top of its function.
  llvm::Value* dim(const Dim& dim);
  /// A function of the expressions' language, on operands.
  llvm::Value* apply_atom(const Dim::Atom& atom, llvm::Value* a, llvm::Value* b);
  const SymbolRanges& ranges() const { return ranges_; }
  /// The value, if it is a constant i64.
  static std::optional<std::int64_t> known(const llvm::Value* value);
  /// A number that LLVM's optimiser does not know.
  llvm::Value* hidden(std::int64_t value);
  /// a + b and a * b as i64 that do not wrap; constants fold.
  llvm::Value* add(llvm::Value* a, llvm::Value* b);
  llvm::Value* mul(llvm::Value* a, llvm::Value* b);

  // ---- types ----

  llvm::Type* register_type(DType dtype, unsigned lanes = 1);
  llvm::Type* memory_type(DType dtype, unsigned lanes = 1);
  /// A scalar in all lanes.
  llvm::Value* splat(llvm::Value* scalar, unsigned lanes);
  /// The first element of a scalar tensor, in register form, in all lanes.
  llvm::Constant* constant(const Tensor& scalar, unsigned lanes);
  /// +0 in all lanes.
  llvm::Constant* zero(DType dtype, unsigned lanes);

  /// f16 and bf16 are computed as f32; any other type as itself.
  static DType compute_type(DType dtype);
  /// Register form to the form that is computed in (exact), and back (rounded once).
  llvm::Value* to_compute(DType dtype, llvm::Value* value);
  llvm::Value* from_compute(DType dtype, llvm::Value* value);
  /// The op `cast`, in register forms.
  llvm::Value* cast(DType from, DType to, llvm::Value* value);
  /// Numbers of static storage as a constant of the module.
  llvm::Constant* table(std::span<const double> values);

  // ---- memory ----

  /// First byte of a buffer.
  llvm::Value* buffer(plan::BufferId id);
  /// `offset` bytes into the weights section.
  llvm::Value* weights(const Dim& offset);
  /// What the kernel at hand keeps for itself, `offset` bytes into the arena.
  llvm::Value* kept(const Dim& offset);
  DType dtype(const plan::View& view) const { return plan.buffers[view.buffer].dtype; }
  /// Address of the element at a point of the kernel's space; a null or missing coordinate counts
  /// as zero. Strides beyond the space's dimensions (k of a Contract) take coordinates too.
  llvm::Value* address(const plan::View& view, const std::vector<llvm::Value*>& point);
  /// pointer + elements * size of the type.
  llvm::Value* advance(llvm::Value* pointer, llvm::Value* elements, DType dtype);

  Lanes all_lanes(unsigned count) const { return Lanes{count, nullptr, nullptr}; }
  /// Only the first `live` lanes, 1 to count.
  Lanes first_lanes(unsigned count, llvm::Value* live);
  /// Whether tails of these types are masked in hardware; otherwise walk them one by one.
  bool can_mask(DType dtype) const;

  /// Lanes from memory, `stride` elements apart: 0 gives the one element in all lanes, 1 a vector
  /// load, anything else one load per lane. Reads live elements only; dead lanes repeat the first.
  /// `alignment` in bytes, 0: that of the element.
  llvm::Value* load(DType dtype, llvm::Value* pointer, llvm::Value* stride, const Lanes& lanes,
                    unsigned alignment = 0);
  /// Writes live lanes only. A stride of 0 writes the first.
  void store(DType dtype, llvm::Value* value, llvm::Value* pointer, llvm::Value* stride,
             const Lanes& lanes, unsigned alignment = 0);

  // ---- control ----

  using Values = std::vector<llvm::Value*>;
  /// for (i = from; i < to; i += step) carried = body(i, carried), and gives the last `carried`.
  /// A loop of one turn by constants becomes straight-line code, of no turns nothing.
  Values loop(llvm::Value* from, llvm::Value* to, std::int64_t step, Values carried,
              const std::function<Values(llvm::Value* i, const Values& carried)>& body,
              const char* name = "loop");
  void loop(llvm::Value* from, llvm::Value* to, std::int64_t step,
            const std::function<void(llvm::Value* i)>& body, const char* name = "loop");
  /// Nested loops over extents, outermost first.
  void loops(const std::vector<llvm::Value*>& extents,
             const std::function<void(const std::vector<llvm::Value*>& point)>& body);
  /// if (condition) body(); constants fold.
  void when(llvm::Value* condition, const std::function<void()>& body);
  /// Stack memory of the kernel, allocated once at the top of the function.
  llvm::Value* stack(llvm::Type* type, std::uint64_t count, unsigned alignment = 64);

  // ---- arithmetic ----

  // In the form that is computed in: not for f16 and bf16.

  /// a * b + c: floats as the plan's arithmetic says (one rounding, or two), integers wrap.
  llvm::Value* multiply_add(DType dtype, llvm::Value* a, llvm::Value* b, llvm::Value* c);
  llvm::Value* sum(DType dtype, llvm::Value* a, llvm::Value* b);
  llvm::Value* combine(plan::ReduceOp op, DType dtype, llvm::Value* a, llvm::Value* b);
  /// The element that changes nothing: +0, 1, -inf or the lowest, inf or the highest.
  llvm::Constant* neutral(plan::ReduceOp op, DType dtype, unsigned lanes);
  /// Canonical end of a lane reduction: for h = lanes/2, .., 1: lane[i] = op(lane[i], lane[i + h]).
  llvm::Value* halve(plan::ReduceOp op, DType dtype, llvm::Value* vector);

  /// All steps of a body over `lanes` lanes, in register form, or the wanted ones; the others are
  /// null. What only depends on constants and sizes is emitted like everything else, in place: LLVM
  /// hoists it.
  Values body(const plan::Body& body, unsigned lanes, const Leaves& leaves,
              const std::vector<bool>* wanted = nullptr);

  // ---- indices ----

  /// `fail` of entry.h, which kernels that index by data call.
  void set_fail(llvm::Function* fail) { fail_ = fail; }
  /// Indices (i32 or i64 lanes) as i64, all within [0, size): otherwise the kernel ends with
  /// INGOT_INDEX_OUT_OF_RANGE and the first bad one, at element `position` + lane * `step` of the
  /// kernel's space. Dead lanes are 0.
  llvm::Value* checked_index(llvm::Value* index, llvm::Value* size, const Lanes& lanes,
                             const std::function<llvm::Value*()>& position,
                             const std::function<llvm::Value*()>& step);
  /// Lanes from memory: lane l from pointer + l * stride + index[l] * index_stride elements; each
  /// index is in [0, size).
  llvm::Value* gather(DType dtype, llvm::Value* pointer, llvm::Value* stride, llvm::Value* index,
                      const Dim& index_stride, const Dim& size, const Lanes& lanes);
  /// The number, row-major, of a point of the kernel's space. Missing coordinates are zero.
  llvm::Value* position(const std::vector<llvm::Value*>& point);

 private:
  llvm::Value* arena(const Dim& offset, bool own);
  llvm::Value* emit_dim(const Dim& dim);
  llvm::Value* emit_atom(const Dim::Atom& atom);
  llvm::Value* partial_mask(unsigned count, llvm::Value* live);
  llvm::Value* join(llvm::Value* low, llvm::Value* high);

  llvm::Constant* weights_;
  std::vector<bool> of_parts_;  // plan::buffers_of_parts
  SymbolRanges ranges_;
  FunctionOptions options_;
  std::map<std::uint32_t, Signature> signatures_;
  const plan::Kernel* kernel_ = nullptr;
  llvm::Function* function_ = nullptr;
  Bindings bindings_;
  std::map<Dim, llvm::Value*> dims_;
  std::map<const double*, llvm::Constant*> tables_;
  llvm::Function* fail_ = nullptr;
  llvm::Instruction* top_ = nullptr;  // what is computed once per function goes before it
};

}  // namespace ingot::target
