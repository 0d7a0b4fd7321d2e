// SPDX-License-Identifier: Apache-2.0
// Six linked models, two of them of one object, and one that is loaded, in one program. Prints what it found.
#include <ingot/load.h>

#include <cstdio>
#include <vector>

#include "digits.h"
#include "heads.h"
#include "made.h"
#include "outside.h"
#include "scale.h"

int main() {
  const scale::Model model;
  std::vector<std::byte> workspace(model.workspace_bytes({1}));
  const std::vector<float> x{1, 2}, one{1};
  std::vector<float> y(2), z(1);
  const auto status = model.run({1}, {x}, {y}, workspace);
  if (!status.ok()) return std::puts(status.message().c_str()), 1;

  const outside::Model other;
  workspace.resize(other.workspace_bytes());
  const auto second = other.run({one}, {z}, workspace);
  if (!second.ok()) return std::puts(second.message().c_str()), 1;

  const heads::embed::Model embed;
  const heads::serving_default::Model score;
  std::vector<float> ones{1, 1}, h(3), s(1);
  workspace.resize(embed.workspace_bytes({1}) + score.workspace_bytes({1}));
  if (!embed.run({1}, {ones}, {h}, workspace).ok() || !score.run({1}, {ones}, {s}, workspace).ok())
    return 1;

  const ingot::LoadedModel loaded = ingot::LoadedModel::load(DIGITS_SO);
  if (!loaded.ok()) return std::puts(loaded.error().c_str()), 1;
  if (!loaded.self_test().ok() || !digits::Model().self_test().ok() ||
      !made::Model().self_test().ok())
    return 1;
  const auto& symbol = ingot::item<ingot_symbol>(digits::Model::descriptor().symbols, 0);
  std::printf("scaled by %g and %g, N up to %d, %s, %g of %g %g %g\n", double(y[1] / x[1]),
              double(z[0]), int(symbol.hi), loaded.descriptor()->name, double(s[0]), double(h[0]),
              double(h[1]), double(h[2]));
  return 0;
}
