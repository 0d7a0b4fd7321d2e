# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: the fuzzers of tests/fuzz. docs/fuzzing.md is their manual.

MERGE_BYTES=2048 # more than that no committed input of --merge has,
MERGE_TOTAL=60000 # and more than that all of one target do not have together

fuzzers() { for file in tests/fuzz/*_fuzz.cpp; do basename "$file" _fuzz.cpp; done; }

# The folders of the inputs that target $1 starts from, one a line: what make_seeds.sh makes, and what
# is committed. Nothing from elsewhere, because what is grown from them is committed in turn.
fuzz_inputs_of() {
  local folder
  case $1 in
    onnx | graphdef | tensor) tests/fuzz/make_seeds.sh "$1" "build/fuzz/seeds/$1" ;;
    saved_model)
      local model
      mkdir -p build/fuzz/seeds/saved_model
      for model in tests/keras/kept/*/model; do
        cp "$model/saved_model.pb" "build/fuzz/seeds/saved_model/$(basename "${model%/model}").pb"
      done
      ;;
    text) echo tests/fuzz/models ;;
  esac
  for folder in "build/fuzz/seeds/$1" "tests/fuzz/$1" "tests/fuzz/corpus/$1"; do
    [[ ! -d $folder ]] || echo "$folder"
  done
}

