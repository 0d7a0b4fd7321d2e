// SPDX-License-Identifier: Apache-2.0
// StridedSlice and Slice, whose places may come from data.
#include "import/tensorflow/emit_strided.h"

#include "import/compose_measured.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {
namespace {

/// One place of a Python index expression x[a:b, ..., None, 3].
struct Place {
  enum class Kind { range, index, ellipsis, new_axis };
  Kind kind = Kind::range;
  std::size_t entry = 0;  // of begin, end and strides
};

/// One of several numbers: known before the call, or an i64[].
struct Number {
  std::optional<Dim> known;
  ValueId value;
};

std::vector<Number> numbers_of(NodeContext& n, std::size_t operand, std::size_t count) {
  std::vector<Number> numbers;
  if (n.failed()) return numbers;
  if (const auto all = ops::known_dims(n.graph(), n.in(operand))) {
    for (const Dim& known : *all) numbers.push_back({known, {}});
    return numbers;
  }
  if (n.shape(n.in(operand)) != Shape{static_cast<std::int64_t>(count)}) {
    n.invalid("its input {} is {}, {} numbers wanted", operand, str(n.type(n.in(operand))), count);
    return {};
  }
  const ValueId all = n.cast(n.in(operand), DType::i64);
  for (std::size_t i = 0; i < count; ++i) {
    const ValueId one = n.reshape(n.slice(all, 0, static_cast<std::int64_t>(i), 1), {});
    const auto known = n.failed() ? std::nullopt : ops::known_dims(n.graph(), one);
    numbers.push_back({known ? std::optional((*known)[0]) : std::nullopt, one});
  }
  return numbers;
}

class StridedSlice {
 public:
  explicit StridedSlice(NodeContext& n)
      : n_(n),
        begin_mask_(n.integer("begin_mask")),
        end_mask_(n.integer("end_mask")),
        strides_(n.known_integers(3, "strides")),
        begin_(numbers_of(n, 1, strides_.size())),
        end_(numbers_of(n, 2, strides_.size())) {}

  ValueId emit() {
    if (n_.failed()) return {};
    if (begin_.size() != strides_.size() || end_.size() != strides_.size()) {
      return n_.invalid("begin, end and strides have {}, {} and {} entries", begin_.size(),
                        end_.size(), strides_.size());
    }
    const std::size_t rank = n_.rank(n_.in(0));
    const std::vector<Place> places = read_places();
    std::size_t used = 0;
    std::size_t ellipses = 0;
    for (const Place& place : places) {
      ellipses += place.kind == Place::Kind::ellipsis ? 1 : 0;
      used += place.kind == Place::Kind::range || place.kind == Place::Kind::index ? 1 : 0;
    }
    if (ellipses > 1) return n_.invalid("more than one ellipsis");
    if (used > rank) return n_.invalid("{} indices for {} axes", used, rank);

    // Slices keep the rank; axes are dropped and inserted at the end, by one reshape.
    ValueId x = n_.in(0);
    std::size_t axis = 0;
    std::vector<std::optional<std::size_t>> kept;  // none: a new axis
    for (const Place& place : places) {
      switch (place.kind) {
        case Place::Kind::new_axis:
          kept.emplace_back(std::nullopt);
          break;
        case Place::Kind::ellipsis:
          for (std::size_t i = 0; i < rank - used; ++i) kept.emplace_back(axis++);
          break;
        case Place::Kind::index:
          x = take_one(x, axis++, begin_[place.entry]);
          break;
        case Place::Kind::range:
          x = take_range(x, axis, place.entry);
          kept.emplace_back(axis++);
          break;
      }
    }
    if (n_.failed()) return {};
    Shape shape;
    for (const auto& from : kept) shape.push_back(from ? n_.shape(x)[*from] : Dim(1));
    return n_.reshape(x, std::move(shape));
  }

 private:
  /// Where masks overlap, an ellipsis wins over a new axis, and that over an index.
  std::vector<Place> read_places() {
    const std::int64_t ellipsis = n_.integer("ellipsis_mask");
    const std::int64_t new_axis = n_.integer("new_axis_mask");
    const std::int64_t shrink = n_.integer("shrink_axis_mask");
    std::vector<Place> places;
    bool open = true;
    for (std::size_t i = 0; i < strides_.size(); ++i) {
      Place::Kind kind = Place::Kind::range;
      if (bit(shrink, i)) kind = Place::Kind::index;
      if (bit(new_axis, i)) kind = Place::Kind::new_axis;
      if (bit(ellipsis, i)) {
        kind = Place::Kind::ellipsis;
        open = false;
      }
      places.push_back({kind, i});
    }
    if (open) places.push_back({Place::Kind::ellipsis, 0});
    return places;
  }

