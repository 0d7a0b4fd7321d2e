// SPDX-License-Identifier: Apache-2.0
#include "write/write.h"

namespace ingot::write {

Expected<Texts> write_texts(const std::string& name, std::span<const Interface> models) {
  if (!is_model_name(name)) {
    return fail(ErrorCode::invalid_argument,
                "the name '{}' cannot name a C++ namespace; give another one with --name",
                comment_text(name));
  }
  return Texts{header_text(name, models), manifest_text(name, models)};
}

}  // namespace ingot::write
