# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: runs tests through ctest, counts them, and says what was not run and why.

RESULTS=$ROOT/build/results.txt # one line per test: passed|failed|skipped, name, reason

# run_ctest PRESET [CTEST ARGUMENT...]: appends to RESULTS and shows what the failed tests said;
# failures do not end the script, summary() does that.
run_ctest() {
  local preset=$1 dir junit begin=$SECONDS
  shift
  dir=$(build_dir "$preset")
  junit=$dir/junit.xml
  rm -f "$junit"
  say "testing $preset${*:+ (ctest $*)}"
  ctest --test-dir "$dir" -j "$JOBS" --no-tests=error --output-on-failure \
    --test-output-size-passed 20000 --test-output-size-failed 200000 \
    --output-junit "$junit" "$@" >"$dir/ctest.log" 2>&1 || true
  [[ -s $junit ]] && grep -q '<testcase' "$junit" || {
    cat "$dir/ctest.log" >&2
    die "ctest ran no tests in $dir"
  }
  # One pass over ctest's report: the state of a test, and why it was skipped: what stands below
  # GoogleTest's "file:line: Skipped", or a script's last line.
  awk -v suffix="$([[ $preset == release ]] || echo " ($preset)")" -v results="$RESULTS" '
    function text(s) {
      gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&apos;/, "\047", s)
      gsub(/&amp;/, "\\&", s)
      return s
    }
    /<testcase name="/ {
      name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
      state = /status="run"/ ? "passed" : "failed"
      why = ""; below = 0; settled = 0; said = ""
    }
    /<failure message="/ { said = $0; sub(/.*message="/, "", said); sub(/".*/, "", said); said = said "\n" }
    /<skipped message="/ {
      if (/"SKIP_RE/) state = "skipped"
      else { said = $0; sub(/.*message="/, "", said); sub(/".*/, "", said); said = said "\n" }
    }
    /<system-out>/ { inside = 1; sub(/.*<system-out>/, "") }
    inside {
      line = $0
      closed = sub(/<\/system-out>.*/, "", line)
      said = said line "\n"
      if (line !~ /^[ \t]*$/) {
        if (below) { why = line; below = 0; settled = 1 }
        else if (line ~ /: Skipped$/) below = 1
        else if (!settled && line !~ /^\[/) why = line
      }
      if (closed) inside = 0
    }
    /<\/testcase>/ {
      printf "%s\t%s%s\t%s\n", state, text(name), suffix, state == "skipped" ? text(why) : "" >> results
      if (state == "failed") printf "--- failed: %s%s\n%s", text(name), suffix, text(said)
    }' "$junit"
  say "tested $preset in $((SECONDS - begin)) s"
}

# summary: what was not run and why, skips that nobody knew of, and the count as the last line.
summary() {
  local passed failed skipped unexpected=0 name reason
  passed=$(grep -c '^passed' "$RESULTS" || true)
  failed=$(grep -c '^failed' "$RESULTS" || true)
  skipped=$(grep -c '^skipped' "$RESULTS" || true)
  echo
  if ((failed)); then
    echo "failed:"
    awk -F'\t' '$1 == "failed" { print "  " $2 }' "$RESULTS"
  fi
  echo "not run here:"
  awk -F'\t' '$1 == "skipped" { print "  " $2 ": " $3 }' "$RESULTS" | collapse
  while IFS=$'\t' read -r _ name reason; do
    skip_is_expected "$name" && continue
    ((++unexpected))
    echo "  ^ not in tests/expected_skips.txt: $name: $reason"
  done < <(grep '^skipped' "$RESULTS")
  not_run_lines
  echo
  local status=0
  if ((unexpected)) && [[ ${CI:-} == true ]]; then
    say "$unexpected skipped tests are not in tests/expected_skips.txt, and CI=true makes that a failure"
    status=1
  fi
  ((failed)) && status=1
  echo "$passed passed, $failed failed, $skipped skipped"
  return "$status"
}

# Many tests skipped for one reason are one line.
collapse() {
  awk '{
    at = index($0, ": "); name = substr($0, 1, at - 1); reason = substr($0, at + 2)
    if (!(reason in count)) { order[++n] = reason; first[reason] = name }
    count[reason]++
  }
  END {
    for (i = 1; i <= n; i++) {
      r = order[i]
      printf "%s%s: %s\n", first[r], (count[r] > 1 ? " and " (count[r] - 1) " more" : ""), r
    }
  }'
}

# tests/expected_skips.txt: a shell pattern of test names a line, then the reason after '#'.
skip_is_expected() {
  local pattern
  while read -r pattern; do
    pattern=${pattern%%#*}
    pattern=${pattern%"${pattern##*[![:space:]]}"}
    # shellcheck disable=SC2053
    [[ $pattern && ${1% (*} == $pattern ]] && return 0
  done <tests/expected_skips.txt
  return 1
}

has_avx512() { grep -qm1 'avx512vl' /proc/cpuinfo 2>/dev/null; }

# What this machine or this verb leaves out beyond the skipped tests.
not_run_lines() {
  [[ -d ../shared/models ]] || echo "  ../shared/models and ../shared/onnx-cases: not on this machine"
  has_avx512 || echo "  x86-64-v4 code: this CPU has no AVX-512"
  [[ ${FULL:-} ]] || full_step_lines
}

verb_test() {
  mkdir -p build
  : >"$RESULTS"
  if (($#)); then
    configure release
    build_targets release
    run_ctest release -R "$1"
    FULL=1
    summary
    return
  fi
  configure release
  build_targets release
  run_ctest release
  summary
}

verb_bless() {
  mkdir -p build
  : >"$RESULTS"
  configure release
  build_targets release
  export INGOT_BLESS=1
  run_ctest release -R "${1:-.}" -E '[Ss]weep|[Rr]andom'
  unset INGOT_BLESS
  git diff --stat -- tests compiler docs
  FULL=1 summary
}
