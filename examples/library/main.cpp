// SPDX-License-Identifier: Apache-2.0
// Compiles the digits model, loads it and calls it, all in this process: digits.onnx and inputs.txt
// are the arguments.
#include <ingot/compile.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <vector>

int main(int, char** argv) {
  ingot::compiler::Options options;
  options.shared = true;
  const auto compiled = ingot::compiler::compile_file(argv[1], options);
  if (!compiled) {
    std::fprintf(stderr, "%s\n", compiled.error().message.c_str());
    return compiled.error().exit_status();
  }
  const ingot::LoadedModel model = ingot::compiler::load(*compiled);
  if (!model.ok()) return std::puts(model.error().c_str()), 1;

  std::ifstream file(argv[2]);
  std::vector<float> pixels;
  std::vector<int> labels;
  for (int label; file >> label; labels.push_back(label)) {
    for (int i = 0; i < 64; ++i) file >> pixels.emplace_back();
  }
  std::vector<float> probabilities(labels.size() * 10);

  // What a generated class does, by hand: sizes, tensors, workspace, call.
  const std::int64_t sizes[] = {static_cast<std::int64_t>(labels.size())};
  const ingot_tensor inputs[] = {ingot::input_tensor(ingot::Span<const float>(pixels), 2)};
  const ingot_tensor outputs[] = {ingot::output_tensor(ingot::Span<float>(probabilities), 2)};
  std::uint64_t bytes = 0;
  if (const auto status = model.workspace_bytes(sizes, 1, bytes); !status.ok())
    return std::puts(status.message().c_str()), 1;
  std::vector<std::byte> workspace(bytes);
  ingot_call call = ingot::make_call(sizes, inputs, outputs, workspace);
  if (const auto status = model.run(call); !status.ok())
    return std::puts(status.message().c_str()), 1;

  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float* row = &probabilities[i * 10];
    right += std::max_element(row, row + 10) - row == labels[i];
  }
  std::printf("%d of %zu right\n", right, labels.size());
  return labels.empty() || right != static_cast<int>(labels.size());
}
