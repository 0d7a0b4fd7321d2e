// SPDX-License-Identifier: Apache-2.0
// The program that calls the compiled model: real digits in, predictions beside labels out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <vector>

#include "digits.h"

int main(int, char** argv) {
  std::ifstream file(argv[1]);
  std::vector<float> pixels;
  std::vector<int> labels;
  for (int label; file >> label; labels.push_back(label)) {
    for (int i = 0; i < 64; ++i) file >> pixels.emplace_back();
  }
  const auto count = static_cast<std::int64_t>(labels.size());
  std::vector<float> probabilities(labels.size() * 10);

  // The model itself: four lines.
  const digits::Model model;
  std::vector<std::byte> workspace(model.workspace_bytes({count}));
  const auto call = [&] { return model.run({count}, {pixels}, {probabilities}, workspace); };
  if (const auto status = call(); !status.ok()) return std::puts(status.message().c_str()), 1;

  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float* row = &probabilities[i * 10];
    const auto best = std::max_element(row, row + 10) - row;
    std::printf("expected %d  predicted %d  (%.4f)%s\n", labels[i], int(best), double(row[best]),
                best == labels[i] ? "" : "  <- wrong");
    right += best == labels[i];
  }
  std::vector<double> microseconds(2001);
  for (double& time : microseconds) {
    const auto begin = std::chrono::steady_clock::now();
    (void)call();
    time =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  }
  std::nth_element(microseconds.begin(), microseconds.begin() + 1000, microseconds.end());
  std::printf("%d of %zu right, %.2f us per call of %zu digits (median of 2001)\n", right,
              labels.size(), microseconds[1000], labels.size());
  return labels.empty() || right != int(labels.size());
}
