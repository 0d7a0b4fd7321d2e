// SPDX-License-Identifier: Apache-2.0
// The error table as functions.
#include "base/expected.h"

namespace ingot {

std::string_view name(ErrorCode code) {
  switch (code) {
#define INGOT_ERROR(code, exit, when) \
  case ErrorCode::code:               \
    return #code;
#include "base/error.def"
#undef INGOT_ERROR
  }
  return "internal";
}

int exit_status(ErrorCode code) {
  switch (code) {
#define INGOT_ERROR(code, exit, when) \
  case ErrorCode::code:               \
    return exit;
#include "base/error.def"
#undef INGOT_ERROR
  }
  return 70;
}

void internal_error(const char* file, int line, const std::string& what) {
  throw InternalError(fmt::format("{}:{}: {}", file, line, what));
}

}  // namespace ingot
