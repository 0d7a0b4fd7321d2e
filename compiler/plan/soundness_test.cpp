// SPDX-License-Identifier: Apache-2.0
// What must hold of every plan, checked on random graphs at random sizes: no view leaves its
// buffer, no two values that are alive together share a byte, no element is read before it is
// written, every element of an output is written, and the workspace never shrinks when a size
// grows.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "ops/contract.h"
#include "ops/reduce.h"
#include "plan/planned.h"

namespace ingot::plan {
namespace {

// --- random graphs -----------------------------------------------------------------------------

/// Two symbols, a few inputs, and nodes of all kinds on top of whatever there is already.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  Graph run() {
    graph_.name = "random";
    graph_.declare_symbol("N", {0, 500});
    graph_.declare_symbol("M", {0, 40});
    const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
    for (const Shape& shape : {Shape{n, 6}, Shape{n, m}, Shape{m, 6}, Shape{6}, Shape{n, m, 4}}) {
      values_.push_back(
          graph_.add_input("x" + std::to_string(values_.size()), {DType::f32, shape}));
    }
    const std::size_t nodes = 3 + random_() % 20;
    while (values_.size() < 5 + nodes) add_node();
    const std::size_t outputs = 1 + random_() % 3;
    for (std::size_t i = 0; i < outputs; ++i) {
      const std::size_t back = i == 0 ? 0 : random_() % values_.size();
      graph_.add_output("y" + std::to_string(i), values_[values_.size() - 1 - back]);
    }
    return std::move(graph_);
  }

 private:
  ValueId any() { return values_[random_() % values_.size()]; }
  const Shape& shape(ValueId value) const { return graph_.type(value).shape; }
  void keep(Expected<ValueId> value) {
    if (value) values_.push_back(*value);
  }

  void add_node() {
    const ValueId a = any();
    const std::size_t rank = shape(a).size();
    const auto axis = static_cast<std::int64_t>(rank == 0 ? 0 : random_() % rank);
    switch (random_() % 10) {
      case 0:
        return keep(graph_.add(random_() % 2 != 0 ? "tanh" : "neg", {a}));
      case 1:
        return binary(a);
      case 2:
        return product(a);
      case 3:
        return transpose(a);
      case 4:
        return concat(a, axis);
      case 5:
        return slice(a);
      case 6:
      case 7: {
        if (rank == 0) return;
        const bool last = random_() % 2 != 0;
        const std::vector<std::int64_t> axes{last ? static_cast<std::int64_t>(rank) - 1 : axis};
        return keep(graph_.add(random_() % 2 != 0 ? "reduce_sum" : "reduce_max", {a},
                               {{"axes", axes},
                                {"keep_dims", random_() % 2 != 0},
                                {"order", ops::reduction_order(rank, axes)}}));
      }
      case 8: {
        if (rank == 0) return;
        const Dim k = Dim::min(shape(a).back(), 1 + static_cast<std::int64_t>(random_() % 3));
        const auto results = graph_.add_node(
            op("top_k"), {a}, {{"k", Shape{k}}, {"largest", random_() % 2 != 0}}, "");
        if (results) values_.push_back((*results)[0]);
        return;
      }
      default: {
        Shape flat{ingot::product(shape(a))};
        if (rank > 1)
          flat = {ingot::product(Shape(shape(a).begin(), shape(a).end() - 1)), shape(a).back()};
        return keep(graph_.add("reshape", {a}, {{"shape", flat}}));
      }
    }
  }

