#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiling twice, from two folders and by two spellings of the model's path, gives identical bytes
# in all files, line tables included; these name the printed plan and no folder of this machine.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

# twice MODEL NAME
twice() {
  local model=$1 name=$2 file
  rm -rf "$work"/{one,two}
  mkdir -p "$work/one" "$work/two/deeper/models"
  cp "$model" "$work/two/deeper/models/"
  (cd "$(dirname "$model")" && "$INGOT" compile "./$(basename "$model")" --name "$name" -o "$work/one" --emit obj,so,plan >/dev/null)
  # Another time, folder, environment and layout of memory.
  (cd "$work/two" && TZ=Asia/Tokyo LC_ALL=C SOME_VARIABLE=$(printf '%5000s' x) "$INGOT" compile \
    "deeper/../deeper/models/$(basename "$model")" --name "$name" --emit obj,so,plan >/dev/null)
  for file in "$name".{o,h,json,so,plan}; do
    cmp "$work/one/$file" "$work/two/$file" || die "$file depends on where it is compiled"
  done
  echo "$name: .o .h .json .so .plan are the same bytes twice"
}

twice "$INGOT_ROOT/examples/digits/digits.onnx" digits
for file in digits.o digits.so; do
  readelf --debug-dump=decodedline "$work/one/$file" >"$work/lines" 2>/dev/null
  # Line numbers of kernels, in the plan's file.
  (($(grep -cE '^digits\.plan +[1-9]' "$work/lines") > 10)) || die "$file has no line table"
  ! readelf --debug-dump=rawline,info "$work/one/$file" 2>/dev/null | grep -E '(^|[^.[:alnum:]])/[a-z]+/' || die "$file names a folder"
  for text in "$work" "$INGOT_ROOT" "$HOME/" "$(uname -n)"; do
    ! grep -qaF -- "$text" "$work/one/$file" || die "$file contains '$text'"
  done
done
kernels=$(grep -c '^kernel ' "$work/one/digits.plan")
for line in $(grep -n '^kernel ' "$work/one/digits.plan" | cut -d: -f1); do
  grep -qE "^digits\.plan +$line " "$work/lines" || die "no code for line $line of digits.plan, which is a kernel"
done
echo "line tables name digits.plan and the lines of its $kernels kernels, and no folder"

models=$INGOT_ROOT/../shared/models
if [[ -d $models ]]; then
  twice "$models/emtf-displ-10/graph.pb" emtf
  twice "$models/ele-pfid-exteta1/$(ls "$models/ele-pfid-exteta1" | grep -E '^(graph.pb|model.onnx)$')" ele
fi
