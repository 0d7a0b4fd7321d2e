// SPDX-License-Identifier: Apache-2.0
// Failures as values: Error says what went wrong, Expected<T> is a T or an Error.
// Bugs of ours are InternalError exceptions, thrown by INGOT_CHECK and caught at the front doors.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ingot {

enum class ErrorCode {
#define INGOT_ERROR(code, exit, when) code,
#include "base/error.def"
#undef INGOT_ERROR
};

/// The row of error.def as text and as the exit status of the command-line program.
std::string_view name(ErrorCode code);
int exit_status(ErrorCode code);

/// What, where and what next; lower case, no full stop.
struct Error {
  ErrorCode code;
  std::string message;
};

/// Formats the message of an Error, e.g. `return fail(ErrorCode::unsupported, "op '{}'", op)`.
template <class... Args>
Error fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

/// A T, or the Error that explains why there is none.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)), failed_(true) {}

  explicit operator bool() const { return !failed_; }
  const Error& error() const { return error_; }

 private:
  Error error_{ErrorCode::internal, {}};
  bool failed_ = false;
};

/// A broken invariant of ours, never the user's fault.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void internal_error(const char* file, int line, const std::string& what);

}  // namespace ingot

#define INGOT_CHECK(condition, ...)                                                          \
  do {                                                                                       \
    if (!(condition)) ::ingot::internal_error(__FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
  } while (false)

#define INGOT_CONCAT_(a, b) a##b
#define INGOT_CONCAT(a, b) INGOT_CONCAT_(a, b)

/// Returns the error of an Expected<...> expression, or goes on.
#define INGOT_TRY(...)                                                              \
  do {                                                                              \
    if (auto ingot_tried = (__VA_ARGS__); !ingot_tried) return ingot_tried.error(); \
  } while (false)

/// Declares (or assigns) from an Expected<...> expression, or returns its error.
#define INGOT_ASSIGN(declaration, ...)                          \
  auto INGOT_CONCAT(ingot_expected_, __LINE__) = (__VA_ARGS__); \
  if (!INGOT_CONCAT(ingot_expected_, __LINE__))                 \
    return INGOT_CONCAT(ingot_expected_, __LINE__).error();     \
  declaration = *std::move(INGOT_CONCAT(ingot_expected_, __LINE__))
