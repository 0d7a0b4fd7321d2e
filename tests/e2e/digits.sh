#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real model from file to prediction, as ./dev run does it: every label is right, and the
# probabilities are those that numpy computed in float64 when the model was trained.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
digits=$INGOT_ROOT/examples/digits

"$INGOT" compile "$digits/digits.onnx" -o "$work" --name digits
"$CXX" -std=c++17 -O2 -Wall -Wextra -Werror -I"$work" "$digits/main.cpp" "$work/digits.o" -o "$work/main"
"$work/main" "$digits/inputs.txt"

cat >"$work/compare.cpp" <<'TEXT'
#include <cmath>
#include <cstdio>
#include <fstream>
#include <vector>

#include "digits.h"

int main(int, char** argv) {
  std::ifstream inputs(argv[1]), reference(argv[2]);
  const digits::Model model;
  double worst = 0;
  int rows = 0;
  for (int label; inputs >> label; ++rows) {
    std::vector<float> pixels(64), probabilities(10);
    for (float& pixel : pixels) inputs >> pixel;
    std::vector<std::byte> workspace(model.workspace_bytes({1}));
    if (!model.run({1}, {pixels}, {probabilities}, workspace).ok()) return 2;
    for (const float got : probabilities) {
      double expected = -1;
      reference >> expected;
      worst = std::fmax(worst, std::fabs(got - expected));
    }
  }
  std::printf("%d rows, worst difference from numpy %.1e\n", rows, worst);
  return !(rows == 20 && worst < 2e-6);
}
TEXT
"$CXX" -std=c++17 -O2 -I"$work" "$work/compare.cpp" "$work/digits.o" -o "$work/compare"
for isa in v3 v4; do
  if [[ $isa == v4 ]] && ! grep -qm1 avx512vl /proc/cpuinfo; then continue; fi
  INGOT_ISA=$isa "$work/compare" "$digits/inputs.txt" "$digits/reference.txt"
done
