// SPDX-License-Identifier: Apache-2.0
// Row kernels: stages of reductions along the last axis, row by row, in the canonical 16 lanes.
// A short row of known length stays in registers from its first load to its last store.
#include <algorithm>
#include <bit>

#include "target/gathers.h"
#include "target/kernels.h"
#include "target/space.h"

namespace ingot::target {
namespace {

using llvm::Value;
using plan::Row;
using plan::View;

constexpr unsigned canonical_lanes = 16;
/// Rows up to here are unrolled: eight vectors of the widest registers.
constexpr std::int64_t longest_unrolled = 128;

class RowWriter {
 public:
  RowWriter(Emitter& e, const plan::Kernel& kernel, const Row& row)
      : e_(e),
        row_(row),
        last_(kernel.space.size() - 1),
        length_(kernel.space.back()),
        rows_(kernel.space, 0, last_, views(), pinned()) {
    const auto known = length_.value();
    unrolled_ = known && *known <= longest_unrolled;
    // Lanes beyond a short row would keep the neutral element, which then changes nothing.
    lanes_ = unrolled_
                 ? std::min(canonical_lanes,
                            std::bit_ceil(static_cast<unsigned>(std::max<std::int64_t>(*known, 1))))
                 : canonical_lanes;
  }

  void write() {
    std::vector<Value*> extents;
    for (std::size_t d = 0; d < rows_.rank(); ++d) extents.push_back(e_.dim(rows_.extent(d)));
    e_.loops(extents, [&](const std::vector<Value*>& point) {
      whole_.assign(last_ + 1, nullptr);
      rows_.place(point, whole_);
      scalars_.assign(row_.stages.size(), nullptr);
      kept_.assign(row_.stages.size(), {});
      for (std::size_t s = 0; s < row_.stages.size(); ++s) stage(s);
      finish();
    });
  }

 private:
  std::vector<const View*> views() const {
    std::vector<const View*> views;
    auto add_stores = [&](const std::vector<plan::Store>& stores) {
      for (const plan::Store& store : stores) views.push_back(&store.view);
    };
    for (const Row::Stage& stage : row_.stages) {
      for (const View& view : stage.loads) views.push_back(&view);
      add_stores(stage.stores);
    }
    for (const View& view : row_.finish_loads) views.push_back(&view);
    add_stores(row_.finish_stores);
    return views;
  }
  std::set<std::uint32_t> pinned() const {
    std::set<std::uint32_t> axes = BodyInfo(row_.finish).axes;
    for (const Row::Stage& stage : row_.stages) axes.merge(BodyInfo(stage.body).axes);
    return axes;
  }

  void stage(std::size_t s) {
    const Row::Stage& stage = row_.stages[s];
    Emitter::Values lanes;
    if (stage.reduction) {
      lanes.push_back(e_.neutral(stage.reduction->op, reduced_type(stage), lanes_));
    }
    auto turn = [&](Value* first, const Lanes& block, const Emitter::Values& before) {
      return chunk(s, first, block, before);
    };
    if (unrolled_) {
      const std::int64_t length = *length_.value();
      for (std::int64_t first = 0; first < length; first += lanes_) {
        const std::int64_t live = std::min<std::int64_t>(lanes_, length - first);
        lanes = turn(e_.number(first), e_.first_lanes(lanes_, e_.number(live)), lanes);
      }
    } else {
      lanes = long_row(turn, lanes);
    }
    if (!stage.reduction) return;
    Value* result = lanes[0];
    if (lanes_ > 1) result = e_.halve(stage.reduction->op, reduced_type(stage), result);
    scalars_[s] = e_.from_compute(stage.body.steps[stage.reduction->step].dtype, result);
  }

  /// Whole vectors in a loop, then the tail behind a branch.
  template <class Turn>
  Emitter::Values long_row(const Turn& turn, const Emitter::Values& start) {
    Value* length = e_.dim(length_);
    Value* end = e_.build.CreateAnd(length, e_.number(-std::int64_t{canonical_lanes}));
    Emitter::Values lanes = e_.loop(
        e_.number(0), end, canonical_lanes, start,
        [&](Value* i, const Emitter::Values& carried) {
          return turn(i, e_.all_lanes(canonical_lanes), carried);
        },
        "row");
    Value* rest = e_.build.CreateSub(length, end);
    // A loop of at most one turn, because it can carry the lanes around the branch.
    return e_.loop(
        e_.number(0), rest, canonical_lanes, lanes,
        [&](Value*, const Emitter::Values& carried) {
          return turn(end, e_.first_lanes(canonical_lanes, rest), carried);
        },
        "tail");
  }

