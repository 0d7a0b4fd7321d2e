// SPDX-License-Identifier: Apache-2.0
// Which buffers share bytes: read off the kernels as they are, views and all.
#include <algorithm>
#include <map>

#include "plan/arena.h"
#include "plan/blocks.h"
#include "plan/forks.h"
#include "plan/visit.h"

namespace ingot::plan {
namespace {

constexpr int never = -1;

struct Life {
  int first = never, last = never;
  bool crosses = false;  // the border of a block: needed as long as that runs
  bool own = false;      // of one part of a fork
};

std::vector<Life> lifetimes(const Plan& plan) {
  std::vector<Life> lives(plan.buffers.size());
  std::vector<std::vector<int>> users(plan.buffers.size());
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    visit_views(plan.kernels[k], [&](const View& view, const Use&) {
      const int now = static_cast<int>(k);
      Life& life = lives[view.buffer];
      if (life.first == never) life.first = now;
      life.last = now;
      users[view.buffer].push_back(now);
    });
  }
  for (std::size_t b = 0; b < lives.size(); ++b) {
    for (auto block = plan.blocks.rbegin(); block != plan.blocks.rend(); ++block) {
      const int first = static_cast<int>(block->first), last = static_cast<int>(block->last);
      const auto inside = std::count_if(users[b].begin(), users[b].end(),
                                        [&](int user) { return first <= user && user <= last; });
      if (inside == 0 || inside == std::ssize(users[b])) continue;
      lives[b].crosses = true;
      lives[b].first = std::min(lives[b].first, first);
      lives[b].last = std::max(lives[b].last, last);
    }
  }
  // In a fork no part knows what the others have done already.
  const std::vector<bool> own = buffers_of_parts(plan);
  for (std::size_t b = 0; b < lives.size(); ++b) {
    lives[b].own = own[b];
    if (own[b] || lives[b].first == never) continue;
    for (const Fork& fork : plan.forks) {
      const int first = static_cast<int>(fork.first()), last = static_cast<int>(fork.last());
      if (first <= lives[b].first && lives[b].first <= last) lives[b].first = first;
      if (first <= lives[b].last && lives[b].last <= last) lives[b].last = last;
    }
  }
  return lives;
}

/// Whether every element of `from` that the kernel reads is read where the same element of `to` is
/// written, and not later.
bool may_take_the_place(const Kernel& kernel, BufferId from, BufferId to) {
  const View* store = nullptr;
  std::size_t stage = SIZE_MAX;
  bool fits = true;
  visit_views(kernel, [&](const View& view, const Use& use) {
    if (view.buffer != to) return;
    fits = fits && use.write &&
           (store == nullptr || (view.offset == store->offset && view.strides == store->strides));
    store = &view;
    stage = std::min(stage, use.stage);
  });
  visit_views(kernel, [&](const View& view, const Use& use) {
    if (view.buffer != from) return;
    fits = fits && use.pointwise && !use.write && use.stage <= stage && store != nullptr &&
           view.offset == store->offset && view.strides == store->strides;
  });
  return fits && store != nullptr;
}

Dim bytes(const Buffer& buffer) {
  return product(buffer.shape) * static_cast<std::int64_t>(bytes_of(buffer.dtype));
}

/// Regions by buffer; SIZE_MAX: none.
std::vector<std::size_t> assign_regions(const Plan& plan, std::vector<Region>& regions) {
  const std::vector<Life> lives = lifetimes(plan);
  std::vector<std::size_t> region_of(plan.buffers.size(), SIZE_MAX);
  std::vector<std::vector<BufferId>> begin(plan.kernels.size()), end(plan.kernels.size());
  for (BufferId b = 0; b < plan.buffers.size(); ++b) {
    if (plan.buffers[b].kind != Buffer::Kind::arena || lives[b].first == never) continue;
    begin[static_cast<std::size_t>(lives[b].first)].push_back(b);
    end[static_cast<std::size_t>(lives[b].last)].push_back(b);
  }
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    std::vector<BufferId> dying = end[k];
    if (fork_of(plan, static_cast<std::uint32_t>(k)) != nullptr)
      std::erase_if(dying, [&](BufferId b) { return !lives[b].own; });
    for (const BufferId to : begin[k]) {
      const auto from = std::find_if(dying.begin(), dying.end(), [&](BufferId b) {
        return b != to && region_of[b] != SIZE_MAX && !lives[b].crosses && !lives[to].crosses &&
               bytes(plan.buffers[b]) == bytes(plan.buffers[to]) &&
               plan.buffers[b].dtype == plan.buffers[to].dtype &&
               may_take_the_place(plan.kernels[k], b, to);
      });
      if (from != dying.end()) {
        region_of[to] = region_of[*from];
        regions[region_of[to]].last = lives[to].last;
        dying.erase(from);
        continue;
      }
      region_of[to] = regions.size();
      regions.push_back({bytes(plan.buffers[to]), lives[to].first, lives[to].last, 0});
    }
  }
  return region_of;
}

struct Kept {
  Dim* offset;
  Dim bytes;
};

std::vector<Kept> kept_by(Kernel& kernel) {
  std::vector<Kept> kept;
  if (auto* row = std::get_if<Row>(&kernel.work)) {
    for (Row::Stage& stage : row->stages) {
      if (!stage.keep) continue;
      const DType dtype = stage.body.steps[stage.keep->step].dtype;
      kept.push_back(
          {&stage.keep->offset, kernel.space.back() * static_cast<std::int64_t>(bytes_of(dtype))});
    }
  }
  auto* top = std::get_if<TopK>(&kernel.work);
  if (top != nullptr && top->heap) kept.push_back({&*top->heap, top->k * TopK::entry_bytes});
  return kept;
}

}  // namespace

void place_in_arena(Plan& plan) {
  std::vector<Region> regions;
  const std::vector<std::size_t> region_of = assign_regions(plan, regions);
  // What a kernel keeps while it runs.
  std::vector<std::pair<Dim*, std::size_t>> kept;
  for (std::size_t k = 0; k < plan.kernels.size(); ++k) {
    for (const Kept& keep : kept_by(plan.kernels[k])) {
      kept.emplace_back(keep.offset, regions.size());
      const int now = static_cast<int>(k);
      regions.push_back({keep.bytes, now, now, 0});
    }
  }

  SymbolRanges ranges = plan.ranges();
  // The outermost block's rows may stand in offsets, because nothing outlives it. What an inner
  // block leaves behind must stay where it is while the last, smaller block runs.
  for (const Block& block : plan.blocks) ranges[block.count] = {1, block.size};
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const Block& block = plan.blocks[i];
    const bool all = block.first == 0 && block.last + 1 == plan.kernels.size();
    if (all && i == 0) continue;
    for (Region& region : regions) {
      region.bytes = region.bytes.substitute(block.count, Dim::min(block.extent, block.size));
    }
  }
  // Memory is there for as much as data can ask for.
  for (Region& region : regions) region.bytes = at_most(region.bytes, plan.symbols);
  plan.least_bytes = least_arena(regions, ranges);
  for (Region& region : regions) region.bytes = align_bytes(region.bytes);
  plan.workspace_bytes = pack_arena(regions, ranges);
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    if (region_of[b] != SIZE_MAX) plan.buffers[b].offset = regions[region_of[b]].offset;
  }
  for (const auto& [offset, region] : kept) *offset = regions[region].offset;
  plan.workspace_bytes = in_a_block(plan, plan.workspace_bytes);
  plan.least_bytes = in_a_block(plan, plan.least_bytes);
}

}  // namespace ingot::plan