  void binary(ValueId a) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const ValueId b = any();
      const bool fits =
          shape(b) == shape(a) || shape(b).empty() ||
          (shape(b).size() == 1 && !shape(a).empty() && shape(b).back() == shape(a).back());
      if (fits) return keep(graph_.add(random_() % 2 != 0 ? "add" : "mul", {a, b}));
    }
  }

  void product(ValueId a) {
    if (shape(a).size() < 2) return;
    const std::optional<std::int64_t> k = shape(a).back().value();
    ValueId b;
    if (k && *k > 0) {
      const std::int64_t n = random_() % 2 != 0 ? 6 : 1 + static_cast<std::int64_t>(random_() % 3);
      Tensor weights(DType::f32, {*k, n});
      for (std::int64_t i = 0; i < *k * n; ++i) weights.set(i, static_cast<float>(random_() % 9));
      b = graph_.add_constant(std::move(weights));
    } else {
      b = any();
      if (shape(b).size() != 2 || shape(b)[0] != shape(a).back()) return;
    }
    const std::int64_t chains = ops::matmul_chains(graph_.type(a), graph_.type(b));
    keep(graph_.add("matmul", {a, b}, {{"chains", chains}}));
  }

  void transpose(ValueId a) {
    std::vector<std::int64_t> perm(shape(a).size());
    for (std::size_t d = 0; d < perm.size(); ++d) perm[d] = static_cast<std::int64_t>(d);
    std::shuffle(perm.begin(), perm.end(), random_);
    keep(graph_.add("transpose", {a}, {{"perm", perm}}));
  }

  void concat(ValueId a, std::int64_t axis) {
    if (shape(a).empty()) return;
    std::vector<ValueId> parts{a};
    for (int attempt = 0; attempt < 6 && parts.size() < 3; ++attempt) {
      const ValueId b = any();
      bool fits = shape(b).size() == shape(a).size();
      for (std::size_t d = 0; fits && d < shape(a).size(); ++d) {
        fits = static_cast<std::int64_t>(d) == axis || shape(a)[d] == shape(b)[d];
      }
      if (fits) parts.push_back(b);
    }
    keep(graph_.add("concat", parts, {{"axis", axis}}));
  }

  void slice(ValueId a) {
    Shape start(shape(a).size()), size = shape(a);
    std::vector<std::int64_t> step(shape(a).size(), 1);
    for (std::size_t d = 0; d < size.size(); ++d) {
      const std::optional<std::int64_t> extent = size[d].value();
      if (!extent || *extent < 4) continue;
      const bool backwards = random_() % 2 != 0;
      start[d] = backwards ? *extent - 1 : 1;
      size[d] = 2;
      step[d] = backwards ? -2 : 1;
    }
    keep(graph_.add("slice", {a}, {{"start", start}, {"size", size}, {"step", step}}));
  }

  std::mt19937 random_;
  Graph graph_;
  std::vector<ValueId> values_;
};

// --- what must hold ----------------------------------------------------------------------------

struct Use {
  View view;
  bool write = false;
  bool elementwise = false;  // read at the very points at which the kernel stores
  std::vector<Dim> space;
  std::size_t stage = 0;  // of a row kernel: a later one must not read what this one has written
};

void add_part(std::vector<Use>& uses, const std::vector<View>& loads,
              const std::vector<Store>& stores, const std::vector<Dim>& space, bool elementwise,
              std::size_t stage = 0) {
  for (const View& view : loads) uses.push_back({view, false, elementwise, space, stage});
  for (const Store& store : stores) uses.push_back({store.view, true, elementwise, space, stage});
}

