// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <filesystem>
#include <limits>
#include <set>

#include "base/file.h"
#include "import/inputs.h"
#include "import/onnx/onnx.h"
#include "import/tensorflow/graphdef.h"
#include "ir/text.h"

namespace ingot {
namespace {

constexpr std::uintmax_t max_bytes = std::numeric_limits<std::int32_t>::max();  // protobuf's limit

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The first word, after blanks and comments.
bool is_text_form(std::string_view text) {
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return false;
    text.remove_prefix(start);
    if (text[0] != ';') break;
    text.remove_prefix(std::min(text.size(), text.find('\n')));
  }
  return text.starts_with("graph ");
}

/// The top-level fields say what a protobuf file is: field 1 is a number in ONNX (ir_version) and
/// in a SavedModel, a message in a GraphDef (node); only ONNX has a field 7 (graph) beside it.
Expected<ModelFormat> recognise_protobuf(std::span<const std::byte> bytes) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  bool number_first = false;
  bool node_first = false;
  bool producer = false;
  int fields = 0;
  while (const std::uint32_t tag = stream.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    const bool message =
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if ((field == 7 || field == 8) && message) return ModelFormat::onnx;
    if (field == 1) (message ? node_first : number_first) = true;
    if (field == 2 && message) producer = true;
    if (node_first) return ModelFormat::graphdef;
    if (!WireFormatLite::SkipField(&stream, tag)) break;
    ++fields;
  }
  if (number_first && producer && fields > 1) {
    return fail(
        ErrorCode::unsupported,
        "this looks like saved_model.pb of a SavedModel, which is not supported yet; freeze it "
        "to a GraphDef or convert it to ONNX");
  }
  return fail(ErrorCode::invalid_model,
              "neither ONNX nor a frozen GraphDef nor Ingot's text form; is the file complete?");
}

Expected<void> refuse_what_text_has(const ImportOptions& options) {
  if (options.inputs.empty() && options.constants.empty() && options.outputs.empty()) return {};
  return fail(ErrorCode::invalid_argument,
              "--input, --constant and --outputs are for model files; edit the text form instead");
}

Expected<Graph> import_text(std::string_view text, const ImportOptions& options) {
  INGOT_TRY(refuse_what_text_has(options));
  INGOT_ASSIGN(Graph graph, parse_graph(text));
  for (const auto& [symbol, range] : options.symbol_ranges) {
    if (graph.find_symbol(symbol) == nullptr) {
      return fail(ErrorCode::invalid_argument, "--dim {}: no such symbol", symbol);
    }
    if (range.lo == range.hi) {
      INGOT_TRY(graph.substitute(symbol, range.lo));
    } else {
      graph.declare_symbol(symbol, range);
    }
  }
  return graph;
}

/// Inputs and outputs are called by name.
Expected<void> check_names(const Graph& graph) {
  std::set<std::string> inputs, outputs;
  for (const ValueId id : graph.inputs()) {
    const std::string& name = graph.value(id).name;
    if (name.empty()) return fail(ErrorCode::invalid_model, "an input has no name");
    if (!inputs.insert(name).second) {
      return fail(ErrorCode::invalid_model, "two inputs are called '{}'", name);
    }
  }
  for (const Output& output : graph.outputs()) {
    if (output.name.empty()) return fail(ErrorCode::invalid_model, "an output has no name");
    if (!outputs.insert(output.name).second) {
      return fail(ErrorCode::invalid_model, "two outputs are called '{}'", output.name);
    }
  }
  return {};
}

Expected<Graph> import_bytes(std::span<const std::byte> bytes, const ImportOptions& options,
                             const std::filesystem::path& folder) {
  INGOT_ASSIGN(const ModelFormat format, recognise_format(bytes));
  auto read = [&]() -> Expected<Graph> {
    switch (format) {
      case ModelFormat::onnx:
        return import_onnx(bytes, options, folder);
      case ModelFormat::graphdef:
        return import_graphdef(bytes, options);
      case ModelFormat::text:
        return import_text(as_text(bytes), options);
    }
    return fail(ErrorCode::internal, "no such format");
  };
  INGOT_ASSIGN(Graph graph, read());
  if (format != ModelFormat::text) graph.arithmetic = options.arithmetic;
  if (!options.name.empty()) graph.name = options.name;
  INGOT_TRY(merge_symbols(graph));
  INGOT_TRY(check_names(graph));
  return graph;
}

Expected<std::vector<std::byte>> read_model(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    if (std::filesystem::exists(path / "saved_model.pb", status)) {
      return fail(ErrorCode::unsupported,
                  "'{}' is a SavedModel, which is not supported yet; freeze it to a GraphDef or "
                  "convert it to ONNX",
                  path.string());
    }
    return fail(ErrorCode::io, "'{}' is a folder; name the model file in it", path.string());
  }
  const std::uintmax_t size = std::filesystem::file_size(path, status);
  if (status) return fail(ErrorCode::io, "cannot read '{}': {}", path.string(), status.message());
  if (size > max_bytes) {
    return fail(ErrorCode::limit,
                "'{}' has {} bytes; model files go up to 2 GB, with bigger weights "
                "as ONNX external data",
                path.string(), size);
  }
  return read_file(path.string());
}

}  // namespace

Expected<ModelFormat> recognise_format(std::span<const std::byte> bytes) {
  if (bytes.empty()) return fail(ErrorCode::invalid_model, "the file is empty");
  if (bytes.size() > max_bytes) {
    return fail(ErrorCode::limit, "a model of {} bytes; the limit is 2 GB", bytes.size());
  }
  const std::string_view text = as_text(bytes);
  if (is_text_form(text)) return ModelFormat::text;
  if (text.starts_with("\x89HDF") || text.starts_with("PK\x03\x04")) {
    return fail(
        ErrorCode::unsupported,
        "Keras files (.h5, .keras) are not supported yet; freeze the model to a GraphDef or "
        "convert it to ONNX");
  }
  if (text.starts_with("node {") || text.starts_with("ir_version:")) {
    return fail(ErrorCode::unsupported, "protobuf in text form; write the model in binary form");
  }
  return recognise_protobuf(bytes);
}

Expected<Graph> import_model(std::span<const std::byte> bytes, const ImportOptions& options) {
  return import_bytes(bytes, options, {});
}

Expected<Graph> import_file(const std::string& path, const ImportOptions& options) {
  const std::filesystem::path file(path);
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_model(file));
  if (options.on_read) options.on_read(path);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  Expected<Graph> graph = import_bytes(bytes, options, folder);
  if (!graph) return Error{graph.error().code, fmt::format("{}: {}", path, graph.error().message)};
  return graph;
}

}  // namespace ingot
