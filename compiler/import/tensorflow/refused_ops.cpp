// SPDX-License-Identifier: Apache-2.0
// TensorFlow ops without a row: why, and the nearest thing that works. TensorFlow has some 1,400
// ops, in families that share a beginning of their name; the first line that fits counts.
#include "import/tensorflow/emit.h"
#include "import/tensorflow/loops.h"
#include "import/tensorflow/topology.h"

namespace ingot::tensorflow {
namespace {

constexpr std::string_view loop = "part of a loop in a form that is not supported yet";
constexpr std::string_view loop_advice =
    "cut the loop out: --outputs before it and a second model with --input after it, or export the "
    "layer unrolled (unroll=True in Keras)";
constexpr std::string_view variable = "reads or writes a variable";
constexpr std::string_view draws = "draws at random, so its result is no function of the inputs";
constexpr std::string_view dropout =
    "if this is dropout, fix the learning phase with --constant NAME=false; else make what it "
    "draws "
    "an input (--input NAME)";
constexpr std::string_view words = "works on strings";
constexpr std::string_view calls = "calls a function of the graph's library";
constexpr std::string_view python = "calls back into Python, which is not in the file";
constexpr std::string_view table = "looks up a table that is not in the graph";
constexpr std::string_view table_advice =
    "replace the lookup by tf.gather or by an integer input (--input NAME from there on)";
constexpr std::string_view counts = "how many entries it gives depends on data";
constexpr std::string_view sort = "sorting is not supported yet";
constexpr std::string_view sort_advice =
    "for the first place alone use ArgMax or Max; else cut the model here: --outputs before it, "
    "and a "
    "second model with --input after it";
constexpr std::string_view scatter = "writes to places that are data, which is not supported yet";
constexpr std::string_view segments =
    "sums over segments that are data, which is not supported yet";
constexpr std::string_view recurrent = "recurrent layers are not supported yet";
constexpr std::string_view unroll =
    "export the layer unrolled (unroll=True in Keras); then it is MatMul, Add, Sigmoid and Tanh";
constexpr std::string_view quantised = "quantised arithmetic is not supported yet";
constexpr std::string_view quantised_advice = "export the model in float32, or with FakeQuant ops";
constexpr std::string_view gradient = "computes a gradient";

constexpr RefusedOp ops[] = {
    {"TensorArray", Refused::control_flow, loop, loop_advice},
    {"TensorList", Refused::control_flow, loop, loop_advice},
    {"Variable", Refused::state, variable},
    {"VarHandleOp", Refused::state, variable},
    {"VarIsInitialized", Refused::state, variable},
    {"Assign", Refused::state, variable},
    {"Resource", Refused::state, variable},
    {"Random", Refused::random, draws, dropout},
    {"StatelessIf", Refused::function, calls},
    {"StatelessWhile", Refused::function, calls},
    {"Stateless", Refused::random, draws, dropout},
    {"TruncatedNormal", Refused::random, draws, dropout},
    {"Multinomial", Refused::random, draws, dropout},
    {"String", Refused::strings, words},
    {"AsString", Refused::strings, words},
    {"DecodeRaw", Refused::strings, words},
    {"ParseExample", Refused::strings, words},
    {"ParseSingleExample", Refused::strings, words},
    {"RegexReplace", Refused::strings, words},
    {"ReduceJoin", Refused::strings, words},
    {"PartitionedCall", Refused::function, calls},
    {"StatefulPartitionedCall", Refused::function, calls},
    {"While", Refused::function, calls},
    {"If", Refused::function, calls},
    {"Case", Refused::function, calls},
    {"SymbolicGradient", Refused::training, gradient},
    {"PyFunc", Refused::outside, python},
    {"EagerPyFunc", Refused::outside, python},
    {"LookupTable", Refused::outside, table, table_advice},
    {"HashTable", Refused::outside, "a table that is not in the graph", table_advice},
    {"MutableHashTable", Refused::outside, "a table that is not in the graph", table_advice},
    {"XlaCallModule", Refused::op,
     "holds a program for XLA (StableHLO), as exports from JAX and PyTorch do",
     "export the model to ONNX, or with JAX by jax2tf with native_serialization=False"},
    {"Iterator", Refused::outside, "reads a data set that is not in the graph"},
    {"ReadFile", Refused::outside, "reads a file"},
    {"WriteFile", Refused::outside, "writes a file"},
    {"DecodeJpeg", Refused::outside, "decodes a file format"},
    {"DecodePng", Refused::outside, "decodes a file format"},
    {"NonMaxSuppression", Refused::data_dependent_size, counts,
     "take boxes and scores as outputs (--outputs) and select outside of the model"},
    {"ListDiff", Refused::data_dependent_size, counts},
    {"Sparse", Refused::no_tensor, "works on a sparse tensor",
     "make it dense before the model, and name the dense value with --input"},
    {"Ragged", Refused::no_tensor, "works on a ragged tensor",
     "pad it before the model, and name the padded value with --input"},
    {"NthElement", Refused::op, sort, sort_advice},
    {"Scatter", Refused::op, scatter},
    {"TensorScatter", Refused::op, scatter},
    {"DynamicStitch", Refused::op, scatter},
    {"Segment", Refused::op, segments},
    {"UnsortedSegment", Refused::op, segments},
    {"BlockLSTM", Refused::op, recurrent, unroll},
    {"LSTMBlock", Refused::op, recurrent, unroll},
    {"GRUBlock", Refused::op, recurrent, unroll},
    {"CudnnRNN", Refused::op, recurrent, unroll},
    {"Quantize", Refused::op, quantised, quantised_advice},
    {"Dequantize", Refused::op, quantised, quantised_advice},
    {"Requantiz", Refused::op, quantised, quantised_advice},
    {"Apply", Refused::training, "is a step of an optimizer"},
    {"FFT", Refused::op, "Fourier transforms are not supported",
     "for a fixed length use a MatMul with the matrix of the transform"},
    {"RFFT", Refused::op, "Fourier transforms are not supported",
     "for a fixed length use a MatMul with the matrix of the transform"},
};

}  // namespace

RefusedOp refused_op(std::string_view op) {
  for (const RefusedOp& row : ops) {
    if (op.starts_with(row.name)) return row;
  }
  if (op.ends_with("Grad") || op.ends_with("Gradient") || op.ends_with("BackpropFilter"))
    return {op, Refused::training, gradient};
  return {op, Refused::op, "this op is not supported yet"};
}

bool is_known(std::string_view op) {
  return find_row(op) != nullptr || is_placeholder(op) || is_switch(op) || is_merge(op) ||
         is_of_loops(op) || op == "Const" || op == "NoOp" || op == "Assert";
}

}  // namespace ingot::tensorflow
