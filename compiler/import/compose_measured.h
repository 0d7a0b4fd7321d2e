// SPDX-License-Identifier: Apache-2.0
// Compositions for both importers whose sizes depend on data: how many entries there are is found
// by the call, and is a size like any other from there on.
#pragma once

#include <optional>

#include "import/compose.h"

namespace ingot {

/// A fresh symbol that something is going to measure, from 0 to `most`; called after the node.
Dim fresh_measured(Composer& c, const Dim& most);
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

/// x[begin:end:step] where begin and end, i64[], come from data; none: from or to the end. As
/// Composer::strided_slice; but where the end is the begin and a number, the result has that many
/// entries, and a call that asks for some beyond the axis fails.
ValueId slice_by_data(Composer& c, ValueId x, std::size_t axis, ValueId begin, ValueId end,
                      std::int64_t step);

}  // namespace ingot
