// SPDX-License-Identifier: Apache-2.0
#include "plan/memory.h"

#include <algorithm>

#include "ops/interpret.h"

namespace ingot::plan {
namespace {

constexpr std::uint32_t nobody = UINT32_MAX;

template <class... Args>
[[noreturn]] void fault(fmt::format_string<Args...> format, Args&&... args) {
  throw Fault{fail(ErrorCode::internal, format, std::forward<Args>(args)...)};
}

template <class T>
T value_of(Expected<T> value) {
  if (!value) throw Fault{value.error()};
  return *std::move(value);
}

}  // namespace

Memory::Memory(const Plan& plan, std::span<const Tensor> inputs, const SymbolValues& symbols)
    : plan_(plan), next_writer_(static_cast<std::uint32_t>(plan.buffers.size())) {
  for (const Tensor& input : inputs) inputs_.push_back(input.dense());
  for (const Plan::Port& port : plan.outputs) {
    std::vector<std::int64_t> shape = value_of(evaluate_shape(port.type.shape, symbols));
    value_of(element_count(shape));
    outputs_.emplace_back(port.type.dtype, std::move(shape));
    output_writers_.emplace_back(outputs_.back().bytes().size(), nobody);
  }
  const std::int64_t workspace = value_of(plan.workspace_bytes.evaluate(symbols));
  if (workspace < 0) fault("the workspace is {} bytes", workspace);
  arena_.resize(static_cast<std::size_t>(workspace));
  arena_writers_.assign(arena_.size(), nobody);
}

void Memory::forget(const std::vector<bool>& buffers) {
  for (std::uint32_t& writer : arena_writers_) {
    if (writer < buffers.size() && buffers[writer]) writer = nobody;
  }
}

void Memory::place(const SymbolValues& symbols) {
  places_.clear();
  for (const Buffer& buffer : plan_.buffers) {
    Place place;
    place.size = bytes_of(buffer.dtype);
    place.elements = value_of(element_count(value_of(evaluate_shape(buffer.shape, symbols))));
    if (buffer.kind == Buffer::Kind::input) {
      place.source = inputs_[buffer.index].bytes().data();
      place.elements = inputs_[buffer.index].elements();
    } else if (buffer.kind == Buffer::Kind::output) {
      place.data = outputs_[buffer.index].mutable_bytes().data();
      place.writers = output_writers_[buffer.index].data();
      place.elements = outputs_[buffer.index].elements();
    } else {
      const std::int64_t offset = value_of(buffer.offset.evaluate(symbols));
      const bool arena = buffer.kind == Buffer::Kind::arena;
      const auto room = static_cast<std::int64_t>(arena ? arena_.size() : plan_.weights.size());
      const std::int64_t bytes = place.elements * static_cast<std::int64_t>(place.size);
      if (offset < 0 || offset > room || bytes > room - offset)
        fault("buffer '{}' at {} of {} bytes does not fit into {}", buffer.name, offset, bytes,
              room);
      if (arena) {
        place.data = arena_.data() + offset;
        place.writers = arena_writers_.data() + offset;
      } else {
        place.source = plan_.weights.data() + offset;
      }
    }
    if (place.data != nullptr) place.source = place.data;
    places_.push_back(place);
  }
}

const Memory::Place& Memory::element(BufferId buffer, std::int64_t number,
                                     std::string_view verb) const {
  const Place& place = places_[buffer];
  if (number < 0 || number >= place.elements) {
    fault("{} element {} of b{} '{}', which has {}", verb, number, buffer,
          plan_.buffers[buffer].name, place.elements);
  }
  return place;
}

Scalar Memory::read(BufferId buffer, std::int64_t number) const {
  const Place& place = element(buffer, number, "reads");
  const std::size_t at = static_cast<std::size_t>(number) * place.size;
  if (place.writers != nullptr) {
    for (std::size_t i = 0; i < place.size; ++i) {
      const std::uint32_t writer = place.writers[at + i];
      if (writer == buffer) continue;
      fault("reads element {} of b{} '{}', which {}", number, buffer, plan_.buffers[buffer].name,
            writer == nobody ? "nothing has written" : "something else has written over");
    }
  }
  Scalar result;
  std::memcpy(result.bytes, place.source + at, place.size);
  return result;
}

void Memory::write(BufferId buffer, std::int64_t number, const Scalar& value) {
  const Place& place = element(buffer, number, "writes");
  if (place.writers == nullptr) {
    fault("writes b{} '{}', which is not to be written", buffer, plan_.buffers[buffer].name);
  }
  const std::size_t at = static_cast<std::size_t>(number) * place.size;
  std::memcpy(place.data + at, value.bytes, place.size);
  std::fill_n(place.writers + at, place.size, buffer);
}

void Memory::arena_part(std::int64_t offset, std::size_t bytes) const {
  if (offset < 0 || static_cast<std::uint64_t>(offset) > arena_.size() ||
      bytes > arena_.size() - static_cast<std::size_t>(offset)) {
    fault("keeps {} bytes at {} of an arena of {}", bytes, offset, arena_.size());
  }
}

Scalar Memory::read_arena(std::int64_t offset, std::size_t bytes, std::uint32_t writer) const {
  arena_part(offset, bytes);
  const auto at = static_cast<std::size_t>(offset);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (arena_writers_[at + i] != writer)
      fault("reads what it kept at byte {} of the arena, which is not there any more", offset);
  }
  Scalar result;
  std::memcpy(result.bytes, arena_.data() + at, bytes);
  return result;
}

void Memory::write_arena(std::int64_t offset, std::size_t bytes, const Scalar& value,
                         std::uint32_t writer) {
  arena_part(offset, bytes);
  const auto at = static_cast<std::size_t>(offset);
  std::memcpy(arena_.data() + at, value.bytes, bytes);
  std::fill_n(arena_writers_.data() + at, bytes, writer);
}

const std::byte* Memory::weights(std::int64_t offset, std::size_t bytes) const {
  const std::size_t size = plan_.weights.size();
  if (offset < 0 || static_cast<std::uint64_t>(offset) > size ||
      bytes > size - static_cast<std::size_t>(offset)) {
    fault("reads byte {} of {} bytes of weights", offset, size);
  }
  return plan_.weights.data() + offset;
}

std::vector<Tensor> Memory::take_outputs(const SymbolValues& symbols) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    auto& writers = output_writers_[i];
    std::vector<std::int64_t> shape =
        value_of(evaluate_shape(plan_.outputs[i].type.shape, symbols));
    if (shape != outputs_[i].shape()) {
      const DType dtype = outputs_[i].dtype();
      Tensor part(dtype, std::move(shape));
      if (part.bytes().size() > writers.size())
        fault("output '{}' is larger than its bound", plan_.outputs[i].name);
      writers.resize(part.bytes().size());
      std::copy_n(outputs_[i].bytes().begin(), writers.size(), part.mutable_bytes().begin());
      outputs_[i] = std::move(part);
    }
    const auto hole = std::find(writers.begin(), writers.end(), nobody);
    if (hole != writers.end())
      fault("nothing writes byte {} of output '{}'", hole - writers.begin(), plan_.outputs[i].name);
  }
  return std::move(outputs_);
}

}  // namespace ingot::plan
