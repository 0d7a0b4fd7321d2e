#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# examples/make with an installed prefix that pkg-config finds, and a program that loads a model with
# what pkg-config says. make compiles the model again when it, or the file of its weights, changes.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

quiet cmake --install "$build" --prefix "$work/first"
mv first prefix
unset INGOT
export PKG_CONFIG_PATH=$work/prefix/$(cd prefix && dirname "$(find . -name ingot.pc)")
[[ $(realpath "$(pkg-config --variable=tool ingot)") == "$work/prefix/bin/ingot" ]] || die "pkg-config: no tool"
pkg-config --exact-version="$(prefix/bin/ingot --version | sed 's/^ingot \([0-9.]*\).*/\1/')" ingot || die "pkg-config: another version"

cp -r "$INGOT_ROOT/examples" .
quiet make -C examples/make CXX="$CXX" demo
grep -q '20 of 20 right' log || { cat log; die "the program's answers are wrong"; }
quiet make -C examples/make CXX="$CXX" digits_demo
grep -q 'is up to date' log || { cat log; die "a second make does something"; }
sleep 0.02
touch examples/digits/digits.onnx before
sleep 0.02
quiet make -C examples/make CXX="$CXX" digits_demo
[[ examples/make/digits_demo -nt before ]] || die "a new model is not compiled again"

cat >load.cpp <<'TEXT'
#include <ingot/load.h>

#include <cstdio>

int main(int, char** argv) {
  const ingot::LoadedModel model = ingot::LoadedModel::load(argv[1]);
  if (!model.ok()) return std::puts(model.error().c_str()), 1;
  std::printf("%s: %s\n", model.descriptor()->name, model.self_test().message().c_str());
}
TEXT
# shellcheck disable=SC2046
"$CXX" -std=c++17 $(pkg-config --cflags ingot-runtime) load.cpp $(pkg-config --libs ingot-runtime) -o load
quiet prefix/bin/ingot compile examples/digits/digits.onnx -o . --emit so
[[ $(./load digits.so) == 'digits: ok' ]] || die "$(./load digits.so)"
echo "make and pkg-config find what they need in a moved prefix"
