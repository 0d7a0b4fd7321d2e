// SPDX-License-Identifier: Apache-2.0
#include "import/keras/config.h"

#include <algorithm>
#include <cctype>

namespace ingot::keras {
namespace {

/// Models within models are read by functions that call themselves.
constexpr int max_depth = 200;

/// Lists that Keras wraps to tell what kind of list they were.
const Json* wrapped_list(const Json& object) {
  if (!object.is_object()) return nullptr;
  if (const auto items = object.find("items"); items != object.end() && items->is_array())
    return &*items;
  const std::string name = text_of(object, "class_name");
  if (name != "__numpy__" && name != "__tensor__") return nullptr;
  const Json& value = member(member(object, "config"), "value");
  return value.is_null() ? nullptr : &value;
}

void unwrap(Json& json) {
  while (const Json* list = wrapped_list(json)) {
    Json inner = *list;
    json = std::move(inner);
  }
  if (json.is_structured())
    for (Json& inside : json) unwrap(inside);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

Expected<Json> parse_config(std::string_view text, std::string_view what) {
  bool too_deep = false;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > max_depth;
    return !too_deep;
  };
  Json json = Json::parse(text.begin(), text.end(), watch, false);
  if (too_deep)
    return fail(ErrorCode::limit, "{} is nested deeper than {} levels", what, max_depth);
  if (json.is_discarded())
    return fail(ErrorCode::invalid_model, "{} is no JSON; copy or save the file again", what);
  if (!json.is_object())
    return fail(ErrorCode::invalid_model, "{} does not describe a model", what);
  unwrap(json);
  return json;
}

const Json& member(const Json& object, std::string_view name) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(std::string(name));
  return found == object.end() ? none : *found;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

ClassName class_of(const Json& object) {
  ClassName result{text_of(object, "class_name")};
  const std::string registered = text_of(object, "registered_name");
  const std::string module = text_of(object, "module");
  result.operation = module.starts_with("keras.src.ops") || module.starts_with("keras.ops");
  if (registered.find('>') != std::string::npos) result.name = registered;
  result.of_keras = result.name.find('>') == std::string::npos &&
                    (module.empty() || module.starts_with("keras") ||
                     module.starts_with("tf_keras") || module.starts_with("tensorflow"));
  return result;
}

Expected<Policy> read_policy(const Json& dtype) {
  std::string name = "float32";
  if (dtype.is_string()) {
    name = dtype.get<std::string>();
  } else if (dtype.is_object()) {
    const std::string kind = text_of(dtype, "class_name");
    name = text_of(member(dtype, "config"), "name");
    if (kind.find("Quantized") != std::string::npos || name.find("_from_") != std::string::npos)
      return fail(ErrorCode::unsupported,
                  "its weights are quantized ({}), which is not supported; save the model in "
                  "float32 and quantize it after",
                  kind);
    if (kind == "DTypePolicyMap") name = text_of(member(dtype, "config"), "default_policy");
  }
  if (name == "mixed_float16") return Policy{DType::f16, DType::f32};
  if (name == "mixed_bfloat16") return Policy{DType::bf16, DType::f32};
  if (name.empty()) return Policy{};
  const std::optional<DType> type =
      name == "bool" ? std::optional(DType::boolean) : dtype_from_name(name);
  if (!type)
    return fail(ErrorCode::unsupported, "its element type is '{}', which is no number", name);
  return Policy{*type, *type};
}

std::string snake_case(std::string_view class_name) {
  std::string clean, words, result;
  for (const char c : class_name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') clean += c;
  // As Keras does it: a break before a capital with small letters behind it, then between a small
  // letter and a capital.
  for (std::size_t i = 0; i < clean.size(); ++i) {
    if (i > 0 && i + 1 < clean.size() && is_upper(clean[i]) && is_lower(clean[i + 1])) words += '_';
    words += clean[i];
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && is_lower(words[i - 1]) && is_upper(words[i])) result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(words[i])));
  }
  return result;
}

}  // namespace ingot::keras
