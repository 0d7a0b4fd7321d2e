// SPDX-License-Identifier: Apache-2.0
// All that a kernel reads and writes, in one place: who asks where a kernel touches memory walks it
// with these. Also for changing views and bodies.
#pragma once

#include <type_traits>

#include "plan/plan.h"

namespace ingot::plan {

/// How a view is used.
struct Use {
  bool write = false;
  /// Touched at one point of the iteration at a time, where the kernel's results of that point are
  /// made. Otherwise other points may need the same element: an operand of a product, a window.
  bool pointwise = false;
  /// Kernels of several stages: what is read in an earlier stage, or in the same, is read before
  /// a store of the same point.
  std::size_t stage = 0;
};

/// Calls visit(view, use) for each view of a kernel.
template <class AnyKernel, class Visit>
void visit_views(AnyKernel& kernel, Visit&& visit) {
  auto loads = [&](auto& views, bool pointwise, std::size_t stage) {
    for (auto& view : views) visit(view, Use{false, pointwise, stage});
  };
  auto stores = [&](auto& list, std::size_t stage) {
    for (auto& store : list) visit(store.view, Use{true, true, stage});
  };
  std::visit(
      [&](auto& work) {
        using Work = std::remove_cvref_t<decltype(work)>;
        if constexpr (std::is_same_v<Work, Map>) {
          loads(work.loads, true, 0);
          stores(work.stores, 0);
        } else if constexpr (std::is_same_v<Work, Row>) {
          for (std::size_t s = 0; s < work.stages.size(); ++s) {
            loads(work.stages[s].loads, true, s);
            stores(work.stages[s].stores, s);
          }
          loads(work.finish_loads, true, work.stages.size());
          stores(work.finish_stores, work.stages.size());
        } else if constexpr (std::is_same_v<Work, OrderedReduce>) {
          loads(work.loads, work.windows.empty(), 0);
          if (work.start) visit(*work.start, Use{false, true, 0});
          loads(work.finish_loads, true, 1);
          stores(work.finish_stores, 1);
        } else if constexpr (std::is_same_v<Work, TopK>) {
          loads(work.loads, false, 0);
          loads(work.finish_loads, true, 1);
          stores(work.finish_stores, 1);
        } else if constexpr (std::is_same_v<Work, Scatter>) {
          loads(work.loads, false, 0);
          visit(work.before, Use{});
          visit(work.target, Use{true, false, 0});
        } else if constexpr (std::is_same_v<Work, Compact>) {
          loads(work.loads, false, 0);
          visit(work.places, Use{true, false, 0});
          visit(work.count, Use{true, false, 0});
        } else if constexpr (std::is_same_v<Work, Measure>) {
          visit(work.count, Use{});
        } else {
          visit(work.a, Use{});
          if (auto* b = std::get_if<View>(&work.b)) visit(*b, Use{});
          if (work.bias) visit(*work.bias, Use{});
          loads(work.loads, true, 0);
          stores(work.stores, 0);
        }
      },
      kernel.work);
}

/// Calls visit(body) for each scalar program of a kernel.
template <class AnyKernel, class Visit>
void visit_bodies(AnyKernel& kernel, Visit&& visit) {
  std::visit(
      [&](auto& work) {
        using Work = std::remove_cvref_t<decltype(work)>;
        if constexpr (std::is_same_v<Work, Map> || std::is_same_v<Work, Scatter> ||
                      std::is_same_v<Work, Compact>) {
          visit(work.body);
        } else if constexpr (std::is_same_v<Work, Measure>) {
          // It computes nothing.
        } else if constexpr (std::is_same_v<Work, Row>) {
          for (auto& stage : work.stages) visit(stage.body);
          visit(work.finish);
        } else if constexpr (std::is_same_v<Work, OrderedReduce> || std::is_same_v<Work, TopK>) {
          visit(work.body);
          visit(work.finish);
        } else {
          visit(work.epilogue);
        }
      },
      kernel.work);
}

}  // namespace ingot::plan
