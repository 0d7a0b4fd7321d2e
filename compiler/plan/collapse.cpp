// SPDX-License-Identifier: Apache-2.0
// Fewer and longer loops: dimensions that every view walks alike become one.
#include <algorithm>

#include "plan/lower.h"

namespace ingot::plan {
namespace {

/// All views of a kernel, and all its coordinates.
struct Walked {
  std::vector<View*> views;
  std::vector<Step*> indices;
  std::vector<Window*> windows;
  /// Dimensions [first, last) that may be joined with each other, in runs.
  std::vector<std::pair<std::size_t, std::size_t>> runs;

  void add(Body& body) {
    for (Step& step : body.steps) {
      if (step.kind == Step::Kind::index) indices.push_back(&step);
    }
  }
  void add(std::vector<View>& more) {
    for (View& view : more) views.push_back(&view);
  }
  void add(std::vector<Store>& stores) {
    for (Store& store : stores) views.push_back(&store.view);
  }
};

Walked walk(Kernel& kernel) {
  Walked walked;
  const std::size_t rank = kernel.space.size();
  if (auto* map = std::get_if<Map>(&kernel.work)) {
    walked.add(map->body);
    walked.add(map->loads);
    walked.add(map->stores);
    walked.runs = {{0, rank}};
  } else if (auto* row = std::get_if<Row>(&kernel.work)) {
    for (Row::Stage& stage : row->stages) {
      walked.add(stage.body);
      walked.add(stage.loads);
      walked.add(stage.stores);
    }
    walked.add(row->finish);
    walked.add(row->finish_loads);
    walked.add(row->finish_stores);
    walked.runs = {{0, rank - 1}};
  } else if (auto* reduce = std::get_if<OrderedReduce>(&kernel.work)) {
    walked.add(reduce->body);
    walked.add(reduce->loads);
    walked.add(reduce->finish);
    walked.add(reduce->finish_loads);
    walked.add(reduce->finish_stores);
    if (reduce->start) walked.views.push_back(&*reduce->start);
    walked.runs = {{0, rank - reduce->reduced}, {rank - reduce->reduced, rank}};
    // What a window walks stays as it is, and so do its taps.
    for (Window& window : reduce->windows) walked.windows.push_back(&window);
    if (!reduce->windows.empty()) walked.runs.pop_back();
  } else if (auto* top = std::get_if<TopK>(&kernel.work)) {
    walked.add(top->body);
    walked.add(top->loads);
    walked.add(top->finish);
    walked.add(top->finish_loads);
    walked.add(top->finish_stores);
    walked.runs = {{0, rank - 1}};
  } else if (auto* scatter = std::get_if<Scatter>(&kernel.work)) {
    walked.add(scatter->body);
    walked.add(scatter->loads);
    walked.views.insert(walked.views.end(), {&scatter->before, &scatter->target});
    walked.runs = {{0, rank}};
  } else if (auto* contract = std::get_if<Contract>(&kernel.work)) {
    walked.add(contract->epilogue);
    walked.add(contract->loads);
    walked.add(contract->stores);
    walked.views.push_back(&contract->a);
    if (auto* b = std::get_if<View>(&contract->b)) walked.views.push_back(b);
    if (contract->bias) walked.views.push_back(&*contract->bias);
    walked.runs = {{0, rank - 1}};
  }
  return walked;
}

void erase(Kernel& kernel, Walked& walked, std::size_t d) {
  kernel.space.erase(kernel.space.begin() + static_cast<std::ptrdiff_t>(d));
  for (View* view : walked.views)
    view->strides.erase(view->strides.begin() + static_cast<std::ptrdiff_t>(d));
  for (Step* step : walked.indices) {
    if (step->index > d) --step->index;
  }
  if (auto* contract = std::get_if<Contract>(&kernel.work)) {
    if (contract->group_dim && *contract->group_dim > d) --*contract->group_dim;
    for (Contract::Taps& taps : contract->taps) {
      if (taps.window.output > d) --taps.window.output;
    }
  }
  for (Window* window : walked.windows) {
    if (window->output > d) --window->output;
  }
}

/// A dimension that has a meaning of its own: it walks groups, or a window of which some taps are
/// outside.
bool is_special(const Kernel& kernel, std::size_t d) {
  const auto* contract = std::get_if<Contract>(&kernel.work);
  if (contract == nullptr) return false;
  return contract->group_dim == d ||
         std::any_of(contract->taps.begin(), contract->taps.end(), [&](const Contract::Taps& taps) {
           return taps.window.output == d && !taps.window.inside;
         });
}

/// The last dimension before n is that of rows, which share one b: a batch of matrices can't take
/// its place.
bool is_rows_of_batch(const Kernel& kernel, std::size_t d) {
  const auto* contract = std::get_if<Contract>(&kernel.work);
  if (contract == nullptr || d == 0 || d + 2 != kernel.space.size()) return false;
  const View* b = std::get_if<View>(&contract->b);
  return contract->group_dim == d - 1 || (b != nullptr && !b->strides[d - 1].is(0));
}

bool indexed(const Walked& walked, std::size_t d) {
  return std::any_of(walked.indices.begin(), walked.indices.end(),
                     [&](const Step* step) { return step->index == d; }) ||
         std::any_of(walked.windows.begin(), walked.windows.end(),
                     [&](const Window* window) { return window->output == d; });
}

}  // namespace

void collapse(Kernel& kernel) {
  Walked walked = walk(kernel);
  const bool contract = std::holds_alternative<Contract>(kernel.work);
  // From the back, so that what is erased does not move what is still to be seen.
  for (auto run = walked.runs.rbegin(); run != walked.runs.rend(); ++run) {
    std::size_t count = run->second - run->first;
    auto erased = [&] {
      --count;
      auto* reduce = std::get_if<OrderedReduce>(&kernel.work);
      if (reduce != nullptr && run + 1 != walked.runs.rend()) --reduce->reduced;
    };
    const std::size_t least =
        contract || (run == walked.runs.rbegin() && walked.runs.size() == 2) ? 1 : 0;
    for (std::size_t d = run->second; d-- > run->first;) {
      if (kernel.space[d].is(1) && count > least && !indexed(walked, d) &&
          !is_rows_of_batch(kernel, d) && !is_special(kernel, d)) {
        erase(kernel, walked, d);
        erased();
      }
    }
    for (std::size_t d = run->first + count; d-- > run->first + 1;) {
      const std::size_t outer = d - 1;
      const bool alike =
          std::all_of(walked.views.begin(), walked.views.end(), [&](const View* view) {
            return view->strides[outer] == view->strides[d] * kernel.space[d];
          });
      if (!alike || indexed(walked, d) || indexed(walked, outer)) continue;
      if (is_special(kernel, d) || is_special(kernel, outer)) continue;
      kernel.space[d] *= kernel.space[outer];
      erase(kernel, walked, outer);
      erased();
    }
  }
}

}  // namespace ingot::plan