std::vector<Use> uses_of(const Kernel& kernel) {
  std::vector<Use> uses;
  const std::vector<Dim>& space = kernel.space;
  if (const auto* map = std::get_if<Map>(&kernel.work)) {
    add_part(uses, map->loads, map->stores, space, true);
  } else if (const auto* row = std::get_if<Row>(&kernel.work)) {
    std::size_t number = 0;
    for (const Row::Stage& stage : row->stages)
      add_part(uses, stage.loads, stage.stores, space, true, number++);
    std::vector<Dim> rows = space;
    rows.back() = 1;
    add_part(uses, row->finish_loads, row->finish_stores, rows, true, number);
  } else if (const auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
    add_part(uses, reduce->loads, {}, space, true);
    std::vector<Dim> kept = space;
    std::fill(kept.end() - reduce->reduced, kept.end(), Dim(1));
    add_part(uses, reduce->finish_loads, reduce->finish_stores, kept, true, 1);
  } else if (const auto* top = std::get_if<TopK>(&kernel.work)) {
    add_part(uses, top->loads, {}, space, false);
    std::vector<Dim> first = space;
    first.back() = top->k;
    add_part(uses, top->finish_loads, top->finish_stores, first, true, 1);
  } else if (const auto* scatter = std::get_if<Scatter>(&kernel.work)) {
    // The target is written by whoever copied the data; an index may choose any of its entries.
    add_part(uses, scatter->loads, {}, space, false);
    std::vector<Dim> entries = space;
    entries.push_back(scatter->size);
    uses.push_back({scatter->before, false, false, entries});
    uses.push_back({scatter->target, true, false, entries});
  } else {
    const auto& contract = std::get<Contract>(kernel.work);
    std::vector<Dim> with_k = space;
    with_k.push_back(contract.k);
    uses.push_back({contract.a, false, false, with_k});
    if (const auto* b = std::get_if<View>(&contract.b)) uses.push_back({*b, false, false, with_k});
    if (contract.bias) uses.push_back({*contract.bias, false, false, space});
    add_part(uses, contract.loads, contract.stores, space, true);
  }
  return uses;
}

class Check {
 public:
  Check(const Plan& plan, SymbolValues sizes) : plan_(plan), sizes_(std::move(sizes)) {}

  void run() {
    workspace_ = value(plan_.workspace_bytes);
    for (const Buffer& buffer : plan_.buffers) {
      const bool given = buffer.kind == Buffer::Kind::input || buffer.kind == Buffer::Kind::weights;
      const bool local = in_arena(written_.size());
      written_.emplace_back(
          local ? 0 : static_cast<std::size_t>(value(ingot::product(buffer.shape))), given);
    }
    if (plan_.blocks.empty()) {
      pass();
    } else {
      // All kernels stand in the one block.
      ASSERT_EQ(plan_.blocks.size(), 1u);
      const Block& block = plan_.blocks[0];
      ASSERT_EQ(block.first, 0u);
      ASSERT_EQ(block.last + 1, plan_.kernels.size());
      const std::int64_t rows = value(block.extent);
      for (std::int64_t begin = 0; begin < rows; begin += block.size) {
        sizes_[block.begin] = begin;
        sizes_[block.count] = std::min(rows - begin, block.size);
        pass();
      }
    }
    for (const Plan::Port& output : plan_.outputs) {
      const std::vector<bool>& all = written_[output.buffer];
      EXPECT_EQ(std::count(all.begin(), all.end(), false), 0) << output.name << " has gaps";
    }
  }

 private:
  std::int64_t value(const Dim& dim) const {
    const auto result = dim.evaluate(sizes_);
    EXPECT_TRUE(result) << dim.str();
    return result ? *result : 0;
  }
  std::int64_t bytes(const Buffer& buffer) const {
    return value(product(buffer.shape)) * static_cast<std::int64_t>(bytes_of(buffer.dtype));
  }
  bool in_arena(std::size_t b) const { return plan_.buffers[b].kind == Buffer::Kind::arena; }

