# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: the steps of ./dev full, each of which can be run alone, and the static checks.

# One step a line: its name, then what it shows. step_NAME runs it.
FULL_STEPS="
format     every source is formatted as .clang-format says
tidy       clang-tidy finds nothing in any source
test       what ./dev test runs: GCC release
front      the tests of what reads models under GCC's address sanitizer: the quick part of asan
clang      Clang 19 builds everything at -Werror, and its build passes the tests
asan       all unit tests under GCC's address sanitizer
ubsan      all unit tests under Clang's undefined-behaviour sanitizer
tsan       all unit tests under the thread sanitizer
ulp        each float32 function over all 2^32 inputs, at most 2 ULP; float64 functions on 10^6 samples
models     every model of ../shared/models that compiles and ONNX's light networks, bit for bit
keras      Keras models and functions of TensorFlow as SavedModels, and layers in Keras' own files, give what TensorFlow gives
memory     inspecting a SavedModel of 512 MB takes at most 1.2 times that memory, compiling it 2.5 times
random     random graphs of many seeds, compiled against interpreter, bit for bit
faults     each seeded fault of tests/faults makes a test fail
qemu       x86-64-v2 code and aarch64 code under qemu
replay     ./dev replay finds what a change of a pass changes, and nothing where there is nothing
newcomer   README's commands word for word, under another account, to a program of one's own
deb        the Debian packages install in a bare Debian 12 and do their work
bench      the benchmarks build and run once
pages      a report's page in a headless browser: phone, desk, light, dark, printed; its values
fuzz       each fuzzer for a minute
"

full_step_lines() {
  awk 'NF && $1 != "test" { name = $1; $1 = ""; printf "  ./dev full %-7s%s\n", name, $0 }' <<<"$FULL_STEPS"
}

# script_of_step PATH [ARGUMENT...]: a step that a script of its own does. A missing script fails.
script_of_step() {
  [[ -x $1 ]] || die "the step's script $1 is missing or not executable"
  "$@"
}

# preset_step PRESET TARGET [CTEST OPTION...]
preset_step() {
  local preset=$1 target=$2
  shift 2
  configure "$preset"
  build_targets "$preset" "$target"
  run_ctest "$preset" "$@"
  summary
}

