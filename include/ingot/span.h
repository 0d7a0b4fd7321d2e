// SPDX-License-Identifier: Apache-2.0
// The argument types of a generated model class: memory as pointer and size, and numbers of rows.
// C++17, no allocation, no exceptions. Part of every generated header, before its class.
#ifndef INGOT_SPAN_1
#define INGOT_SPAN_1

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace ingot {
inline namespace face_1 {

class Status;
class FloatGuard;
struct Options;

/// `size` elements at `data`, owned by somebody else. Made from a pointer and a size, an array, or
/// anything contiguous that has data() and size(): std::vector, std::array, std::span.
template <class T>
class Span {
 public:
  constexpr Span() noexcept = default;
  constexpr Span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t count>
  constexpr Span(T (&array)[count]) noexcept : data_(array), size_(count) {}
  template <class Container,
            class Element = std::remove_pointer_t<decltype(std::declval<Container&>().data())>,
            class = std::enable_if_t<std::is_convertible_v<Element (*)[], T (*)[]> &&
                                     !std::is_same_v<std::decay_t<Container>, Span>>>
  constexpr Span(Container&& container) noexcept
      : data_(container.data()), size_(container.size()) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr T& operator[](std::size_t i) const noexcept { return data_[i]; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The value of a symbol, from an integer of any type. One that was not given is -1, and what does
/// not fit is the largest, so that a call answers with a status that names the symbol.
struct Size {
  constexpr Size() noexcept = default;
  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  constexpr Size(Integer number) noexcept
      : value(fits(number) ? static_cast<std::int64_t>(number)
                           : std::numeric_limits<std::int64_t>::max()) {}

  std::int64_t value = -1;

 private:
  template <class Integer>
  static constexpr bool fits(Integer number) noexcept {
    if constexpr (std::is_unsigned_v<Integer>) {
      return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    } else {
      return true;
    }
  }
};

/// The bits of IEEE binary16 and of bfloat16, for which C++17 has no type.
struct Float16 {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

}  // namespace face_1
}  // namespace ingot
#endif
