// SPDX-License-Identifier: Apache-2.0
// The weights of all plans of an object in one section: of a model and its pinned variants, and of
// the models beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace ingot::plan {

/// What is equal, a constant or a packed matrix, is there once, whichever plans it came with.
class WeightSection {
 public:
  /// Moves the plan's weights here: its offsets count from the section's start from now on, and it
  /// has no bytes of its own any more. What is here stays where it is; the first plan's weights lie
  /// as they lay in it.
  void add(Plan& plan);

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::vector<std::byte> take() && { return std::move(bytes_); }

  /// Bytes that move as one.
  struct Piece {
    std::int64_t begin = 0, end = 0;
  };

 private:
  std::int64_t place(std::string_view content);
  void note(const Piece& piece);
  std::string_view text(const Piece& piece) const;

  std::vector<std::byte> bytes_;
  std::multimap<std::size_t, Piece> by_hash_;  // equal keys: in the order in which they came
};

}  // namespace ingot::plan