  /// All kernels once, over an arena in which nothing is written yet.
  void pass() {
    const std::size_t count = plan_.buffers.size();
    first_.assign(count, -1);
    last_.assign(count, -1);
    for (std::size_t b = 0; b < count; ++b) {
      check_place(plan_.buffers[b]);
      if (!in_arena(b)) continue;
      written_[b].assign(static_cast<std::size_t>(value(ingot::product(plan_.buffers[b].shape))),
                         false);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) check_kernel(static_cast<int>(k));
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; b < count; ++b) check_pair(a, b);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) check_kept(static_cast<int>(k));
  }

  void check_place(const Buffer& buffer) const {
    if (buffer.kind == Buffer::Kind::arena) {
      EXPECT_GE(value(buffer.offset), 0);
      EXPECT_EQ(value(buffer.offset) % static_cast<std::int64_t>(bytes_of(buffer.dtype)), 0);
      EXPECT_LE(value(buffer.offset) + bytes(buffer), workspace_) << buffer.name;
    }
    if (buffer.kind == Buffer::Kind::weights) {
      EXPECT_LE(value(buffer.offset) + bytes(buffer),
                static_cast<std::int64_t>(plan_.weights.size()));
    }
  }

  void check_kernel(int k) {
    const std::vector<Use> uses = uses_of(plan_.kernels[static_cast<std::size_t>(k)]);
    for (const Use& use : uses) {
      const std::size_t b = use.view.buffer;
      if (first_[b] < 0) first_[b] = k;
      last_[b] = k;
      const Buffer& buffer = plan_.buffers[b];
      const bool writable =
          buffer.kind == Buffer::Kind::arena || buffer.kind == Buffer::Kind::output;
      EXPECT_TRUE(writable || !use.write);
      const std::string where = fmt::format("kernel {}, {}", k, buffer.name);
      if (!use.write) visit(use, where, [&](bool written) { EXPECT_TRUE(written) << where; });
    }
    for (const Use& use : uses) {
      if (use.write) visit(use, {}, [](auto written) { written = true; });
    }
  }

  /// Calls back with the mark of every element that a view reaches, until something is wrong.
  template <class Function>
  void visit(const Use& use, const std::string& where, Function&& function) {
    std::vector<bool>& marks = written_[use.view.buffer];
    std::vector<std::int64_t> extents, strides, index(use.space.size());
    std::int64_t points = 1, at = value(use.view.offset);
    for (std::size_t d = 0; d < use.space.size(); ++d) {
      strides.push_back(value(use.view.strides.at(d)));
      // What does not move is visited once.
      extents.push_back(strides[d] == 0 ? std::min<std::int64_t>(value(use.space[d]), 1)
                                        : value(use.space[d]));
      points *= extents[d];
    }
    for (; points > 0 && !testing::Test::HasFailure(); --points) {
      ASSERT_TRUE(at >= 0 && at < static_cast<std::int64_t>(marks.size())) << where;
      function(marks[static_cast<std::size_t>(at)]);
      for (std::size_t d = extents.size(); d-- > 0;) {
        at += strides[d];
        if (++index[d] < extents[d]) break;
        at -= strides[d] * extents[d];
        index[d] = 0;
      }
    }
  }

  /// Two buffers that share bytes are never needed by the same kernel, but where one takes the
  /// other's place element by element.
  void check_pair(std::size_t a, std::size_t b) const {
    if (a == b || !in_arena(a) || !in_arena(b) || first_[a] < 0 || first_[b] < 0) return;
    const std::int64_t a_begin = value(plan_.buffers[a].offset);
    const std::int64_t b_begin = value(plan_.buffers[b].offset);
    const bool apart = a_begin + bytes(plan_.buffers[a]) <= b_begin ||
                       b_begin + bytes(plan_.buffers[b]) <= a_begin;
    if (apart || first_[a] > first_[b] || (first_[a] == first_[b] && a > b)) return;
    if (last_[a] < first_[b]) return;
    EXPECT_EQ(last_[a], first_[b]) << names(a, b) << " share bytes while both are alive";
    EXPECT_EQ(a_begin, b_begin) << names(a, b);
    const auto kernel = static_cast<std::size_t>(first_[b]);
    const std::vector<Use> uses = uses_of(plan_.kernels[kernel]);
    for (const Use& read : uses) {
      if (read.view.buffer != a) continue;
      EXPECT_TRUE(read.elementwise && !read.write) << names(a, b);
      for (const Use& write : uses) {
        if (write.view.buffer != b) continue;
        EXPECT_EQ(read.view.offset, write.view.offset) << names(a, b);
        EXPECT_EQ(read.view.strides, write.view.strides) << names(a, b);
        EXPECT_LE(read.stage, write.stage) << names(a, b);
      }
    }
  }

  /// A row that a kernel keeps for itself lies beside everything that is alive then.
  void check_kept(int k) const {
    const Kernel& kernel = plan_.kernels[static_cast<std::size_t>(k)];
    const auto* row = std::get_if<Row>(&kernel.work);
    const auto* top = std::get_if<TopK>(&kernel.work);
    if (row == nullptr && (top == nullptr || !top->heap)) return;
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      if (!in_arena(b) || first_[b] > k || last_[b] < k) continue;
      const std::int64_t begin = value(plan_.buffers[b].offset);
      taken.emplace_back(begin, begin + bytes(plan_.buffers[b]));
    }
    auto keep = [&](const Dim& offset, const Dim& size) {
      const std::int64_t begin = value(offset), end = begin + value(size);
      EXPECT_LE(end, workspace_);
      for (const auto& [from, to] : taken) EXPECT_TRUE(end <= from || to <= begin);
      taken.emplace_back(begin, end);
    };
    if (top != nullptr) return keep(*top->heap, top->k * TopK::entry_bytes);
    for (const Row::Stage& stage : row->stages) {
      if (!stage.keep) continue;
      const DType dtype = stage.body.steps[stage.keep->step].dtype;
      keep(stage.keep->offset, kernel.space.back() * static_cast<std::int64_t>(bytes_of(dtype)));
    }
  }

  std::string names(std::size_t a, std::size_t b) const {
    return plan_.buffers[a].name + " and " + plan_.buffers[b].name;
  }

  const Plan& plan_;
  SymbolValues sizes_;
  std::int64_t workspace_ = 0;
  std::vector<int> first_, last_;
  std::vector<std::vector<bool>> written_;  // by buffer and element
};

