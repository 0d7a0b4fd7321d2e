// SPDX-License-Identifier: Apache-2.0
// Line by line, in the order in which print() writes. Nothing here recurses.
#include "plan/parse.h"

#include "plan/print.h"
#include "plan/reader.h"

namespace ingot::plan {
namespace {

class Parser : private Reader {
 public:
  Parser(std::string_view text, std::vector<std::byte> weights) : Reader(text) {
    plan_.weights = std::move(weights);
  }

  Expected<Plan> run() {
    INGOT_TRY(in_.expect("plan "));
    INGOT_ASSIGN(plan_.name, in_.string());
    if (in_.take("strict")) {
      plan_.arithmetic = Arithmetic::strict;
    } else if (!in_.take("fused")) {
      return in_.expected("'fused' or 'strict'");
    }
    while (in_.take("symbol ")) INGOT_TRY(symbol());
    while (in_.take("require ")) INGOT_TRY(require());
    while (in_.take("input ")) INGOT_TRY(port(plan_.inputs));
    while (in_.take("output ")) INGOT_TRY(port(plan_.outputs));
    INGOT_TRY(in_.expect("workspace "));
    INGOT_ASSIGN(plan_.workspace_bytes, dim(in_.place(), in_.before(" bytes")));
    INGOT_TRY(in_.expect("bytes"));
    if (in_.take("alive ")) {
      INGOT_ASSIGN(plan_.least_bytes, dim(in_.place(), in_.before(" bytes")));
      INGOT_TRY(in_.expect("bytes"));
    }
    INGOT_TRY(weights());
    if (in_.take("self_test ")) INGOT_TRY(self_test());
    for (;;) {
      const bool loop = in_.take("loop ");
      if (!loop && !in_.take("block ")) break;
      INGOT_TRY(block(loop));
    }
    while (in_.take("fork ")) INGOT_TRY(fork());
    while (in_.peek() == 'b') INGOT_TRY(buffer());
    while (in_.take("kernel ")) INGOT_TRY(kernel());
    if (!in_.at_end()) return in_.expected("a kernel or the end");
    return std::move(plan_);
  }

 private:
  // ---- what stands before the kernels ----

  Expected<void> symbol() {
    const std::size_t place = in_.place();
    Symbol symbol;
    symbol.name = in_.word();
    if (!is_symbol_name(symbol.name)) return in_.expected("the name of a symbol");
    INGOT_TRY(in_.expect("in"));
    INGOT_TRY(in_.expect("["));
    INGOT_ASSIGN(symbol.range.lo, integer());
    INGOT_TRY(in_.expect(","));
    INGOT_ASSIGN(symbol.range.hi, integer());
    INGOT_TRY(in_.expect("]"));
    if (symbol.range.lo > symbol.range.hi) return wrong(place, "its range is empty");
    if (in_.take("up to ")) {
      INGOT_ASSIGN(symbol.bound, line_dim());
      plan_.symbols.push_back(std::move(symbol));
      plan_.independent.push_back(false);
      return {};
    }
    plan_.symbols.push_back(std::move(symbol));
    plan_.independent.push_back(in_.take(", rows"));
    return {};
  }

  Expected<void> block(bool loop) {
    Block block;
    block.loop = loop;
    INGOT_ASSIGN(block.first, number());
    INGOT_TRY(in_.expect("to"));
    INGOT_ASSIGN(block.last, number());
    INGOT_TRY(in_.expect("by"));
    INGOT_ASSIGN(block.size, integer());
    INGOT_TRY(in_.expect("as"));
    INGOT_ASSIGN(block.begin, local_symbol());
    INGOT_TRY(in_.expect(","));
    INGOT_ASSIGN(block.count, local_symbol());
    INGOT_TRY(in_.expect("of"));
    Cursor ahead = in_;
    const bool conditional = ahead.before("\n").find(" while ") != std::string_view::npos;
    if (conditional) {
      INGOT_ASSIGN(block.extent, dim(in_.place(), in_.before(" while ")));
      INGOT_TRY(in_.expect("while "));
      INGOT_ASSIGN(block.condition, view());
      INGOT_TRY(in_.expect("gives "));
      INGOT_ASSIGN(block.turns, local_symbol());
    } else {
      INGOT_ASSIGN(block.extent, line_dim());
    }
    plan_.blocks.push_back(std::move(block));
    return {};
  }

