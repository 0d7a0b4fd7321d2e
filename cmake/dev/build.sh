# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: configure and build a preset, and the verbs that need a build and nothing else.

build_dir() { [[ $1 == release ]] && echo "$ROOT/build" || echo "$ROOT/build/$1"; }

# configure PRESET [CMAKE ARGUMENT...]: quiet unless it fails.
configure() {
  local preset=$1 log
  shift
  need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  case $preset in
    clang | ubsan | fuzz) need clang-19 libclang-rt-19-dev ;;
    release | debug | asan | asan-front | tsan) ;;
    *) die "no preset '$preset'; there are release, debug, asan, asan-front, ubsan, tsan, clang, fuzz" ;;
  esac
  log=$(mktemp)
  cmake --preset "$preset" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cmake could not configure the preset $preset"
  }
  rm -f "$log"
}

# build_targets PRESET [TARGET...]: all targets when none is named.
build_targets() {
  local preset=$1 targets=() begin=$SECONDS
  shift
  for target; do targets+=(--target "$target"); done
  cmake --build "$(build_dir "$preset")" -j "$JOBS" "${targets[@]}"
  say "built $preset${*:+ ($*)} in $((SECONDS - begin)) s"
}

verb_build() {
  configure "${1:-release}"
  build_targets "${1:-release}"
}

verb_package() {
  need dpkg-dev
  configure release
  build_targets release
  rm -rf build/packages
  (cd build && cpack >cpack.log 2>&1) || {
    cat build/cpack.log >&2
    die "cpack could not make the packages"
  }
  say "packages:"
  ls build/packages/*.deb
}

verb_run() {
  configure release
  build_targets release ingot
  local source=examples/digits out=build/examples/digits
  mkdir -p "$out"
  say "compiling $source/digits.onnx"
  build/ingot compile "$source/digits.onnx" -o "$out" --name digits
  say "linking $source/main.cpp with $out/digits.o"
  g++ -std=c++17 -O2 -I"$out" "$source/main.cpp" "$out/digits.o" -o "$out/digits"
  "$out/digits" "$source/inputs.txt"
}

verb_bench() {
  need "${BENCH_PACKAGES[@]}"
  configure release -DINGOT_BENCH=ON
  build_targets release
  local name=${1:-contract}
  shift || true
  [[ -x build/bench/${name}_bench ]] ||
    die "no benchmark '$name'; there are: $(cd bench && ls ./*_bench.cpp | sed 's,^./,,; s/_bench.cpp//' | tr '\n' ' ')"
  # One short turn shows that they run; medians of nine are for reading.
  if [[ -n ${INGOT_BENCH_ONCE:-} ]]; then
    set -- --benchmark_min_time=0.001 "$@"
  else
    set -- --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true \
      --benchmark_min_time=0.05 --benchmark_report_aggregates_only=true "$@"
  fi
  "build/bench/${name}_bench" "$@"
}
