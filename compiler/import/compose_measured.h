// SPDX-License-Identifier: Apache-2.0
// Compositions for both importers whose sizes depend on data: how many entries there are is found
// by the call, and is a size like any other from there on.
#pragma once

#include <optional>

#include "import/compose.h"

namespace ingot {

/// A fresh symbol that something is going to measure, from 0 to `most`; called after the node. What
/// the user says of that name (`--dim K=0:100`) bounds it further.
Dim fresh_measured(Composer& c, const Dim& most);
/// The most that the user says of the symbol that fresh_measured would make now; else `otherwise`,
/// where nothing better is known.
Dim asked_most(Composer& c, const Dim& otherwise);
/// A fresh size of this value, an integer of one element from 0 to `most`; a call fails where it is
/// not.
Dim measured_size(Composer& c, ValueId count, const Dim& most);

/// The places in row-major order, i64[K], where a mask of any shape is true.
ValueId places_of_true(Composer& c, ValueId mask);
/// Their coordinates, i64[rank, K].
ValueId nonzero(Composer& c, ValueId mask);

/// Entries of one axis where a vector is true; one that is shorter than the axis is false beyond.
ValueId compress(Composer& c, ValueId x, ValueId condition, std::size_t axis);

/// numpy.unique of all elements. Places and counts are i64.
struct Unique {
  ValueId values, first, inverse, counts;
};
Unique unique(Composer& c, ValueId x, bool sorted);

/// Boxes [batches, boxes, 4] as y1 x1 y2 x2 of two corners, in any order, or (`centers`) as the x
/// and y of the center and the width and height; their scores [batches, classes, boxes].
struct Boxes {
  ValueId boxes, scores;
  ValueId most;   // of each batch and class, i64[]
  ValueId share;  // boxes that meet in more than this of their union exclude each other, f32[]
  ValueId least_score;  // f32[] above which boxes count, or invalid: all do
  bool centers = false;
};
/// What is kept, i64[K] each, by batch, then class, then from the highest score on; of equal scores
/// the first box. Work grows with the square of the boxes, memory does not.
struct Kept {
  ValueId batch, of_class, box;
};
Kept suppress_non_maxima(Composer& c, const Boxes& given);

/// x[begin:end:step] where begin and end, i64[], come from data; none: from or to the end. As
/// Composer::strided_slice; but where the end is the begin and a number, the result has that many
/// entries, and a call that asks for some beyond the axis fails.
ValueId slice_by_data(Composer& c, ValueId x, std::size_t axis, ValueId begin, ValueId end,
                      std::int64_t step);

}  // namespace ingot
