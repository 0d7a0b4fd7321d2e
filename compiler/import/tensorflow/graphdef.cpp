// SPDX-License-Identifier: Apache-2.0
// A frozen graph is its nodes: it says nothing of its inputs and outputs, and has no variables.
#include "import/tensorflow/graphdef.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>

#include "import/tensorflow/dilate.h"
#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/import_nodes.h"
#include "import/tensorflow/sign_bits.h"

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

}  // namespace

Expected<Graph> import_graphdef(std::span<const std::byte> bytes, const ImportOptions& options,
                                Survey& survey) {
  tensorflow::GraphDef file;
  INGOT_TRY(parse(bytes, file));
  survey.format = "TensorFlow GraphDef";
  tensorflow::join_dilations(file, tensorflow::asked_for({}, options));
  tensorflow::write_sign_bits(file);
  return tensorflow::import_nodes(file, {}, {}, options, survey);
}

}  // namespace ingot
