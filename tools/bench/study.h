// SPDX-License-Identifier: Apache-2.0
// The networks of CMS's study of ahead-of-time compiled TensorFlow: 32 inputs, a dense layer of 64,
// then 12 or 25 of 128 or 256, each with batch norm and SELU after it, 10 outputs, softmax. The
// study's weights are not public and do not matter to what a call takes; these are from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::bench {

struct StudyNetwork {
  static constexpr std::int64_t inputs = 32, outputs = 10;
  static constexpr float epsilon = 1e-3F;  // of batch norm: Keras's default

  struct Dense {
    std::int64_t rows = 0, columns = 0;
    std::vector<float> weights, bias;  // [rows, columns], [columns]
  };
  /// One number per column of the layer before it.
  struct BatchNorm {
    std::vector<float> gamma, beta, mean, variance;
  };

  std::string name;          // "ff_12_128"
  std::vector<Dense> dense;  // the last one is followed by softmax
  std::vector<BatchNorm> norms;
};

/// Activations keep about their size from layer to layer, so that nothing over- or underflows.
StudyNetwork make_study_network(int layers, std::int64_t width, std::uint64_t seed);

/// All four.
std::vector<StudyNetwork> study_networks(std::uint64_t seed);

/// A model file of opset 17: Gemm, BatchNormalization, Selu, Softmax. Input "x" [N, 32], output
/// "y".
std::string study_onnx(const StudyNetwork& network);

/// A frozen graph with the nodes that Keras's layers leave behind: MatMul, BiasAdd, batch norm as
/// arithmetic, Selu, Softmax. Placeholder "x" [?, 32], output "y".
std::string study_graphdef(const StudyNetwork& network);

}  // namespace ingot::bench
