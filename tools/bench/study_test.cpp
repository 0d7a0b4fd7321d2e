// SPDX-License-Identifier: Apache-2.0
// Both files are the network: against arithmetic in double precision that knows nothing of graphs.
#include "study.h"

#include <gtest/gtest.h>
#include <ingot/self_test.h>

#include <cmath>

#include "import/import.h"
#include "ops/interpret.h"

namespace ingot::bench {
namespace {

std::vector<double> forward(const StudyNetwork& network, std::vector<double> x) {
  for (std::size_t layer = 0; layer < network.dense.size(); ++layer) {
    const StudyNetwork::Dense& dense = network.dense[layer];
    std::vector<double> y(dense.bias.begin(), dense.bias.end());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t j = 0; j < y.size(); ++j) y[j] += x[i] * dense.weights[i * y.size() + j];
    if (layer < network.norms.size()) {
      const StudyNetwork::BatchNorm& norm = network.norms[layer];
      for (std::size_t j = 0; j < y.size(); ++j) {
        y[j] = (y[j] - norm.mean[j]) / std::sqrt(norm.variance[j] + 1e-3) * norm.gamma[j] +
               norm.beta[j];
        // Klambauer et al., Self-Normalizing Neural Networks, 2017.
        constexpr double lambda = 1.0507009873554805, alpha = 1.6732632423543772;
        y[j] = lambda * (y[j] > 0 ? y[j] : alpha * std::expm1(y[j]));
      }
    }
    x = std::move(y);
  }
  double sum = 0;
  for (double& number : x) sum += number = std::exp(number);
  for (double& number : x) number /= sum;
  return x;
}

void expect_network(const Expected<Graph>& graph, const StudyNetwork& network) {
  ASSERT_TRUE(graph) << graph.error().message;
  constexpr std::int64_t rows = 3;
  Tensor x(DType::f32, {rows, StudyNetwork::inputs});
  self_test_fill(INGOT_F32, 9, 0, x.mutable_bytes().data(), rows * StudyNetwork::inputs);
  const auto y = interpret(*graph, std::span(&x, 1), {{"N", rows}});
  ASSERT_TRUE(y) << y.error().message;
  ASSERT_EQ(y->size(), 1u);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<double> one;
    for (std::int64_t i = 0; i < StudyNetwork::inputs; ++i)
      one.push_back(x.at<float>(row * StudyNetwork::inputs + i));
    const std::vector<double> expected = forward(network, one);
    for (std::int64_t i = 0; i < StudyNetwork::outputs; ++i)
      EXPECT_NEAR((*y)[0].at<float>(row * StudyNetwork::outputs + i),
                  expected[static_cast<std::size_t>(i)], 2e-4)
          << row << ", " << i;
  }
}

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Study, BothFilesAreTheNetwork) {
  const StudyNetwork network = make_study_network(12, 128, 5);
  EXPECT_EQ(network.dense.size(), 14u);
  expect_network(import_model(bytes(study_onnx(network)), {}), network);
  ImportOptions options;
  options.outputs = {"y"};
  expect_network(import_model(bytes(study_graphdef(network)), options), network);
}

TEST(Study, ThereAreFour) {
  std::string names;
  for (const StudyNetwork& network : study_networks(1)) names += network.name + " ";
  EXPECT_EQ(names, "ff_12_128 ff_12_256 ff_25_128 ff_25_256 ");
  EXPECT_NE(study_onnx(make_study_network(12, 128, 1)), study_onnx(make_study_network(12, 128, 2)));
}

TEST(Study, FilesAreTheSameEachTime) {
  const StudyNetwork network = make_study_network(2, 4, 1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(study_graphdef(network), study_graphdef(make_study_network(2, 4, 1)));
    ASSERT_EQ(study_onnx(network), study_onnx(make_study_network(2, 4, 1)));
  }
}

}  // namespace
}  // namespace ingot::bench
