#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What --help shows is true: each command has two examples or more, and they do what they say, one
# after the other in one folder. The manual page and the completions that are made from the same
# flags are well-formed and know them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
PATH=$(dirname "$INGOT"):$PATH
fail() { echo "$*" && exit 1; }

# What the examples speak of: a model, an input, and a folder of cases.
cp "$INGOT_ROOT/examples/digits/digits.onnx" .
header="{'descr': '<f4', 'fortran_order': False, 'shape': (1, 64), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header" && head -c 256 /dev/zero; } >pixels.npy
set=models/square/test_data_set_0
mkdir -p "$set"
encode() { protoc -I "$INGOT_ROOT/compiler/import" --encode="ingot.onnx.$1" "$INGOT_ROOT/compiler/import/onnx/onnx.proto"; }
encode ModelProto >models/square/model.onnx <<'MODEL'
ir_version: 8
opset_import { version: 13 }
graph {
  name: "g"
  node { op_type: "Mul" input: "x" input: "x" output: "y" }
  input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_param: "N" } } } } }
  output { name: "y" }
}
MODEL
encode TensorProto >"$set/input_0.pb" <<<'dims: 2 data_type: 1 float_data: 3 float_data: 4'
encode TensorProto >"$set/output_0.pb" <<<'dims: 2 data_type: 1 float_data: 9 float_data: 16'
cp digits.onnx model.onnx
printf '#!/bin/sh\ngrep -q "= exp(" "$1"\n' >still_wrong.sh
chmod +x still_wrong.sh
for report in today part1 part2; do
  cat >"$report.json" <<'REPORT'
{"ingot_report": 1, "date": "", "ingot_version": "", "threads": 1, "engines": [], "models": [],
 "machine": {"cpu": "", "date": "", "cores": 1, "peak_gflops": {}, "levels": [], "call_ns": 0, "clock_ns": 0}}
REPORT
done

commands=$(ingot --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[[ $(wc -w <<<"$commands") -ge 6 ]] || fail "no list of commands in ingot --help"
ran=0
for command in '' $commands; do
  examples=$(ingot $command --help | sed -n 's/^  \$ //p')
  [[ $(grep -c . <<<"$examples") -ge 2 ]] || fail "ingot $command --help has no two examples"
  while IFS= read -r example; do
    reader=${example##*| }
    if [[ $example == *' | '* ]] && ! command -v "${reader%% *}" >/dev/null; then
      echo "not run, there is no ${reader%% *} here: $example"
      continue
    fi
    bash -euo pipefail -c "$example" >said 2>&1 </dev/null || { cat said; fail "failed: $example"; }
    ran=$((ran + 1))
  done <<<"$examples"
done
for file in out/digits.{o,h,json,so} results/probabilities.npy ingot.bash _ingot ingot.1; do
  [[ -s $file ]] || fail "no example wrote $file"
done
echo "$ran examples ran"

# The manual page: groff finds nothing odd in it, and it has every flag.
warnings=$(groff -man -Tutf8 -ww -z ingot.1 2>&1)
[[ -z $warnings ]] || fail "$warnings"
groff -man -Tascii ingot.1 | sed 's,.\x08,,g' >page.txt
for command in $commands; do
  for flag in $(ingot "$command" --help | grep -oE '^ +(-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -v '^--help$'); do
    grep -q -- "$flag" page.txt || fail "the manual page lacks $flag"
  done
done

# complete WORD...: what bash offers for the last word.
complete_in_bash() {
  bash -c 'source ingot.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ingot; printf "%s\n" "${COMPREPLY[@]}"' _ "$@"
}
expect() {
  local wanted=$1
  shift
  [[ $(complete_in_bash "$@" | tr '\n' ' ') == "$wanted " ]] ||
    fail "completing '$*' gives '$(complete_in_bash "$@" | tr '\n' ' ')' and not '$wanted'"
}
expect 'compile completion' ingot comp
expect inspect ingot ins
expect '--stop-after' ingot compile --stop
expect 'passes plan' ingot compile --stop-after p
expect 'passes plan' ingot compile --stop-after = p
expect digits.onnx ingot inspect digi
expect pixels.npy ingot run --save pix

zsh -n _ingot
known=$(zsh -fc 'autoload -Uz compinit && compinit -D -u && source ./_ingot && print $_comps[ingot]')
[[ $known == _ingot ]] || fail "zsh does not take _ingot as ingot's completion: $known"

# A terminal is told what takes so long; a pipe is not.
for i in $(seq 8); do cp -r models/square "models/square$i" && cp digits.onnx "models/square$i/model.onnx"; done
ingot verify models/square1 --engine compiled >/dev/null 2>said || true
[[ ! -s said ]] || fail "progress is shown where there is no terminal: $(cat said)"
script -qec 'ingot verify models --engine compiled' /dev/null >said </dev/null || true
grep -q 'ingot: [0-9]* of 9, square[0-9]* ([0-9]* s)' said || fail "no progress on a terminal"
echo "manual page, completions and progress are as they should be"