  Expected<void> fork() {
    Fork fork;
    do {
      Fork::Part part;
      INGOT_ASSIGN(part.first, number());
      INGOT_TRY(in_.expect("to"));
      INGOT_ASSIGN(part.last, number());
      fork.parts.push_back(part);
    } while (in_.take(","));
    plan_.forks.push_back(std::move(fork));
    return {};
  }

  Expected<std::string> local_symbol() {
    const std::string_view name = in_.word();
    if (!is_symbol_name(name)) return in_.expected("the name of a symbol");
    return std::string(name);
  }

  Expected<void> require() {
    Constraint constraint;
    INGOT_ASSIGN(constraint.left, dim(in_.place(), in_.until(">=")));
    if (in_.take(">=")) {
      constraint.relation = Constraint::Relation::greater_equal;
    } else {
      INGOT_TRY(in_.expect("=="));
    }
    INGOT_ASSIGN(constraint.right, dim(in_.place(), in_.until("\"")));
    INGOT_ASSIGN(constraint.reason, in_.string());
    plan_.constraints.push_back(std::move(constraint));
    return {};
  }

  Expected<void> port(std::vector<Plan::Port>& ports) {
    Plan::Port port;
    INGOT_ASSIGN(port.name, in_.string());
    INGOT_ASSIGN(port.type, type());
    INGOT_TRY(in_.expect("in b"));
    INGOT_ASSIGN(port.buffer, number());
    ports.push_back(std::move(port));
    return {};
  }

  Expected<void> weights() {
    INGOT_TRY(in_.expect("weights "));
    const std::size_t place = in_.place();
    INGOT_ASSIGN(const std::int64_t bytes, integer());
    INGOT_TRY(in_.expect("bytes"));
    INGOT_ASSIGN(const std::uint64_t hash, this->hash());
    if (bytes != static_cast<std::int64_t>(plan_.weights.size()) ||
        hash != weights_hash(plan_.weights)) {
      return wrong(place, fmt::format("these are not the {} bytes of weights that are given",
                                      plan_.weights.size()));
    }
    return {};
  }

  Expected<void> self_test() {
    SelfTest test;
    INGOT_TRY(in_.expect("seed"));
    INGOT_ASSIGN(test.seed, unsigned_number());
    while (!in_.take("gives ")) {
      const std::size_t place = in_.place();
      const std::string_view name = in_.word();
      if (!is_symbol_name(name)) return in_.expected("'gives' or a symbol's value");
      INGOT_TRY(in_.expect("="));
      INGOT_ASSIGN(const std::int64_t value, integer());
      if (!test.symbols.emplace(name, value).second)
        return wrong(place, fmt::format("{} is given twice", name));
    }
    INGOT_ASSIGN(test.output_hash, hash());
    plan_.self_test = std::move(test);
    return {};
  }

  Expected<void> buffer() {
    const std::size_t place = in_.place();
    INGOT_TRY(in_.expect("b"));
    INGOT_ASSIGN(const std::uint32_t index, number());
    if (index != plan_.buffers.size())
      return wrong(place, fmt::format("expected b{}", plan_.buffers.size()));
    INGOT_TRY(in_.expect("="));
    Buffer buffer;
    const std::string_view kind = in_.word();
    const bool port = kind == "input" || kind == "output";
    if (kind == "input") {
      buffer.kind = Buffer::Kind::input;
    } else if (kind == "output") {
      buffer.kind = Buffer::Kind::output;
    } else if (kind == "weights") {
      buffer.kind = Buffer::Kind::weights;
    } else if (kind != "arena") {
      return wrong(place, "expected an input, an output, weights or arena");
    }
    if (port) {
      INGOT_ASSIGN(buffer.index, number());
    }
    INGOT_ASSIGN(TensorType type, this->type());
    buffer.dtype = type.dtype;
    buffer.shape = std::move(type.shape);
    INGOT_ASSIGN(buffer.name, in_.string());
    if (!port) {
      INGOT_TRY(in_.expect("at "));
      INGOT_ASSIGN(buffer.offset, line_dim());
    }
    plan_.buffers.push_back(std::move(buffer));
    return {};
  }

  // ---- kernels ----

