// SPDX-License-Identifier: Apache-2.0
#include "import/saved_model/saved_model.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "base/file.h"
#include "import/inputs.h"
#include "import/saved_model/aliases.h"
#include "import/saved_model/flatten.h"
#include "import/saved_model/variables.h"
#include "import/tensorflow/dilate.h"
#include "import/tensorflow/import_nodes.h"
#include "import/tensorflow/sign_bits.h"
#include "import/tensorflow/tensor.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;
using namespace tensorflow;

constexpr std::string_view usual_tag = "serve", usual_signature = "serving_default";
/// What TensorFlow runs when it loads a model; nothing that a user could call.
constexpr std::string_view initializer = "__saved_model_init_op";

Expected<SavedModel> parse(std::span<const std::byte> bytes) {
  SavedModel model;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return fail(
        ErrorCode::invalid_model,
        "saved_model.pb is cut off or damaged: it cannot be read beyond byte {} of {}; copy "
        "or save it again",
        stream.CurrentPosition(), bytes.size());
  }
  if (model.meta_graphs_size() == 0)
    return fail(ErrorCode::invalid_model, "saved_model.pb holds no graph");
  return model;
}

Expected<SavedModel> read_file_of(const std::string& folder, const ImportOptions& options) {
  const fs::path path = fs::path(folder) / "saved_model.pb";
  std::error_code status;
  if (!fs::exists(path, status)) {
    for (const char* other : {"saved_model.pbtxt", "saved_model.cpb"}) {
      if (fs::exists(fs::path(folder) / other, status)) {
        return fail(ErrorCode::unsupported,
                    "{} is a form of saved_model.pb that is not supported; load the model and save "
                    "it again with tf.saved_model.save",
                    other);
      }
    }
    return fail(ErrorCode::invalid_model,
                "there is no saved_model.pb, although the rest looks like a SavedModel; copy the "
                "whole folder");
  }
  const std::uintmax_t size = fs::file_size(path, status);
  if (status) return fail(ErrorCode::io, "{}: {}", path.string(), status.message());
  if (size > static_cast<std::uintmax_t>(std::numeric_limits<std::int32_t>::max()))
    return fail(ErrorCode::limit, "saved_model.pb has {} bytes; the format ends at 2 GB", size);
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path.string()));
  if (options.on_read) options.on_read(path.string());
  return parse(bytes);
}

std::set<std::string> tags_of(const MetaGraph& graph) {
  return {graph.meta_info_def().tags().begin(), graph.meta_info_def().tags().end()};
}

std::set<std::string> tags_in(std::string_view text) {
  std::set<std::string> tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find(','));
    if (end > 0) tags.emplace(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return tags;
}

/// The graph with just these tags, or else the only one that has them among others.
Expected<MetaGraph*> choose_graph(SavedModel& model, const std::string& tag) {
  const std::set<std::string> wanted = tags_in(tag.empty() ? usual_tag : tag);
  std::vector<MetaGraph*> having;
  std::string known;
  for (MetaGraph& graph : *model.mutable_meta_graphs()) {
    const std::set<std::string> tags = tags_of(graph);
    if (tags == wanted) return &graph;
    if (std::includes(tags.begin(), tags.end(), wanted.begin(), wanted.end()))
      having.push_back(&graph);
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", fmt::join(tags, ","));
  }
  if (having.size() == 1) return having[0];
  return fail(ErrorCode::invalid_argument,
              "{} graph is tagged '{}'; the tags are {}: choose with --tag",
              having.empty() ? "no" : "more than one", fmt::join(wanted, ","), known);
}

