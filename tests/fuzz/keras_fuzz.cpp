// SPDX-License-Identifier: Apache-2.0
// What Keras says of a model, with variables that the input lists by their shapes: HDF5's own
// library, which is not ours to test, stays out of it. `{"config": {..}, "variables":
// {"layers/dense/vars/0": [2, 3]}, "lists": {"model_weights/dense": ["kernel"]}, "keras2": false}`.
#include "agree.h"
#include "import/keras/document.h"
#include "target.h"

namespace ingot::fuzz {
namespace {

using keras::Json;
using keras::member;

class Listed : public keras::VariableFile {
 public:
  explicit Listed(const Json& all) : all_(all) {}
  bool has(const std::string& path) const override {
    const Json& shapes = member(all_, "variables");
    if (!shapes.is_object()) return false;
    // A group is what variables lie in.
    for (const auto& [place, shape] : shapes.items())
      if (place == path || place.starts_with(path + "/")) return true;
    return false;
  }
  Expected<std::optional<std::vector<std::string>>> texts(const std::string& group,
                                                          const std::string&) const override {
    const Json& list = member(member(all_, "lists"), group);
    std::optional<std::vector<std::string>> texts;
    if (!list.is_array()) return texts;
    texts.emplace();
    for (const Json& text : list) texts->push_back(text.is_string() ? text.get<std::string>() : "");
    return texts;
  }
  Expected<Tensor> tensor(const std::string& path) const override {
    const Json& sizes = member(member(all_, "variables"), path);
    if (!sizes.is_array()) return fail(ErrorCode::invalid_model, "no '{}'", path);
    constexpr std::int64_t most = 64;
    std::vector<std::int64_t> shape;
    for (const Json& size : sizes) {
      if (!size.is_number_integer() || size < 0 || size > most || shape.size() > 5)
        return fail(ErrorCode::limit, "'{}' is too big", path);
      shape.push_back(size.get<std::int64_t>());
    }
    const float one = 1;
    return Tensor::splat(DType::f32, std::move(shape), std::as_bytes(std::span(&one, 1)));
  }

 private:
  const Json& all_;
};

void import_config(Bytes data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  const Expected<Json> all = keras::parse_config(text, "the input");
  if (!all) return;
  keras::Document document;
  document.format = "Keras";
  document.keras2 = member(*all, "keras2") == true;
  document.listed = member(*all, "lists").is_object();
  document.config = member(*all, "config");
  document.variables = std::make_unique<Listed>(*all);
  Survey survey;
  const Expected<Graph> graph = keras::import_document(document, {}, survey);
  if (!graph) {
    if (graph.error().message.empty()) stop("an error that says nothing");
    return;
  }
  if (const std::string broken = broken_promise(*graph, data.size()); !broken.empty()) stop(broken);
  if (survey.refused()) stop("a graph, though something is refused");
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(keras, ingot::fuzz::import_config)