  Expected<void> kernel() {
    Kernel kernel;
    INGOT_ASSIGN(kernel.id, number());
    const std::size_t place = in_.place();
    const std::string_view kind = in_.word();
    INGOT_ASSIGN(kernel.name, in_.string());
    INGOT_ASSIGN(kernel.space, dims());
    if (in_.take("from ")) {
      do {
        INGOT_ASSIGN(std::string source, in_.string());
        kernel.sources.push_back(std::move(source));
      } while (in_.take(","));
    }
    if (kind == "map") {
      Map map;
      INGOT_TRY(body(map.body, map.loads));
      INGOT_TRY(stores(map.stores));
      kernel.work = std::move(map);
    } else if (kind == "contract") {
      INGOT_ASSIGN(kernel.work, contract());
    } else if (kind == "top_k") {
      INGOT_ASSIGN(kernel.work, top_k());
    } else if (kind == "scatter") {
      INGOT_ASSIGN(kernel.work, scatter());
    } else if (kind == "compact") {
      INGOT_ASSIGN(kernel.work, compact());
    } else if (kind == "measure") {
      INGOT_ASSIGN(kernel.work, measure());
    } else if (kind != "reduce") {
      return wrong(place, "expected map, reduce, top_k, scatter, compact, measure or contract");
    } else if (Cursor ahead = in_; ahead.take("stage ") || ahead.take("finish")) {
      INGOT_ASSIGN(kernel.work, row());
    } else {
      INGOT_ASSIGN(kernel.work, ordered());
    }
    plan_.kernels.push_back(std::move(kernel));
    return {};
  }

  Expected<Row> row() {
    Row row;
    while (in_.take("stage ")) {
      INGOT_ASSIGN(const std::uint32_t index, number());
      if (index != row.stages.size())
        return in_.expected(fmt::format("stage {}", row.stages.size()));
      Row::Stage stage;
      INGOT_TRY(body(stage.body, stage.loads));
      INGOT_TRY(stores(stage.stores));
      if (in_.take(fmt::format("s{} =", index))) {
        Row::Stage::Reduction reduction{};
        INGOT_ASSIGN(reduction.op, reduce_op());
        INGOT_TRY(in_.expect("of"));
        INGOT_ASSIGN(reduction.step, step_number());
        stage.reduction = reduction;
      }
      if (in_.take("keep ")) {
        Row::Stage::Keep keep{};
        INGOT_ASSIGN(keep.step, step_number());
        INGOT_TRY(in_.expect("at "));
        INGOT_ASSIGN(keep.offset, line_dim());
        stage.keep = std::move(keep);
      }
      row.stages.push_back(std::move(stage));
    }
    INGOT_TRY(in_.expect("finish"));
    INGOT_TRY(body(row.finish, row.finish_loads));
    INGOT_TRY(stores(row.finish_stores));
    return row;
  }

  Expected<OrderedReduce> ordered() {
    OrderedReduce work;
    INGOT_ASSIGN(work.op, reduce_op());
    INGOT_TRY(in_.expect("over the last"));
    INGOT_ASSIGN(work.reduced, number());
    INGOT_TRY(in_.expect("in order"));
    while (in_.take("window ")) {
      INGOT_ASSIGN(Window window, this->window());
      work.windows.push_back(std::move(window));
    }
    INGOT_TRY(body(work.body, work.loads));
    if (in_.take("times ")) {
      INGOT_ASSIGN(work.times, step_number());
    }
    if (in_.take("start ")) {
      INGOT_ASSIGN(work.start, view());
    }
    INGOT_TRY(in_.expect("finish"));
    INGOT_TRY(body(work.finish, work.finish_loads));
    INGOT_TRY(stores(work.finish_stores));
    return work;
  }

  Expected<TopK> top_k() {
    TopK work;
    INGOT_TRY(in_.expect("the "));
    work.largest = in_.take("largest ");
    if (!work.largest) INGOT_TRY(in_.expect("smallest "));
    INGOT_ASSIGN(work.k, line_dim());
    if (in_.take("heap at ")) {
      INGOT_ASSIGN(work.heap, line_dim());
    }
    INGOT_TRY(body(work.body, work.loads));
    INGOT_TRY(in_.expect("finish"));
    INGOT_TRY(body(work.finish, work.finish_loads));
    INGOT_TRY(stores(work.finish_stores));
    return work;
  }

