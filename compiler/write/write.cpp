// SPDX-License-Identifier: Apache-2.0
#include "write/write.h"

namespace ingot::write {

Expected<Texts> write_texts(const Interface& model) {
  if (!is_model_name(model.name)) {
    return fail(ErrorCode::invalid_argument,
                "the name '{}' cannot name a C++ namespace; give another one with --name",
                comment_text(model.name));
  }
  return Texts{header_text(model), manifest_text(model)};
}

}  // namespace ingot::write
