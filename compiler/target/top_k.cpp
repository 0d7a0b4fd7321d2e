// SPDX-License-Identifier: Apache-2.0
// TopK kernels. Elements become integer keys, of which the greater come first. In a short row each
// element's rank is counted by comparing it with all others, whole vectors at a time and without a
// branch: for rows of a few dozen, as of neighbours, nothing sorts faster, and k does not matter.
// In a long row a heap holds the first k so far, and vectors skip what does not come in.
#include <algorithm>

#include "target/heap.h"
#include "target/kernels.h"
#include "target/points.h"
#include "target/space.h"

namespace ingot::target {
namespace {

using llvm::Value;
using plan::TopK;
using plan::View;

class TopKWriter {
 public:
  TopKWriter(Emitter& e, const plan::Kernel& kernel, const TopK& top)
      : e_(e),
        top_(top),
        last_(kernel.space.size() - 1),
        length_(kernel.space.back()),
        element_(top.body.steps.back().dtype),
        key_(e.build.getIntNTy(bytes_of(element_) == 8 ? 64 : 32)),
        lanes_(e.isa.vector_bytes * 8 / key_->getIntegerBitWidth()),
        rows_(kernel.space, 0, last_, views(), pinned()),
        points_(e, last_) {
    for (const plan::Store& store : top.finish_stores) stored_.push_back(store.step);
    values_ =
        std::any_of(top.finish.steps.begin(), top.finish.steps.end(), [](const plan::Step& step) {
          return step.kind == plan::Step::Kind::scalar && step.index == 0;
        });
  }

  void write() {
    // Comparisons grow with the square of the row, and shrink with the vectors.
    const std::int64_t most = std::max<std::int64_t>(TopK::short_row, 16 * lanes_);
    const Interval range = length_.bounds(e_.ranges());
    if (!top_.heap || range.hi <= most) {
      short_rows(std::min(most, range.hi));
      return;
    }
    Value* is_short = e_.build.CreateICmpSLE(e_.dim(length_), e_.number(most));
    if (range.lo <= most) e_.when(is_short, [&] { short_rows(most); });
    e_.when(e_.build.CreateNot(is_short), [&] { long_rows(); });
  }

 private:
  std::vector<const View*> views() const {
    std::vector<const View*> views;
    for (const View& view : top_.loads) views.push_back(&view);
    for (const View& view : top_.finish_loads) views.push_back(&view);
    for (const plan::Store& store : top_.finish_stores) views.push_back(&store.view);
    return views;
  }
  std::set<std::uint32_t> pinned() const {
    std::set<std::uint32_t> axes = BodyInfo(top_.body).axes;
    axes.merge(BodyInfo(top_.finish).axes);
    return axes;
  }

  /// Calls `row` for each row, with its place in whole_.
  void rows(const std::function<void()>& row) {
    std::vector<Value*> extents;
    for (std::size_t d = 0; d < rows_.rank(); ++d) extents.push_back(e_.dim(rows_.extent(d)));
    e_.loops(extents, [&](const std::vector<Value*>& point) {
      whole_.assign(last_ + 1, nullptr);
      rows_.place(point, whole_);
      row();
    });
  }

  std::vector<Value*> at(Value* place) const {
    std::vector<Value*> point = whole_;
    point[last_] = place;
    return point;
  }

  bool loads_can_mask() const {
    return std::all_of(top_.loads.begin(), top_.loads.end(),
                       [&](const View& view) { return e_.can_mask(e_.dtype(view)); }) &&
           e_.can_mask(DType::i32);
  }

  // ---- elements and keys ----

  Value* elements(Value* first, const Lanes& lanes) {
    const auto result = static_cast<std::uint32_t>(top_.body.steps.size() - 1);
    return points_.evaluate(top_.body, top_.loads, {result}, at(first), lanes).back();
  }

  llvm::Constant* splat(std::uint64_t bits, unsigned lanes) const {
    llvm::Type* type = lanes == 1 ? key_ : llvm::FixedVectorType::get(key_, lanes);
    return llvm::ConstantInt::get(type, bits);
  }

