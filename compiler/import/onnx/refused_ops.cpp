// SPDX-License-Identifier: Apache-2.0
// The ops of the ONNX standard that have no rows: why, and the nearest thing that works. An op that
// gets rows loses its line here (onnx/refused_ops_test.cpp).
#include <algorithm>

#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

constexpr std::string_view scatter =
    "it writes to places that are data, which is not supported yet";
constexpr std::string_view scatter_advice =
    "where the places are constants, export the model with Concat, Where or Pad instead";
constexpr std::string_view signal = "signal processing is not supported yet";
constexpr std::string_view signal_advice =
    "for a fixed length export it as a MatMul with the matrix of the transform";
constexpr std::string_view sample = "sampling at coordinates that are data is not supported yet";
constexpr std::string_view sample_advice =
    "for a fixed grid use Resize, or do this before the model";
constexpr std::string_view sequence = "it works on a sequence, map or optional";
constexpr std::string_view draws = "it draws at random, so its result is no function of the inputs";
constexpr std::string_view loss = "a loss is not part of inference";
constexpr std::string_view loss_advice = "name the model's scores with --outputs instead";
constexpr std::string_view attention_advice =
    "export attention as MatMul, Softmax and MatMul (opset 22 or less has no op for it)";
constexpr std::string_view words = "it works on strings";

constexpr RefusedOp ops[] = {
    {"AffineGrid", Refused::op, sample, sample_advice},
    {"Attention", Refused::op, "attention as one op is not supported yet", attention_advice},
    {"Bernoulli", Refused::random, draws},
    {"BitCast", Refused::op, "seeing bits as another type is not supported yet",
     "use Cast, or do this before the model"},
    {"CausalConvWithState", Refused::op, "convolutions with a state are not supported yet",
     "export it as Concat and Conv"},
    {"Col2Im", Refused::op, "adding overlapping blocks is not supported yet",
     "export it as ConvTranspose with a weight of ones"},
    {"ConcatFromSequence", Refused::no_tensor, sequence},
    {"DFT", Refused::op, signal, signal_advice},
    {"DeformConv", Refused::op, sample, "use Conv, whose places are fixed"},
    {"Det", Refused::op, "determinants are not supported",
     "for 2 x 2 and 3 x 3 write it out with Slice, Mul and Sub"},
    {"FlexAttention", Refused::op, "attention as one op is not supported yet", attention_advice},
    {"GridSample", Refused::op, sample, sample_advice},
    {"ImageDecoder", Refused::op, "it decodes a file format", "decode images before the model"},
    {"LinearAttention", Refused::op, "attention as one op is not supported yet", attention_advice},
    {"MaxRoiPool", Refused::op, sample, sample_advice},
    {"MaxUnpool", Refused::op, scatter, "export the model with Resize (nearest) instead"},
    {"MelWeightMatrix", Refused::op, signal, "export the matrix as a constant"},
    {"Multinomial", Refused::random, draws},
    {"NegativeLogLikelihoodLoss", Refused::training, loss, loss_advice},
    {"Optional", Refused::no_tensor, sequence},
    {"OptionalGetElement", Refused::no_tensor, sequence},
    {"OptionalHasElement", Refused::no_tensor, sequence},
    {"RandomNormal", Refused::random, draws},
    {"RandomNormalLike", Refused::random, draws},
    {"RandomUniform", Refused::random, draws},
    {"RandomUniformLike", Refused::random, draws},
    {"RegexFullMatch", Refused::strings, words},
    {"RoiAlign", Refused::op, sample, sample_advice},
    {"STFT", Refused::op, signal, signal_advice},
    {"SequenceAt", Refused::no_tensor, sequence},
    {"SequenceConstruct", Refused::no_tensor, sequence},
    {"SequenceEmpty", Refused::no_tensor, sequence},
    {"SequenceErase", Refused::no_tensor, sequence},
    {"SequenceInsert", Refused::no_tensor, sequence},
    {"SequenceLength", Refused::no_tensor, sequence},
    {"SequenceMap", Refused::control_flow, sequence},
    {"SoftmaxCrossEntropyLoss", Refused::training, loss, loss_advice},
    {"SplitToSequence", Refused::no_tensor, sequence, "use Split, which gives tensors"},
    {"StringConcat", Refused::strings, words},
    {"StringNormalizer", Refused::strings, words},
    {"StringSplit", Refused::strings, words},
    {"TensorScatter", Refused::op, scatter, scatter_advice},
    {"TfIdfVectorizer", Refused::strings, "it counts words", "count them before the model"},
};

}  // namespace

std::span<const RefusedOp> refused_ops() { return ops; }

const RefusedOp* find_refused(std::string_view name) {
  const auto* row = std::lower_bound(
      std::begin(ops), std::end(ops), name,
      [](const RefusedOp& op, std::string_view wanted) { return op.name < wanted; });
  return row != std::end(ops) && row->name == name ? row : nullptr;
}

}  // namespace ingot::onnx