  static bool bit(std::int64_t mask, std::size_t i) {
    constexpr std::size_t bits = 63;
    return i < bits && ((mask >> i) & 1) != 0;
  }

  ValueId take_one(ValueId x, std::size_t axis, const Number& number) {
    if (n_.failed()) return {};
    const Dim length = n_.shape(x)[axis];
    if (!number.known) return n_.gather(x, n_.reshape(number.value, {1}), axis, true);
    const Dim& index = *number.known;
    Dim place = index;
    if (index.value() && *index.value() < 0) place = index + length;
    const bool outside = place.value() && *place.value() < 0;
    if (outside || (place.value() && length.value() && *place.value() >= *length.value())) {
      return n_.invalid("index {} is outside of axis {} of size {}", index.str(), axis,
                        length.str());
    }
    return n_.slice(x, axis, place, 1);
  }

  ValueId take_range(ValueId x, std::size_t axis, std::size_t entry) {
    if (n_.failed()) return {};
    const std::int64_t step = strides_[entry];
    const bool open_begin = bit(begin_mask_, entry), open_end = bit(end_mask_, entry);
    const Number &begin = begin_[entry], &end = end_[entry];
    if ((!open_begin && !begin.known) || (!open_end && !end.known)) {
      auto value = [&](const Number& number) {
        return number.known ? n_.size({*number.known}, DType::i64) : number.value;
      };
      return slice_by_data(n_, x, axis, open_begin ? ValueId{} : value(begin),
                           open_end ? ValueId{} : value(end), step);
    }
    return n_.strided_slice(x, axis, open_begin ? std::nullopt : begin.known,
                            open_end ? std::nullopt : end.known, step);
  }

  NodeContext& n_;
  std::int64_t begin_mask_;
  std::int64_t end_mask_;
  std::vector<std::int64_t> strides_;
  std::vector<Number> begin_, end_;
};

/// As many elements as asked for; -1: all from there on.
ValueId take(NodeContext& n, ValueId x, std::size_t axis, const Dim& begin, const Dim& wanted) {
  const Dim length = n.shape(x)[axis];
  const Dim size = wanted.is(-1) ? length - begin : wanted;
  const auto outside = [](const Dim& dim) { return dim.value() && *dim.value() < 0; };
  if (outside(begin) || outside(size) || outside(length - begin - size)) {
    return n.invalid("{} elements from {} on are not within axis {} of size {}", size.str(),
                     begin.str(), axis, length.str());
  }
  return n.slice(x, axis, begin, size);
}

/// A call that asks for elements beyond the axis fails.
ValueId take_by_data(NodeContext& n, ValueId x, std::size_t axis, const Number& begin,
                     const Number& size) {
  const ValueId from = begin.known ? n.size({*begin.known}, DType::i64) : begin.value;
  if (size.known && size.known->is(-1)) return slice_by_data(n, x, axis, from, {}, 1);
  const Dim length = n.shape(x)[axis];
  const Dim count = size.known ? *size.known : measured_size(n, size.value, length);
  if (n.failed()) return {};
  return n.gather(x, n.add(n.iota({count}, DType::i64), from), axis, false);
}

}  // namespace

std::vector<ValueId> strided_slice(NodeContext& n) { return {StridedSlice(n).emit()}; }

std::vector<ValueId> slice(NodeContext& n) {
  ValueId x = n.in(0);
  const std::size_t rank = n.rank(x);
  const std::vector<Number> begin = numbers_of(n, 1, rank), sizes = numbers_of(n, 2, rank);
  if (n.failed()) return {};
  if (begin.size() != rank || sizes.size() != rank) {
    return {n.invalid("begin and size have {} and {} entries for {} axes", begin.size(),
                      sizes.size(), rank)};
  }
  for (std::size_t d = 0; d < rank && !n.failed(); ++d) {
    x = begin[d].known && sizes[d].known ? take(n, x, d, *begin[d].known, *sizes[d].known)
                                         : take_by_data(n, x, d, begin[d], sizes[d]);
  }
  return {x};
}

}  // namespace ingot::tensorflow
