// SPDX-License-Identifier: Apache-2.0
#include "plan/weight_section.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace ingot::plan {
namespace {

using Piece = WeightSection::Piece;

/// Where an offset into the section begins, whatever an iteration adds to it.
std::int64_t start_of(const Dim& offset) {
  for (const Dim::Term& term : offset.terms()) {
    if (term.factors.empty()) return term.coefficient;
  }
  return 0;
}

/// Every place of a plan that says where weights lie, with the bytes that are there.
void visit_weights(Plan& plan, const std::function<void(Dim& offset, std::int64_t bytes)>& visit) {
  for (Buffer& buffer : plan.buffers) {
    if (buffer.kind != Buffer::Kind::weights) continue;
    const Dim bytes = product(buffer.shape) * static_cast<std::int64_t>(bytes_of(buffer.dtype));
    visit(buffer.offset, *bytes.value());
  }
  for (Kernel& kernel : plan.kernels) {
    auto* contract = std::get_if<Contract>(&kernel.work);
    auto* packed = contract == nullptr ? nullptr : std::get_if<PackedWeights>(&contract->b);
    if (packed == nullptr) continue;
    const std::int64_t groups =
        contract->group_dim ? kernel.space[*contract->group_dim].value().value_or(1) : 1;
    visit(packed->offset, packed->bytes + (groups - 1) * contract->group_bytes);
  }
}

/// Constants and packed matrices, those that overlap as one.
std::vector<Piece> pieces_of(Plan& plan) {
  std::vector<Piece> all;
  visit_weights(plan, [&](Dim& offset, std::int64_t bytes) {
    all.push_back({start_of(offset), start_of(offset) + bytes});
  });
  std::sort(all.begin(), all.end(), [](const Piece& a, const Piece& b) {
    return std::pair(a.begin, b.end) < std::pair(b.begin, a.end);
  });
  std::vector<Piece> pieces;
  for (const Piece& piece : all) {
    INGOT_CHECK(piece.begin >= 0, "weights at byte {}", piece.begin);
    if (!pieces.empty() && (piece.begin < pieces.back().end || piece.begin == pieces.back().begin))
      pieces.back().end = std::max(pieces.back().end, piece.end);
    else
      pieces.push_back(piece);
  }
  return pieces;
}

std::size_t hash(std::string_view content) { return std::hash<std::string_view>()(content); }

std::size_t up_to_64(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::string_view WeightSection::text(const Piece& piece) const {
  return std::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size())
      .substr(static_cast<std::size_t>(piece.begin),
              static_cast<std::size_t>(piece.end - piece.begin));
}

void WeightSection::note(const Piece& piece) { by_hash_.emplace(hash(text(piece)), piece); }

/// Where these bytes are; appends them if they are nowhere.
std::int64_t WeightSection::place(std::string_view content) {
  const auto [first, last] = by_hash_.equal_range(hash(content));
  for (auto found = first; found != last; ++found) {
    if (text(found->second) == content) return found->second.begin;
  }
  bytes_.resize(up_to_64(bytes_.size()));
  const auto begin = static_cast<std::int64_t>(bytes_.size());
  bytes_.resize(bytes_.size() + content.size());
  std::memcpy(bytes_.data() + begin, content.data(), content.size());
  note({begin, begin + static_cast<std::int64_t>(content.size())});
  return begin;
}

void WeightSection::add(Plan& plan) {
  const std::vector<Piece> pieces = pieces_of(plan);
  for (const Piece& piece : pieces) {
    INGOT_CHECK(static_cast<std::size_t>(piece.end) <= plan.weights.size(),
                "weights end at byte {} of {}", piece.end, plan.weights.size());
  }
  if (bytes_.empty()) {
    bytes_ = std::move(plan.weights);
    plan.weights = {};
    for (const Piece& piece : pieces) note(piece);
    return;
  }
  std::vector<std::int64_t> moved;
  for (const Piece& piece : pieces) {
    moved.push_back(place({reinterpret_cast<const char*>(plan.weights.data()) + piece.begin,
                           static_cast<std::size_t>(piece.end - piece.begin)}));
  }
  visit_weights(plan, [&](Dim& offset, std::int64_t) {
    const std::int64_t start = start_of(offset);
    const auto next =
        std::upper_bound(pieces.begin(), pieces.end(), start,
                         [](std::int64_t at, const Piece& piece) { return at < piece.begin; });
    const auto number = static_cast<std::size_t>(next - pieces.begin()) - 1;
    offset = offset + (moved[number] - pieces[number].begin);
  });
  plan.weights = {};
  bytes_.resize(up_to_64(bytes_.size()));
}

}  // namespace ingot::plan
