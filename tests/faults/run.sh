#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [NAME...]      e.g. run.sh 03_m_tail
# Do the tests find what they are for? Each NAME.patch here seeds one fault into passes, plan or
# target. In a copy of the tree: each is applied alone and built, and at least one of the quick
# sweeps must fail. A patch that no longer applies, or does not build, fails too.
# About 10 minutes on two cores, most of it the first build of the copy; then 2.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
place=$root/build/faults
src=$place/src
jobs=${JOBS:-$(nproc)}
names=("$@")
((${#names[@]})) || mapfile -t names < <(cd "$here" && ls -- *.patch | sed 's/\.patch$//')

# The copy keeps times, so that only what changed since the last run is compiled.
rm -rf "$src"
mkdir -p "$src" "$place"
(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T -) | tar -xf - -C "$src"
# But for the files that patches touch: what was built of them last may hold a fault.
sed -n 's,^+++ b/,,p' "$here"/*.patch | sort -u | (cd "$src" && xargs touch)
# A repository of its own: inside another one git applies to that.
git -C "$src" init -q
cmake -S "$src" -B "$place/build" -G Ninja >/dev/null

build() { ninja -C "$place/build" -j "$jobs" random_sweep model_sweep fuzz_inputs >"$place/$1.build" 2>&1; }

# Runs the checks until one fails; its name and what it said first stand in $caught.
check() {
  local log=$place/$1.log sweep=$place/build/tests/sweep
  caught=
  if ! timeout 600 "$sweep/model_sweep" "$src/examples/digits/digits.onnx" >"$log" 2>&1; then
    caught="sweep.digits"
  elif ! timeout 900 "$sweep/random_sweep" --seeds 0:24 --threads "$jobs" >"$log" 2>&1; then
    caught="sweep.random_graphs"
  elif ! INGOT_FUZZ_ONE_LEVEL=1 timeout 600 "$place/build/tests/fuzz/fuzz_inputs" run --random 600 >"$log" 2>&1; then
    caught="sweep.hostile_calls"
  fi
  [[ -z $caught ]] || caught+=": $(grep -m1 -E '^  |crash|ERROR' "$log" | sed 's/^ *//' | cut -c 1-90)"
}

build unchanged || { tail -n 20 "$place/unchanged.build"; echo "failed: the tree itself does not build"; exit 1; }
check unchanged
[[ -z $caught ]] || { echo "failed: without any fault, $caught"; exit 1; }

missed=0
for name in "${names[@]}"; do
  patch=$here/$name.patch
  begin=$SECONDS
  if ! git -C "$src" apply "$patch"; then
    result="FAILED: the patch does not apply"
  elif ! build "$name"; then
    result="FAILED: does not build, see $place/$name.build"
  else
    check "$name"
    result=${caught:-MISSED: every check passes}
  fi
  git -C "$src" apply -R "$patch" 2>/dev/null || true
  [[ $result != FAILED* && $result != MISSED* ]] || missed=$((missed + 1))
  printf '%-18s %4d s  %s\n' "$name" $((SECONDS - begin)) "$result"
done
echo "$((${#names[@]} - missed)) of ${#names[@]} seeded faults are found"
exit $((missed > 0))
