// SPDX-License-Identifier: Apache-2.0
// The plan: kernels in the order in which they run, the buffers between them, and where those
// stand. It is the last thing that knows sizes as expressions; header, manifest, descriptor and
// machine code all derive from it. A plan prints as text (plan/print.h).
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"

namespace ingot::plan {

/// Memory that kernels read and write. All buffers are dense and row-major.
struct Buffer {
  enum class Kind : std::uint8_t { input, output, arena, weights };
  Kind kind = Kind::arena;
  DType dtype = DType::f32;
  Shape shape;              // as of the graph value that it was made for
  std::uint32_t index = 0;  // which input or output
  Dim offset;               // bytes from the start of the arena or of the weights section
  std::string name;         // of the value, for people
};

using BufferId = std::uint32_t;

/// Where a kernel finds the element of its iteration point (i0, i1, ...): element number
/// offset + sum of strides[d] * i_d. A stride of zero repeats.
struct View {
  BufferId buffer = 0;
  Dim offset;                // in elements
  std::vector<Dim> strides;  // in elements, one per dimension of the kernel's space
};

/// One step of a scalar formula; operands are the results of earlier steps of the same body.
struct Step {
  enum class Kind : std::uint8_t {
    load,      // views[index] at the iteration point
    constant,  // the number in `constant`
    index,     // the iteration point's coordinate `index`, as an integer of `dtype`
    dim,       // the value of the expression `dim`, as an integer of `dtype`
    scalar,    // Row kernels: the result of the reduction of stage `index`; see TopK
    temp,      // Row kernels: the element that stage `index` kept
    product,   // Contract kernels: the finished sum of products (bias included)
    apply,     // a pointwise op on operands
    gather,    // views[index] at the iteration point, moved on by operand 0 times the view's last,
               // extra stride; operand 0 is an i32 or i64 within [0, `dim`), or the call fails
  };
  Kind kind = Kind::apply;
  DType dtype = DType::f32;  // of the result
  std::uint32_t index = 0;
  const OpDef* op = nullptr;  // apply; `cast` converts from the operand's type to `dtype`
  std::vector<std::uint32_t> operands = {};
  Tensor constant = {};  // a scalar
  Dim dim = {};
};

/// A scalar program in SSA form, evaluated for each point of a kernel's space.
struct Body {
  std::vector<Step> steps;
};

/// body step -> memory
struct Store {
  std::uint32_t step = 0;
  View view;
};

/// Runs `body` for every point of the space.
struct Map {
  Body body;
  std::vector<View> loads;
  std::vector<Store> stores;
};

enum class ReduceOp : std::uint8_t { sum, max, min, prod };

/// Reduces along the last dimension of the space in several stages, row by row: e.g. softmax is
/// max; exp of the difference, kept, and its sum; the product. Reductions are canonical "lanes":
/// 16 strided lanes, then halving.
struct Row {
  struct Stage {
    Body body;
    std::vector<View> loads;    // strides cover rows and the last dimension
    std::vector<Store> stores;  // per element of the row
    struct Reduction {
      ReduceOp op;
      std::uint32_t step;
    };
    struct Keep {
      std::uint32_t step;
      Dim offset;  // bytes from the start of the arena; one row long
    };
    std::optional<Reduction> reduction;  // its result is Step::scalar of this stage
    std::optional<Keep> keep;            // kept per element, for Step::temp of later stages
  };
  std::vector<Stage> stages;
  /// After all stages, once per row, at iteration points whose last coordinate is 0.
  Body finish;
  std::vector<View> finish_loads;
  std::vector<Store> finish_stores;
};

/// One axis of a window, walked by a reduced dimension or by a part of a contraction's k. Tap t of
/// output coordinate o (along dimension `output` of the space) is at position
/// o * stride - pad_begin + t * dilation of an axis of `size` elements, and is skipped where that
/// lies outside. The address of tap 0 at o is in the view already, out of bounds or not.
struct Window {
  std::uint32_t output = 0;
  std::int64_t taps = 1, stride = 1, dilation = 1, pad_begin = 0;
  Dim size;
  bool inside = true;  // no tap of any output coordinate is outside; `output` means nothing then
};

/// Reduces along the last `reduced` dimensions of the space in index order, starting from the
/// op's neutral element. The rest of the space are the points of the result, for which `finish`
/// is evaluated with Step::scalar 0 as the reduced value.
struct OrderedReduce {
  std::uint32_t reduced = 1;
  ReduceOp op = ReduceOp::sum;
  /// Empty, or one per reduced dimension (their extents are the taps).
  std::vector<Window> windows;
  /// sum only: what is summed is the product of the body's last step and this one, as one fma each
  /// (or two roundings in strict arithmetic), starting from `start`, which is a view over the space
  /// that does not move along reduced dimensions; none: from +0. A depthwise convolution.
  std::optional<std::uint32_t> times;
  std::optional<View> start;
  Body body;  // the element that is reduced: its last step
  std::vector<View> loads;
  Body finish;
  std::vector<View> finish_loads;  // strides of the reduced dimensions are zero
  std::vector<Store> finish_stores;
};

/// Of each row, which is the last dimension of the space, the `k` elements that come first in order
/// (ops/top_k.h), sorted. `finish` is evaluated at points [rows.., k], with Step::scalar 0 as the
/// element and Step::scalar 1 as its place in the row, an i64.
struct TopK {
  /// Rows up to here may be ordered without memory in the arena.
  static constexpr std::int64_t short_row = 64;
  /// What each of the k elements takes there.
  static constexpr std::int64_t entry_bytes = 16;

