#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An object of version 1 is called by programs of other minor versions: with a call struct and
# tensors that have grown, garbage in what the object cannot know, and with a call struct that ends
# after its 72 required bytes, at the end of a page. All give the bits of the plain call.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$INGOT" compile "$INGOT_ROOT/examples/digits/digits.onnx" -o "$work" >/dev/null
cat >"$work/main.cpp" <<'TEXT'
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "digits.h"

struct LaterTensor {
  ingot_tensor now;
  unsigned char more[24];
};
struct LaterCall {
  ingot_call now;
  unsigned char more[200];
};

int main() {
  const ingot_model& model = digits::Model::descriptor();
  const std::int64_t n = 7;
  std::vector<float> pixels(64 * n);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 7 % 17);
  const char* page_end = nullptr;
  {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    auto* pages = static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (mprotect(pages + page, page, PROT_NONE) != 0) return 2;
    page_end = pages + page;
  }
  for (std::uint32_t v = 0; v < model.variants.count; ++v) {
    const auto& variant = *static_cast<const ingot_variant*>(ingot_item(&model.variants, v));
    if (ingot::choose_variant(model, variant.name) == nullptr) continue;
    std::vector<std::vector<float>> results;
    for (const char* kind : {"plain", "longer", "shorter"}) {
      std::vector<float> probabilities(10 * n, -1);
      std::uint64_t bytes = 0;
      if (model.workspace_bytes(&n, 1, 1, &bytes) != INGOT_OK) return 2;
      std::vector<std::byte> workspace(bytes);
      LaterTensor tensors[2];
      std::memset(tensors, 0xCD, sizeof tensors);
      tensors[0].now = {pixels.data(), pixels.size() * 4, nullptr, INGOT_F32, 2, INGOT_CPU, 0};
      tensors[1].now = {probabilities.data(), probabilities.size() * 4, nullptr, INGOT_F32, 2, INGOT_CPU, 0};
      ingot_error error = {sizeof error, 0, 0, 0, 0, -1, 0, 0};
      LaterCall later;
      std::memset(&later, 0xAB, sizeof later);
      ingot_call& call = later.now;
      call = {};
      call.symbol_count = 1;
      call.symbols = &n;
      call.tensor_bytes = sizeof(LaterTensor);
      call.inputs = &tensors[0].now;
      call.outputs = &tensors[1].now;
      call.input_count = call.output_count = 1;
      call.workspace = workspace.data();
      call.workspace_bytes = bytes;
      call.error = &error;
      call.struct_bytes = sizeof(ingot_call);
      const ingot_call* given = &call;
      if (*kind == 'l') call.struct_bytes = sizeof later;
      if (*kind == 's') {
        // One byte beyond the required fields would be a fault.
        call.struct_bytes = INGOT_CALL_REQUIRED_BYTES;
        void* place = const_cast<char*>(page_end) - INGOT_CALL_REQUIRED_BYTES;
        std::memcpy(place, &call, INGOT_CALL_REQUIRED_BYTES);
        given = static_cast<const ingot_call*>(place);
      }
      for (const ingot_run run : {variant.run, variant.run_probed}) {
        const std::int32_t status = run(given);
        if (status != INGOT_OK) return std::printf("failed: %s: status %d\n", kind, status), 1;
      }
      results.push_back(probabilities);
    }
    if (results[0][0] < 0 || results[1] != results[0] || results[2] != results[0]) return 1;
    std::printf("%s: a call of %zu bytes, one of %d, and one of %zu with tensors of %zu: the same bits\n", variant.name,
                sizeof(ingot_call), static_cast<int>(INGOT_CALL_REQUIRED_BYTES), sizeof(LaterCall), sizeof(LaterTensor));
  }
}
TEXT
"$CXX" -std=c++17 -O1 -I"$work" "$work/main.cpp" "$work/digits.o" -o "$work/main"
"$work/main"