  /// Of elements in register form.
  Value* keys(Value* elements, unsigned lanes) {
    llvm::IRBuilder<>& b = e_.build;
    llvm::Type* type = splat(0, lanes)->getType();
    const std::uint64_t sign = std::uint64_t{1} << (key_->getIntegerBitWidth() - 1);
    Value* key = nullptr;
    if (is_float(element_)) {
      const bool wide = element_ == DType::f64;
      const std::uint64_t infinity = wide ? 0x7ff0000000000000 : 0x7f800000;
      Value* bits = b.CreateBitCast(e_.to_compute(element_, elements), type);
      Value* magnitude = b.CreateAnd(bits, splat(sign - 1, lanes));
      Value* negative = b.CreateICmpSLT(bits, splat(0, lanes));
      // Zeros of either sign are one; so are all NaN, which are greater than infinity.
      key = b.CreateSelect(negative, b.CreateNeg(magnitude), magnitude);
      key = b.CreateSelect(b.CreateICmpUGT(magnitude, splat(infinity, lanes)),
                           splat(sign - 1, lanes), key);
    } else if (is_signed(element_)) {
      key = b.CreateSExt(elements, type);
    } else {
      key = b.CreateZExt(elements, type);
      if (bytes_of(element_) * 8 == key_->getIntegerBitWidth())
        key = b.CreateXor(key, splat(sign, lanes));
    }
    return top_.largest ? key : b.CreateNot(key);
  }

  Value* element_of(Value* array, llvm::Type* type, Value* i) {
    return e_.build.CreateInBoundsGEP(type, array, i);
  }

  // ---- short rows ----

  void short_rows(std::int64_t most) {
    const auto room = static_cast<std::uint64_t>((most + lanes_ - 1) / lanes_ * lanes_);
    if (room == 0) return;
    llvm::Type* half = e_.build.getInt32Ty();
    llvm::Type* memory = e_.memory_type(element_);
    row_keys_ = e_.stack(key_, room);
    ranks_ = e_.stack(half, room);
    order_ = e_.stack(half, room);
    if (values_) {
      elements_ = e_.stack(memory, room);
      sorted_ = e_.stack(memory, room);
    }
    Value* length = e_.dim(length_);
    Value* vectors = e_.build.CreateUDiv(e_.add(length, e_.number(lanes_ - 1)), e_.number(lanes_));
    // What fills up the last vector comes last, and stays there.
    Value* rest = e_.build.CreateSub(vectors, e_.number(1));
    e_.when(e_.build.CreateICmpSGT(length, e_.number(0)), [&] {
      const std::uint64_t least = std::uint64_t{1} << (key_->getIntegerBitWidth() - 1);
      e_.build.CreateAlignedStore(splat(least, lanes_),
                                  element_of(row_keys_, key_, e_.mul(rest, e_.number(lanes_))),
                                  llvm::Align(bytes_of(element_) == 8 ? 8 : 4));
      rows([&] { short_row(length, vectors); });
    });
  }

  void short_row(Value* length, Value* vectors) {
    llvm::IRBuilder<>& b = e_.build;
    llvm::Type* half = b.getInt32Ty();
    const DType key_type = key_->getIntegerBitWidth() == 64 ? DType::i64 : DType::i32;
    emit_blocks(
        e_, length, lanes_, 2, loads_can_mask(),
        [&](Value* first, const std::vector<Lanes>& block) {
          for (std::size_t v = 0; v < block.size(); ++v) {
            const Lanes& lanes = block[v];
            Value* start = e_.add(first, e_.number(static_cast<std::int64_t>(v * lanes.count)));
            Value* element = elements(start, lanes);
            e_.store(key_type, keys(element, lanes.count), element_of(row_keys_, key_, start),
                     e_.number(1), lanes);
            if (!values_) continue;
            e_.store(element_, element, element_of(elements_, e_.memory_type(element_), start),
                     e_.number(1), lanes);
          }
        });
    e_.loop(e_.number(0), vectors, 1, [&](Value* vector) { count(vector, vectors); }, "ranks");
    e_.loop(
        e_.number(0), length, 1,
        [&](Value* i) {
          Value* rank =
              b.CreateZExt(b.CreateLoad(half, element_of(ranks_, half, i)), b.getInt64Ty());
          b.CreateStore(b.CreateTrunc(i, half), element_of(order_, half, rank));
          if (!values_) return;
          llvm::Type* memory = e_.memory_type(element_);
          b.CreateStore(b.CreateLoad(memory, element_of(elements_, memory, i)),
                        element_of(sorted_, memory, rank));
        },
        "order");
    Value* k = e_.dim(top_.k);
    const unsigned lanes = pick_lanes(e_, BodyInfo(top_.finish).widest, top_.k);
    emit_blocks(
        e_, k, lanes, 1, finish_can_mask(), [&](Value* first, const std::vector<Lanes>& block) {
          finish(first, block[0], [&](std::uint32_t which) {
            if (which == 0)
              return e_.load(element_, element_of(sorted_, e_.memory_type(element_), first),
                             e_.number(1), block[0]);
            Value* place =
                e_.load(DType::i32, element_of(order_, half, first), e_.number(1), block[0]);
            return b.CreateZExt(place, e_.register_type(DType::i64, block[0].count));
          });
        });
  }

