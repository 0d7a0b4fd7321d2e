# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: the fuzzers of tests/fuzz.

fuzzers() { for file in tests/fuzz/*_fuzz.cpp; do basename "$file" _fuzz.cpp; done; }

# The folders of the inputs that target $1 starts from, one a line: what make_seeds.sh makes, what is
# committed, and where it is there what ../shared has.
fuzz_inputs_of() {
  local folder shared=build/fuzz/shared/$1
  case $1 in
    onnx | graphdef | tensor) tests/fuzz/make_seeds.sh "$1" "build/fuzz/seeds/$1" ;;
  esac
  case $1 in
    onnx) [[ -d $shared ]] || gather_shared "$shared" '../shared/onnx-cases/node/*/model.onnx' ;;
    graphdef) [[ -d $shared ]] || gather_shared "$shared" '../shared/models/*/*.pb' ;;
    tensor) [[ -d $shared ]] || gather_shared "$shared" '../shared/onnx-cases/node/*/*/*.pb' ;;
    text) echo tests/fuzz/models ;;
  esac
  for folder in "build/fuzz/seeds/$1" "tests/fuzz/$1" "$shared"; do
    [[ ! -d $folder ]] || echo "$folder"
  done
}

# gather_shared FOLDER PATTERN: small files of a kind, under names of their own.
gather_shared() {
  local file
  mkdir -p "$1"
  for file in $2; do
    [[ -f $file && $(stat -c %s "$file") -le 8192 ]] || continue
    cp "$file" "$1/$(sha1sum "$file" | cut -c 1-16)"
  done
}

# fuzz_one NAME SECONDS: what it finds stays in build/fuzz/found/NAME. Ends with a line that says how
# much was tried.
fuzz_one() {
  local name=$1 seconds=$2 corpus=build/fuzz/corpus/$1 found=build/fuzz/found/$1 log=build/fuzz/$1.log
  local options=(-max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found/"
    -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=2048 -max_len=16384 -reload=0)
  [[ ! -f tests/fuzz/$name.dict ]] || options+=(-dict="tests/fuzz/$name.dict")
  # What a call of a compiled model needs to be told is little.
  [[ $name != run ]] || options+=(-max_len=512 -len_control=0)
  mkdir -p "$corpus" "$found"
  local folders
  mapfile -t folders < <(fuzz_inputs_of "$name")
  say "fuzzing $name for $seconds s"
  local status=0
  build/fuzz/tests/fuzz/"${name}_fuzz" "${options[@]}" "$corpus" "${folders[@]}" >"$log" 2>&1 || status=$?
  local tried coverage
  tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -n 1)
  say "$name: ${tried:-?} inputs tried, $coverage; $(find "$found" -type f | wc -l) findings in $found"
  ((status)) || return 0
  grep -m1 -B3 -A25 -E 'ERROR:|runtime error|what\(\)' "$log" >&2 || tail -n 30 "$log" >&2
  say "once it is mended, keep the input: build/fuzz/tests/fuzz/${name}_fuzz -minimize_crash=1 -runs=10000 FILE, then into tests/fuzz/$name"
  return 1
}

# fuzz_coverage NAME: which lines the inputs reach that are there so far, by file.
fuzz_coverage() {
  local name=$1 folders out=build/coverage/$1
  need llvm-19
  configure coverage
  build_targets coverage fuzz_inputs
  mkdir -p "build/fuzz/corpus/$name"
  mapfile -t folders < <(fuzz_inputs_of "$name")
  rm -f "$out".prof*
  LLVM_PROFILE_FILE=$out.profraw build/coverage/tests/fuzz/fuzz_inputs "$name" \
    "build/fuzz/corpus/$name" "${folders[@]}" | tail -n 1
  llvm-profdata-19 merge -o "$out.profdata" "$out.profraw"
  local part=compiler
  case $name in
    onnx | tensor) part=compiler/import ;;
    graphdef) part=compiler/import ;;
    plan) part=compiler/plan ;;
    text) part=compiler/ir ;;
  esac
  llvm-cov-19 report build/coverage/tests/fuzz/fuzz_inputs -instr-profile="$out.profdata" \
    -show-functions=false -show-region-summary=false -show-branch-summary=false "$part" |
    tee "$out.txt"
  say "$out.txt; line by line: llvm-cov-19 show build/coverage/tests/fuzz/fuzz_inputs -instr-profile=$out.profdata FILE"
}

verb_fuzz() {
  local name=${1:-} minutes=1 coverage="" names known failed=0
  known=$(fuzzers)
  shift || true
  while (($#)); do
    case $1 in
      --minutes) minutes=${2:-} && shift 2 ;;
      --coverage) coverage=1 && shift ;;
      *) die "usage: ./dev fuzz NAME|all [--minutes M] [--coverage]; there are $(tr '\n' ' ' <<<"$known")" ;;
    esac
  done
  [[ $minutes =~ ^[0-9]+$ ]] || die "--minutes: a number is needed, not '$minutes'"
  if [[ $name == all ]]; then
    mapfile -t names <<<"$known"
  else
    grep -qx -- "${name:-?}" <<<"$known" || die "no fuzzer '$name'; there are: $(tr '\n' ' ' <<<"$known")and all"
    names=("$name")
  fi
  if [[ $coverage ]]; then
    for name in "${names[@]}"; do fuzz_coverage "$name"; done
    return
  fi
  configure fuzz
  build_targets fuzz "${names[@]/%/_fuzz}"
  for name in "${names[@]}"; do fuzz_one "$name" $((60 * minutes)) || failed=1; done
  return "$failed"
}
