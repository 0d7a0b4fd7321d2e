// SPDX-License-Identifier: Apache-2.0
// From bytes to a Graph: read, name inputs and outputs, select, translate node by node.
#include "import/tensorflow/graphdef.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/library.h"
#include "import/tensorflow/signature.h"
#include "import/tensorflow/topology.h"
#include "import/tensorflow/translate.h"

namespace ingot {
namespace {

Expected<void> parse(std::span<const std::byte> bytes, tensorflow::GraphDef& graph) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() > most) {
    return fail(ErrorCode::limit, "a GraphDef of {} bytes; the format ends at 2 GB", bytes.size());
  }
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  if (!graph.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return fail(
        ErrorCode::invalid_model,
        "the GraphDef is cut off or damaged: it cannot be read beyond byte {} of {}; copy or "
        "freeze it again",
        stream.CurrentPosition(), bytes.size());
  }
  if (graph.node_size() == 0) return fail(ErrorCode::invalid_model, "a GraphDef without nodes");
  return {};
}

/// A frozen graph does not say what its inputs and outputs are.
void warn_of_guesses(const tensorflow::Topology& topology, const tensorflow::Signature& signature,
                     const tensorflow::Selection& selection, Survey& survey) {
  if (signature.outputs_by_default) {
    std::string names;
    for (const tensorflow::Wire wire : signature.outputs)
      names += (names.empty() ? "" : ",") + topology.describe(wire);
    survey.warnings.push_back(
        {"guessed_outputs", names,
         fmt::format("the file does not name its outputs; taken are those that nothing reads: "
                     "--outputs {}",
                     names)});
  }
  for (const std::uint32_t node : selection.order) {
    if (topology.op(node) != "PlaceholderWithDefault") continue;
    const std::string& name = topology.node(node).name();
    survey.warnings.push_back(
        {"default_input", name,
         fmt::format("'{0}' is fixed to its default; --input {0} makes it an input", name)});
  }
}

Expected<void> read(const tensorflow::GraphDef& file, const tensorflow::Topology& topology,
                    const ImportOptions& options, Graph& graph, tensorflow::Selection& selection,
                    Survey& survey) {
  graph.name = options.name;
  graph.arithmetic = options.arithmetic;
  INGOT_ASSIGN(const tensorflow::Signature signature,
               tensorflow::read_signature(topology, file.versions().producer(), options));
  INGOT_ASSIGN(selection, tensorflow::select_nodes(topology, signature.outputs, signature.given()));
  warn_of_guesses(topology, signature, selection, survey);
  INGOT_ASSIGN(
      tensorflow::Values values,
      tensorflow::add_signature_inputs(graph, topology, signature, selection, options, survey));
  INGOT_TRY(
      tensorflow::translate(graph, topology, selection, tensorflow::Library(file), values, survey));
  return tensorflow::add_signature_outputs(graph, topology, signature, values);
}

/// The import ended early, or never began: what the table alone says of all nodes.
void skim(const tensorflow::Topology& topology, const tensorflow::Selection& selection,
          const tensorflow::Library& library, Survey& survey) {
  survey.ops.clear();
  auto one = [&](std::uint32_t node) {
    tensorflow::skim_node(topology.node(node), "", survey);
    if (!tensorflow::is_known(topology.op(node))) library.skim(topology.node(node), survey);
  };
  for (const std::uint32_t node : selection.order) one(node);
  if (!selection.order.empty()) return;
  for (std::uint32_t node = 0; node < topology.size(); ++node) one(node);
}

}  // namespace

Expected<Graph> import_graphdef(std::span<const std::byte> bytes, const ImportOptions& options,
                                Survey& survey) {
  tensorflow::GraphDef file;
  INGOT_TRY(parse(bytes, file));
  survey.format = "TensorFlow GraphDef";
  INGOT_ASSIGN(const tensorflow::Topology topology, tensorflow::Topology::read(file));
  tensorflow::Selection selection;
  Graph graph;
  const Expected<void> imported = read(file, topology, options, graph, selection, survey);
  survey.look_at(graph, static_cast<bool>(imported));
  if (imported) return graph;
  if (imported.error().code != ErrorCode::unsupported || !survey.refused())
    skim(topology, selection, tensorflow::Library(file), survey);
  return imported.error();
}

}  // namespace ingot
