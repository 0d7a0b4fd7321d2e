#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The compiler as a library: it shows nothing but its API, programs find it with CMake and pkg-config,
# one of them compiles, loads and calls the digits model, and a hundred compiles in a process leave
# nothing behind, not even with no folder for temporary files.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

quiet cmake --install "$build" --prefix "$work/prefix"
library=$(find prefix -name libingot_compiler.so)
others=$(nm -DC --defined-only "$library" | sed 's/^[0-9a-f]* . //' | grep -vE '^ingot::compiler::|^INGOT_0' || true)
[[ -z $others ]] || die "the library shows $others"
[[ $(nm -DC --defined-only "$library" | grep -c 'ingot::compiler::compile_') == 2 ]] || die "the library shows too little"

quiet cmake -S "$INGOT_ROOT/examples/library" -B tree -DCMAKE_PREFIX_PATH="$build" -DCMAKE_CXX_COMPILER="$CXX"
quiet cmake --build tree
quiet cmake --build tree --target demo
grep -q '20 of 20 right' log || { cat log; die "the example's answers are wrong"; }

PKG_CONFIG_PATH=$work/$(dirname "$(find prefix -name ingot-compiler.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$CXX" -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror "$INGOT_ROOT/tests/e2e/projects/library/process.cpp" \
  $(pkg-config --cflags --libs ingot-compiler) -Wl,-rpath,"$work/$(dirname "$library")" -o process
cat >small.ingot <<'TEXT'
graph "small" fused {
  symbol N in [0, 1000]
  %x: f32[N, 3] = input "x"
  %w: f32[3, 4] = constant {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
  %y = matmul(%x, %w) {chains = 1}
  return "y" = %y
}
TEXT
TMPDIR=/nowhere ./process small.ingot

# Where there is no /proc, that is what is said.
if unshare -m true 2>/dev/null; then
  said=$(unshare -m bash -c 'mount -t tmpfs none /proc && "$INGOT" compile small.ingot --emit so' 2>&1) && die "linked without /proc"
  [[ $said == *'mount /proc' ]] || die "without /proc: $said"
fi