  /// The ranks of one vector of keys: how many come before each.
  void count(Value* vector, Value* vectors) {
    llvm::IRBuilder<>& b = e_.build;
    Value* start = e_.mul(vector, e_.number(lanes_));
    Value* key = b.CreateLoad(splat(0, lanes_)->getType(), element_of(row_keys_, key_, start));
    llvm::Constant* none = splat(0, lanes_);
    // Two sums, because an addition has to wait for the one before it.
    auto over = [&](Value* from, Value* to, const Emitter::Values& sums, auto&& more) {
      return e_.loop(
          from, to, 1, sums,
          [&](Value* other, const Emitter::Values& before) {
            Emitter::Values sum = before;
            for (unsigned t = 0; t < lanes_; ++t) {
              Value* i = e_.add(e_.mul(other, e_.number(lanes_)), e_.number(t));
              Value* one =
                  b.CreateVectorSplat(lanes_, b.CreateLoad(key_, element_of(row_keys_, key_, i)));
              sum[t % 2] = more(sum[t % 2], one, t);
            }
            return sum;
          },
          "others");
    };
    auto less_if = [&](Value* sum, Value* condition) {
      return b.CreateAdd(sum, b.CreateSExt(condition, sum->getType()));
    };
    // Of equal keys the one that stands in front comes first: all but those that are smaller.
    Emitter::Values sums = over(
        e_.number(0), vector, {start_sum(start), none},
        [&](Value* sum, Value* one, unsigned) { return less_if(sum, b.CreateICmpSGT(key, one)); });
    auto more_if = [&](Value* sum, Value* condition) {
      return b.CreateSub(sum, b.CreateSExt(condition, sum->getType()));
    };
    sums =
        over(vector, e_.add(vector, e_.number(1)), sums, [&](Value* sum, Value* one, unsigned t) {
          std::vector<llvm::Constant*> behind;
          for (unsigned l = 0; l < lanes_; ++l) behind.push_back(b.getInt1(l > t));
          Value* tied = b.CreateAnd(b.CreateICmpEQ(one, key), llvm::ConstantVector::get(behind));
          return more_if(sum, b.CreateOr(b.CreateICmpSGT(one, key), tied));
        });
    sums = over(e_.add(vector, e_.number(1)), vectors, sums, [&](Value* sum, Value* one, unsigned) {
      return more_if(sum, b.CreateICmpSGT(one, key));
    });
    Value* rank = b.CreateTrunc(b.CreateAdd(sums[0], sums[1]),
                                llvm::FixedVectorType::get(b.getInt32Ty(), lanes_));
    b.CreateStore(rank, element_of(ranks_, b.getInt32Ty(), start));
  }
  Value* start_sum(Value* start) { return e_.splat(e_.build.CreateTrunc(start, key_), lanes_); }

  // ---- long rows ----

  void long_rows() {
    Value* k = e_.dim(top_.k);
    e_.when(e_.build.CreateICmpSGT(k, e_.number(0)), [&] {
      Value* heap_keys = e_.kept(*top_.heap);
      Value* heap_places = e_.advance(heap_keys, k, DType::i64);
      candidates_ = e_.stack(key_, lanes_);
      rows([&] { long_row(heap_keys, heap_places, k); });
    });
  }

