#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A model whose outputs have sizes that data give, called from C++: outputs are made for the bound,
# and the call says what it found. In C it is `true_symbols`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >positive.ir <<'TEXT'
graph "positive" fused {
  symbol N in [0, 1000]
  symbol found in [0, 2000] up to [2*N]
  %x: f32[N, 2] = input "x"
  %zero: f32[] = constant {0}
  %flat = reshape(%x) {shape = [2*N]}
  %mask = gt(%flat, %zero)
  %all, %count = places_of_true(%mask)
  %size = measure(%count) {size = [found]}
  %places = slice(%all) {size = [found], start = [0], step = [1]}
  %values = gather(%flat, %places) {axis = 0}
  return "values" = %values
  return "places" = %places
}
TEXT
"$INGOT" compile positive.ir -o . >/dev/null
cat >main.cpp <<'TEXT'
#include <cstdio>
#include <vector>

#include "positive.h"

#define CHECK(condition) \
  if (!(condition)) return std::printf("line %d: %s\n", __LINE__, #condition), 1

int main() {
  const positive::Model model;
  const std::vector<float> x = {1, -1, 0, 4, 5, -6};
  const auto most = positive::Model::counts({3});
  CHECK(most.values == 6 && most.places == 6);
  std::vector<float> values(most.values, -1);
  std::vector<std::int64_t> places(most.places, -1);
  std::vector<std::byte> workspace(model.workspace_bytes({3}));
  positive::Found found;
  const auto status = model.run({3}, {x}, {values, places}, workspace, found);
  CHECK(status.ok());
  CHECK(found.found == 3);
  CHECK(positive::Model::counts({3}, found).values == 3);
  CHECK(values[0] == 1 && values[1] == 4 && values[2] == 5);
  CHECK(places[0] == 0 && places[1] == 3 && places[2] == 4);
  CHECK(model.run({3}, {x}, {values, places}, workspace).ok());
  // Nothing found, nothing to find, and outputs that are too small for what there may be.
  const std::vector<float> none(6, -1);
  CHECK(model.run({3}, {none}, {values, places}, workspace, found).ok() && found.found == 0);
  CHECK(model.run({0}, {{}}, {{}, {}}, workspace, found).ok() && found.found == 0);
  found.found = 77;
  values.resize(5);
  const auto refused = model.run({3}, {x}, {values, places}, workspace, found);
  CHECK(!refused.ok() && found.found == 77);
  CHECK(model.self_test().ok());
}
TEXT
for standard in 17 20; do
  ${CXX:-c++} -std=c++$standard -Wall -Wextra -Werror -o main main.cpp positive.o
  ./main
done
