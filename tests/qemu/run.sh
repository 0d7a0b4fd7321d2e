#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD_DIR
# Runs a compiled model on CPUs that this machine is not, under qemu's emulation: the variant that is
# chosen must be one that the CPU has, and its bits those of the interpreter (the self-test).
# qemu emulates no AVX-512; v4 is tested on machines that have it.
set -euo pipefail
build=$(readlink -f "$1")
root=$(readlink -f "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
qemu=$(command -v qemu-x86_64-static || command -v qemu-x86_64) || { echo "qemu-x86_64 is not installed"; exit 1; }

cat >main.cpp <<'CPP'
#include <cstdio>

#include "digits.h"

int main() {
  const digits::Model model;
  const auto status = model.self_test();
  std::printf("%s: %s\n", model.variant(), status.message().c_str());
  return status.ok() ? 0 : 1;
}
CPP

# try LEVELS CPU EXPECTED: compiles for the levels and demands the program's line on that CPU.
try() {
  "$build/ingot" compile "$root/examples/digits/digits.onnx" -o "$1" --isa "$1" >/dev/null
  g++ -std=c++17 -O1 -I "$1" main.cpp "$1/digits.o" -o "$1/main"
  local got
  got=$("$qemu" -cpu "$2" "$1/main" 2>/dev/null || true)
  if [[ $got != "$3"* ]]; then
    echo "failed: object of $1 on a $2 said '$got', expected '$3...'"
    exit 1
  fi
  echo "ok: object of $1 on a $2: $got"
}
try v3,v4 Haswell "v3: ok"
try v2,v3 Haswell "v3: ok"
try v2,v3 Nehalem "v2: ok"
try v3,v4 Nehalem ": digits: no variant"