step_format() { verb_fmt --check; }
step_tidy() { tidy $(sources '*.cpp' | grep -vE '_(test|fuzz|bench)\.cpp$|^tests/|^examples/'); }
step_test() { verb_test; }
step_clang() { preset_step clang all; }
# Tests that are programs and scripts of their own, which a sanitizer preset does not build.
SCRIPT_TESTS='^(abi|e2e|fuzz|math|sweep)\.|^layering$'
step_front() { preset_step asan-front ingot_tests -E "$SCRIPT_TESTS|[Ss]weep|[Rr]andom|^header"; }
step_asan() { preset_step asan ingot_tests -E "$SCRIPT_TESTS"; }
step_ubsan() { preset_step ubsan ingot_tests -E "$SCRIPT_TESTS"; }
step_tsan() { preset_step tsan ingot_tests -E "$SCRIPT_TESTS|[Ss]weep|[Rr]andom"; }
step_ulp() {
  configure release
  build_targets release ulp_sweep ulp64_sweep compiled_sweep
  build/tests/math/compiled_sweep --threads "$JOBS" all
  build/tests/math/ulp_sweep --threads "$JOBS" all
  build/tests/math/ulp64_sweep --threads "$JOBS" --count 1000000 all
}
step_models() {
  local light=../shared/onnx-cases/light
  [[ -d ../shared/models && -d $light ]] || {
    printf 'skipped\tmodels\t../shared is not on this machine\n' >>"$RESULTS"
    return 0
  }
  configure release
  build_targets release ingot model_sweep light_sweep
  tests/sweep/shared_models.sh "$PWD/build/tests/sweep/model_sweep" ../shared/models --all
  build/ingot verify "$light" --engine compiled
  build/tests/sweep/light_sweep "$light"/*.onnx
}
# KERAS_VENV names an environment with tests/keras/requirements.txt that exists already.
step_keras() {
  local venv=${KERAS_VENV:-}
  need python3-venv
  configure release
  build_targets release ingot
  if [[ -z $venv ]]; then
    venv=$PWD/build/keras/venv
    mkdir -p build/keras
    peers_environment "$venv" tests/keras/requirements.txt
  fi
  "$venv/bin/python" tests/keras/saved_models.py build/keras/models --ingot build/ingot 2>build/keras/tensorflow.log
  "$venv/bin/python" tests/keras/layers.py build/keras/layers --ingot build/ingot 2>build/keras/layers.log
}
step_memory() {
  configure release
  build_targets release ingot model_memory
  build/tests/memory/model_memory build/ingot build/memory
}
step_random() {
  export INGOT_RANDOM_GRAPHS=${INGOT_RANDOM_GRAPHS:-2000}
  configure release
  build_targets release ingot_tests random_sweep
  build/tests/sweep/random_sweep --seeds 25:1024 --threads "$JOBS"
  run_ctest release -R '[Rr]andom'
  summary
}
step_faults() { script_of_step tests/faults/run.sh; }
step_qemu() {
  need qemu-user-static g++-aarch64-linux-gnu
  configure release
  build_targets release
  script_of_step tests/qemu/run.sh build
}
step_replay() { script_of_step tests/e2e/replay/run.sh; }
step_newcomer() {
  local status=0 transcript=build/full/newcomer.txt
  tests/e2e/newcomer/run.sh "$transcript" || status=$?
  ((status == 77)) || return "$status"
  printf 'skipped\tnewcomer\tneeds root and ../shared/models\n' >>"$RESULTS"
}
step_deb() {
  need debootstrap
  verb_package
  local status=0
  script_of_step tests/deb/run.sh build/packages || status=$?
  ((status == 77)) || return "$status"
  printf 'skipped\tdeb\tneeds root, a network and a mount namespace of its own\n' >>"$RESULTS"
}
step_bench() { INGOT_BENCH_ONCE=1 verb_bench; }
step_pages() {
  need chromium python3 fonts-dejavu-core
  configure release
  build_targets release ingot made_up_report
  script_of_step tests/pages/run.sh build
}
step_fuzz() { verb_fuzz all --minutes 1; }

verb_full() {
  FULL=1
  need "${FULL_PACKAGES[@]}"
  local all steps=("$@") step begin code failed=0 table="" skips=build/full/skips.txt
  all=$(awk 'NF { print $1 }' <<<"$FULL_STEPS")
  ((${#steps[@]})) || mapfile -t steps <<<"$all"
  for step in "${steps[@]}"; do
    grep -qx -- "$step" <<<"$all" || die "no step '$step'; there are: $(tr '\n' ' ' <<<"$all")"
  done
  mkdir -p build/full
  : >"$skips"
  for step in "${steps[@]}"; do
    say "full: $step"
    begin=$SECONDS
    set +e
    (
      set -e
      RESULTS=$ROOT/build/full/$step.results
      : >"$RESULTS"
      "step_$step"
    ) 2>&1 | tee "build/full/$step.log"
    code=${PIPESTATUS[0]}
    set -e
    ((code)) && failed=1
    grep -h '^skipped' "build/full/$step.results" >>"$skips" || true
    table+=$(printf '%-8s %-7s %4d s  %s' "$step" "$( ((code)) && echo FAILED || echo passed)" \
      $((SECONDS - begin)) "$(tail -n 1 "build/full/$step.log")")$'\n'
  done
  printf '\n%s\nnot run here:\n' "$table"
  awk -F'\t' '{ print "  " $2 ": " $3 }' "$skips" | collapse
  not_run_lines
  for step in $all; do
    [[ " ${steps[*]} " == *" $step "* ]] || echo "  ./dev full $step: not asked for"
  done
  echo
  say "$(grep -c ' passed ' <<<"$table" || true) of ${#steps[@]} steps passed; logs are in build/full"
  return "$failed"
}

# sources GLOB...: the files of ours that match, tracked or new; never generated or golden text.
sources() {
  git ls-files --cached --others --exclude-standard -- "$@" |
    grep -vE '^tests/golden/' | while read -r file; do [[ -f $file ]] && echo "$file"; done
}

# tidy FILE...: clang-tidy, in parallel. Needs a configured build for the compile commands.
tidy() {
  need clang-tidy-19 clang-19
  (($#)) || { say "clang-tidy: no file to look at"; return 0; }
  configure release
  grep -q '\.proto$' <<<"$(sources '*.proto')" && build_targets release ingot_schema
  # GCC's commands serve clang-tidy, but for GCC's precompiled headers.
  mkdir -p build/tidy
  sed -E 's/ -Winvalid-pch -include [^ ]*cmake_pch.hxx//' build/compile_commands.json >build/tidy/compile_commands.json
  printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 clang-tidy-19 -p build/tidy --quiet --extra-arg=-Wno-unknown-warning-option 2> >(
    grep -vE 'warnings? generated|Suppressed|^$|Use -header-filter|Use -system-headers' >&2 || true
  )
  say "clang-tidy: $# files are clean"
}

# verb_fmt [--check]: formats in place, or only says where formatting differs.
verb_fmt() {
  need clang-format-19
  local files differing
  mapfile -t files < <(sources '*.h' '*.cpp' '*.proto')
  ((${#files[@]})) || die "there are no sources"
  if [[ ${1:-} != --check ]]; then
    clang-format-19 --style=file -i "${files[@]}"
    return
  fi
  differing=$(clang-format-19 --style=file --dry-run "${files[@]}" 2>&1 |
    sed -n 's/^\([^ :]*:[0-9]*\):.*clang-formatted.*/  \1/p' | sort -u -t: -k1,1) || true
  [[ -z $differing ]] || {
    echo "$differing"
    die "formatting differs in these files (first line of each); run ./dev fmt"
  }
  say "clang-format: ${#files[@]} files are as they should be"
}

# The sources that differ from what origin/main holds; a header stands for a file that includes it.
changed_sources() {
  local base file
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  { git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard; } | sort -u |
    while read -r file; do
      case $file in
        *_test.cpp | *_fuzz.cpp | *_bench.cpp | tests/* | examples/*) ;;
        *.cpp) echo "$file" ;;
        *.h) grep -rlF --include='*.cpp' --exclude='*_test.cpp' "${file#compiler/}\"" compiler runtime tools | head -n 1 ;;
      esac
    done | sort -u
}

verb_lint() {
  need clang-format-19
  verb_fmt --check
  tests/layering.sh
  if [[ ${1:-} == all ]]; then step_tidy; else tidy $(changed_sources); fi
}
