// SPDX-License-Identifier: Apache-2.0
// Leaves nothing of an engine in the caches, as thirty other models do between two calls of one.
#pragma once

#include <cstddef>
#include <memory>

#include "base/expected.h"

namespace ingot::bench {

class Evictor {
 public:
  /// Twice the last-level cache, at most 256 MB. Fails where there is no such memory.
  static Expected<Evictor> make();

  /// Reads and writes all of that, a page apart and line by line, and runs code that fills the
  /// instruction cache and the branch predictors. Milliseconds.
  void run();

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* memory) const;
  };
  using Mapping = std::unique_ptr<std::byte, Unmap>;
  static Mapping map(std::size_t bytes);

  Mapping data_{nullptr, {}}, code_{nullptr, {}};
};

}  // namespace ingot::bench