  Expected<Scatter> scatter() {
    Scatter work;
    INGOT_TRY(body(work.body, work.loads));
    INGOT_TRY(in_.expect("before "));
    INGOT_ASSIGN(work.before, view());
    if (!in_.take("put ")) {
      INGOT_ASSIGN(work.combine, reduce_op());
    }
    INGOT_ASSIGN(work.update, step_number());
    INGOT_TRY(in_.expect("to "));
    INGOT_ASSIGN(work.target, view());
    INGOT_TRY(in_.expect("at "));
    INGOT_ASSIGN(work.index, step_number());
    INGOT_TRY(in_.expect("below "));
    INGOT_ASSIGN(work.size, line_dim());
    return work;
  }

  Expected<Compact> compact() {
    Compact work;
    INGOT_TRY(body(work.body, work.loads));
    INGOT_TRY(in_.expect("places "));
    INGOT_ASSIGN(work.places, view());
    INGOT_TRY(in_.expect("count "));
    INGOT_ASSIGN(work.count, view());
    return work;
  }

  Expected<Measure> measure() {
    Measure work;
    INGOT_ASSIGN(work.symbol, local_symbol());
    INGOT_TRY(in_.expect("is "));
    INGOT_ASSIGN(work.count, view());
    return work;
  }

  Expected<Contract> contract() {
    Contract work;
    INGOT_TRY(in_.expect("a "));
    INGOT_ASSIGN(work.a, view());
    INGOT_TRY(in_.expect("b "));
    if (in_.take("panels ")) {
      INGOT_ASSIGN(work.b, packed(PackedWeights::Layout::panels));
    } else if (in_.take("dots ")) {
      INGOT_ASSIGN(work.b, packed(PackedWeights::Layout::dots));
    } else {
      INGOT_ASSIGN(work.b, view());
    }
    if (in_.take("bias ")) {
      INGOT_ASSIGN(work.bias, view());
    }
    if (in_.take("groups along ")) {
      INGOT_ASSIGN(work.group_dim, number());
      INGOT_TRY(in_.expect("of "));
      INGOT_ASSIGN(work.group_bytes, integer());
      INGOT_TRY(in_.expect("bytes"));
    }
    while (in_.take("taps ")) {
      Contract::Taps taps;
      INGOT_ASSIGN(taps.window, window());
      INGOT_TRY(in_.expect(", a by "));
      INGOT_ASSIGN(taps.a_stride, dim(in_.place(), in_.until(",")));
      INGOT_TRY(in_.expect(", b by "));
      INGOT_ASSIGN(taps.b_stride, line_dim());
      work.taps.push_back(std::move(taps));
    }
    INGOT_TRY(in_.expect("sum of "));
    INGOT_ASSIGN(work.k, dim(in_.place(), in_.before(" in ")));
    INGOT_TRY(in_.expect("in "));
    INGOT_ASSIGN(work.chains, integer());
    if (!in_.take("chains")) INGOT_TRY(in_.expect("chain"));
    INGOT_TRY(body(work.epilogue, work.loads));
    INGOT_TRY(stores(work.stores));
    return work;
  }

  Expected<PackedWeights> packed(PackedWeights::Layout layout) {
    PackedWeights weights;
    weights.layout = layout;
    INGOT_TRY(in_.expect("["));
    INGOT_ASSIGN(weights.k, integer());
    INGOT_TRY(in_.expect(","));
    INGOT_ASSIGN(weights.n, integer());
    INGOT_TRY(in_.expect("]"));
    weights.has_bias = in_.take("with bias");
    INGOT_TRY(in_.expect("in "));
    INGOT_ASSIGN(weights.bytes, integer());
    INGOT_TRY(in_.expect("bytes at "));
    INGOT_ASSIGN(weights.offset, line_dim());
    return weights;
  }

  Expected<Window> window() {
    Window window;
    INGOT_ASSIGN(window.taps, integer());
    INGOT_TRY(in_.expect("along "));
    INGOT_ASSIGN(window.output, number());
    INGOT_TRY(in_.expect("by "));
    INGOT_ASSIGN(window.stride, integer());
    INGOT_TRY(in_.expect(", dilated by "));
    INGOT_ASSIGN(window.dilation, integer());
    INGOT_TRY(in_.expect(", padded by "));
    INGOT_ASSIGN(window.pad_begin, integer());
    INGOT_TRY(in_.expect(", size "));
    INGOT_ASSIGN(window.size, dim(in_.place(), in_.until(",")));
    window.inside = in_.take(", inside");
    return window;
  }

  Plan plan_;
};

}  // namespace

Expected<Plan> parse_plan(std::string_view text, std::vector<std::byte> weights) {
  return Parser(text, std::move(weights)).run();
}

}  // namespace ingot::plan
