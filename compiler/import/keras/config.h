// SPDX-License-Identifier: Apache-2.0
// What Keras says of a model in JSON, in the dialects of its versions 2 and 3.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "ir/dtype.h"

namespace ingot::keras {

using Json = nlohmann::json;

/// Reads JSON, in which tuples, shapes and arrays of numpy have become plain lists. Errors:
/// invalid_model; limit where it is nested too deeply.
Expected<Json> parse_config(std::string_view text, std::string_view what);

/// A member of an object; null where it is none, or has no such member.
const Json& member(const Json& object, std::string_view name);
/// The same as text; empty where it is no text.
std::string text_of(const Json& object, std::string_view name);

/// What an object `{"class_name": .., "config": ..}` stands for: `Dense`, or a user's class as
/// `Package>Name`.
struct ClassName {
  std::string name;
  bool of_keras = true;    // as far as the file says
  bool operation = false;  // a function of keras.ops, not a layer
};
ClassName class_of(const Json& object);

/// What a layer computes in, and what its variables are stored in, from its `dtype`.
struct Policy {
  DType compute = DType::f32, variable = DType::f32;
};
/// Errors: unsupported, for quantised policies and types that are no numbers.
Expected<Policy> read_policy(const Json& dtype);

/// `MaxPooling2D` as the files of variables have it: `max_pooling2d`.
std::string snake_case(std::string_view class_name);

}  // namespace ingot::keras
