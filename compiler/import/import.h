// SPDX-License-Identifier: Apache-2.0
// The front door of import/: a model file, whatever its format, becomes a Graph of core ops.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/survey.h"
#include "ir/graph.h"

namespace ingot {

/// `--input NAME=DTYPE[N, 27]`: what a user says of an input. May also name a value inside the
/// model, which then becomes an input.
struct InputSpec {
  std::string name;
  std::optional<DType> dtype;
  std::optional<Shape> shape;
};

/// Reads `NAME`, `NAME=DTYPE`, `NAME=[N, 27]` or `NAME=DTYPE[N, 27]`.
Expected<InputSpec> parse_input_spec(std::string_view text);

struct ImportOptions {
  /// Inputs named here come first, in this order; the others follow in the file's order.
  std::vector<InputSpec> inputs;
  /// `--constant NAME=VALUE`: an input that is fixed to a number, `true` or `false` (all elements),
  /// or to a list `[1, 2]` (a shape or axes that the model wants as an input, say).
  std::map<std::string, std::string> constants;
  /// `--outputs`: values to compute; empty: the model's own outputs.
  std::vector<std::string> outputs;
  /// `--dim N=1:64` bounds a symbol, `N=4` (lo == hi) pins it.
  std::map<std::string, Interval> symbol_ranges;
  /// Of a SavedModel: which of its graphs (tags with commas between them; empty: `serve`), and
  /// which of that graph's signatures (empty: `serving_default`).
  std::string tag, signature;
  /// Of the graph; empty: the model's own name.
  std::string name;
  Arithmetic arithmetic = Arithmetic::fused;
  /// Called with the path of each file that is read: the model's own, and those of its tensors.
  std::function<void(const std::string& path)> on_read = {};
  /// Filled if it is not null, however the import ends; it must be empty before.
  Survey* survey = nullptr;
};

enum class ModelFormat { onnx, graphdef, text, keras };

/// Recognised by content, never by the file's name. Errors: invalid_model when it is none of them.
Expected<ModelFormat> recognise_format(std::span<const std::byte> bytes);

/// ONNX, a frozen TensorFlow GraphDef, a .keras or .h5 file of Keras, or Ingot's own text form.
///
/// Symbols: a nameless leading dimension is `N`; other nameless ones get names after their input
/// (`x_d1`). A symbol that leads every input it occurs in ranges over 0 to 2^31-1, others over 0
/// to 4096. Symbols that must be equal are merged.
///
/// Errors: invalid_model for what breaks the format's rules; unsupported lists every node that
/// can't be compiled (as the survey does); invalid_argument for options that do not fit the model.
/// Thread-safe; the bytes are not kept.
Expected<Graph> import_model(std::span<const std::byte> bytes, const ImportOptions& options);
/// Of a SavedModel, the bytes of its saved_model.pb; `variables` is the path of its checkpoint's
/// files, without what they end with.
Expected<Graph> import_saved_model_bytes(std::span<const std::byte> bytes,
                                         const std::string& variables,
                                         const ImportOptions& options);

/// The same from a file, or from the folder of a TensorFlow SavedModel; tensors that an ONNX model
/// keeps in files of their own are read from the model's folder and nowhere else.
Expected<Graph> import_file(const std::string& path, const ImportOptions& options);

/// The signatures of a SavedModel that `options.tag` offers, sorted; none of other models. Errors:
/// those of reading it, and invalid_argument when a tag has to be named.
Expected<std::vector<std::string>> signatures_of(const std::string& path,
                                                 const ImportOptions& options);

}  // namespace ingot
