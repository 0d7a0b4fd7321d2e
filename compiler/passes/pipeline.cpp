// SPDX-License-Identifier: Apache-2.0
// The order of the passes: read it from top to bottom.
#include <chrono>

#include "ir/verify.h"
#include "passes/drop_neutral.h"
#include "passes/fold_constants.h"
#include "passes/fold_scales.h"
#include "passes/merge_equal.h"
#include "passes/pass.h"
#include "passes/recover_dense.h"
#include "passes/widen_half.h"

namespace ingot::passes {
namespace {

constexpr PassInfo order[] = {
    fold_constants_pass,  // shapes become numbers, parameters of normalisations become vectors
    drop_neutral_pass,    // which leaves reshapes to the same shape, and products with one
    merge_equal_pass,
    recover_dense_pass,  // needs reshapes to be few
    fold_scales_pass,    // needs products next to their scales
    widen_half_pass,     // leaves casts of constants
    fold_constants_pass, drop_neutral_pass, merge_equal_pass,
};

}  // namespace

std::string_view name(Numerics numerics) {
  switch (numerics) {
    case Numerics::exact:
      return "exact";
    case Numerics::reassociates:
      return "reassociates";
    case Numerics::approximates:
      return "approximates";
  }
  return "";
}

std::span<const PassInfo> all_passes() {
  static constexpr PassInfo passes[] = {drop_neutral_pass, fold_constants_pass, fold_scales_pass,
                                        merge_equal_pass,  recover_dense_pass,  widen_half_pass};
  return passes;
}

const PassInfo* find_pass(std::string_view name) {
  for (const PassInfo& pass : all_passes()) {
    if (pass.name == name) return &pass;
  }
  return nullptr;
}

Expected<Graph> optimize(const Graph& graph, std::vector<Applied>* log) {
  Graph current = graph;
  for (const PassInfo& pass : order) {
    const auto begin = std::chrono::steady_clock::now();
    Report report;
    INGOT_ASSIGN(Graph next, pass.run(current, report));
    const auto end = std::chrono::steady_clock::now();
    if (const Expected<void> sound = verify(next); !sound) {
      internal_error(__FILE__, __LINE__,
                     fmt::format("after {}: {}", pass.name, sound.error().message));
    }
    if (log != nullptr) {
      log->push_back({pass.name, pass.numerics, report.times, current.nodes().size(),
                      next.nodes().size(),
                      std::chrono::duration<double, std::milli>(end - begin).count()});
    }
    current = std::move(next);
  }
  return current;
}

}  // namespace ingot::passes
