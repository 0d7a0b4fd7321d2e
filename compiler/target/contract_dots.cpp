// SPDX-License-Identifier: Apache-2.0
// Products with at most four columns: a vector holds several chains of the sum, all columns of
// each, and the chains are added within the register in the end.
#include <algorithm>
#include <numeric>

#include "plan/pack.h"
#include "target/contract_detail.h"

namespace ingot::target::contract {
namespace {

using llvm::Value;

/// Sums of several rows in one register: row rows[i] has lanes i * width, .. of it.
struct Sums {
  Value* value = nullptr;
  std::vector<unsigned> rows;
};

class Dots {
 public:
  explicit Dots(const Problem& problem)
      : p_(problem),
        emit_(problem.emit),
        k_(problem.packed->k),
        width_(static_cast<unsigned>(plan::panel_width(*problem.packed, 0))),
        chains_(static_cast<unsigned>(problem.contract.chains)),
        lanes_(std::min({std::max(problem.lanes(), width_), chains_ * width_, 16U})),
        per_vector_(lanes_ / width_),
        vectors_(chains_ / per_vector_),
        whole_(problem.whole_lanes(lanes_)) {}

  void write() {
    const auto m = Emitter::known(p_.m);
    if (m && *m <= 0) return;
    if (m && *m < most_rows()) {
      tile(Place{emit_.number(0)}, static_cast<unsigned>(*m), nullptr);
      return;
    }
    // One row alone is the case that matters most. Others go by eights, the last of them with the
    // last row repeated.
    if (!m && most_rows() > 1 && p_.rows.lo <= 1)
      emit_.when(emit_.build.CreateICmpEQ(p_.m, emit_.number(1)),
                 [&] { tile(Place{emit_.number(0)}, 1, nullptr); });
    if (p_.rows.hi == 1 && most_rows() > 1) return;
    Value* several =
        most_rows() == 1 ? emit_.build.getTrue() : emit_.build.CreateICmpSGT(p_.m, emit_.number(1));
    emit_.when(several, [&] { tall_tiles(); });
  }

 private:
  /// A power of two; the accumulators of so many rows fit into registers.
  unsigned most_rows() const {
    const unsigned accumulators = emit_.isa.vector_registers >= 32 ? 16 : 8;
    return std::clamp(accumulators / vectors_, 1U, 8U);
  }

  void tall_tiles() {
    const unsigned rows = most_rows();
    Value* edge = emit_.build.CreateAnd(p_.m, emit_.number(-static_cast<std::int64_t>(rows)));
    emit_.loop(emit_.number(0), edge, rows, [&](Value* m) { tile(Place{m}, rows, nullptr); }, "m");
    Value* rest = emit_.build.CreateNSWSub(p_.m, edge);
    emit_.when(emit_.build.CreateICmpSGT(rest, emit_.number(0)),
               [&] { tile(Place{edge}, rows, rest); });
  }

  /// `live`: how many of the rows there are; null: all.
  void tile(Place m, unsigned rows, Value* live) {
    pointers_.clear();
    for (unsigned r = 0; r < rows; ++r) {
      Place row = m + r;
      if (live && r > 0) {
        Value* last = emit_.build.CreateNSWSub(live, emit_.number(1));
        row = Place{emit_.add(m.base, emit_.build.CreateBinaryIntrinsic(llvm::Intrinsic::smin,
                                                                        emit_.number(r), last)),
                    m.plus};
      }
      pointers_.push_back(p_.at(p_.a, row, Place{emit_.number(0)}));
    }

    Emitter::Values sums;  // by row, then vector
    for (unsigned r = 0; r < rows; ++r)
      for (unsigned v = 0; v < vectors_; ++v) sums.push_back(start(v));
    const std::int64_t step = chains_;
    const std::int64_t whole = k_ / step;
    const std::int64_t cost = static_cast<std::int64_t>(rows) * vectors_;
    INGOT_CHECK(cost > 0, "a tile without rows");
    constexpr std::int64_t unrolled_cost = 32;
    std::int64_t unroll = std::max<std::int64_t>(1, unrolled_cost / cost);
    if (whole * cost <= 2 * unrolled_cost) unroll = std::max<std::int64_t>(1, whole);
    const std::int64_t main = whole / unroll * unroll;
    sums = emit_.loop(
        emit_.number(0), emit_.number(main * step), unroll * step, sums,
        [&](Value* i, Emitter::Values values) {
          for (std::int64_t u = 0; u < unroll; ++u) round(values, Place{i, u * step}, step);
          return values;
        },
        "k");
    for (std::int64_t k = main * step; k < k_; k += step)
      round(sums, Place{emit_.number(0), k}, std::min(step, k_ - k));

    std::vector<Sums> by_row;
    for (unsigned r = 0; r < rows; ++r) {
      for (unsigned half = vectors_ / 2; half > 0; half /= 2) {
        for (unsigned v = 0; v < half; ++v) {
          Value*& sum = sums[r * vectors_ + v];
          sum = emit_.sum(p_.dtype, sum, sums[r * vectors_ + v + half]);
        }
      }
      by_row.push_back(Sums{sums[r * vectors_], {r}});
    }
    epilogue(m, rows, live, reduce(std::move(by_row)));
  }