unsigned graph_count() {
  const char* wanted = std::getenv("INGOT_RANDOM_GRAPHS");
  return wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : 300;
}

TEST(RandomPlans, AreSoundAtAllSizes) {
  std::size_t kernels = 0, shared = 0, blocked = 0;
  for (unsigned seed = 1; seed <= graph_count(); ++seed) {
    const Graph graph = Maker(seed).run();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    // Budgets that give blocks of one row, of some, and of more than there are.
    const auto plan = make_plan(graph, {std::int64_t{64} << (seed % 8)});
    ASSERT_TRUE(plan) << plan.error().message;
    blocked += plan->blocks.size();
    kernels += plan->kernels.size();
    std::set<Dim> offsets;
    for (const Buffer& buffer : plan->buffers) {
      if (buffer.kind == Buffer::Kind::arena && !offsets.insert(buffer.offset).second) ++shared;
    }
    std::mt19937 random(seed);
    for (const std::int64_t most : {2, 2, 9, 60}) {
      SymbolValues sizes;
      for (const Symbol& symbol : plan->symbols) {
        const std::int64_t hi = std::min(most, symbol.range.hi);
        sizes[symbol.name] = static_cast<std::int64_t>(random() % static_cast<unsigned>(hi + 1));
      }
      SCOPED_TRACE(fmt::format("N = {}, M = {}", sizes["N"], sizes["M"]));
      Check(*plan, sizes).run();
      for (const Symbol& symbol : plan->symbols) {
        SymbolValues grown = sizes;
        grown[symbol.name] += 1 + static_cast<std::int64_t>(random() % 3);
        EXPECT_LE(*plan->workspace_bytes.evaluate(sizes), *plan->workspace_bytes.evaluate(grown));
      }
    }
    if (HasFailure()) FAIL() << print(*plan).text;
  }
  EXPECT_GT(kernels, graph_count()) << "the graphs have become trivial";
  // A top_k of as many as a row has, where that is few, keeps its graph out of blocks.
  EXPECT_GT(blocked, graph_count() / 25) << "no rows are ever taken in blocks";
  EXPECT_GT(shared, graph_count() / 20) << "no bytes are ever shared";
}

}  // namespace
}  // namespace ingot::plan