std::vector<std::string> signatures_of(const MetaGraph& graph) {
  std::vector<std::string> names;
  for (const auto& [name, signature] : graph.signature_def()) {
    if (name != initializer) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// A signature of the graph, or one that is made of a function with that name.
Expected<std::string> choose_signature(MetaGraph& graph, const std::string& wanted) {
  const std::vector<std::string> names = signatures_of(graph), aliases = aliases_of(graph);
  for (const std::string& name : names) {
    if (!is_utf8(name))
      return fail(ErrorCode::invalid_model, "the name of a signature is not UTF-8");
  }
  const std::string name = wanted.empty() ? std::string(usual_signature) : wanted;
  if (std::binary_search(names.begin(), names.end(), name)) return name;
  if (std::binary_search(aliases.begin(), aliases.end(), name)) {
    INGOT_TRY(add_signature_of(graph, name));
    return name;
  }
  const std::string others =
      aliases.empty() ? "" : fmt::format("; functions called '{}'", fmt::join(aliases, "', '"));
  if (names.empty()) {
    return fail(ErrorCode::invalid_argument,
                "the model has no signature, so it does not say what its inputs and outputs are; "
                "save it with tf.saved_model.save(MODULE, FOLDER, signatures=FUNCTION){}",
                others.empty() ? "" : fmt::format("{} can be named with --signature", others));
  }
  return fail(ErrorCode::invalid_argument,
              "the model has no signature '{}', but '{}'{}: choose with --signature {}", name,
              fmt::join(names, "', '"), others, names[0]);
}

/// `x_2` before `x_10`.
bool comes_before(std::string_view a, std::string_view b) {
  auto digits = [](std::string_view text) {
    const std::size_t end = text.find_first_not_of("0123456789");
    return text.substr(0, end);
  };
  while (!a.empty() && !b.empty()) {
    const std::string_view left = digits(a), right = digits(b);
    if (!left.empty() && !right.empty()) {
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      a.remove_prefix(left.size());
      b.remove_prefix(right.size());
    } else {
      if (a[0] != b[0]) return a[0] < b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

Expected<std::vector<Port>> ports_of(const google::protobuf::Map<std::string, TensorInfo>& infos,
                                     std::string_view side) {
  std::vector<Port> ports;
  for (const auto& [name, info] : infos) {
    if (!is_utf8(name) || !is_utf8(info.name()))
      return fail(ErrorCode::invalid_model, "the name of an {} is not UTF-8", side);
    if (!info.has_name()) {
      return fail(ErrorCode::unsupported,
                  "{} '{}' of the signature is a sparse or composite tensor; make it dense before "
                  "the model, and export that",
                  side, name);
    }
    Port port{name, info.name(), info.dtype(), nullptr};
    if (!info.tensor_shape().unknown_rank() && info.has_tensor_shape())
      port.shape = &info.tensor_shape();
    ports.push_back(std::move(port));
  }
  std::sort(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
    return comes_before(a.name, b.name) || (!comes_before(b.name, a.name) && a.name < b.name);
  });
  return ports;
}

/// Nodes of functions are named by the calls that lead to them; where they are written helps, too.
void add_functions(const Flat& flat, Survey& survey) {
  for (Refusal& refusal : survey.refusals) {
    const auto place = flat.places.find(refusal.node);
    if (place != flat.places.end()) refusal.function = place->second.function;
  }
}

Expected<Graph> import_chosen(SavedModel model, const std::string& checkpoint,
                              const ImportOptions& options, Survey& survey) {
  INGOT_ASSIGN(MetaGraph * chosen, choose_graph(model, options.tag));
  survey.format = "TensorFlow SavedModel";
  INGOT_ASSIGN(const std::string name, choose_signature(*chosen, options.signature));
  survey.signature = name;
  const SignatureDef& signature = chosen->signature_def().at(name);
  Ports ports;
  INGOT_ASSIGN(ports.inputs, ports_of(signature.inputs(), "input"));
  INGOT_ASSIGN(ports.outputs, ports_of(signature.outputs(), "output"));
  if (ports.outputs.empty())
    return fail(ErrorCode::invalid_model, "signature '{}' has no outputs", name);
  Variables variables(*chosen, checkpoint, options.on_read);
  std::vector<std::string> roots;
  for (const std::vector<Port>* side : {&ports.inputs, &ports.outputs}) {
    for (const Port& port : *side) roots.push_back(port.value);
  }
  INGOT_ASSIGN(Flat flat, flatten(*chosen->mutable_graph_def(),
                                  chosen->meta_info_def().stripped_op_list(), roots));
  chosen->clear_graph_def();
  join_dilations(flat.graph, asked_for(ports, options));
  write_sign_bits(flat.graph);
  Expected<Graph> graph = import_nodes(
      flat.graph, ports, [&](const NodeDef& node) { return variables.read(node); }, options,
      survey);
  add_functions(flat, survey);
  if (!graph && graph.error().code == ErrorCode::unsupported && survey.refused())
    return survey.error();
  return graph;
}

}  // namespace

bool is_saved_model(const std::string& folder) {
  std::error_code status;
  for (const char* part :
       {"saved_model.pb", "saved_model.pbtxt", "saved_model.cpb", "variables/variables.index"}) {
    if (fs::exists(fs::path(folder) / part, status)) return true;
  }
  return false;
}

Expected<std::vector<std::string>> saved_model_signatures(const std::string& folder,
                                                          const ImportOptions& options) {
  INGOT_ASSIGN(SavedModel model, read_file_of(folder, {}));
  INGOT_ASSIGN(MetaGraph * chosen, choose_graph(model, options.tag));
  return signatures_of(*chosen);
}

Expected<Graph> import_saved_model(const std::string& folder, const ImportOptions& options,
                                   Survey& survey) {
  INGOT_ASSIGN(SavedModel model, read_file_of(folder, options));
  return import_chosen(std::move(model), (fs::path(folder) / "variables" / "variables").string(),
                       options, survey);
}

Expected<Graph> import_saved_model(std::span<const std::byte> bytes, const std::string& variables,
                                   const ImportOptions& options, Survey& survey) {
  INGOT_ASSIGN(SavedModel model, parse(bytes));
  return import_chosen(std::move(model), variables, options, survey);
}

}  // namespace ingot
