#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --instrument=address: the object runs clean under the address sanitizer in buffers of exact sizes;
# and an output that is smaller than the call says is reported, inside the object.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$INGOT" compile "$INGOT_ROOT/examples/digits/digits.onnx" -o "$work" --instrument=address >/dev/null
grep -q __asan_ <<<"$(nm -u "$work/digits.o")" || { echo "failed: the object is not instrumented"; exit 1; }
cat >"$work/main.cpp" <<'TEXT'
#include <cstdio>
#include <memory>

#include "digits.h"

int main(int count, char**) {
  const std::size_t missing = count > 1 ? 1 : 0;
  const digits::Model model;
  for (const std::size_t n : {0, 1, 2, 3, 7, 64}) {
    const digits::Sizes sizes{static_cast<std::int64_t>(n)};
    const std::size_t bytes = model.workspace_bytes(sizes);
    // Memory of exactly these sizes, so that one byte beyond is seen.
    const std::unique_ptr<float[]> pixels(new float[64 * n]()), out(new float[n == 0 ? 0 : 10 * n - missing]);
    const std::unique_ptr<std::byte[]> workspace(new std::byte[bytes]);
    const auto status = model.run(sizes, {{pixels.get(), 64 * n}}, {{out.get(), 10 * n}}, {workspace.get(), bytes});
    if (!status.ok()) return std::printf("failed: N=%zu: %s\n", n, status.message().c_str()), 1;
  }
  std::puts("N = 0, 1, 2, 3, 7, 64 in buffers of exact sizes");
}
TEXT
"$CXX" -std=c++17 -O1 -g1 -fsanitize=address -I"$work" "$work/main.cpp" "$work/digits.o" -o "$work/main"
isas=(v3)
grep -qm1 avx512vl /proc/cpuinfo && isas+=(v4)
for isa in "${isas[@]}"; do
  export INGOT_ISA=$isa
  echo "$isa: $("$work/main"), nothing reported"
  if "$work/main" short >"$work/log" 2>&1; then
    echo "failed: $isa: nobody saw a write beyond an output"
    exit 1
  fi
  if ! grep -q 'heap-buffer-overflow' "$work/log" || ! grep -q 'digits.plan:' "$work/log"; then
    cat "$work/log"
    exit 1
  fi
  echo "$isa: a write beyond an output is reported, at $(grep -o 'digits.plan:[0-9]*' "$work/log" | head -n 1)"
done
