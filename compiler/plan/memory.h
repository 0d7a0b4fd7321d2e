// SPDX-License-Identifier: Apache-2.0
// The memory of an interpreted plan. Each byte of the arena and of the outputs knows which buffer
// wrote it, so that what nothing wrote, and what another buffer has written over, is noticed.
#pragma once

#include <span>
#include <vector>

#include "plan/plan.h"
#include "plan/scalar.h"

namespace ingot::plan {

/// Thrown where a plan or a call is found to be wrong; ends at interpret().
struct Fault {
  Error error;
};

class Memory {
 public:
  Memory(const Plan& plan, std::span<const Tensor> inputs, const SymbolValues& symbols);

  /// Finds the buffers' places where `symbols` hold all values that shapes and offsets mention.
  /// Throws a Fault where a buffer is outside of the arena or of the weights section.
  void place(const SymbolValues& symbols);
  /// What these buffers hold is not there any more.
  void forget(const std::vector<bool>& buffers);

  /// An element of a buffer, by its number from the buffer's start.
  Scalar read(BufferId buffer, std::int64_t number) const;
  void write(BufferId buffer, std::int64_t number, const Scalar& value);

  /// Bytes of the arena that are no buffer's: what a stage keeps. `writer` tells who writes and
  /// reads it; see new_writer().
  Scalar read_arena(std::int64_t offset, std::size_t bytes, std::uint32_t writer) const;
  void write_arena(std::int64_t offset, std::size_t bytes, const Scalar& value,
                   std::uint32_t writer);
  std::uint32_t new_writer() { return next_writer_++; }

  /// The bytes of the weights section from `offset`.
  const std::byte* weights(std::int64_t offset, std::size_t bytes) const;

  /// The outputs, of their true sizes; throws a Fault where an element was never written.
  std::vector<Tensor> take_outputs(const SymbolValues& symbols);

 private:
  struct Place {
    std::byte* data = nullptr;  // null: nothing can be written there
    const std::byte* source = nullptr;
    std::uint32_t* writers = nullptr;  // per byte, or null: an input or a constant
    std::int64_t elements = 0;
    std::size_t size = 0;  // of an element
  };
  const Place& element(BufferId buffer, std::int64_t number, std::string_view verb) const;
  void arena_part(std::int64_t offset, std::size_t bytes) const;

  const Plan& plan_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<std::byte> arena_;
  std::vector<std::uint32_t> arena_writers_;
  std::vector<std::vector<std::uint32_t>> output_writers_;
  std::vector<Place> places_;  // by buffer
  std::uint32_t next_writer_ = 0;
};

}  // namespace ingot::plan
