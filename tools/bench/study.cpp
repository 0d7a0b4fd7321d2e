// SPDX-License-Identifier: Apache-2.0
#include "study.h"

#include <ingot/self_test.h>

#include <cmath>

#include "base/expected.h"

namespace ingot::bench {

StudyNetwork make_study_network(int layers, std::int64_t width, std::uint64_t seed) {
  StudyNetwork network;
  network.name = fmt::format("ff_{}_{}", layers, width);
  std::uint64_t next = 0;
  // Uniform in [center - reach, center + reach).
  const auto numbers = [&](std::int64_t count, double center, double reach) {
    std::vector<float> result(static_cast<std::size_t>(count));
    self_test_fill(INGOT_F32, seed, next, result.data(), result.size());
    next += result.size();
    for (float& number : result)
      number = static_cast<float>(center + reach * static_cast<double>(number));
    return result;
  };
  std::int64_t rows = StudyNetwork::inputs;
  const auto dense = [&](std::int64_t columns) {
    // A variance of 1 / rows.
    network.dense.push_back({rows, columns,
                             numbers(rows * columns, 0, std::sqrt(3.0 / static_cast<double>(rows))),
                             numbers(columns, 0, 0.1)});
    rows = columns;
  };
  for (int layer = 0; layer <= layers; ++layer) {
    dense(layer == 0 ? 64 : width);
    network.norms.push_back({numbers(rows, 1, 0.1), numbers(rows, 0, 0.1), numbers(rows, 0, 0.1),
                             numbers(rows, 1, 0.1)});
  }
  dense(StudyNetwork::outputs);
  return network;
}

std::vector<StudyNetwork> study_networks(std::uint64_t seed) {
  std::vector<StudyNetwork> networks;
  for (const int layers : {12, 25})
    for (const std::int64_t width : {128, 256})
      networks.push_back(make_study_network(layers, width, seed));
  return networks;
}

}  // namespace ingot::bench