  Dim k;
  bool largest = true;
  std::optional<Dim> heap;  // bytes from the start of the arena; none: no row is longer than short
  Body body;                // the element: its last step
  std::vector<View> loads;
  Body finish;
  std::vector<View> finish_loads;  // over [rows.., k]
  std::vector<Store> finish_stores;
};

/// For each point of the space, in row-major order: puts the body's step `update` where the target
/// has the point, moved on by step `index` times the view's last, extra stride. `index` is an i32
/// or i64 within [0, size), or the call fails. With `combine`, what is there is its first operand.
struct Scatter {
  Body body;
  std::vector<View> loads;
  std::uint32_t index = 0, update = 0;
  View before;  // the target, as kernels before this one have left it
  View target;
  Dim size;
  std::optional<ReduceOp> combine;
};

/// Which points of the space, of one dimension, are true: their coordinates, in order, and zeros in
/// what is left of as many entries as there are points; and how many there are.
struct Compact {
  Body body;  // whether it is: its last step
  std::vector<View> loads;
  View places;  // over the space
  View count;   // of an i64
};

/// Not a function but a statement between kernels: the i64 at `count` is the value of the symbol
/// from here on. The call fails where it is outside of the symbol's range, or above its bound.
struct Measure {
  View count;
  std::string symbol;
};

/// A matrix of weights as it lies in the weights section.
struct PackedWeights {
  Dim offset;  // bytes from the start of the weights section, a multiple of 64
  std::int64_t k = 0, n = 0;
  bool has_bias = false;  // the bias row comes first in each panel
  /// `panels`: columns in panels of 32, the last one as wide as needs be, rounded up to 8 (its
  /// spare columns repeat the last real one, so that nothing traps there); a panel is
  /// [bias row][k rows], each as wide as the panel.
  /// `dots`: n <= 4; [bias row or nothing, padded to 16][k rows of 1, 2 or 4, padded to 16 rows
  /// with zeros], so that a register holds several chains of the sum. plan/pack.h has the details.
  enum class Layout : std::uint8_t { panels, dots } layout = Layout::panels;
  std::int64_t bytes = 0;
};

/// out[.., m, n] = epilogue(bias[n] + sum over k of a[.., m, k] * b[.., k, n]), summed canonically
/// in `chains` interleaved chains. The space is [batch dims.., m, n]. Of a convolution, k runs over
/// the taps of the windows, row-major, and over `k` channels for each of them; `chains` is 1, and
/// b has (product of taps) * k rows.
struct Contract {
  Dim k;  // of one tap
  struct Taps {
    Window window;  // `output` is a batch dimension or m
    Dim a_stride;   // elements of `a` from tap to tap
    Dim b_stride;   // the same of a `b` that is a View
  };
  std::vector<Taps> taps;  // outermost first; empty: a matrix product
  /// Grouped convolutions: batch dimension `group_dim` of the space walks the groups, and the
  /// packed weights of group g lie g * group_bytes behind those of the first.
  std::optional<std::uint32_t> group_dim;
  std::int64_t group_bytes = 0;
  std::int64_t chains = 1;
  View a;  // strides over [batch.., m, (n: 0)] and then k: one more stride
  std::variant<PackedWeights, View> b;  // View: strides over [batch.., (m: 0), n] and then k
  std::optional<View> bias;             // only when b is a View; strides over the space
  Body epilogue;                        // begins from Step::product
  std::vector<View> loads;
  std::vector<Store> stores;
};

struct Kernel {
  std::uint32_t id = 0;
  std::string name;                  // as users call the op that it is named after
  std::vector<std::string> sources;  // the user's names of all nodes that it computes
  std::vector<Dim> space;            // extents of the iteration, outermost first
  std::variant<Map, Row, OrderedReduce, TopK, Scatter, Compact, Measure, Contract> work;
};

/// Kernels [first, last] run once for each block of `extent` rows, in order; a block has at most
/// `size` of them. Their spaces, views and sizes are expressions in two symbols that only they
/// know: `begin`, the block's first row, and `count`, how many it has. Blocks nest.
struct Block {
  std::uint32_t first = 0, last = 0;  // ids of kernels
  Dim extent;
  std::int64_t size = 1;
  std::string begin, count;
  /// Not rows but iterations, one at a time: each may read what those before it have left.
  bool loop = false;
  /// Of a loop, a bool: whether there is another iteration, asked before each; to want more than
  /// the extent fails. How many there were is then the value of a measured symbol of the plan.
  std::optional<View> condition = {};
  std::string turns = {};
};

/// Kernels part after part, where no part reads or writes what another one writes, except that they
/// may write different elements of one buffer: threads may run parts side by side. A buffer of the
/// arena that only one part uses (buffers_of_parts() of plan/forks.h) may share its bytes with
/// those of other parts, since each thread has its own; any other is there from the first kernel to
/// the last.
struct Fork {
  struct Part {
    std::uint32_t first = 0, last = 0;  // ids of kernels
  };
  std::vector<Part> parts;
  std::uint32_t first() const { return parts.front().first; }
  std::uint32_t last() const { return parts.back().last; }
};

struct SelfTest {
  std::uint64_t seed = 0;
  SymbolValues symbols;
  std::uint64_t output_hash = 0;
};

struct Plan {
  std::string name;
  Arithmetic arithmetic = Arithmetic::fused;
  std::vector<Symbol> symbols;
  std::vector<bool> independent;  // by symbol: a row's result depends on no other row of it
  std::vector<Constraint> constraints;
  struct Port {
    std::string name;
    TensorType type;
    BufferId buffer;
  };
  std::vector<Port> inputs, outputs;
  std::vector<Buffer> buffers;
  std::vector<Kernel> kernels;
  std::vector<Block> blocks;       // by their first kernel, outer ones first
  std::vector<Fork> forks;         // within no block but one around all kernels
  Dim workspace_bytes;             // 64-byte aligned arena; monotone in each symbol
  Dim least_bytes;                 // what any packing of the arena needs: live bytes at their peak
  std::vector<std::byte> weights;  // the one section, 64-byte aligned
  std::optional<SelfTest> self_test;

  /// Whether sizes are measured while it runs.
  bool measures() const {
    return std::any_of(symbols.begin(), symbols.end(),
                       [](const Symbol& symbol) { return symbol.measured(); });
  }
  SymbolRanges ranges() const {
    SymbolRanges result;
    for (const Symbol& symbol : symbols) result[symbol.name] = symbol.range;
    return result;
  }
};

struct PlanOptions {
  /// What the buffers of a block of rows should fit into: well within a core's second-level cache,
  /// beside weights. 0: no blocks.
  std::int64_t block_bytes = 256 * 1024;
  /// Operations at one row that two branches must have at least, to become a fork: some 10
  /// microseconds of a core, several times what it takes to have a waiting thread begin. 0: no
  /// forks.
  std::int64_t part_work = std::int64_t{1} << 20;
  /// Asked after each step of planning whether the plan is right so far; a failure ends it.
  std::function<Expected<void>(const Plan&, std::string_view step)> check = {};
};

/// Decides kernels, schedule, buffers and offsets. The graph is optimised already.
Expected<Plan> make_plan(const Graph& graph, const PlanOptions& options = {});

}  // namespace ingot::plan
