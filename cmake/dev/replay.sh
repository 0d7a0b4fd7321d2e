# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: which plans and which machine code change between two states of the compiler.
#
# Everything lies in build/replay: tree, where states are checked out and built one after the other;
# out/KEY, what a state makes of each model, kept for as long as what the compiler consists of is the
# same; and diff, the differences.

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
  git ls-tree -r "$1" -- compiler include runtime tools cmake CMakeLists.txt |
    grep -vE $'\t(cmake/dev|tools/bench)/|_test\\.cpp$|\\.ir$|\\.md$' | sha1sum | cut -c 1-16
}

# replay_build COMMIT: its ingot is then $REPLAY/tree/build/ingot. With a compiler cache, of commits whose
# CMake files do not look for one, too; what is hashed are paths from the tree on, so that all trees of replay
# share what they compile, wherever they are.
replay_build() {
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  export CCACHE_BASEDIR=$REPLAY/tree CCACHE_NOHASHDIR=1
  git worktree prune
  if [[ -d $REPLAY/tree ]]; then
    git -C "$REPLAY/tree" checkout -q --detach "$1"
  else
    git worktree add -q --detach "$REPLAY/tree" "$1"
  fi
  cmake -S "$REPLAY/tree" -B "$REPLAY/tree/build" -G Ninja -DINGOT_TESTS=OFF "${launcher[@]}" >"$REPLAY/build.log" &&
    ninja -C "$REPLAY/tree/build" -j "$JOBS" ingot >>"$REPLAY/build.log" 2>&1 || {
    tail -n 20 "$REPLAY/build.log" >&2
    die "$(git log -1 --format='%h %s' "$1") does not build"
  }
}

# A line for each model: its name, its file, and the flags that it wants. The same for both states.
replay_list() {
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

# replay_models REGEX: those that match it, with a stamp of the file and the flags behind the name: what a
# state made of another model of that name is not what it makes of this one.
replay_models() {
  local name rest
  while IFS=$'\t' read -r name rest; do
    [[ $name =~ $1 ]] || continue
    printf '%s\t%s\t%s\n' "$name" "$({ echo "$rest" && cat "${rest%%$'\t'*}"; } | sha1sum | cut -c 1-12)" "$rest"
  done < <(replay_list)
}

# replay_one OUT INGOT LINE: one model. What is refused has the message instead of a plan.
replay_one() {
  local out ingot=$2 file flags work status=0
  IFS=$'\t' read -r -a flags <<<"$3"
  out=$1/${flags[0]}.${flags[1]} file=${flags[2]} flags=("${flags[@]:3}")
  work=$(mktemp -d)
  "$ingot" compile "$file" --name model -o "$work" --emit obj,plan "${flags[@]}" >/dev/null 2>"$work/said" || status=$?
  if ((status)); then
    { echo "refused with status $status:" && sed "s,^ingot: .*$(basename "$file"): ,," "$work/said"; } >"$out.plan"
    : >"$out.asm"
    echo 0 >"$out.bytes"
  else
    mv "$work/model.plan" "$out.plan"
    size -A "$work/model.o" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum + 0 }' >"$out.bytes"
    # Without the provenance hash, which differs when anything does.
    "$ingot" compile "$file" --name model --stop-after=asm "${flags[@]}" | sed -E 's/[0-9a-f]{32}/HASH/g' >"$out.asm"
  fi
  rm -rf "$work"
}

# replay_state COMMIT: fills its folder; says which.
replay_state() {
  local commit=$1 key out name stamp line
  key=$(replay_key "$commit")
  out=$REPLAY/out/$key
  mkdir -p "$out"
  # Only models that are new to it.
  while IFS= read -r line; do
    IFS=$'\t' read -r name stamp _ <<<"$line"
    [[ -f $out/$name.$stamp.bytes ]] || printf '%s\n' "$line"
  done <"$REPLAY/models" >"$REPLAY/todo"
  if [[ -s $REPLAY/todo ]]; then
    say "building $(git log -1 --format='%h %s' "$commit")" >&2
    replay_build "$commit"
    say "compiling $(wc -l <"$REPLAY/todo") models" >&2
    export -f replay_one
    tr '\n' '\0' <"$REPLAY/todo" | xargs -0 -P "$JOBS" -I LINE bash -c 'replay_one "$1" "$2" "$3"' - "$out" "$REPLAY/tree/build/ingot" LINE
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
  local only=''
  local states=()
  while (($#)); do
    case $1 in
      --only) only=${2:-} && [[ $only ]] || die "--only: a regular expression is needed"
        shift 2 ;;
      -*) die "usage: ./dev replay [BASE [HEAD]] [--only REGEX]" ;;
      *) states+=("$1") && shift ;;
    esac
  done
  set -- "${states[@]}"
  (($# <= 2)) || die "usage: ./dev replay [BASE [HEAD]] [--only REGEX]"
  need jq binutils
  mkdir -p "$REPLAY"
  local base head span before after name stamp old new plan code changed=0 count=0 sum_old=0 sum_new=0
  base=$(git rev-parse --verify -q "${1:-HEAD}^{commit}") || die "no commit '${1:-}'"
  if [[ ${2:-} ]]; then
    head=$(git rev-parse --verify -q "$2^{commit}") || die "no commit '$2'"
  else
    head=$(replay_snapshot)
  fi
  span="from $(git rev-parse --short "$base") to $([[ ${2:-} ]] && git rev-parse --short "$head" || echo "the working tree")"
  if [[ $(replay_key "$base") == "$(replay_key "$head")" ]]; then
    say "nothing that plans and assembly depend on changes $span"
    return
  fi
  replay_models "$only" >"$REPLAY/models"
  [[ -s $REPLAY/models ]] || die "no model's name matches '$only'; there are: $(replay_list | cut -f 1 | tr '\n' ' ')"
  before=$(replay_state "$base")
  after=$(replay_state "$head")
  rm -rf "$REPLAY/diff"
  mkdir -p "$REPLAY/diff"
  while IFS=$'\t' read -r name stamp _; do
    old=$(<"$before/$name.$stamp.bytes") new=$(<"$after/$name.$stamp.bytes")
    count=$((count + 1)) sum_old=$((sum_old + old)) sum_new=$((sum_new + new))
    plan=$(replay_difference "$before/$name.$stamp.plan" "$after/$name.$stamp.plan" "$REPLAY/diff/$name.plan")
    code=$(replay_difference "$before/$name.$stamp.asm" "$after/$name.$stamp.asm" "$REPLAY/diff/$name.asm")
    [[ "$plan $code" != 'same same' ]] || continue
    ((changed++)) || printf '%-32s %-14s %-16s %s\n' model 'lines of plan' assembly 'bytes of code'
    printf '%-32s %-14s %-16s %s\n' "$name" "$plan" "$code" "$(replay_bytes "$old" "$new")"
  done <"$REPLAY/models"
  say "$changed of $count models change $span; code of all: $(replay_bytes "$sum_old" "$sum_new") bytes"
  ((!changed)) || say "the differences are in build/replay/diff"
}

# replay_bytes BEFORE AFTER: `1000`, or `1000 to 1100 (+10.0 %)`.
replay_bytes() {
  awk -v a="$1" -v b="$2" 'BEGIN {
    if (a == b) print a
    else if (a == 0) print a " to " b
    else printf "%d to %d (%+.1f %%)\n", a, b, 100 * (b - a) / a
  }'
}
