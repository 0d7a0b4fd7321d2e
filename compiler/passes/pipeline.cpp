// SPDX-License-Identifier: Apache-2.0
// The order of the passes: read it from top to bottom.
#include <algorithm>
#include <chrono>

#include "ir/rebuild.h"
#include "ir/verify.h"
#include "passes/batch_gathers.h"
#include "passes/choose_layouts.h"
#include "passes/drop_neutral.h"
#include "passes/fold_constants.h"
#include "passes/fold_pads.h"
#include "passes/fold_scales.h"
#include "passes/join_products.h"
#include "passes/keep_rows.h"
#include "passes/merge_equal.h"
#include "passes/pass.h"
#include "passes/recover_dense.h"
#include "passes/recover_patterns.h"
#include "passes/reorder_weights.h"
#include "passes/simplify_conv.h"
#include "passes/simplify_gather.h"
#include "passes/simplify_loops.h"
#include "passes/simplify_slices.h"
#include "passes/widen_half.h"

namespace ingot::passes {
namespace {

/// Repeated from the top while one of them fires: what one leaves behind is what another waits for.
constexpr PassInfo order[] = {
    fold_constants_pass,  // shapes become numbers, parameters of normalisations become vectors
    drop_neutral_pass,    // which leaves reshapes to the same shape, and products with one
    merge_equal_pass,
    simplify_loops_pass,   // brings constants to where they can be folded
    simplify_gather_pass,  // leaves slices
    batch_gathers_pass,    // leaves transposes
    simplify_slices_pass,  choose_layouts_pass, keep_rows_pass,
    recover_dense_pass,  // needs reshapes to be few
    recover_patterns_pass,
    fold_pads_pass,      // before convolutions of one position are taken for products
    simplify_conv_pass,  // leaves reshapes, and slices of weights
    fold_scales_pass,    // needs products next to their scales
    reorder_weights_pass,
    widen_half_pass,  // leaves casts of constants
    join_products_pass,
};

/// Each pass makes a graph smaller or cheaper, so that the rounds end by themselves; three are
/// usual. The bound is for a mistake of ours: the graph is right after any number of them.
constexpr int most_rounds = 16;

Expected<void> check(const Options& options) {
  for (const std::string& name : options.disabled) {
    const PassInfo* pass = find_pass(name);
    if (pass == nullptr) {
      std::string names;
      for (const PassInfo& known : all_passes()) {
        if (known.required) continue;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
      }
      return fail(ErrorCode::invalid_argument, "no pass '{}'; there are {}", name, names);
    }
    if (pass->required) {
      return fail(ErrorCode::invalid_argument, "pass '{}' cannot be disabled: the plan needs it",
                  name);
    }
  }
  return {};
}

/// Also within the graphs of loops, as if each stood alone.
Expected<Graph> run(const PassInfo& pass, const Graph& graph, Report& report) {
  INGOT_ASSIGN(const Graph next, pass.run(graph, report));
  return change_bodies(next, [&](const Graph& body) { return run(pass, body, report); });
}

Expected<Graph> apply(const PassInfo& pass, const Graph& graph, Applied& applied) {
  const auto begin = std::chrono::steady_clock::now();
  applied.before = measure(graph);
  INGOT_ASSIGN(Graph next, run(pass, graph, applied.report));
  if (const Expected<void> sound = verify(next); !sound) {
    internal_error(__FILE__, __LINE__,
                   fmt::format("after {}: {}", pass.name, sound.error().message));
  }
  applied.after = measure(next);
  const auto end = std::chrono::steady_clock::now();
  applied.milliseconds = std::chrono::duration<double, std::milli>(end - begin).count();
  return next;
}

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

Extent measure(const Graph& graph) {
  Extent extent{graph.nodes().size(), graph.value_count(), 0};
  for (const Tensor& constant : graph.constants()) {
    extent.constant_bytes += static_cast<std::int64_t>(constant.bytes().size());
  }
  for (const Node& node : graph.nodes()) {
    for (const auto& [key, attribute] : node.attributes.entries()) {
      const auto* body = std::get_if<Subgraph>(&attribute);
      if (body == nullptr) continue;
      const Extent within = measure(**body);
      extent.nodes += within.nodes;
      extent.values += within.values;
      extent.constant_bytes += within.constant_bytes;
    }
  }
  return extent;
}

std::span<const PassInfo> all_passes() {
  static const std::vector<PassInfo> passes = [] {
    std::vector<PassInfo> sorted(std::begin(order), std::end(order));
    std::sort(sorted.begin(), sorted.end(),
              [](const PassInfo& a, const PassInfo& b) { return a.name < b.name; });
    return sorted;
  }();
  return passes;
}

const PassInfo* find_pass(std::string_view name) {
  for (const PassInfo& pass : all_passes()) {
    if (pass.name == name) return &pass;
  }
  return nullptr;
}

Expected<Graph> optimize(const Graph& graph, const Options& options, std::vector<Applied>* log) {
  INGOT_TRY(check(options));
  Graph current = graph;
  int left = options.limit;
  // A pass is skipped where nothing has changed since it last ran.
  int version = 0;
  int seen[std::size(order)];
  std::fill(std::begin(seen), std::end(seen), -1);
  for (int round = 0; round < most_rounds; ++round) {
    const int at_begin = version;
    for (std::size_t p = 0; p < std::size(order); ++p) {
      const PassInfo& pass = order[p];
      const bool disabled =
          std::count(options.disabled.begin(), options.disabled.end(), std::string(pass.name)) != 0;
      if (disabled || seen[p] == version || (pass.late && version != at_begin)) continue;
      Applied applied{pass.name, pass.numerics, round, {}, {}, {}, 0};
      if (!pass.required) applied.report.limit = left;
      INGOT_ASSIGN(current, apply(pass, current, applied));
      if (!pass.required) left -= applied.report.times;
      if (applied.report.times > 0) ++version;
      // What it leaves it may itself look at again: seen is the version before, if it fired.
      seen[p] = applied.report.times > 0 ? version - 1 : version;
      if (options.check) INGOT_TRY(options.check(current, pass.name));
      if (options.trace) options.trace(applied);
      if (log != nullptr) log->push_back(std::move(applied));
    }
    if (version == at_begin) break;
  }
  return current;
}

}  // namespace ingot::passes
