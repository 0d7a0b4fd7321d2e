#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ingot bench and ingot machine do what they say. No figure here depends on how fast anything is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export INGOT_MACHINE=$work/machine.json
digits=$INGOT_ROOT/examples/digits/digits.onnx
fail() { echo "$*" && exit 1; }
# expect WANTED FILTER: of the report, by jq.
expect() {
  local wanted=$1 got
  got=$(jq -c "$2" report.json)
  [[ $got == "$wanted" ]] || fail "$2 is '$got', not '$wanted'"
}

"$INGOT" machine --json >said.json
[[ $(jq -cS . said.json) == "$(jq -cS . machine.json)" ]] || fail "ingot machine does not say what it keeps"
cp machine.json report.json
expect '["L1","L2","L3","memory"]' '[.levels[].name]'
expect true '[.levels[].read_gb_s, .clock_ns, .call_ns, .peak_gflops[]] | all(. > 0)'

# The limits are measured once.
before=$(sha1sum <machine.json)
"$INGOT" bench "$digits" --size N=1,5 --seconds 0.05 --profile --json report.json --csv report.csv >table.txt
[[ $before == "$(sha1sum <machine.json)" ]] || fail "the machine was measured again"
expect '["digits"]' '[.models[].name]'
expect '[[1,1,"random"],[5,5,"random"]]' '[.models[0].runs[] | [.sizes.N, .events, .inputs]]'
# Every engine has hot and cold figures, and all variants of ours have the same bits.
expect true '[.models[0].runs[].results[] | .hot, .cold | .median_us > 0 and .calls >= .samples and .low_us <= .high_us] | all'
expect true '[.models[0].runs[].results | .[0].agreement == "reference" and all(.[1:][]; .agreement == "same bits")] | all'
products=$("$INGOT" compile "$digits" --stop-after=passes | grep -c 'matmul')
expect "$products" '[.models[0].runs[0].profile.kernels[] | select(.kind == "contract")] | length'
expect true '.models[0] | ([.runs[0].profile.kernels[] | select(.kind == "contract") | .operations] | add) as $n | .multiply_adds > 0 and .multiply_adds * 2 <= $n'
expect true '[.models[0].runs[].profile | (.total_us > 0 and .plain_us > 0), (.kernels[] | .limit_us > 0 and .us >= 0)] | all'
lines=$(jq '[.models[0].runs[].results[]] | length * 2 + 1' report.json)
[[ $(wc -l <report.csv) == "$lines" ]] || fail "report.csv has not a line for each figure"

# A compiled model, threads, and only some engines.
"$INGOT" compile "$digits" --emit so -o out >/dev/null
"$INGOT" bench out/digits.so --size N=64 --seconds 0.02 --no-cold --threads 2 --engines ingot-v3 --isa v3 --json report.json >table.txt
expect '["ingot-v3"]' '[.models[0].runs[0].results[].engine]'
expect null '.models[0].runs[0].results[0].cold'
expect 2 '.threads'

# Inputs from a file: its two rows again and again.
header="{'descr': '<f4', 'fortran_order': False, 'shape': (2, 64), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header" && head -c 512 /dev/zero; } >pixels.npy
"$INGOT" bench "$digits" --feed pixels=pixels.npy --size N=3 --seconds 0.02 --no-cold --json report.json >table.txt
expect '["files"]' '[.models[0].runs[].inputs]'

# Sizes that data give are no sizes to measure at.
cat >positive.ir <<'TEXT'
graph "positive" fused {
  symbol N in [0, 1000]
  symbol found in [0, 2000] up to [2*N]
  %x: f32[N, 2] = input "x"
  %zero: f32[] = constant {0}
  %flat = reshape(%x) {shape = [2*N]}
  %mask = gt(%flat, %zero)
  %all, %count = places_of_true(%mask)
  %size = measure(%count) {size = [found]}
  %places = slice(%all) {size = [found], start = [0], step = [1]}
  return "places" = %places
}
TEXT
"$INGOT" bench positive.ir --size N=100 --seconds 0.02 --profile --json report.json >table.txt
expect '[{"N":100}]' '[.models[0].runs[].sizes]'
expect true '[.models[0].runs[].results | .[0].agreement == "reference" and all(.[1:][]; .agreement == "same bits")] | all'
expect true '[.models[0].runs[].profile.kernels[] | .bytes >= 0] | all'

# What is wrong is said.
refused() {
  local status=$1 message=$2 got=0
  shift 2
  "$INGOT" bench "$@" >said 2>&1 || got=$?
  [[ $got == "$status" ]] || fail "ingot bench $* ends with $got, not $status: $(cat said)"
  grep -qF -- "$message" said || fail "ingot bench $*: '$message' wanted, said: $(cat said)"
}
refused 2 "--size found: data give it, not the caller; give data with --feed" positive.ir --size N=3 --size found=2
refused 2 "has no such symbol; it has N" "$digits" --size M=3
refused 2 "NAME=1,16,64 wanted" "$digits" --size 3
refused 2 "no --feed for input 'pixels'" "$digits" --feed x=pixels.npy
refused 2 "has no such input" "$digits" --feed pixels=pixels.npy --feed x=pixels.npy
refused 2 "no data set of these types and sizes" "$digits" --inputs cases --size N=1
echo "bench: all as it should be"
