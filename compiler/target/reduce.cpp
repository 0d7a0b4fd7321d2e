// SPDX-License-Identifier: Apache-2.0
// Reductions in index order: lanes are points of the result, so that a vector does for all of them
// what one accumulator does for each.
#include "target/kernels.h"
#include "target/space.h"

namespace ingot::target {
namespace {

using llvm::Value;
using plan::View;

class ReduceWriter {
 public:
  ReduceWriter(Emitter& e, const plan::Kernel& kernel, const plan::OrderedReduce& reduce)
      : e_(e),
        reduce_(reduce),
        kept_count_(kernel.space.size() - reduce.reduced),
        kept_(kernel.space, 0, kept_count_, all_views(), pinned()),
        reduced_(kernel.space, kept_count_, kernel.space.size(), load_views(), pinned()) {
    INGOT_CHECK(!reduce.body.steps.empty(), "kernel '{}' reduces nothing", kernel.name);
  }

  void write() {
    if (kept_.rank() == 0) {
      results({}, e_.number(0), {e_.all_lanes(1)});
      return;
    }
    kept_.make_innermost(kept_.best_axis(all_views()));
    const std::size_t inner = kept_.rank() - 1;
    unsigned widest = std::max(BodyInfo(reduce_.body).widest, BodyInfo(reduce_.finish).widest);
    const unsigned lanes = pick_lanes(e_, widest, kept_.extent(inner));
    const bool mask = can_mask(e_, all_views());
    std::vector<Value*> extents;
    for (std::size_t d = 0; d < inner; ++d) extents.push_back(e_.dim(kept_.extent(d)));
    e_.loops(extents, [&](const std::vector<Value*>& outer) {
      // Four accumulators hide the latency of one addition.
      emit_blocks(
          e_, e_.dim(kept_.extent(inner)), lanes, 4, mask,
          [&](Value* first, const std::vector<Lanes>& block) { results(outer, first, block); });
    });
  }

 private:
  std::vector<const View*> load_views() const {
    std::vector<const View*> views;
    for (const View& view : reduce_.loads) views.push_back(&view);
    return views;
  }
  std::vector<const View*> all_views() const {
    std::vector<const View*> views = load_views();
    for (const View& view : reduce_.finish_loads) views.push_back(&view);
    for (const plan::Store& store : reduce_.finish_stores) views.push_back(&store.view);
    return views;
  }
  std::set<std::uint32_t> pinned() const {
    std::set<std::uint32_t> axes = BodyInfo(reduce_.body).axes;
    axes.merge(BodyInfo(reduce_.finish).axes);
    return axes;
  }

  /// Some vectors of results at neighbouring places.
  void results(const std::vector<Value*>& outer, Value* first, const std::vector<Lanes>& block) {
    const DType dtype = reduce_.body.steps.back().dtype;
    const DType compute = Emitter::compute_type(dtype);
    Emitter::Values sums;
    std::vector<std::vector<Value*>> points;
    for (std::size_t v = 0; v < block.size(); ++v) {
      sums.push_back(e_.neutral(reduce_.op, compute, block[v].count));
      std::vector<Value*> kept = outer;
      if (kept_.rank() > 0) {
        kept.push_back(e_.add(first, e_.number(static_cast<std::int64_t>(v * block[v].count))));
      }
      points.emplace_back(kept_count_ + reduce_.reduced, nullptr);
      kept_.place(kept, points.back());
    }
    sums = accumulate(0, {}, points, block, sums);
    for (std::size_t v = 0; v < block.size(); ++v) {
      finish(points[v], block[v], e_.from_compute(dtype, sums[v]));
    }
  }

  /// The loops over the reduced axes from `d` on.
  Emitter::Values accumulate(std::size_t d, const std::vector<Value*>& inner,
                             const std::vector<std::vector<Value*>>& points,
                             const std::vector<Lanes>& block, const Emitter::Values& sums) {
    if (d < reduced_.rank()) {
      return e_.loop(e_.number(0), e_.dim(reduced_.extent(d)), 1, sums,
                     [&](Value* i, const Emitter::Values& carried) {
                       std::vector<Value*> deeper = inner;
                       deeper.push_back(i);
                       return accumulate(d + 1, deeper, points, block, carried);
                     });
    }
    const DType dtype = reduce_.body.steps.back().dtype;
    Emitter::Values next;
    for (std::size_t v = 0; v < block.size(); ++v) {
      std::vector<Value*> point = points[v];
      reduced_.place(inner, point);
      const Emitter::Values values =
          e_.body(reduce_.body, block[v].count, leaves(reduce_.loads, point, block[v], nullptr));
      next.push_back(e_.combine(reduce_.op, Emitter::compute_type(dtype), sums[v],
                                e_.to_compute(dtype, values.back())));
    }
    return next;
  }

  void finish(const std::vector<Value*>& point, const Lanes& lanes, Value* sum) {
    const Emitter::Values values =
        e_.body(reduce_.finish, lanes.count, leaves(reduce_.finish_loads, point, lanes, sum));
    for (const plan::Store& store : reduce_.finish_stores) {
      e_.store(e_.dtype(store.view), values[store.step], e_.address(store.view, point),
               lane_stride(store.view), lanes);
    }
  }

  Value* lane_stride(const View& view) {
    return kept_.rank() == 0 ? e_.number(0) : e_.dim(kept_.stride(view, kept_.rank() - 1));
  }

  Leaves leaves(const std::vector<View>& views, const std::vector<Value*>& point,
                const Lanes& lanes, Value* sum) {
    Leaves leaves;
    leaves.load = [this, &views, &point, &lanes](std::uint32_t i) {
      return e_.load(e_.dtype(views[i]), e_.address(views[i], point), lane_stride(views[i]), lanes);
    };
    leaves.scalar = [sum](std::uint32_t) { return sum; };
    leaves.index = [this, &point, &lanes](std::uint32_t axis) -> Value* {
      Value* coordinate = point[axis] == nullptr ? e_.number(0) : point[axis];
      Value* value = e_.splat(coordinate, lanes.count);
      std::vector<Value*> marked(point.size(), nullptr);
      if (kept_.rank() > 0 && lanes.count > 1) {
        std::vector<Value*> last(kept_.rank(), nullptr);
        last.back() = coordinate;
        kept_.place(last, marked);
      }
      if (marked[axis] == nullptr) return value;
      std::vector<llvm::Constant*> steps;
      for (unsigned i = 0; i < lanes.count; ++i) steps.push_back(e_.build.getInt64(i));
      return e_.build.CreateAdd(value, llvm::ConstantVector::get(steps));
    };
    return leaves;
  }

  Emitter& e_;
  const plan::OrderedReduce& reduce_;
  std::size_t kept_count_;
  Space kept_;
  Space reduced_;
};

}  // namespace

void emit_ordered_reduce(Emitter& e, const plan::Kernel& kernel,
                         const plan::OrderedReduce& reduce) {
  ReduceWriter(e, kernel, reduce).write();
}

}  // namespace ingot::target