  /// One vector of a row through one stage.
  Emitter::Values chunk(std::size_t s, Value* first, const Lanes& lanes,
                        const Emitter::Values& before) {
    const Row::Stage& stage = row_.stages[s];
    std::vector<Value*> point = whole_;
    point[last_] = first;
    std::vector<std::uint32_t> results;
    for (const plan::Store& store : stage.stores) results.push_back(store.step);
    if (stage.keep) results.push_back(stage.keep->step);
    if (stage.reduction) results.push_back(stage.reduction->step);
    const Emitter::Values values = evaluate(stage.body, stage.loads, results, point, lanes);
    for (const plan::Store& store : stage.stores) {
      e_.store(e_.dtype(store.view), values[store.step], e_.address(store.view, point),
               e_.dim(store.view.strides[last_]), lanes);
    }
    if (stage.keep) {
      Value* value = values[stage.keep->step];
      if (unrolled_) {
        kept_[s].push_back(value);
      } else {
        const DType dtype = stage.body.steps[stage.keep->step].dtype;
        e_.store(dtype, value, kept_memory(s, first), e_.number(1), lanes);
      }
    }
    if (!stage.reduction) return before;
    const DType dtype = stage.body.steps[stage.reduction->step].dtype;
    Value* sum = e_.combine(stage.reduction->op, reduced_type(stage), before[0],
                            e_.to_compute(dtype, values[stage.reduction->step]));
    if (lanes.mask != nullptr) sum = e_.build.CreateSelect(lanes.mask, sum, before[0]);
    return {sum};
  }

  void finish() {
    const Lanes lanes = e_.all_lanes(1);
    std::vector<Value*> point = whole_;
    point[last_] = e_.number(0);
    std::vector<std::uint32_t> results;
    for (const plan::Store& store : row_.finish_stores) results.push_back(store.step);
    const Emitter::Values values = evaluate(row_.finish, row_.finish_loads, results, point, lanes);
    for (const plan::Store& store : row_.finish_stores) {
      e_.store(e_.dtype(store.view), values[store.step], e_.address(store.view, point),
               e_.number(0), lanes);
    }
  }

  Emitter::Values evaluate(const plan::Body& body, const std::vector<View>& loads,
                           const std::vector<std::uint32_t>& results,
                           const std::vector<Value*>& point, const Lanes& lanes) {
    Gathers gathers(
        body, loads, results, [&](const View& view) { return !view.strides[last_].is(0); },
        [&](std::uint32_t axis) { return axis == last_; });
    Gathers::Lane lane;
    lane.address = [&](const View& view) { return e_.address(view, point); };
    lane.stride = [&](const View& view) { return e_.dim(view.strides[last_]); };
    lane.position = [&] { return e_.position(point); };
    lane.step = [&] { return e_.number(1); };
    const Lanes one = e_.all_lanes(1);
    gathers.choose_rows(e_, leaves(loads, point, one), lane);
    Leaves leaves = this->leaves(loads, point, lanes);
    gathers.complete(e_, leaves, lanes, lane);
    return e_.body(body, lanes.count, leaves, &gathers.in_lanes());
  }

  /// Refers to its arguments: for use within the statement.
  Leaves leaves(const std::vector<View>& views, const std::vector<Value*>& point,
                const Lanes& lanes) {
    Leaves leaves;
    leaves.load = [this, &views, &point, &lanes](std::uint32_t i) {
      return e_.load(e_.dtype(views[i]), e_.address(views[i], point),
                     e_.dim(views[i].strides[last_]), lanes);
    };
    leaves.index = [this, &point, &lanes](std::uint32_t axis) -> Value* {
      Value* value = e_.splat(point[axis] == nullptr ? e_.number(0) : point[axis], lanes.count);
      if (axis != last_ || lanes.count == 1) return value;
      std::vector<llvm::Constant*> steps;
      for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(e_.build.getInt64(i));
      return e_.build.CreateAdd(value, llvm::ConstantVector::get(steps));
    };
    leaves.scalar = [this, &lanes](std::uint32_t s) { return e_.splat(scalars_[s], lanes.count); };
    leaves.temp = [this, &point, &lanes](std::uint32_t s) {
      if (unrolled_) {
        return kept_[s][static_cast<std::size_t>(*Emitter::known(point[last_]) / lanes_)];
      }
      const Row::Stage& stage = row_.stages[s];
      return e_.load(stage.body.steps[stage.keep->step].dtype, kept_memory(s, point[last_]),
                     e_.number(1), lanes);
    };
    return leaves;
  }

  Value* kept_memory(std::size_t s, Value* first) {
    const Row::Stage& stage = row_.stages[s];
    return e_.advance(e_.kept(stage.keep->offset), first, stage.body.steps[stage.keep->step].dtype);
  }

  DType reduced_type(const Row::Stage& stage) const {
    return Emitter::compute_type(stage.body.steps[stage.reduction->step].dtype);
  }

  Emitter& e_;
  const Row& row_;
  std::size_t last_;
  Dim length_;
  Space rows_;
  bool unrolled_ = false;
  unsigned lanes_ = canonical_lanes;
  std::vector<Value*> whole_;              // the row's place in the kernel's space
  std::vector<Value*> scalars_;            // by stage
  std::vector<std::vector<Value*>> kept_;  // by stage and vector, when unrolled
};

}  // namespace

void emit_row(Emitter& e, const plan::Kernel& kernel, const Row& row) {
  INGOT_CHECK(!kernel.space.empty(), "row kernel '{}' has no axis", kernel.name);
  RowWriter(e, kernel, row).write();
}

}  // namespace ingot::target