# The smallest models of ../shared, which make for more calls than large ones: the folders, with
# blanks between them.
small_models() {
  local model
  for model in ../shared/models/*/*.{onnx,pb}; do
    [[ ! -f $model || $(stat -c %s "$model") -gt 16384 ]] || echo "$PWD/${model%/*}"
  done | tr '\n' ' '
}

# fuzz_one NAME SECONDS: what it finds stays in build/fuzz/found/NAME. Ends with a line that says how
# much was tried.
fuzz_one() {
  local name=$1 seconds=$2 corpus=build/fuzz/corpus/$1 found=build/fuzz/found/$1 log=build/fuzz/$1.log
  local options=(-max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found/"
    -timeout=30 -rss_limit_mb=2048 -malloc_limit_mb=2048 -max_len=16384 -reload=0)
  [[ ! -f tests/fuzz/$name.dict ]] || options+=(-dict="tests/fuzz/$name.dict")
  # Decisions about a call or a graph are few, and all of them are made, from short inputs too.
  case $name in
    run | graph) options+=(-max_len=512 -len_control=0) ;;
  esac
  # Compiling the models for all CPU levels, with sanitizers in the compiler, would take minutes.
  if [[ $name == run ]]; then
    export INGOT_FUZZ_MODELS=${INGOT_FUZZ_MODELS-$(small_models)} INGOT_FUZZ_ONE_LEVEL=1
  fi
  mkdir -p "$corpus" "$found"
  local folders
  mapfile -t folders < <(fuzz_inputs_of "$name")
  say "fuzzing $name for $seconds s"
  local status=0
  # Half of the time would go into noting where memory comes from.
  ASAN_OPTIONS=malloc_context_size=1 \
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

# fuzz_merge NAME: of all that the fuzzer has kept so far, what reaches code that the seeds do not
# becomes tests/fuzz/corpus/NAME.
fuzz_merge() {
  local name=$1 kept=tests/fuzz/corpus/$1 work=build/fuzz/merge/$1 folder file
  # Which model an input calls depends on how many there are.
  [[ $name != run ]] || { say "run: its inputs are not kept; sweep.hostile_calls has its own" && return; }
  local folders=()
  rm -rf "$work"
  mkdir -p "$work/known" "$work/new" "build/fuzz/corpus/$name"
  while IFS= read -r folder; do
    case $folder in
      "$kept") folders+=("$folder") ;;
      *) find "$folder" -type f -exec cp -n -t "$work/known" {} + ;;
    esac
  done < <(fuzz_inputs_of "$name")
  find "build/fuzz/corpus/$name" -type f -size -"$MERGE_BYTES"c -exec cp -t "$work/new" {} +
  cp -r "$work/known" "$work/all"
  # Whether code runs counts, not how often: that makes for a tenth of the files.
  build/fuzz/tests/fuzz/"${name}_fuzz" -set_cover_merge=1 -use_counters=0 \
    -timeout=30 -rss_limit_mb=2048 -artifact_prefix="$work/" "$work/all" "${folders[@]}" "$work/new" >"$work.log" 2>&1 || {
    tail -n 20 "$work.log" >&2
    die "libFuzzer could not merge the inputs of $name: $work.log"
  }
  rm -rf "$kept"
  mkdir -p "$kept"
  # The smallest ones first: most of what is new takes few bytes.
  local bytes=0 size
  while read -r size file; do
    ((bytes + size <= MERGE_TOTAL)) || break
    [[ -f $work/known/$file ]] || { cp "$work/all/$file" "$kept/" && bytes=$((bytes + size)); }
  done < <(find "$work/all" -type f -printf '%s %f\n' | sort -n)
  say "$kept: $(find "$kept" -type f | wc -l) files, $bytes bytes"
}

# fuzz_coverage NAME: which lines the inputs reach that are there so far, by file, of those that the
# target is about.
fuzz_coverage() {
  local name=$1 part files folders objects out=build/fuzz/lines/$1
  case $name in
    onnx) part=import files='import/(onnx/)?[a-z_]+[.]cpp' ;;
    graphdef) part=import files='import/(tensorflow/)?[a-z_]+[.]cpp' ;;
    saved_model) part=import files='import/(saved_model|tensorflow)/[a-z_]+[.]cpp' ;;
    tensor) part=import files='import/onnx/tensor_proto[.]cpp' ;;
    text) part=ir files='ir/[a-z_]+[.]cpp' ;;
    plan) part=plan files='plan/(check|parse|print|reader)[.]cpp' ;;
    *) say "$name: it is about all of the compiler, and none of it counts lines" && return ;;
  esac
  configure release
  build_targets release "fuzz_lines_$part"
  rm -rf "$out"
  mkdir -p "build/fuzz/corpus/$name" "$out"
  mapfile -t folders < <(fuzz_inputs_of "$name")
  find build/tests/fuzz -name '*.gcda' -delete
  build/tests/fuzz/"fuzz_lines_$part" "$name" "build/fuzz/corpus/$name" "${folders[@]}" | tail -n 1
  mapfile -t objects < <(find "$PWD/build/tests/fuzz" -name '*.gcda')
  # Of each file gcov says two lines, its path and `Lines executed:95.00% of 120`, relative to build/.
  (cd build && gcov -p "${objects[@]}" 2>/dev/null) | awk -v files="compiler/$files\$" -F "[':% ]" '
    /^File / { file = $3; wanted = match(file, files); file = substr(file, RSTART) }
    /^Lines executed/ && wanted {
      printf "%6.1f%% of %4d lines: %s\n", $3, $6, file
      all += $6; reached += $3 * $6 / 100; wanted = 0
    }
    END { printf "%6.1f%% of %4d lines: in all\n", 100 * reached / all, all }' | sort -k 5 | tee "$out.txt"
  mv build/*.gcov "$out"
  say "$out.txt; line by line: $out/*.gcov"
}

verb_fuzz() {
  local name=${1:-} minutes=1 instead="" names known failed=0
  known=$(fuzzers)
  shift || true
  while (($#)); do
    case $1 in
      --minutes) minutes=${2:-} && shift 2 ;;
      --coverage | --merge) instead=${1#--} && shift ;;
      *) die "usage: ./dev fuzz NAME|all [--minutes M | --coverage | --merge]; there are $(tr '\n' ' ' <<<"$known")" ;;
    esac
  done
  [[ $minutes =~ ^[0-9]+$ ]] || die "--minutes: a whole number is needed, not '$minutes'"
  if [[ $name == all ]]; then
    mapfile -t names <<<"$known"
  else
    grep -qx -- "${name:-?}" <<<"$known" || die "no fuzzer '$name'; there are: $(tr '\n' ' ' <<<"$known")and all"
    names=("$name")
  fi
  if [[ $instead == coverage ]]; then
    for name in "${names[@]}"; do fuzz_coverage "$name"; done
    return
  fi
  configure fuzz
  build_targets fuzz "${names[@]/%/_fuzz}"
  if [[ $instead == merge ]]; then
    for name in "${names[@]}"; do fuzz_merge "$name"; done
    return
  fi
  for name in "${names[@]}"; do fuzz_one "$name" $((60 * minutes)) || failed=1; done
  return "$failed"
}