  /// Adds the next element of each chain; of the last ones only `left` are there.
  void round(Emitter::Values& sums, Place k, std::int64_t left) {
    Value* start =
        emit_.advance(p_.b.pointer, emit_.number(plan::bias_elements(*p_.packed, 0)), p_.dtype);
    start = emit_.advance(start, emit_.mul(k.base, emit_.number(width_)), p_.dtype);
    for (unsigned v = 0; v < vectors_; ++v) {
      const std::int64_t first = static_cast<std::int64_t>(v) * per_vector_;
      if (left <= first) break;
      Value* weights =
          vector(emit_.advance(start, emit_.number((k.plus + first) * width_), p_.dtype));
      for (std::size_t r = 0; r < pointers_.size(); ++r) {
        Value*& sum = sums[r * vectors_ + v];
        sum = emit_.multiply_add(p_.dtype, elements(pointers_[r], k + first, left - first), weights,
                                 sum);
      }
    }
  }

  /// A vector of packed weights; all begin at multiples of their size.
  Value* vector(Value* pointer) const {
    return whole(emit_.load(p_.dtype, pointer, emit_.number(1), emit_.all_lanes(lanes_),
                            lanes_ * static_cast<unsigned>(bytes_of(p_.dtype))));
  }

  /// The lanes of a vector, repeated until it is as long as what is computed.
  Value* whole(Value* value) const {
    if (lanes_ == whole_) return value;
    std::vector<int> repeat;
    for (unsigned lane = 0; lane < whole_; ++lane)
      repeat.push_back(static_cast<int>(lane % lanes_));
    return emit_.build.CreateShuffleVector(value, repeat);
  }

  /// The start of the chains in vector v: behind a packed bias stand the zeros of the others.
  Value* start(unsigned v) const {
    if (!p_.packed->has_bias || v > 0) return emit_.zero(p_.dtype, whole_);
    return vector(p_.b.pointer);
  }

  /// Elements of a row from k on, one per chain of a vector, each in all its columns. Those past
  /// `left` are not read but +0, which the padding of the weights turns into no change.
  Value* elements(Value* row, Place k, std::int64_t left) const {
    const Lanes lanes =
        emit_.first_lanes(per_vector_, emit_.number(std::min<std::int64_t>(left, per_vector_)));
    Value* values = emit_.load(p_.dtype, p_.along_k(p_.a, row, k), p_.a.k, lanes);
    if (lanes.mask)
      values = emit_.build.CreateSelect(lanes.mask, values, emit_.zero(p_.dtype, per_vector_));
    if (width_ == 1) return whole(values);
    if (per_vector_ == 1) return emit_.splat(values, whole_);
    std::vector<int> repeat;
    for (unsigned lane = 0; lane < whole_; ++lane)
      repeat.push_back(static_cast<int>(lane % lanes_ / width_));
    return emit_.build.CreateShuffleVector(values, repeat);
  }

  /// Adds the chains within each register, lane[i] + lane[i + half] for every row alike; registers
  /// are joined while they empty, so that the work halves too.
  std::vector<Sums> reduce(std::vector<Sums> sums) const {
    for (unsigned chains = per_vector_; chains > 1; chains /= 2) {
      const unsigned half = chains / 2 * width_;
      std::vector<Sums> joined;
      for (std::size_t i = 0; i < sums.size(); i += 2) {
        const bool alone = i + 1 == sums.size();
        Sums next{nullptr, sums[i].rows};
        if (!alone)
          next.rows.insert(next.rows.end(), sums[i + 1].rows.begin(), sums[i + 1].rows.end());
        std::vector<int> low;
        for (unsigned source = 0; source < (alone ? 1U : 2U); ++source) {
          for (unsigned s = 0; s < sums[i + source].rows.size(); ++s)
            for (unsigned lane = 0; lane < half; ++lane)
              low.push_back(static_cast<int>(source * whole_ + s * 2 * half + lane));
        }
        INGOT_CHECK(half > 0, "a register of one lane has no half");
        while (low.size() < whole_) low.push_back(low[low.size() % half]);
        std::vector<int> high = low;
        for (int& lane : high) lane += static_cast<int>(half);
        Value* second = sums[alone ? i : i + 1].value;
        next.value =
            emit_.sum(p_.dtype, emit_.build.CreateShuffleVector(sums[i].value, second, low),
                      emit_.build.CreateShuffleVector(sums[i].value, second, high));
        joined.push_back(std::move(next));
      }
      sums = std::move(joined);
    }
    return sums;
  }