  void long_row(Value* heap_keys, Value* heap_places, Value* k) {
    llvm::IRBuilder<>& b = e_.build;
    const DType key_type = key_->getIntegerBitWidth() == 64 ? DType::i64 : DType::i32;
    const bool mask = loads_can_mask();
    Heap heap(e_, key_, heap_keys, heap_places, k);
    emit_blocks(e_, k, lanes_, 1, mask, [&](Value* first, const std::vector<Lanes>& block) {
      Value* key = keys(elements(first, block[0]), block[0].count);
      e_.store(key_type, key, element_of(heap_keys, key_, first), e_.number(1), block[0]);
    });
    e_.loop(e_.number(0), k, 1,
            [&](Value* i) { b.CreateStore(i, element_of(heap_places, b.getInt64Ty(), i)); });
    heap.build();
    Value* rest = b.CreateSub(e_.dim(length_), k);
    emit_blocks(e_, rest, lanes_, 1, mask, [&](Value* first, const std::vector<Lanes>& block) {
      const Lanes& lanes = block[0];
      Value* place = e_.add(first, k);
      Value* key = keys(elements(place, lanes), lanes.count);
      if (lanes.count == 1) {
        e_.when(b.CreateICmpSGT(key, heap.last_key()), [&] { heap.replace(key, place); });
        return;
      }
      Value* enters = b.CreateICmpSGT(key, e_.splat(heap.last_key(), lanes.count));
      if (lanes.mask != nullptr) enters = b.CreateAnd(enters, lanes.mask);
      e_.when(b.CreateOrReduce(enters), [&] {
        b.CreateStore(key, candidates_);
        Value* count = lanes.live != nullptr ? lanes.live : e_.number(lanes.count);
        e_.loop(e_.number(0), count, 1, [&](Value* i) {
          Value* one = b.CreateLoad(key_, element_of(candidates_, key_, i));
          e_.when(b.CreateICmpSGT(one, heap.last_key()),
                  [&] { heap.replace(one, e_.add(place, i)); });
        });
      });
    });
    heap.sort();
    const Lanes one = e_.all_lanes(1);
    e_.loop(e_.number(0), k, 1, [&](Value* i) {
      Value* place = b.CreateLoad(b.getInt64Ty(), element_of(heap_places, b.getInt64Ty(), i));
      finish(i, one,
             [&](std::uint32_t which) { return which == 0 ? elements(place, one) : place; });
    });
  }

  // ---- results ----

  bool finish_can_mask() const {
    return std::all_of(top_.finish_loads.begin(), top_.finish_loads.end(),
                       [&](const View& view) { return e_.can_mask(e_.dtype(view)); }) &&
           std::all_of(
               top_.finish_stores.begin(), top_.finish_stores.end(),
               [&](const plan::Store& store) { return e_.can_mask(e_.dtype(store.view)); }) &&
           e_.can_mask(element_);
  }

  /// `scalar` gives the elements (0) and their places (1).
  void finish(Value* first, const Lanes& lanes, const Points::Scalars& scalar) {
    const std::vector<Value*> point = at(first);
    const Emitter::Values values =
        points_.evaluate(top_.finish, top_.finish_loads, stored_, point, lanes, scalar);
    for (const plan::Store& store : top_.finish_stores) {
      e_.store(e_.dtype(store.view), values[store.step], e_.address(store.view, point),
               e_.dim(store.view.strides[last_]), lanes);
    }
  }

  Emitter& e_;
  const TopK& top_;
  std::size_t last_;
  Dim length_;
  DType element_;
  llvm::Type* key_;
  unsigned lanes_;
  Space rows_;
  Points points_;
  std::vector<std::uint32_t> stored_;  // steps of `finish`
  bool values_ = false;                // the elements themselves are asked for
  std::vector<Value*> whole_;          // the row's place in the kernel's space
  // In the function's stack, of a short row: by place, and by rank.
  Value *row_keys_ = nullptr, *ranks_ = nullptr, *elements_ = nullptr;
  Value *order_ = nullptr, *sorted_ = nullptr;
  Value* candidates_ = nullptr;  // of a long row
};

}  // namespace

void emit_top_k(Emitter& e, const plan::Kernel& kernel, const TopK& top) {
  INGOT_CHECK(!kernel.space.empty() && !top.body.steps.empty(), "kernel '{}' has no rows",
              kernel.name);
  TopKWriter(e, kernel, top).write();
}

}  // namespace ingot::target
