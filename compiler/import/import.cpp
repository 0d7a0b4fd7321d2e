// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <filesystem>
#include <limits>
#include <set>

#include "base/file.h"
#include "import/inputs.h"
#include "import/keras/keras.h"
#include "import/onnx/onnx.h"
#include "import/saved_model/saved_model.h"
#include "import/tensorflow/graphdef.h"
#include "ir/op.h"
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
        "this looks like saved_model.pb of a SavedModel, which is the folder around it; give that "
        "folder");
  }
  return fail(ErrorCode::invalid_model,
              "neither ONNX nor a frozen GraphDef nor Ingot's text form; is the file complete?");
}

/// Files that are often given and that are no models that can be read: by how they begin.
Expected<void> refuse_what_is_known(std::string_view text) {
  struct Known {
    std::size_t place;
    std::string_view begins;
    ErrorCode code;
    std::string_view what;
  };
  using namespace std::string_view_literals;
  static constexpr Known known[] = {
      {0, "\x80\x02"sv, ErrorCode::unsupported,
       "a Python pickle, as old PyTorch checkpoints are; convert the model to ONNX "
       "(torch.onnx.export)"},
      {4, "TFL3"sv, ErrorCode::unsupported,
       "a TensorFlow Lite model, which is not supported; convert the model that it was made from "
       "to "
       "ONNX"},
      {0, "\x1f\x8b"sv, ErrorCode::invalid_model, "a compressed file; unpack it with gunzip first"},
      {0, "\x28\xb5\x2f\xfd"sv, ErrorCode::invalid_model,
       "a compressed file; unpack it with unzstd first"},
      {0,
       "\x7f"
       "ELF"sv,
       ErrorCode::invalid_argument,
       "an object or library, not a model file; ingot inspect and ingot run take a compiled "
       "NAME.so"},
      {0, "version https://git-lfs"sv, ErrorCode::invalid_model,
       "a pointer of Git LFS, not the model itself; fetch that with git lfs pull"},
      {0, "{"sv, ErrorCode::invalid_argument,
       "JSON, not a model file; ingot inspect takes the NAME.json of a compiled model"},
      {0, "<"sv, ErrorCode::invalid_model, "HTML or XML, not a model file; did a download fail?"},
  };
  for (const Known& row : known) {
    if (text.size() > row.place && text.substr(row.place).starts_with(row.begins))
      return fail(row.code, "{}", row.what);
  }
  return {};
}

Expected<void> refuse_what_text_has(const ImportOptions& options) {
  if (options.inputs.empty() && options.constants.empty() && options.outputs.empty()) return {};
  return fail(ErrorCode::invalid_argument,
              "--input, --constant and --outputs are for model files; edit the text form instead");
}

Expected<Graph> import_text(std::string_view text, const ImportOptions& options, Survey& survey) {
  INGOT_TRY(refuse_what_text_has(options));
  if (!is_utf8(text)) return fail(ErrorCode::invalid_model, "the text is not UTF-8");
  INGOT_ASSIGN(Graph graph, parse_graph(text));
  if (graph.outputs().empty()) {
    return fail(ErrorCode::invalid_model,
                "the graph computes nothing; write 'return \"y\" = %y' at its end");
  }
  survey.format = "Ingot's text form";
  for (const Node& node : graph.nodes()) ++survey.ops[std::string(node.op->name)].nodes;
  for (const auto& [symbol, range] : options.symbol_ranges) {
    const Symbol* known = graph.find_symbol(symbol);
    if (known == nullptr)
      return fail(ErrorCode::invalid_argument, "--dim {}: no such symbol", symbol);
    if (range.lo > known->range.hi || range.hi < known->range.lo) {
      return fail(ErrorCode::invalid_argument, "--dim {}: the text declares it from {} to {}",
                  symbol, known->range.lo, known->range.hi);
    }
    if (range.lo == range.hi) {
      INGOT_TRY(graph.substitute(symbol, range.lo));
    } else {
      graph.declare_symbol(symbol, range);
    }
  }
  survey.look_at(graph, true);
  return graph;
}

/// What a user can do about a file that breaks its format's rules, besides reading why.
std::string_view advice_for(ModelFormat format) {
  switch (format) {
    case ModelFormat::onnx:
      return "see what onnx.checker.check_model(FILE, full_check=True) says, and export it again";
    case ModelFormat::graphdef:
      return "see what tf.import_graph_def says, and freeze the graph again";
    case ModelFormat::keras:
      return "see what keras.models.load_model says, and save the model again";
    case ModelFormat::text:
      break;
  }
  return {};
}

/// Inputs and outputs are called by name.
Expected<void> check_names(const Graph& graph) {
  std::set<std::string> inputs, outputs;
  for (const ValueId id : graph.inputs()) {
    const std::string& name = graph.value(id).name;
    if (name.empty()) return fail(ErrorCode::invalid_model, "an input has no name");
    if (!is_utf8(name)) return fail(ErrorCode::invalid_model, "the name of an input is not UTF-8");
    if (!inputs.insert(name).second) {
      return fail(ErrorCode::invalid_model, "two inputs are called '{}'", name);
    }
  }
  for (const Output& output : graph.outputs()) {
    if (output.name.empty()) return fail(ErrorCode::invalid_model, "an output has no name");
    if (!is_utf8(output.name))
      return fail(ErrorCode::invalid_model, "the name of an output is not UTF-8");
    if (!outputs.insert(output.name).second) {
      return fail(ErrorCode::invalid_model, "two outputs are called '{}'", output.name);
    }
  }
  return {};
}

