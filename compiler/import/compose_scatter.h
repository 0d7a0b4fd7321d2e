// SPDX-License-Identifier: Apache-2.0
// Compositions for both importers about places: what is first in order, and what is written to
// places that are data.
#pragma once

#include "import/compose.h"

namespace ingot {

/// The first k along an axis in order, sorted, and their places as i64; NaN is the greatest.
struct Selected {
  ValueId values, places;
};
Selected top_k(Composer& c, ValueId x, std::size_t axis, const Dim& k, bool largest);

/// The row-major number of a place with these coordinates along axes of `sizes`, as i64; -1 where
/// one of them is outside. `wrap`: negative ones count from the end.
ValueId flat_place(Composer& c, const std::vector<ValueId>& coordinates, const Shape& sizes,
                   bool wrap);
/// Data whose entries along axis `batch` are combined with updates in index order; `reduction` is
/// none, sum, prod, max or min. Negative indices are errors of the call.
ValueId scatter(Composer& c, ValueId data, ValueId indices, ValueId updates,
                std::string_view reduction, std::size_t batch = 0);
/// The last axis of `indices` holds coordinates of data's leading axes.
ValueId scatter_nd(Composer& c, ValueId data, ValueId indices, ValueId updates,
                   std::string_view reduction, bool wrap);

}  // namespace ingot
