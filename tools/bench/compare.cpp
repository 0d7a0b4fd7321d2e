// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <algorithm>
#include <cmath>

namespace ingot::bench {
namespace {

/// As report.h defines it. Where one is NaN or infinite the other has to be the same.
double difference_of(const Tensor& got, const Tensor& reference) {
  double largest = 0;
  for (std::int64_t i = 0; i < reference.elements(); ++i) {
    const double value = std::abs(reference.as_double(i));
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  double difference = 0;
  for (std::int64_t i = 0; i < reference.elements(); ++i) {
    const double a = got.as_double(i), b = reference.as_double(i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double gap = std::abs(a - b);
    if (!std::isfinite(gap)) return HUGE_VAL;
    difference = std::max(difference, gap);
  }
  return difference / (1e-4 * largest + 1e-6);
}

}  // namespace

void compare(const std::vector<Tensor>& got, const std::vector<Tensor>& reference, bool bits,
             Result& result) {
  if (got.size() != reference.size()) {
    result.agreement = fmt::format("{} outputs, not {}", got.size(), reference.size());
    return;
  }
  bool same = true;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Tensor a = got[i].dense(), b = reference[i].dense();
    if (a.elements() != b.elements()) {
      result.agreement = fmt::format("output {} is {}, not {}", i, str(a.type()), str(b.type()));
      return;
    }
    same = same && a.dtype() == b.dtype() && std::ranges::equal(a.bytes(), b.bytes());
    // as_double() is of floating point alone; other types have to be equal.
    if (is_float(a.dtype()) && is_float(b.dtype())) {
      result.difference = std::max(result.difference, difference_of(a, b));
    } else {
      for (std::int64_t e = 0; e < a.elements(); ++e)
        if (is_float(a.dtype()) || is_float(b.dtype()) || a.as_int64(e) != b.as_int64(e))
          result.difference = HUGE_VAL;
    }
  }
  if (bits) {
    result.agreement = same ? "same bits" : "differs";
  } else {
    result.agreement = result.difference <= 1 ? "agrees" : "differs";
  }
}

}  // namespace ingot::bench