  void epilogue(Place m, unsigned rows, Value* live, const std::vector<Sums>& sums) {
    if (width_ == 1 && rows > 1) {
      columns(m, rows, live, sums);
      return;
    }
    // By row, as a vector of columns.
    Emitter::Values values(rows);
    for (const Sums& some : sums) {
      for (std::size_t s = 0; s < some.rows.size(); ++s) {
        std::vector<int> lanes(p_.whole_lanes(width_), static_cast<int>(s * width_));
        std::iota(lanes.begin(), lanes.begin() + width_, static_cast<int>(s * width_));
        Value* value = some.value;
        if (width_ > 1) {
          value = emit_.build.CreateShuffleVector(value, lanes);
        } else if (lanes_ > 1) {
          value = emit_.build.CreateExtractElement(value, s);
        }
        values[some.rows[s]] = value;
      }
    }
    const Place column{emit_.number(0)};
    const unsigned count = p_.whole_lanes(width_);
    const Lanes lanes = emit_.first_lanes(count, emit_.number(p_.packed->n));
    constexpr unsigned written_out = 32;
    if (rows == 1 || (!live && rows * p_.epilogue_cost() <= written_out)) {
      for (unsigned r = 0; r < rows; ++r) p_.finish(values[r], m + r, column, lanes, false);
      return;
    }
    llvm::Type* type = emit_.register_type(p_.dtype, count);
    Value* memory = emit_.stack(type, rows);
    const auto slot = [&](Value* r) { return emit_.build.CreateInBoundsGEP(type, memory, r); };
    for (unsigned r = 0; r < rows; ++r) emit_.build.CreateStore(values[r], slot(emit_.number(r)));
    emit_.loop(
        emit_.number(0), live ? live : emit_.number(rows), 1,
        [&](Value* r) {
          p_.finish(emit_.build.CreateLoad(type, slot(r)), Place{emit_.add(m.base, r), m.plus},
                    column, lanes, false);
        },
        "epilogue");
  }

  /// One column: the epilogue runs along the rows.
  void columns(Place m, unsigned rows, Value* live, const std::vector<Sums>& sums) {
    unsigned count = 1;
    while (count < rows) count *= 2;
    count = p_.whole_lanes(count);
    Value* product = llvm::PoisonValue::get(emit_.register_type(p_.dtype, count));
    if (sums.size() == 1) {
      std::vector<int> order(count);
      for (std::size_t s = 0; s < sums[0].rows.size(); ++s)
        order[sums[0].rows[s]] = static_cast<int>(s);
      // Dead lanes repeat a row: lane 0 of the register is one.
      product = emit_.build.CreateShuffleVector(sums[0].value, order);
    } else {
      for (unsigned lane = 0; lane < count; ++lane) {
        const unsigned row = std::min(lane, rows - 1);
        for (const Sums& some : sums)
          for (std::size_t s = 0; s < some.rows.size(); ++s)
            if (some.rows[s] == row) {
              Value* one =
                  lanes_ == 1 ? some.value : emit_.build.CreateExtractElement(some.value, s);
              product = emit_.build.CreateInsertElement(product, one, lane);
            }
      }
    }
    p_.finish(product, m, Place{emit_.number(0)},
              emit_.first_lanes(count, live ? live : emit_.number(rows)), true);
  }

  const Problem& p_;
  Emitter& emit_;
  std::int64_t k_;
  unsigned width_;  // columns of a packed row
  unsigned chains_;
  unsigned lanes_;                // of a vector
  unsigned per_vector_;           // chains in a vector
  unsigned vectors_;              // of all chains
  unsigned whole_;                // lanes that are computed: those of a vector, repeated
  std::vector<Value*> pointers_;  // of the tile's rows of `a`
};

}  // namespace

void emit_dots(const Problem& problem) { Dots(problem).write(); }

}  // namespace ingot::target::contract
