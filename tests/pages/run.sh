#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the page of a made-up report and has tests/pages/check.py look at it in a browser; a report
# of real measurements is looked at too if one was made.
# usage: tests/pages/run.sh BUILD
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
out=$build/pages
mkdir -p "$out"
"$build/tests/pages/made_up_report" >"$out/made_up.json"
reports=("$out/made_up.json")
for real in "$build/performance/report.json"; do
  [[ -s $real ]] && reports+=("$real")
done
for report in "${reports[@]}"; do
  name=$(basename "$report" .json)
  "$build/ingot" report "$report" --html "$out/$name.html"
  echo "$name: $(wc -c <"$out/$name.html") bytes"
  python3 check.py "$out/$name.html" "$report" "$out/$name"
done
