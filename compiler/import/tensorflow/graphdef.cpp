// SPDX-License-Identifier: Apache-2.0
// From bytes to a Graph: read, name inputs and outputs, select, translate node by node.
#include "import/tensorflow/graphdef.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>
#include <unordered_set>

#include "import/tensorflow/graphdef.pb.h"
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
    return fail(ErrorCode::invalid_model,
                "not a GraphDef, or cut off: it cannot be read beyond byte {} of {}",
                stream.CurrentPosition(), bytes.size());
  }
  if (graph.node_size() == 0) return fail(ErrorCode::invalid_model, "a GraphDef without nodes");
  return {};
}

}  // namespace

Expected<Graph> import_graphdef(std::span<const std::byte> bytes, const ImportOptions& options) {
  tensorflow::GraphDef file;
  INGOT_TRY(parse(bytes, file));
  INGOT_ASSIGN(const tensorflow::Topology topology, tensorflow::Topology::read(file));

  Graph graph;
  graph.name = options.name;
  graph.arithmetic = options.arithmetic;
  INGOT_ASSIGN(tensorflow::Signature signature,
               tensorflow::read_signature(topology, file.versions().producer(), options));
  INGOT_ASSIGN(const tensorflow::Selection selection,
               tensorflow::select_nodes(topology, signature.outputs, signature.given()));
  INGOT_ASSIGN(tensorflow::Values values,
               tensorflow::add_signature_inputs(graph, topology, signature, selection, options));

  std::unordered_set<std::string_view> functions;
  for (const auto& function : file.library().function()) {
    functions.insert(function.signature().name());
  }
  INGOT_TRY(tensorflow::translate(graph, topology, selection, functions, values));
  INGOT_TRY(tensorflow::add_signature_outputs(graph, topology, signature, values));
  return graph;
}

}  // namespace ingot
