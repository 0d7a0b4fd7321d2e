# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: which plans and which machine code change between two states of the compiler.
#
# Everything lies in build/replay: tree and build, where states are checked out and built one after the
# other; out/KEY, what a state makes of each model, kept for as long as what the compiler consists of
# is the same; and diff, the differences.

REPLAY=$ROOT/build/replay

# The working tree, with what is not committed, as a commit that no branch knows.
replay_snapshot() {
  local index=$REPLAY/index tree
  rm -f "$index"
  GIT_INDEX_FILE=$index git read-tree HEAD
  GIT_INDEX_FILE=$index git add -A
  tree=$(GIT_INDEX_FILE=$index git write-tree)
  if [[ $tree == $(git rev-parse 'HEAD^{tree}') ]]; then git rev-parse HEAD; else git commit-tree "$tree" -p HEAD -m 'working tree'; fi
}

# What code depends on: a change of anything else has the same key.
replay_key() {
  git ls-tree "$1" -- compiler include runtime tools cmake/ CMakeLists.txt | grep -v 'cmake/dev' | sha1sum | cut -c 1-16
}

# replay_build COMMIT: its ingot is then $REPLAY/build/ingot.
replay_build() {
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  git worktree prune
  if [[ -d $REPLAY/tree ]]; then
    git -C "$REPLAY/tree" checkout -q --detach "$1"
  else
    git worktree add -q --detach "$REPLAY/tree" "$1"
  fi
  cmake -S "$REPLAY/tree" -B "$REPLAY/build" -G Ninja -DINGOT_TESTS=OFF "${launcher[@]}" >"$REPLAY/build.log" &&
    ninja -C "$REPLAY/build" -j "$JOBS" ingot >>"$REPLAY/build.log" 2>&1 || {
    tail -n 20 "$REPLAY/build.log" >&2
    die "$(git log -1 --format='%h %s' "$1") does not build"
  }
}

# A line for each model: its name, its file, and the flags that it wants. The same for both states.
replay_models() {
  local file folder name graphs=$REPLAY/graphs
  for file in examples/*/*.onnx examples/*/*.pb tests/fuzz/models/*.ir; do
    [[ -f $file ]] && printf '%s\t%s\n' "$(basename "${file%.*}")" "$ROOT/$file"
  done
  for folder in ../shared/models/*/; do
    [[ -f $folder/model.json ]] || continue
    printf '%s\t%s%s\n' "$(basename "$folder")" "$(readlink -f "$folder")/" "$(jq -j '.file,
      (if .format == "graphdef" then
        (.inputs[] | "\t--input\t\(.name)=\(.dtype)[\(.shape | map(tostring) | join(","))]"),
        "\t--outputs\t\(.outputs | map(.name) | join(","))"
      else empty end),
      (.constants // {} | to_entries[] | "\t--constant\t\(.key)=\(.value | if type == "string" then . else tojson end)")' \
      "$folder/model.json")"
  done
  # The graphs that passes are tested with.
  rm -rf "$graphs"
  mkdir -p "$graphs"
  for file in compiler/passes/*.ir; do
    awk -v stem="$graphs/$(basename "$file" .ir)" '
      /^; test / { wanted = 1; n++ }
      wanted && /^graph / { out = sprintf("%s.%02d.ir", stem, n); wanted = 0 }
      out { print > out }
      /^}/ && out { close(out); out = "" }' "$file"
  done
  for file in "$graphs"/*.ir; do printf '%s\t%s\n' "$(basename "${file%.*}")" "$file"; done
}

# replay_one OUT INGOT LINE: one model. What is refused has the message instead of a plan.
replay_one() {
  local out=$1 ingot=$2 name file flags work
  IFS=$'\t' read -r -a flags <<<"$3"
  name=${flags[0]} file=${flags[1]} flags=("${flags[@]:2}")
  work=$(mktemp -d)
  if ! "$ingot" compile "$file" --name model -o "$work" --emit obj,plan "${flags[@]}" >/dev/null 2>"$work/said"; then
    { echo "refused:" && sed "s,^ingot: .*$(basename "$file"): ,," "$work/said"; } >"$out/$name.plan"
    : >"$out/$name.asm"
    echo 0 >"$out/$name.bytes"
  else
    mv "$work/model.plan" "$out/$name.plan"
    size -A "$work/model.o" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum + 0 }' >"$out/$name.bytes"
    # Without the provenance hash, which differs when anything does.
    "$ingot" compile "$file" --name model --stop-after=asm "${flags[@]}" | sed -E 's/[0-9a-f]{32}/HASH/g' >"$out/$name.asm"
  fi
  rm -rf "$work"
}

# replay_state COMMIT: fills its folder; says which.
replay_state() {
  local commit=$1 key out line
  key=$(replay_key "$commit")
  out=$REPLAY/out/$key
  mkdir -p "$out"
  # Only models that are new to it.
  while IFS= read -r line; do
    [[ -f $out/${line%%$'\t'*}.bytes ]] || printf '%s\n' "$line"
  done <"$REPLAY/models" >"$REPLAY/todo"
  if [[ -s $REPLAY/todo ]]; then
    say "building $(git log -1 --format='%h %s' "$commit")" >&2
    replay_build "$commit"
    say "compiling $(wc -l <"$REPLAY/todo") models" >&2
    export -f replay_one
    tr '\n' '\0' <"$REPLAY/todo" | xargs -0 -P "$JOBS" -I LINE bash -c 'replay_one "$1" "$2" "$3"' - "$out" "$REPLAY/build/ingot" LINE
  fi
  echo "$out"
}

# replay_difference BEFORE AFTER DIFF: `same`, or `+3 -2`; the difference itself goes to DIFF.
replay_difference() {
  if cmp -s "$1" "$2"; then echo same && return; fi
  git diff --no-index --no-color -- "$1" "$2" >"$3" || true
  git diff --no-index --numstat -- "$1" "$2" | awk '{ print "+" $1 " -" $2 }' || true
}

verb_replay() {
  need jq binutils
  mkdir -p "$REPLAY"
  local base head before after name plan code changed=0 count=0
  base=$(git rev-parse --verify -q "${1:-HEAD}^{commit}") || die "no commit '${1:-}'"
  if [[ ${2:-} ]]; then
    head=$(git rev-parse --verify -q "$2^{commit}") || die "no commit '$2'"
  else
    head=$(replay_snapshot)
  fi
  replay_models >"$REPLAY/models"
  before=$(replay_state "$base")
  after=$(replay_state "$head")
  rm -rf "$REPLAY/diff"
  mkdir -p "$REPLAY/diff"
  printf '%-32s %-14s %-16s %s\n' model plan assembly 'bytes of code'
  while IFS=$'\t' read -r name _; do
    count=$((count + 1))
    plan=$(replay_difference "$before/$name.plan" "$after/$name.plan" "$REPLAY/diff/$name.plan")
    code=$(replay_difference "$before/$name.asm" "$after/$name.asm" "$REPLAY/diff/$name.asm")
    [[ "$plan $code" != 'same same' ]] || continue
    changed=$((changed + 1))
    printf '%-32s %-14s %-16s %s\n' "$name" "$plan" "$code" "$(<"$before/$name.bytes") to $(<"$after/$name.bytes")"
  done <"$REPLAY/models"
  say "$changed of $count models change from $(git rev-parse --short "$base") to $(git rev-parse --short "$head"); differences are in build/replay/diff"
}