/// Names that a user gives twice are mistakes.
Expected<void> check_options(const ImportOptions& options) {
  std::set<std::string> inputs, outputs;
  for (const InputSpec& spec : options.inputs) {
    if (!inputs.insert(spec.name).second)
      return fail(ErrorCode::invalid_argument, "--input {} is given twice", spec.name);
  }
  for (const std::string& output : options.outputs) {
    if (!outputs.insert(output).second)
      return fail(ErrorCode::invalid_argument, "--outputs {} is given twice", output);
  }
  return {};
}

/// What all formats do once there is a graph.
Expected<Graph> finished(Expected<Graph> graph, const ImportOptions& options) {
  if (!graph) return graph;
  if (!options.name.empty()) graph->name = options.name;
  INGOT_TRY(settle_measured(*graph, options));
  INGOT_TRY(merge_symbols(*graph));
  INGOT_TRY(check_names(*graph));
  return graph;
}

Expected<Graph> import_as(ModelFormat format, std::span<const std::byte> bytes,
                          const ImportOptions& options, const std::filesystem::path& folder,
                          Survey& survey) {
  auto read = [&]() -> Expected<Graph> {
    switch (format) {
      case ModelFormat::onnx:
        return import_onnx(bytes, options, folder, survey);
      case ModelFormat::graphdef:
        return import_graphdef(bytes, options, survey);
      case ModelFormat::keras:
        return import_keras(bytes, options, survey);
      case ModelFormat::text:
        return import_text(as_text(bytes), options, survey);
    }
    return fail(ErrorCode::internal, "no such format");
  };
  return finished(read(), options);
}

Expected<Graph> import_bytes(std::span<const std::byte> bytes, const ImportOptions& options,
                             const std::filesystem::path& folder) {
  INGOT_TRY(check_options(options));
  INGOT_ASSIGN(const ModelFormat format, recognise_format(bytes));
  Survey own;
  Survey& survey = options.survey != nullptr ? *options.survey : own;
  Expected<Graph> graph = import_as(format, bytes, options, folder, survey);
  // A file that could not even be read has no format in the survey, and says so itself.
  const bool broken = !graph && graph.error().code == ErrorCode::invalid_model;
  if (!broken || survey.format.empty() || advice_for(format).empty()) return graph;
  return Error{graph.error().code,
               fmt::format("{}\n  try: {}", graph.error().message, advice_for(format))};
}

/// A SavedModel by its folder, or by the file in it.
std::optional<std::string> folder_of_saved_model(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status))
    return is_saved_model(path.string()) ? std::optional(path.string()) : std::nullopt;
  if (path.filename() != "saved_model.pb" || !std::filesystem::exists(path, status))
    return std::nullopt;
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

Expected<Graph> import_folder(const std::string& folder, const ImportOptions& options) {
  INGOT_TRY(check_options(options));
  Survey own;
  Survey& survey = options.survey != nullptr ? *options.survey : own;
  return finished(import_saved_model(folder, options, survey), options);
}

Expected<std::vector<std::byte>> read_model(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
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
  if (text.starts_with("PK\x03\x04") || text.starts_with("\x89HDF\r\n\x1a\n"))
    return ModelFormat::keras;
  INGOT_TRY(refuse_what_is_known(text));
  if (text.starts_with("node {") || text.starts_with("ir_version:")) {
    return fail(ErrorCode::unsupported, "protobuf in text form; write the model in binary form");
  }
  return recognise_protobuf(bytes);
}

Expected<Graph> import_model(std::span<const std::byte> bytes, const ImportOptions& options) {
  return import_bytes(bytes, options, {});
}

Expected<Graph> import_saved_model_bytes(std::span<const std::byte> bytes,
                                         const std::string& variables,
                                         const ImportOptions& options) {
  INGOT_TRY(check_options(options));
  Survey own;
  Survey& survey = options.survey != nullptr ? *options.survey : own;
  return finished(import_saved_model(bytes, variables, options, survey), options);
}

Expected<Graph> import_file(const std::string& path, const ImportOptions& options) {
  auto with_path = [&](const Error& error) {
    return Error{error.code, fmt::format("{}: {}", path, error.message)};
  };
  const std::filesystem::path file(path);
  if (const auto folder = folder_of_saved_model(file)) {
    Expected<Graph> graph = import_folder(*folder, options);
    if (!graph) return with_path(graph.error());
    return graph;
  }
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_model(file));
  if (!options.tag.empty() || !options.signature.empty())
    return fail(ErrorCode::invalid_argument, "--tag and --signature are for SavedModels");
  if (options.on_read) options.on_read(path);
  Expected<Graph> graph =
      import_bytes(bytes, options, file.has_parent_path() ? file.parent_path() : ".");
  if (!graph) return with_path(graph.error());
  return graph;
}

Expected<std::vector<std::string>> signatures_of(const std::string& path,
                                                 const ImportOptions& options) {
  const auto folder = folder_of_saved_model(path);
  if (!folder) return std::vector<std::string>{};
  return saved_model_signatures(*folder, options);
}

}  // namespace ingot
