// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace ingot::bench {

/// Sorts; what `less` does not tell apart stays in its order. The library's own function for this
/// does not pass Clang 19's warnings with GCC 12's headers.
template <class T, class Less>
void sort_stably(std::vector<T>& all, Less less) {
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return less(all[a], all[b]) || (!less(all[b], all[a]) && a < b);
  });
  std::vector<T> sorted;
  sorted.reserve(all.size());
  for (const std::size_t i : order) sorted.push_back(std::move(all[i]));
  all = std::move(sorted);
}

}  // namespace ingot::bench
