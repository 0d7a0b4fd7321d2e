#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an object asks of a linker: nothing but memcpy, memmove and memset, one symbol of its own
# that is seen outside, and no executable stack. Of the digits model, and of the dense models of
# ../shared where they are.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

# check NAME: $work/NAME.o, .h and .so
check() {
  local name=$1 symbol undefined global exported
  symbol=$(grep -om1 "${name}_header_and_object_are_from_one_ingot_compile_[0-9a-f]*" "$work/$name.h")
  undefined=$(nm -u "$work/$name.o" | awk '{ print $NF }' | grep -vxE 'memcpy|memmove|memset' || true)
  [[ -z $undefined ]] || die "$name.o needs" $undefined
  global=$(nm -g --defined-only "$work/$name.o" | awk '{ print $NF }')
  [[ $global == "$symbol" ]] || die "$name.o shows" $global
  readelf -SW "$work/$name.o" | grep '\.note\.GNU-stack' >"$work/stack" || die "$name.o has no .note.GNU-stack"
  # The flags stand between the entry size and the link: none of them is X.
  ! awk '{ print $(NF - 3) }' "$work/stack" | grep -q X || die "$name.o wants an executable stack"
  ! readelf -SW "$work/$name.o" | grep -E ' (WAX|AWX|WX) ' || die "$name.o has memory that is written and executed"
  exported=$(nm -D --defined-only "$work/$name.so" | awk '{ print $NF }' | sort | tr '\n' ' ')
  [[ $exported == "$(printf '%s\n' "$symbol" ingot_models | sort | tr '\n' ' ')" ]] ||
    die "$name.so exports $exported"
  undefined=$(nm -D -u "$work/$name.so" | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -vxE 'memcpy|memmove|memset' || true)
  [[ -z $undefined ]] || die "$name.so needs" $undefined
  [[ -z $(readelf -dW "$work/$name.so" | grep NEEDED) ]] || die "$name.so needs a library"
  readelf -lW "$work/$name.so" | grep GNU_STACK | grep -q 'RW ' || die "$name.so wants an executable stack"
}

"$INGOT" compile "$INGOT_ROOT/examples/digits/digits.onnx" -o "$work" --emit obj,so >/dev/null
check digits
cat >"$work/main.cpp" <<'TEXT'
#include "digits.h"
int main() { return digits::Model().ok() ? 0 : 1; }
TEXT
"$CXX" -std=c++17 -I"$work" "$work/main.cpp" "$work/digits.o" -Wl,--fatal-warnings -o "$work/main"
readelf -lW "$work/main" | grep GNU_STACK | grep -q 'RWE' && die "a program with digits.o gets an executable stack"
checked=1

models=$INGOT_ROOT/../shared/models
if [[ -d $models ]]; then
  for model in trackdnn-ckf-2021 trackdnn-swish-2020 ele-pfid-exteta1 emtf-displ-10 l1-tau-3layer; do
    file=$(ls "$models/$model"/{graph.pb,model.onnx} 2>/dev/null || true)
    "$INGOT" compile "$file" -o "$work" --name m --emit obj,so >/dev/null
    check m
    checked=$((checked + 1))
  done
fi
echo "$checked objects need at most memcpy, memmove and memset, show one symbol, and leave the stack alone"
