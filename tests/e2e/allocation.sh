#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A call allocates nothing: malloc and its kin, as the whole program sees them, are counted while
# the model runs, on every variant and for small and large batches.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$INGOT" compile "$INGOT_ROOT/examples/digits/digits.onnx" -o "$work" >/dev/null
cat >"$work/main.cpp" <<'TEXT'
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "digits.h"

static int allocations = 0;

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) noexcept { return ++allocations, __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept { return ++allocations, __libc_calloc(count, size); }
void* realloc(void* old, size_t size) noexcept { return ++allocations, __libc_realloc(old, size); }
void* aligned_alloc(size_t to, size_t size) noexcept { return ++allocations, __libc_memalign(to, size); }
void* memalign(size_t to, size_t size) noexcept { return ++allocations, __libc_memalign(to, size); }
int posix_memalign(void** result, size_t to, size_t size) noexcept {
  return ++allocations, *result = __libc_memalign(to, size), 0;
}
}

int main() {
  allocations = 0;
  // The counter sees what the standard library allocates.
  if (std::string(100, 'x').size() != 100 || allocations == 0) return 2;
  for (const char* isa : {"v4", "v3"}) {
    const digits::Model model(isa);
    if (!model.ok()) continue;
    for (const std::size_t n : {0, 1, 3, 64, 1000}) {
      std::vector<float> pixels(64 * n, 0.5f), probabilities(10 * n);
      const digits::Sizes sizes{static_cast<std::int64_t>(n)};
      std::vector<std::byte> workspace(model.workspace_bytes(sizes));
      allocations = 0;
      const auto status = model.run(sizes, {pixels}, {probabilities}, workspace);
      const int counted = allocations;
      if (!status.ok() || counted != 0) {
        std::printf("failed: %s N=%zu: %d allocations, %s\n", isa, n, counted, status.message().c_str());
        return 1;
      }
    }
    std::printf("%s: calls with N = 0, 1, 3, 64, 1000 allocate nothing\n", isa);
  }
}
TEXT
"$CXX" -std=c++17 -O1 -fno-builtin -Wno-deprecated-declarations -I"$work" "$work/main.cpp" "$work/digits.o" -o "$work/main"
"$work/main"
