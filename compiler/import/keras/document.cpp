// SPDX-License-Identifier: Apache-2.0
#include "import/keras/document.h"

#include "import/inputs.h"
#include "import/keras/zip.h"

namespace ingot::keras {
namespace {

std::string_view text_in(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Names go into messages.
Expected<Json> read_json(std::string_view text, std::string_view what) {
  if (!is_utf8(text)) return fail(ErrorCode::invalid_model, "{} is not UTF-8", what);
  return parse_config(text, what);
}

void set_version(Document& document, const std::string& version, std::string_view kind) {
  // The first version did not say which it is.
  document.keras2 = version.empty() || version.starts_with("1.") || version.starts_with("2.");
  document.format = fmt::format("Keras{}{}, {}", version.empty() ? "" : " ", version, kind);
}

Expected<Document> read_archive(std::span<const std::byte> bytes) {
  INGOT_ASSIGN(auto files, unzip(bytes, {"config.json", "metadata.json", "model.weights.h5"}));
  if (!files[0]) {
    return fail(ErrorCode::unsupported,
                "a zip archive without the config.json of a Keras model; if PyTorch wrote it, "
                "convert the model to ONNX (torch.onnx.export)");
  }
  Document document;
  INGOT_ASSIGN(document.config, read_json(text_in(*files[0]), "config.json"));
  Json metadata;
  if (files[1]) {
    INGOT_ASSIGN(metadata, read_json(text_in(*files[1]), "metadata.json"));
  }
  set_version(document, text_of(metadata, "keras_version"), ".keras");
  if (!files[2]) {
    return fail(ErrorCode::unsupported,
                "the archive has no model.weights.h5; models whose variables are in several files "
                "or in another format are not supported: save it with model.save(\"model.keras\")");
  }
  document.unpacked = *std::move(files[2]);
  INGOT_ASSIGN(Hdf5 file, Hdf5::open(document.unpacked, "model.weights.h5"));
  document.variables = std::make_unique<const Hdf5>(std::move(file));
  return document;
}

Expected<Document> read_hdf5(std::span<const std::byte> bytes) {
  Document document;
  INGOT_ASSIGN(Hdf5 file, Hdf5::open(bytes, "the HDF5 file"));
  INGOT_ASSIGN(const auto config, file.text("", "model_config"));
  if (!config) {
    const bool weights =
        file.has("model_weights") || file.has("layers") || file.has("top_level_model_weights");
    return fail(ErrorCode::unsupported,
                "an HDF5 file without a model_config, {}; save the whole model: "
                "model.save(\"model.keras\")",
                weights ? "so it holds the weights of a model and not the model"
                        : "so it is no model of Keras");
  }
  INGOT_ASSIGN(document.config, read_json(*config, "model_config"));
  INGOT_ASSIGN(const auto version, file.text("", "keras_version"));
  set_version(document, version.value_or(""), ".h5");
  if (!is_utf8(document.format))
    return fail(ErrorCode::invalid_model, "keras_version is not UTF-8");
  document.listed = true;
  document.variables = std::make_unique<const Hdf5>(std::move(file));
  return document;
}

}  // namespace

Expected<Document> read_document(std::span<const std::byte> bytes) {
  return text_in(bytes).starts_with("PK") ? read_archive(bytes) : read_hdf5(bytes);
}

}  // namespace ingot::keras
