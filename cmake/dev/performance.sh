# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: docs/performance.md, from measurements of all models with all engines.

# performance_of FOLDER MODEL OPTION...: FOLDER/NAME.json, unless it is there. A model a process:
# what one of the engines takes down, it takes down alone.
performance_of() {
  local folder=$1 model=$2 name
  shift 2
  name=$(basename "$model")
  [[ -s $folder/$name.json ]] && return 0
  say "measuring $name ($(basename "$folder"))"
  if timeout "${PERFORMANCE_LIMIT:-1800}" build/ingot bench "$model" --json "$folder/$name.part" "$@" \
    >"$folder/$name.txt" 2>"$folder/$name.log"; then
    mv "$folder/$name.part" "$folder/$name.json"
  else
    tail -n 3 "$folder/$name.log" >&2
    say "no figures of $name; $folder/$name.log says why"
  fi
}

# What is measured five times, to see how far ratios move: small and large, and the study's.
PERFORMANCE_REPEATED="l1-tau-3layer deeptau-2018v2p5-inner displaced-regional deepjet-run3"

# ./dev performance [--again|--pages]: what build/performance has already is not measured again, so it can
# be stopped and goes on where it was; --pages only writes the pages again. PERFORMANCE_SECONDS for each engine, size and mode.
verb_performance() {
  local out=build/performance model repeat
  [[ ${1:-} != --pages ]] || { performance_pages "$out" && return; }
  [[ ${1:-} != --again ]] || rm -rf "$out"
  [[ -d ../shared/models ]] || die "../shared/models is not on this machine"
  [[ -s ${INGOT_PEERS:-build/peers}/peers.json ]] || die "./dev peers-setup comes first: there are no engines to measure against"
  configure release
  build_targets release ingot
  [[ -d $out/1 ]] || build/ingot machine --again >/dev/null
  [[ -d $out/study ]] || build/ingot study make "$out/study" >/dev/null
  local options=(--seconds "${PERFORMANCE_SECONDS:-1}")
  mkdir -p "$out/1"
  for model in "$out"/study/*-tf ../shared/models/*/; do
    performance_of "$out/1" "${model%/}" --profile "${options[@]}"
  done
  for repeat in 2 3 4 5; do
    mkdir -p "$out/$repeat"
    for model in "$out"/study/*-tf $(printf '../shared/models/%s ' $PERFORMANCE_REPEATED); do
      performance_of "$out/$repeat" "$model" "${options[@]}"
    done
  done
  performance_pages "$out"
}

# performance_pages OUT: from what is measured so far. docs/performance.md ends with what people
# found out about these figures, which is in bench/performance_notes.md.
performance_pages() {
  local out=$1 repeat reports=()
  for repeat in 1 2 3 4 5; do
    compgen -G "$out/$repeat/*.json" >/dev/null || continue
    build/ingot report "$out/$repeat"/*.json --json "$out/report-$repeat.json"
    reports+=("$out/report-$repeat.json")
  done
  ((${#reports[@]})) || die "nothing is measured yet in $out"
  build/ingot report "${reports[@]}" --json "$out/report.json" --csv "$out/report.csv" \
    --html "$out/report.html" --markdown docs/performance.md
  [[ ! -s bench/performance_notes.md ]] || cat bench/performance_notes.md >>docs/performance.md
  performance_readme "$out/report.json"
  say "wrote docs/performance.md, README's numbers and $out/report.{html,json,csv}"
}

# performance_readme REPORT: what README says between two marks is the report's, and the means those of
# docs/performance.md.
performance_readme() {
  need jq
  {
    jq -r -f bench/readme.jq "$1"
    awk '/^\| Multiply-adds per event/ { on = 1 } on && /^$/ { exit } on' docs/performance.md
  } >"$1.readme"
  awk -v measured="$1.readme" '
    /^<!-- \/measured -->$/ { on = 0 }
    !on
    /^<!-- measured -->$/ { on = 1; while ((getline line < measured) > 0) print line }' README.md >"$1.new"
  mv "$1.new" README.md
}
