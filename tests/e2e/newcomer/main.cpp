// SPDX-License-Identifier: Apache-2.0
// A new user's first program of their own, written from what electron.h says at its top.
#include <cmath>
#include <cstdio>
#include <vector>

#include "electron.h"

int main() {
  const electron::Model model;
  constexpr std::size_t n = 3;
  std::vector<float> features(n * 28), classes(n * 5);
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = 0.01F * static_cast<float>(i);
  std::vector<std::byte> workspace(model.workspace_bytes({n}));
  const auto status = model.run({n}, {features}, {classes}, workspace);
  if (!status.ok()) return std::puts(status.message().c_str()), 1;
  for (std::size_t row = 0; row < n; ++row) {
    float sum = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      std::printf("%8.5f", classes[row * 5 + i]);
      sum += classes[row * 5 + i];
    }
    std::printf("   sum %.5f\n", sum);
    if (!(std::fabs(sum - 1) < 1e-5F)) return 1;
  }
}
