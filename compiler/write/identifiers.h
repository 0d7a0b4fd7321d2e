// SPDX-License-Identifier: Apache-2.0
// C++ names for what a model calls by any text: "dense_1/BiasAdd:0" becomes dense_1_BiasAdd.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace ingot::write {

/// May `name` name a namespace of the user's program and a file? Letters, digits and single
/// underscores, a letter first, no keyword and no name that C++ or Ingot has taken.
bool is_model_name(std::string_view name);

/// A C++ identifier that reads like `text`, is not in `taken`, and is put there. TensorFlow's
/// output number ":0" is dropped; keywords, names of the generated class and well-known macros get
/// an underscore at the end, repeated names a number.
std::string make_identifier(std::string_view text, std::set<std::string>& taken);

/// `text` for a comment line of C or C++: printable ASCII without backslashes, what is not replaced
/// by '?'.
std::string comment_text(std::string_view text);

}  // namespace ingot::write
